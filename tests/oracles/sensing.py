"""Fisher information of density matrices, in NumPy: by eigenvalues, and of measurements written out."""

from functools import reduce
from itertools import product

import numpy as np

X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])


def at(matrix, site, n):
    """Return a one-qubit operator at a site."""
    return reduce(np.kron, [matrix if k == site else np.eye(2) for k in range(n)])


def total(n, weights=None, axis=Z):
    """Return 1/2 sum_k w_k axis_k."""
    return sum(w / 2 * at(axis, k, n) for k, w in enumerate(np.ones(n) if weights is None else weights))


def quantum_fisher(rho, turn):
    """Return 2 sum_jk (l_j - l_k)^2 / (l_j + l_k) |<j|H|k>|^2."""
    values, vectors = np.linalg.eigh(rho)
    inner = np.abs(vectors.conj().T @ turn @ vectors) ** 2
    sums = values[:, None] + values
    gaps = (values[:, None] - values) ** 2
    return float(np.sum(2 * np.where(sums > 1e-14, gaps / np.where(sums > 1e-14, sums, 1), 0) * inner))


def ghz(n):
    """Return the density matrix of a GHZ state."""
    vector = np.zeros(2**n)
    vector[[0, -1]] = 2**-0.5
    return np.outer(vector, vector).astype(complex)


def through(rho, kraus):
    """Send every qubit through one channel."""
    n = int(np.log2(len(rho)))
    for k in range(n):
        rho = sum(at(each, k, n) @ rho @ at(each, k, n).conj().T for each in kraus)
    return rho


def pauli(px, py, pz):
    """Return Kraus operators of Pauli noise."""
    return [np.sqrt(1 - px - py - pz) * np.eye(2), np.sqrt(px) * X, np.sqrt(py) * Y, np.sqrt(pz) * Z]


def damping(g):
    """Return Kraus operators of amplitude damping."""
    return [np.diag([1, np.sqrt(1 - g)]), np.sqrt(g) * np.array([[0, 1], [0, 0]])]


def classical_fisher(rho, turn, along, parity=False):
    """Return the Fisher information of all outcomes +-1 along one-qubit operators, or of their product."""
    rate = -1j * (turn @ rho - rho @ turn)
    found = {}
    for signs in product((1, -1), repeat=len(along)):
        effect = reduce(np.kron, [(np.eye(2) + s * a) / 2 for s, a in zip(signs, along, strict=True)])
        key = int(np.prod(signs)) if parity else signs
        before = found.get(key, (0.0, 0.0))
        found[key] = (before[0] + np.trace(effect @ rho).real, before[1] + np.trace(effect @ rate).real)
    return sum(d**2 / p for p, d in found.values() if p > 1e-14)
