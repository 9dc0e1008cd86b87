"""Fock-space simulation of heralding at a midpoint; NumPy only, knows nothing of the library.

Each arm carries at most one photon. The left photon is in temporal mode 0; the right one in
sqrt(V) |mode 0> + sqrt(1 - V) |mode 1>, so that V is the squared overlap. Four optical modes
(left 0, left 1, right 0, right 1), each cut at two photons, which is exact as there are only two.
"""

from functools import lru_cache
from itertools import product
from math import comb

import numpy as np

CUT = 3
OCCUPATIONS = np.array(list(product(range(CUT), repeat=4)))  # left 0, left 1, right 0, right 1
X, Z, ONE = np.array([[0, 1], [1, 0]]), np.diag([1, -1]), np.eye(2)
PHI, PSI = np.array([1, 0, 0, 1]) / np.sqrt(2), np.array([0, 1, 1, 0]) / np.sqrt(2)
BELL = np.array([PHI, PSI, np.kron(Z, ONE) @ PSI, np.kron(Z, ONE) @ PHI])  # Phi+, Psi+, Psi-, Phi-


def on_mode(operator, mode):
    """Embed a one-mode operator."""
    result = np.eye(1)
    for other in range(4):
        result = np.kron(result, operator if other == mode else np.eye(CUT))
    return result


@lru_cache
def beam_splitter():
    """50:50 beam splitter between left and right, for both temporal modes."""
    lower = np.diag(np.sqrt(np.arange(1, CUT)), 1)
    unitary = np.eye(CUT**4)
    for left, right in ((0, 2), (1, 3)):
        hop = on_mode(lower.T, left) @ on_mode(lower, right)
        values, vectors = np.linalg.eigh(1j * (hop - hop.T))
        unitary = (vectors * np.exp(-1j * np.pi / 4 * values)) @ vectors.conj().T @ unitary
    return unitary


def mode_loss(eta):
    """Kraus operators of one lossy mode: k photons leave through a beam splitter of transmissivity eta."""
    for k in range(CUT):
        kraus = np.zeros((CUT, CUT))
        for n in range(k, CUT):
            kraus[n - k, n] = np.sqrt(comb(n, k) * eta ** (n - k) * (1 - eta) ** k)
        yield kraus


@lru_cache
def losses(eta_left, eta_right):
    """Kraus operators of the lossy arms; the vacuum of left 1 loses nothing."""
    left, right = list(mode_loss(eta_left)), list(mode_loss(eta_right))
    branches = product(enumerate(left), enumerate(right), enumerate(right))
    return [
        on_mode(kraus, 0) @ on_mode(kraus0, 2) @ on_mode(kraus1, 3)
        for (k, kraus), (k0, kraus0), (k1, kraus1) in branches
        if k < 2 and k0 + k1 < 2  # each arm carries at most one photon
    ]


def emission(visibility, phase):
    """Optical state (column) for each |AB>: a bright qubit emits one photon, the left one with a phase."""
    index = {tuple(n): i for i, n in enumerate(OCCUPATIONS)}
    amplitudes = np.zeros((CUT**4, 4), dtype=complex)
    for a, b in product((0, 1), repeat=2):
        right = {(1, 0): np.sqrt(visibility), (0, 1): np.sqrt(1 - visibility)} if b else {(0, 0): 1.0}
        for modes, amplitude in right.items():
            amplitudes[index[(a, 0, *modes)], 2 * a + b] += amplitude * np.exp(1j * phase * a)
    return amplitudes


def click(detector, dark):
    """Probability that only this detector (0 left, 1 right output) clicks, for each Fock state."""
    photons = np.stack([OCCUPATIONS[:, :2].sum(1), OCCUPATIONS[:, 2:].sum(1)])
    silent = (1 - dark) * (photons == 0)
    return (1 - silent[detector]) * silent[1 - detector]


def window(rho, *, eta_left, eta_right, visibility, dark, detector, phase):
    """Unnormalised two-qubit state after one emission and one click of one detector alone."""
    emitted, unitary, weight = emission(visibility, phase), beam_splitter(), click(detector, dark)
    result = np.zeros((4, 4), dtype=complex)
    for lost in losses(eta_left, eta_right):
        amplitudes = unitary @ (lost @ emitted)  # optical state, for each |AB>
        result += rho * np.einsum("oq,o,op->qp", amplitudes, weight, amplitudes.conj())
    return result


def phases(std):
    """Gauss-Hermite nodes and weights of a Gaussian phase."""
    if std == 0:
        return [(0.0, 1.0)]
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    return list(zip(std * nodes, weights / weights.sum(), strict=True))


def corrected(rho, same_sign):
    """Bring the heralded Psi+ (or, after a Z, Psi-) to Phi+."""
    unitary = np.kron(ONE, X) @ (np.eye(4) if same_sign else np.kron(Z, ONE))
    return unitary @ rho @ unitary.T


def single_click(*, bright_left, bright_right, phase_std=0.0, phase_offset=0.0, held=lambda rho: rho, **optics):
    """Return (probability, corrected 4x4 state) of the single-click scheme; `held` acts before the correction."""
    qubits = [np.array([np.sqrt(1 - a), np.sqrt(a)]) for a in (bright_left, bright_right)]
    initial = np.outer(np.kron(*qubits), np.kron(*qubits))
    rho = np.zeros((4, 4), dtype=complex)
    for detector in (0, 1):
        for phase, weight in phases(phase_std):
            state = window(initial, detector=detector, phase=phase + phase_offset, **optics)
            rho += weight * corrected(held(state), same_sign=detector == 0)
    return np.trace(rho).real, rho / np.trace(rho)


def double_click(*, phase_std=0.0, held=lambda rho: rho, **optics):
    """Return (probability, corrected 4x4 state) of the double-click scheme; one phase for both windows.

    `held` acts before the correction.
    """
    rho, flip = np.zeros((4, 4), dtype=complex), np.kron(X, X)
    for first, second in product((0, 1), repeat=2):
        for phase, weight in phases(phase_std):
            state = window(np.full((4, 4), 0.25), detector=first, phase=phase, **optics)
            state = window(flip @ state @ flip, detector=second, phase=phase, **optics)
            rho += weight * corrected(held(state), same_sign=first == second)
    return np.trace(rho).real, rho / np.trace(rho)


def bell_weights(rho):
    """Return the weights of Phi+, Psi+, Psi-, Phi-."""
    return np.einsum("ki,ij,kj->k", BELL, rho, BELL).real


def pauli_coefficients(rho):
    """Return r_ij = tr(P_i x P_j rho), (4, 4)."""
    paulis = [ONE, X, 1j * X @ Z, Z]
    return np.array([[np.trace(np.kron(a, b) @ rho).real for b in paulis] for a in paulis])
