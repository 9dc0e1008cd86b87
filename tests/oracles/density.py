"""Dense density matrices: swap and distillation of two pairs, gate by gate. NumPy only."""

import itertools

import numpy as np

I2, X, Y, Z = np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0])
PHI = np.array([1, 0, 0, 1]) / np.sqrt(2)
H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)


def bell_diagonal(weights):
    """Density matrix (4, 4) of Bell weights (errors I, X, Y, Z on the second qubit of Phi+)."""
    vectors = [np.kron(I2, pauli) @ PHI for pauli in (I2, X, Y, Z)]
    return sum(w * np.outer(v, v.conj()) for w, v in zip(weights, vectors, strict=True))


def bell_weights(rho):
    """Bell weights of a two-qubit matrix."""
    vectors = [np.kron(I2, pauli) @ PHI for pauli in (I2, X, Y, Z)]
    return np.array([np.real(v.conj() @ rho @ v) for v in vectors])


def embed(operator, sites, num_qubits):
    """Act with an operator on some qubits of several (in the order given)."""
    rest = [q for q in range(num_qubits) if q not in sites]
    full = np.kron(operator, np.eye(2 ** len(rest))).reshape([2] * (2 * num_qubits))
    order = [*sites, *rest]
    place = np.argsort(order)
    return full.transpose([*place, *(place + num_qubits)]).reshape(2**num_qubits, 2**num_qubits)


def depolarise(rho, sites, p2):
    """rho -> p2 rho + (1 - p2) tr_ab(rho) x 1/4."""
    n = int(np.log2(rho.shape[0]))
    mixed = sum(
        embed(np.kron(a, b), sites, n) @ rho @ embed(np.kron(a, b), sites, n).conj().T
        for a, b in itertools.product((I2, X, Y, Z), repeat=2)
    )
    return p2 * rho + (1 - p2) * mixed / 16


CNOT = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])


def readout(outcome, eta):
    """POVM element of a binary readout that is right with probability eta."""
    ideal = np.diag([1.0, 0.0]) if outcome == 0 else np.diag([0.0, 1.0])
    return eta * ideal + (1 - eta) * (np.eye(2) - ideal)


def partial_trace(rho, keep):
    """Keep some qubits, in the order given."""
    n = int(np.log2(rho.shape[0]))
    drop = [q for q in range(n) if q not in keep]
    tensor = rho.reshape([2] * (2 * n)).transpose([*keep, *drop, *(k + n for k in keep), *(d + n for d in drop)])
    size, rest = 2 ** len(keep), 2 ** len(drop)
    return np.einsum("iaja->ij", tensor.reshape(size, rest, size, rest))


def swap(left, right, p2, eta):
    """Bell measurement on the middle qubits of two pairs, averaged, corrected at the far end."""
    rho = np.kron(left, right)
    gate = embed(CNOT, [1, 2], 4)
    rho = depolarise(gate @ rho @ gate.T, [1, 2], p2)
    rho = embed(H, [1], 4) @ rho @ embed(H, [1], 4)
    out = 0
    for m1, m2 in itertools.product((0, 1), repeat=2):
        effect = embed(readout(m1, eta), [1], 4) @ embed(readout(m2, eta), [2], 4)
        kept = partial_trace(effect @ rho, [0, 3])
        fix = np.kron(I2, np.linalg.matrix_power(Z, m1) @ np.linalg.matrix_power(X, m2))
        out = out + fix @ kept @ fix.conj().T
    return out


PAULIS = (I2, X, Y, Z)


def coefficients(rho):
    """tr(P_i x P_j .. rho) of a matrix of n qubits, (4,) * n."""
    n = int(np.log2(rho.shape[0]))
    found = np.zeros((4,) * n)
    for index in itertools.product(range(4), repeat=n):
        operator = np.ones((1, 1))
        for i in index:
            operator = np.kron(operator, PAULIS[i])
        found[index] = np.real(np.trace(operator @ rho))
    return found


def random_state(rng, num_qubits=2):
    """A random density matrix of full rank."""
    size = 2**num_qubits
    root = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


def damp(rho, site, gamma, dephasing=1.0):
    """Amplitude damping of one qubit, then a factor on what is left of its coherence."""
    n = int(np.log2(rho.shape[0]))
    kraus = (np.diag([1, np.sqrt(1 - gamma)]), np.array([[0, np.sqrt(gamma)], [0, 0]]))
    rho = sum(embed(k, [site], n) @ rho @ embed(k, [site], n).T for k in kraus)
    flip = embed(Z, [site], n)
    return (1 + dephasing) / 2 * rho + (1 - dephasing) / 2 * flip @ rho @ flip


def optical_swap(left, right, factors):
    """Linear optics that tells Psi+ and Psi- of the middle qubits, corrected at the far end by X or Y.

    Its two effects are (f_0 + s f_1 XX + s f_2 YY - f_3 ZZ) / 4, s = + and -; unnormalised.
    """
    rho, out = np.kron(left, right), 0
    for sign, fix in ((1, X), (-1, Y)):
        weights = np.array([1, sign, sign, -1]) * factors
        effect = sum(w * np.kron(pauli, pauli) for w, pauli in zip(weights, PAULIS, strict=True)) / 4
        kept = partial_trace(embed(effect, [1, 2], 4) @ rho, [0, 3])
        correction = np.kron(I2, fix)
        out = out + correction @ kept @ correction.conj().T
    return 2 * out


def ghz(n):
    """(|0..0> + |1..1>) / sqrt 2 as a density matrix."""
    vector = np.zeros(2**n)
    vector[[0, -1]] = 1 / np.sqrt(2)
    return np.outer(vector, vector)


def distill(kept, consumed, protocol, p2, eta):
    """Bilateral CNOT from the kept to the consumed pair, accepted on coincidence, EPL on 11; (unnormalised state).

    p2 and eta are pairs (left node, right node). DEJMPS rotates first: the left node by -90 degrees about X, the
    right node by +90 degrees. Qubits: kept left, kept right, consumed left, consumed right.
    """
    rho = np.kron(kept, consumed)
    if protocol == "dejmps":
        root = (I2 - 1j * X) / np.sqrt(2)
        for site, rotation in ((0, root), (2, root), (1, root.conj().T), (3, root.conj().T)):
            full = embed(rotation, [site], 4)
            rho = full @ rho @ full.conj().T
    for sites, fidelity in (((0, 2), p2[0]), ((1, 3), p2[1])):
        gate = embed(CNOT, list(sites), 4)
        rho = depolarise(gate @ rho @ gate.T, list(sites), fidelity)
    out = 0
    for m in (1,) if protocol == "epl" else (0, 1):
        effect = embed(readout(m, eta[0]), [2], 4) @ embed(readout(m, eta[1]), [3], 4)
        out = out + partial_trace(effect @ rho, [0, 1])
    return out
