"""Neutral atoms: every number cited, or marked as an assumption.

NEUTRAL_ATOM_2022   single rubidium atoms in tweezers with photons converted to telecom wavelengths
"""

from qtn.hardware.quantity import Preset, Quantity

VAN_LEENT = "van Leent et al., Nature 607, 69 (2022), arXiv:2111.15526"

NEUTRAL_ATOM_2022 = Preset(
    efficiency=Quantity(2.5e-3, "assumed: collection by an objective of 1 %, conversion 57 % and detection"),
    visibility=Quantity(0.9, "assumed: photons of two atoms after conversion"),
    dark_count_probability=Quantity(1e-5, "assumed: tens of counts per second in a window of 0.2 us, with pump noise"),
    phase_std=Quantity(0.0, "assumed: polarisation qubits and two clicks do not see the optical phase"),
    emission_time=Quantity(1e-5, "assumed: optical pumping and excitation"),
    coherence_time=Quantity(7e-3, "Zhou et al., PRX Quantum 5, 020307 (2024), arXiv:2308.08892: long-lived encoding"),
    two_qubit=Quantity(0.995, "assumed: a Rydberg gate"),
    readout=Quantity(0.97, "assumed: state-selective ionisation or fluorescence"),
)
"""The conversion efficiency of 57 % is cited by van Leent et al. for their converters."""
