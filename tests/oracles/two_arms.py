"""Photon counting at two nodes behind a source of entangled light; NumPy only, knows nothing of the library.

Each node receives the modes H and V, rotates them to measure X, Y or Z, and has one threshold detector behind each. The
state of the source is a vector over the Fock states (nH, nV) of both nodes, cut at a total photon number, which every
rotation conserves. Losses are those of inefficient detectors: a mode of n photons is silent with (1 - pd)(1 - eta)^n.
"""

from math import factorial

import numpy as np

Z_BASIS = np.eye(2)
X_BASIS = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
Y_BASIS = np.array([[1, -1j], [1, 1j]]) / np.sqrt(2)
BASES = (X_BASIS, Y_BASIS, Z_BASIS)
PAULIS = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def levels(most):
    """Occupations (nH, nV) of at most so many photons."""
    return [(h, n - h) for n in range(most + 1) for h in range(n + 1)]


def rotation(basis, most):
    """Fock-space matrix of b = basis a: rows count photons in the measured modes."""
    states = levels(most)
    index = {state: i for i, state in enumerate(states)}
    result = np.zeros((len(states), len(states)), dtype=complex)
    u = basis.T  # a_H^+ = sum_k u[0, k] b_k^+ up to the conjugation below
    for (h, v), column in index.items():
        first = np.array([1.0 + 0j])
        for row, power in ((0, h), (1, v)):
            for _ in range(power):  # multiply by (u[row, 0] x + u[row, 1] y); coefficients of x^k y^(n-k)
                first = np.convolve(first, [u[row, 1], u[row, 0]])
        for k, amplitude in enumerate(first):  # x^k y^(n-k)
            n = h + v
            norm = np.sqrt(factorial(k) * factorial(n - k) / (factorial(h) * factorial(v)))
            result[index[(k, n - k)], column] += amplitude * norm
    return result


def silent(eta, dark, most):
    """Probability that the H (V) detector stays silent, for each Fock state: (2, states)."""
    counts = np.array(levels(most)).T
    return (1 - dark) * (1 - eta) ** counts


def outcomes(eta, dark, most):
    """Weights of the outcomes (any click, +1 minus -1), for each Fock state; both clicks count as a coin."""
    h, v = silent(eta, dark, most)
    return 1 - h * v, v * (1 - h) - h * (1 - v)


def detected(state, *, eta_left, eta_right, dark_left, dark_right, most):
    """Return (probability that both nodes register, 3x3 correlations times it) of a mixture [(weight, vector)]."""
    size = len(levels(most))
    right_any, right_sign = outcomes(eta_right, dark_right, most)
    left_any, left_sign = outcomes(eta_left, dark_left, most)
    both, correlations = 0.0, np.zeros((3, 3))
    turns = [rotation(basis, most) for basis in BASES]
    for weight, vector in state:
        amplitudes = vector.reshape(size, size)
        both += weight * left_any @ np.abs(amplitudes) ** 2 @ right_any
        for i, left in enumerate(turns):
            for j, right in enumerate(turns):
                turned = np.abs(left @ amplitudes @ right.T) ** 2
                correlations[i, j] += weight * left_sign @ turned @ right_sign
    return both, correlations


def one_pair(p_source, weights):
    """Mixture of vacuum and Bell states of one photon each: Phi+, Psi+, Psi-, Phi-."""
    states = levels(1)
    h, v, none = (states.index(n) for n in ((1, 0), (0, 1), (0, 0)))
    vacuum = np.zeros((3, 3))
    vacuum[none, none] = 1
    mixture = [(1 - p_source, vacuum.ravel())]
    phi, psi = ((h, h), (v, v)), ((h, v), (v, h))
    for weight, (pairs, sign) in zip(weights, ((phi, 1), (psi, 1), (psi, -1), (phi, -1)), strict=True):
        vector = np.zeros((3, 3))
        vector[pairs[0]], vector[pairs[1]] = np.sqrt(0.5), sign * np.sqrt(0.5)
        mixture.append((p_source * weight, vector.ravel()))
    return mixture


def entangled_light(mean_pairs, most):
    """Two two-mode squeezed states, H with H and V with V, of mean_pairs / 2 each."""
    light = mean_pairs / 2
    states = levels(most)
    amplitudes = np.zeros((len(states), len(states)))
    for i, (h, v) in enumerate(states):
        amplitudes[i, i] = np.sqrt(light ** (h + v) / (1 + light) ** (h + v + 2))
    return [(1.0, amplitudes.ravel())]
