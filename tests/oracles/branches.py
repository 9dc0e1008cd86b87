"""Programs with measurement and classical control by enumerating branches: state vectors with their bits.

A program is a list of ("gate", matrix, qubits), ("measure", qubit, bit), ("reset", qubit) and
("if", predicate of the bits, inner program).
"""

import numpy as np

from tests.oracles.circuits import embed

ZERO, ONE = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
LOWER = np.array([[0.0, 1.0], [0.0, 0.0]])


def branches(n, program, bits):
    """Return the list of (unnormalised vector, bits) at the end; `bits` is their number."""
    found = [(np.eye(2**n)[0].astype(complex), (0,) * bits)]
    for item in program:
        found = [pair for vector, values in found for pair in after(n, vector, values, item)]
    return found


def after(n, vector, values, item):
    if item[0] == "gate":
        return [(embed(np.asarray(item[1]), item[2], n) @ vector, values)]
    if item[0] == "measure":
        _, qubit, bit = item
        recorded = [values if bit is None else (*values[:bit], o, *values[bit + 1 :]) for o in (0, 1)]
        return kept([(embed(p, (qubit,), n) @ vector, r) for p, r in zip((ZERO, ONE), recorded, strict=True)])
    if item[0] == "reset":
        return kept([(embed(k, (item[1],), n) @ vector, values) for k in (ZERO, LOWER)])
    found = [(vector, values)]
    for inner in item[2] if item[1](values) else []:
        found = [pair for v, b in found for pair in after(n, v, b, inner)]
    return found


def kept(found):
    return [(vector, values) for vector, values in found if np.vdot(vector, vector).real > 1e-16]


def density(found):
    """Return the average state of the qubits."""
    return sum(np.outer(vector, vector.conj()) for vector, _ in found)


def distribution(found):
    """Return {bits: probability}."""
    table = {}
    for vector, values in found:
        table[values] = table.get(values, 0.0) + np.vdot(vector, vector).real
    return table
