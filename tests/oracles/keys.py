"""Keys and entanglement from density matrices; NumPy only, knows nothing of the library."""

import numpy as np

PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
BELL = np.array([[1, 0, 0, 1], [0, 1, 1, 0], [0, 1, -1, 0], [1, 0, 0, -1]]) / np.sqrt(2)


def entropy(matrix):
    """Von Neumann entropy [bit]."""
    values = np.linalg.eigvalsh(matrix)
    values = values[values > 1e-15]
    return -np.sum(values * np.log2(values))


def density(coefficients):
    """rho of Pauli coefficients."""
    return sum(coefficients[i, j] * np.kron(PAULIS[i], PAULIS[j]) for i in range(4) for j in range(4)) / 4


def random_state(seed, rank=4):
    """Pauli coefficients of a random pair."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, rank)) + 1j * rng.normal(size=(4, rank))
    rho = root @ root.conj().T
    rho /= np.trace(rho).real
    return np.array([[np.trace(np.kron(a, b) @ rho).real for b in PAULIS] for a in PAULIS])


def log_negativity(coefficients):
    """log2 of the trace norm of the partial transpose."""
    rho = density(coefficients).reshape(2, 2, 2, 2)
    return np.log2(np.abs(np.linalg.eigvalsh(rho.transpose(0, 3, 2, 1).reshape(4, 4))).sum())


def coherent_information(coefficients):
    """S(B) - S(AB)."""
    rho = density(coefficients)
    return entropy(np.einsum("aiaj->ij", rho.reshape(2, 2, 2, 2))) - entropy(rho)


def key(weights, noise):
    """H(X'|E) - H(X'|Y) of a Bell-diagonal pair: Alice measures Z and flips, Eve holds the purification."""
    psi = np.einsum("k,kab->abk", np.sqrt(weights), BELL.reshape(4, 2, 2))  # Alice, Bob, Eve
    given = np.array([np.einsum("bk,bl->kl", psi[x], psi[x].conj()) for x in (0, 1)])  # unnormalised states of Eve
    joint = np.abs(psi) ** 2
    joint = joint.sum(axis=2)
    flip = np.array([[1 - noise, noise], [noise, 1 - noise]])
    given, joint = np.tensordot(flip, given, 1), flip @ joint
    eve = sum(entropy(block) for block in given) - entropy(given.sum(axis=0))
    table = joint[joint > 0]
    bob = joint.sum(axis=0)
    return eve - (-np.sum(table * np.log2(table)) + np.sum(bob * np.log2(bob)))


def chsh(coefficients):
    """Largest CHSH value by the singular values of T."""
    s = np.linalg.svd(coefficients[1:, 1:], compute_uv=False)
    return 2 * np.sqrt(s[0] ** 2 + s[1] ** 2)
