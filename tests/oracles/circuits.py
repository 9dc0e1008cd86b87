"""Dense circuits in NumPy: state vectors and density matrices, first qubit slowest."""

from functools import reduce

import numpy as np

PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def kron(*matrices):
    return reduce(np.kron, matrices)


def pauli_string(letters):
    return kron(*(PAULIS["IXYZ".index(letter)] for letter in letters))


def embed(matrix, sites, n):
    """The operator on all n qubits, one basis vector at a time."""
    k, full = len(sites), np.zeros((2**n, 2**n), complex)
    for column in range(2**n):
        bits = [column >> (n - 1 - q) & 1 for q in range(n)]
        inner = sum(bits[s] << (k - 1 - p) for p, s in enumerate(sites))
        for row in range(2**k):
            new = list(bits)
            for p, s in enumerate(sites):
                new[s] = row >> (k - 1 - p) & 1
            full[sum(b << (n - 1 - q) for q, b in enumerate(new)), column] += matrix[row, inner]
    return full


def zero(n):
    rho = np.zeros((2**n, 2**n), complex)
    rho[0, 0] = 1
    return rho


def apply(rho, kraus, sites):
    n = len(rho).bit_length() - 1
    full = [embed(np.asarray(k), sites, n) for k in kraus]
    return sum(k @ rho @ k.conj().T for k in full)


def trace_out(rho, sites):
    n = len(rho).bit_length() - 1
    keep = [q for q in range(n) if q not in sites]
    tensor = rho.reshape((2,) * (2 * n)).transpose(keep + list(sites) + [n + q for q in keep] + [n + q for q in sites])
    a, b = 2 ** len(keep), 2 ** len(sites)
    return np.einsum("aibi->ab", tensor.reshape(a, b, a, b))


def bell_measure(rho, first, second, correct):
    """Measure two qubits in the Bell basis, apply the Pauli that the outcome asks for, drop them."""
    n = len(rho).bit_length() - 1
    out = 0
    for pauli in PAULIS:
        bell = kron(np.eye(2), pauli) @ np.array([1, 0, 0, 1]) / np.sqrt(2)
        projected = apply(rho, [np.outer(bell, bell.conj())], (first, second))
        out = out + apply(projected, [pauli], (correct,))
    return trace_out(out, [first, second]) if n > 2 else out


def depolarising_kraus(p, k=1):
    weight, strings = p / 4**k, [kron(*(PAULIS[int(c)] for c in np.base_repr(i, 4).zfill(k))) for i in range(4**k)]
    return [np.sqrt(weight) * s for s in strings] + [np.sqrt(1 - p) * np.eye(2**k)]


def haar(rng, dimension):
    q, r = np.linalg.qr(rng.normal(size=(dimension, dimension)) + 1j * rng.normal(size=(dimension, dimension)))
    return q * (np.diag(r) / np.abs(np.diag(r)))


def entropy(vector, left):
    s = np.linalg.svd(vector.reshape(2**left, -1), compute_uv=False) ** 2
    s = s[s > 1e-15]
    return -np.sum(s * np.log2(s))


def log_negativity(rho, left):
    n = len(rho).bit_length() - 1
    tensor = rho.reshape(2**left, 2 ** (n - left), 2**left, 2 ** (n - left)).transpose(2, 1, 0, 3)
    return np.log2(np.abs(np.linalg.eigvalsh(tensor.reshape(rho.shape))).sum())
