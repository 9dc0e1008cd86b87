"""Channels as maps of density matrices, entry by entry. NumPy only."""

import itertools
from functools import reduce

import numpy as np

PAULIS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0, -1.0]),
}


def strings(num_qubits):
    """All Pauli strings in order I, X, Y, Z, first qubit slowest."""
    return [reduce(np.kron, choice) for choice in itertools.product(PAULIS.values(), repeat=num_qubits)]


def ptm_of_map(channel, num_qubits=1):
    """R_ij = tr(P_i E(P_j)) / 2^n of any linear function of matrices."""
    paulis = strings(num_qubits)
    return np.array([[np.trace(p @ channel(q)).real for q in paulis] for p in paulis]) / 2**num_qubits


def apply_kraus(kraus):
    """The map rho -> sum_k K rho K^H."""
    return lambda rho: sum(k @ rho @ np.conj(k).T for k in kraus)


def ptm_of_kraus(kraus):
    """Pauli transfer matrix of Kraus operators."""
    return ptm_of_map(apply_kraus(kraus), int(np.log2(len(kraus[0]))))


def choi_of_map(channel, num_qubits=1):
    """sum_ij |i><j| x E(|i><j|)."""
    size = 2**num_qubits
    units = np.eye(size)
    return sum(
        np.kron(np.outer(units[i], units[j]), channel(np.outer(units[i], units[j])))
        for i in range(size)
        for j in range(size)
    )


def error_weights(channel, num_qubits=1):
    """<(1 x P) Phi| (1 x E)(Phi) |(1 x P) Phi> for all P, Phi = n pairs Phi+: the Bell weights."""
    choi, size = choi_of_map(channel, num_qubits), 2**num_qubits
    vectors = [p.T.reshape(-1) / np.sqrt(size) for p in strings(num_qubits)]  # sum_i |i> x P|i>
    return np.array([(v.conj() @ choi @ v).real / size for v in vectors])


def depolarise(p):
    return lambda rho: (1 - p) * rho + p * np.trace(rho) * np.eye(len(rho)) / len(rho)


def pauli_errors(px, py, pz):
    x, y, z = (PAULIS[letter] for letter in "XYZ")
    return lambda rho: (1 - px - py - pz) * rho + px * x @ rho @ x + py * y @ rho @ y + pz * z @ rho @ z


def flip_phase(p):
    return lambda rho: rho * np.array([[1, 1 - 2 * p], [1 - 2 * p, 1]])


def store_wrongly(p_one, p_zero):
    """Populations move, coherences are lost."""
    moves = np.array([[1 - p_one, p_zero], [p_one, 1 - p_zero]])
    return lambda rho: np.diag(moves @ np.diag(rho))


def exchange_energy(kept, coherence, excited=0.0):
    """Populations keep the fraction `kept` and fill up to equilibrium, coherences keep `coherence`."""

    def channel(rho):
        equilibrium = np.trace(rho) * np.diag([1 - excited, excited])
        populations = kept * np.diag(np.diag(rho)) + (1 - kept) * equilibrium
        return populations + coherence * (rho - np.diag(np.diag(rho)))

    return channel


def rotate(angle, axis):
    pauli = reduce(np.kron, [PAULIS[letter] for letter in axis])
    values, vectors = np.linalg.eigh(pauli)
    unitary = vectors @ np.diag(np.exp(-0.5j * angle * values)) @ vectors.conj().T
    return apply_kraus([unitary])


def rotate_each(angle, num_qubits):
    """The same turn about Z on every qubit."""
    one = np.diag(np.exp([-0.5j * angle, 0.5j * angle]))
    return apply_kraus([reduce(np.kron, [one] * num_qubits)])


def share_phase(sigma, num_qubits):
    """Coherences between Hamming weights a and b decay by E[exp(-i (b - a) phi)]."""
    weights = np.array([bin(index).count("1") for index in range(2**num_qubits)])
    decay = np.exp(-((weights[:, None] - weights) ** 2) * sigma**2 / 2)
    return lambda rho: rho * decay
