"""Swap as soon as possible by brute force: sums over all delivery times, and one timeline gate by gate. NumPy only."""

import itertools

import numpy as np

from tests.oracles.density import CNOT, H, X, Z, depolarise, embed, readout


def held(half, rates, equilibrium, time):
    """Paulis (4, ...) of a qubit after a time in memory."""
    fade = np.exp(-np.concatenate([[0.0], rates]) * time)
    out = half * fade.reshape(4, *[1] * (half.ndim - 1))
    out[3] = out[3] + equilibrium * (1 - fade[3]) * half[0]
    return out


def delivered(times, states, rates, equilibrium, p2, eta, kept):
    """Pauli coefficients (4, 4) of the pair delivered when the links deliver at these times."""
    n, end = len(times), max(times)
    total = None
    for j in range(n):
        left_until = (end if kept else times[0]) if j == 0 else max(times[j - 1], times[j])
        right_until = (end if kept else times[-1]) if j == n - 1 else max(times[j], times[j + 1])
        pair = held(states[j], rates[j], equilibrium[j], left_until - times[j])
        pair = held(pair.T, rates[j + 1], equilibrium[j + 1], right_until - times[j]).T
        if j == 0:
            total = pair
        else:
            bit = 2 * eta[j] - 1
            factor = np.array([1, p2[j] * bit, -p2[j] * bit**2, p2[j] * bit])
            total = total * (factor * np.diag(pair))
    return total


def by_sums(p, attempts, num_steps, states, rates, equilibrium, p2, eta, kept):
    """(P(completed at t), state at t) of links with whole attempt times, truncated to a grid of unit steps."""
    laws = []
    for success, attempt in zip(p, attempts, strict=True):
        law = np.zeros(num_steps)
        law[attempt::attempt] = success * (1 - success) ** np.arange(law[attempt::attempt].size)
        laws.append(law)
    probability, total = np.zeros(num_steps), np.zeros((num_steps, 4, 4))
    for times in itertools.product(range(1, num_steps), repeat=len(p)):
        weight = np.prod([law[t] for law, t in zip(laws, times, strict=True)])
        if weight > 0:
            probability[max(times)] += weight
            total[max(times)] += weight * delivered(times, states, rates, equilibrium, p2, eta, kept)
    return probability, total


def damp(rho, site, num_qubits, time, rate_x, rate_z):
    """Amplitude damping (rate_z) and dephasing so that coherences decay with rate_x, by Kraus operators."""
    gamma = 1 - np.exp(-rate_z * time)
    lost = [np.diag([1.0, np.sqrt(1 - gamma)]), np.array([[0, np.sqrt(gamma)], [0, 0]])]
    rho = sum(embed(k, [site], num_qubits) @ rho @ embed(k, [site], num_qubits).conj().T for k in lost)
    kept = np.exp(-(rate_x - rate_z / 2) * time)
    flip = embed(Z, [site], num_qubits)
    return (1 + kept) / 2 * rho + (1 - kept) / 2 * flip @ rho @ flip


def gate_by_gate(times, pairs, rate_x, rate_z, p2, eta, kept):
    """Density matrix (4, 4) delivered along one timeline: every qubit kept, every outcome followed, corrected at the end.

    pairs: density matrices of the links, qubits (2 j, 2 j + 1); rate_x, rate_z, p2, eta: one for each node.
    """
    n, end = len(times), max(times)
    qubits = 2 * n
    rho = np.array([[1.0]])
    for pair in pairs:
        rho = np.kron(rho, pair)
    for j in range(n):
        for site, node in ((2 * j, j), (2 * j + 1, j + 1)):
            at_end = end if kept else times[j]
            until = at_end if node in (0, n) else max(times[node - 1], times[node])
            rho = damp(rho, site, qubits, until - times[j], rate_x[node], rate_z[node])
    for node in range(1, n):
        a, b = 2 * node - 1, 2 * node
        gate = embed(CNOT, [a, b], qubits)
        rho = depolarise(gate @ rho @ gate.T, [a, b], p2[node])
        rho = embed(H, [a], qubits) @ rho @ embed(H, [a], qubits)
    out = np.zeros((4, 4), dtype=complex)
    for bits in itertools.product((0, 1), repeat=2 * (n - 1)):
        effect = np.eye(1)
        for node in range(1, n):
            m1, m2 = bits[2 * node - 2], bits[2 * node - 1]
            effect = np.kron(effect, np.kron(readout(m1, eta[node]), readout(m2, eta[node])))
        size = 4 ** (n - 1)
        middle = rho.reshape(2, size, 2, 2, size, 2)
        conditional = np.einsum("ambcnd,nm->abcd", middle, effect).reshape(4, 4)
        z, x = sum(bits[0::2]) % 2, sum(bits[1::2]) % 2
        fix = np.kron(np.eye(2), np.linalg.matrix_power(Z, z) @ np.linalg.matrix_power(X, x))
        out = out + fix @ conditional @ fix.conj().T
    return out


def three_equal_links(p, z):
    """Closed form of E[z^(|T1 - T2| + |T2 - T3|)] for three equal geometric links.

    Given T2 = t, E[z^|T - t|] = A + B q^t + C z^t, so the square has six geometric sums.
    """
    q = 1 - p
    # sum_{s<t} p q^(s-1) z^(t-s) = p (z^t - z q^(t-1)) / (z - q) ... for z != q;  sum_{s>=t} p q^(s-1) z^(s-t) = p q^(t-1)/(1 - qz)
    early = {z: p / (z - q), q: -p * z / (q * (z - q))}
    late = {q: p / (q * (1 - q * z))}
    terms = [(z, early[z]), (q, early[q] + late[q])]
    return sum(a * b * p * r * s / (1 - q * r * s) for (r, a), (s, b) in itertools.product(terms, repeat=2))
