"""Gathering at a hub: all arrival times one by one, with dense matrices for the state. NumPy only."""

import itertools

import numpy as np

from tests.oracles.density import H, X, Z, damp, readout
from tests.oracles.network import Register, pauli_coefficients
from tests.oracles.register import from_pauli


def joined(pairs, p2, eta, edges=None):
    """Pauli coefficients of the users, from pairs (user, hub)."""
    register, last = Register(), len(pairs) - 1
    if edges is None:
        register.add(pairs[0], ("u0", "hub"))
        for k, pair in enumerate(pairs[1:], 1):
            register.add(pair, (f"u{k}", "half"))
            register.gate("hub", "half", p2)
            register.measure([({"half": readout(m, eta)}, [(np.linalg.matrix_power(X, m), f"u{k}")]) for m in (0, 1)])
        halves = {"hub": f"u{last}"}
    else:
        for k, pair in enumerate(pairs):
            register.add(pair, (f"u{k}", f"h{k}"))
        for one, other in edges:
            register.rho = register.act(np.kron(np.eye(2), H), (f"h{one}", f"h{other}"))
            register.gate(f"h{one}", f"h{other}", p2)
            register.rho = register.act(np.kron(np.eye(2), H), (f"h{one}", f"h{other}"))
        halves = {f"h{k}": f"u{k}" for k in range(len(pairs))}
    for half, user in halves.items():
        register.rho = register.act(H, (half,))
        register.measure([({half: readout(m, eta)}, [(np.linalg.matrix_power(Z, m), user)]) for m in (0, 1)])
    places = np.argsort([int(label[1:]) for label in register.labels])
    size, n = 2 ** len(places), len(places)
    return pauli_coefficients(register.rho.transpose([*places, *(places + n)]).reshape(size, size))


def joined_along(parents, pairs, p2, eta):
    """Pauli coefficients of the users of a tree, from pairs (node k + 1, its parent)."""
    register, inner = Register(), sorted(set(parents))
    first = parents.index(0)
    register.add(pairs[first], (first + 1, 0))
    for node in inner:
        for child in [k + 1 for k, parent in enumerate(parents) if parent == node and k != first]:
            register.add(pairs[child - 1], (child, "half"))
            register.gate(node, "half", p2)
            register.measure([({"half": readout(m, eta)}, [(np.linalg.matrix_power(X, m), child)]) for m in (0, 1)])
    for node in inner:
        register.rho = register.act(H, (node,))
        last = [(np.linalg.matrix_power(Z, m), len(parents)) for m in (0, 1)]
        register.measure([({node: readout(m, eta)}, [last[m]]) for m in (0, 1)])
    places, size = np.argsort(register.labels), 2 ** len(register.labels)
    return pauli_coefficients(register.rho.transpose([*places, *(places + len(places))]).reshape(size, size))


def stored(pair, age, memories):
    """A pair after two memories (T1, T2), of user and hub, have held it."""
    for site, (t1, t2) in enumerate(memories):
        gamma = 1 - np.exp(-age / t1)
        pair = damp(pair, site, gamma, np.exp(-age / t2) / np.sqrt(1 - gamma))
    return pair


def attempts(laws, cutoff=np.inf):
    """(probability, arrival times, end, whether in time) of everything that can happen in one attempt."""
    for times in itertools.product(*(np.flatnonzero(law) for law in laws)):
        chance = np.prod([law[t] for law, t in zip(laws, times, strict=True)])
        in_time = max(times) - min(times) <= cutoff
        yield chance, times, max(times) if in_time else min(times) + cutoff, in_time


def mean_time(laws, cutoff=np.inf, works=1.0):
    """Mean number of steps when all arms start again after each failure."""
    found = list(attempts(laws, cutoff))
    success = works * sum(chance for chance, _, _, in_time in found if in_time)
    return sum(chance * end for chance, _, end, _ in found) / success


def mean_state(states, memories, p2, eta, cutoff=np.inf, edges=None):
    """Mean Pauli coefficients of the users; states[i][t] is what arm i delivers at t, times its probability."""
    laws = [each[:, 0, 0] for each in states]
    total = 0
    for _, times, end, in_time in attempts(laws, cutoff):
        if in_time:
            pairs = [
                stored(from_pauli(each[t]), end - t, held)
                for each, t, held in zip(states, times, memories, strict=True)
            ]
            total = total + joined(pairs, p2, eta, edges)
    return total / total.flat[0]


def products(laws, decays, cutoff=np.inf):
    """Mean of prod_i decays[i]^(end - t_i) over attempts that end in time: a correlation of Bell-diagonal pairs."""
    total = mass = 0.0
    for chance, times, end, in_time in attempts(laws, cutoff):
        if in_time:
            mass += chance
            total += chance * np.prod([d ** (end - t) for d, t in zip(decays, times, strict=True)])
    return total / mass


def kron(matrices):
    """The product of one matrix a qubit."""
    found = np.eye(1)
    for matrix in matrices:
        found = np.kron(found, matrix)
    return found
