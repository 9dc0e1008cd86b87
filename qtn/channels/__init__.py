"""Channels: noise as real Pauli transfer matrices, one card (docstring) each.

A channel is a frozen record whose numbers are leaves. It answers `ptm()`, `kraus()` and `num_qubits`:

    r' = R r,   R_ij = tr(P_i E(P_j)) / 2^n,   rho = 2^-n sum_a r_a P_a,   order I, X, Y, Z, first qubit slowest

Gradients go through `ptm()`; Kraus operators hold square roots, whose derivatives are infinite at zero strength.
"""

from qtn.channels.coherent import OverRotation, over_rotation
from qtn.channels.convert import (
    choi_from_ptm,
    compose,
    cptp_defect,
    kraus_from_ptm,
    pauli_strings,
    ptm_from_choi,
    ptm_from_kraus,
    ptm_from_unitary,
    require_cptp,
    require_kraus,
    require_unitary,
    tensor,
    twirl,
)
from qtn.channels.correlated import CorrelatedDephasing, correlated_dephasing
from qtn.channels.damping import (
    AmplitudeDamping,
    GeneralisedDamping,
    Relaxation,
    amplitude_damping,
    generalised_damping,
    relaxation,
)
from qtn.channels.erasure import Erasure, erasure
from qtn.channels.pauli import Dephasing, Depolarising, PauliNoise, dephasing, depolarising, pauli_noise
from qtn.channels.readout import Misread, ReadoutError, misread, readout_error

__all__ = [
    "AmplitudeDamping",
    "CorrelatedDephasing",
    "Dephasing",
    "Depolarising",
    "Erasure",
    "GeneralisedDamping",
    "Misread",
    "OverRotation",
    "PauliNoise",
    "ReadoutError",
    "Relaxation",
    "amplitude_damping",
    "choi_from_ptm",
    "compose",
    "correlated_dephasing",
    "cptp_defect",
    "dephasing",
    "depolarising",
    "erasure",
    "generalised_damping",
    "kraus_from_ptm",
    "misread",
    "over_rotation",
    "pauli_noise",
    "pauli_strings",
    "ptm_from_choi",
    "ptm_from_kraus",
    "ptm_from_unitary",
    "readout_error",
    "relaxation",
    "require_cptp",
    "require_kraus",
    "require_unitary",
    "tensor",
    "twirl",
]
