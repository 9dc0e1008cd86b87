"""Trapped ions: every number cited, or marked as an assumption.

TRAPPED_ION_2023   two ions in cavities, 230 m apart: the efficiency is that of the published success probability
"""

from qtn.hardware.quantity import Preset, Quantity

KRUTYANSKIY = "Krutyanskiy et al., Phys. Rev. Lett. 130, 050803 (2023), arXiv:2208.14907"

TRAPPED_ION_2023 = Preset(
    efficiency=Quantity(8.9e-3, f"{KRUTYANSKIY}: success probability 4e-5 = efficiency^2 / 2, fibre of 520 m included"),
    visibility=Quantity(0.76, f"{KRUTYANSKIY}: fidelity 0.882 = (1 + V)/2, with all errors of the pair in V"),
    dark_count_probability=Quantity(1e-5, "assumed: 1 count per second in a window of 10 us"),
    phase_std=Quantity(0.0, "assumed: polarisation qubits and two clicks do not see the optical phase"),
    emission_time=Quantity(1e-3, "assumed: cooling and preparation dominate an attempt"),
    coherence_time=Quantity(0.06, "assumed: tens of milliseconds, optical qubit with refocusing"),
    two_qubit=Quantity(0.99, "assumed: a Moelmer-Soerensen gate of good fidelity"),
    readout=Quantity(0.999, "assumed: electron shelving"),
)
