"""Quantum dots: every number cited, or marked as an assumption.

QUANTUM_DOT_2016   hole spins 5 m apart, single clicks at 2300 pairs per second
"""

from qtn.hardware.quantity import Preset, Quantity

DELTEIL = "Delteil et al., Nat. Phys. 12, 218 (2016), arXiv:1507.00465"

QUANTUM_DOT_2016 = Preset(
    efficiency=Quantity(3e-3, "assumed: from the dot to a click"),
    visibility=Quantity(0.9, "assumed: photons of two dots, filtered"),
    dark_count_probability=Quantity(1e-7, "assumed: 100 counts per second in a window of 1 ns"),
    phase_std=Quantity(0.3, "assumed: stabilised interferometer"),
    emission_time=Quantity(1e-7, "assumed: spin pumping and excitation"),
    coherence_time=Quantity(1e-6, "assumed: a hole spin with an echo"),
    two_qubit=Quantity(0.9, "assumed: no two-qubit gate between such memories has been shown in a network"),
    readout=Quantity(0.95, "assumed: resonance fluorescence"),
)
