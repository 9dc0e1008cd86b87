"""Remote gates and moves in a dense register, step by step: every gate, readout, message and correction. NumPy only."""

import numpy as np

from tests.oracles.density import CNOT, I2, H, X, Z, partial_trace
from tests.oracles.register import Register

TURNS = {"X": H, "Y": np.array([[1, 1], [1j, -1j]]) / np.sqrt(2), "Z": I2}


class Site:
    """A processor: p1, p2, eta, duration of a readout, T1 and T2."""

    def __init__(self, p1=1.0, p2=1.0, eta=1.0, readout_time=0.0, t1=np.inf, t2=np.inf):
        self.p1, self.p2, self.eta, self.readout_time, self.t1, self.t2 = p1, p2, eta, readout_time, t1, t2


def one_qubit_noise(register, name, p1):
    register.kraus([np.sqrt((1 + 3 * p1) / 4) * I2] + [np.sqrt((1 - p1) / 4) * p for p in (X, X @ Z, Z)], [name])


def store(register, holders, duration):
    for name, site in holders.items():
        if name in register.names and np.isfinite(site.t2):
            register.relax(name, duration, site.t1, site.t2)


def corrected(register, bit, matrix, name, p1):
    register.controlled(bit, matrix, name)
    one_qubit_noise(register, name, p1)
    register.forget((bit,))


def open_copy(register, q, half, copy, pair, source, target, letter, latency, holders):
    """Copy q through a pair (half at the source, copy at the target); `holders`: who stores what meanwhile."""
    turn = TURNS[letter]
    register.add([half, copy], pair)
    register.unitary(turn.conj().T, [q])
    register.unitary(CNOT, [q, half])
    register.depolarise([q, half], source.p2)
    register.unitary(turn, [q])
    register.measure(half, source.eta, "m")
    store(register, holders | {copy: target}, latency + source.readout_time)
    corrected(register, "m", X, copy, target.p1)
    register.unitary(turn, [copy])


def close_copy(register, q, copy, source, target, letter, latency, holders):
    turn = TURNS[letter]
    register.unitary(turn.conj().T, [copy])
    register.unitary(H, [copy])
    one_qubit_noise(register, copy, target.p1)
    register.measure(copy, target.eta, "m")
    store(register, holders, latency + target.readout_time)
    corrected(register, "m", turn @ Z @ turn.conj().T, q, source.p1)


def telegate(register, q, t, matrix, pair, source, target, letter="Z", latency=0.0):
    holders = {q: source, t: target}
    open_copy(register, q, "half", "copy", pair, source, target, letter, latency, holders)
    register.unitary(matrix, ["copy", t])
    register.depolarise(["copy", t], target.p2)
    close_copy(register, q, "copy", source, target, letter, latency, holders)


def teledata(register, q, arrived, pair, source, target, latency=0.0):
    register.add(["half", arrived], pair)
    register.unitary(CNOT, [q, "half"])
    register.depolarise([q, "half"], source.p2)
    register.unitary(H, [q])
    one_qubit_noise(register, q, source.p1)
    register.measure(q, source.eta, "z")
    register.measure("half", source.eta, "x")
    store(register, {arrived: target}, latency + source.readout_time)
    register.controlled("x", X, arrived)
    register.controlled("z", Z, arrived)
    one_qubit_noise(register, arrived, target.p1)
    register.forget(("x", "z"))


def transfer_matrix(protocol, names, after=None):
    """Pauli transfer matrix of `protocol(register)` on named qubits, called `after` at the end."""
    size = 2 ** len(names)
    basis = np.eye(size)
    out = {}
    for i in range(size):
        for j in range(size):
            register = Register()
            register.add(list(names), np.outer(basis[i], basis[j]).astype(complex))
            protocol(register)
            out[i, j] = partial_trace(sum(register.branches.values()), register.places(after or names))
    paulis = [np.eye(1)]
    for _ in names:
        paulis = [np.kron(a, b) for a in paulis for b in (I2, X, 1j * X @ Z, Z)]
    images = [sum(p[i, j] * out[i, j] for i, j in out) for p in paulis]
    return np.real([[np.trace(a @ image) for image in images] for a in paulis]) / size
