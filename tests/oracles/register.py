"""A dense register of named qubits with branches: gates, decay, measurement, classical bits. NumPy only."""

import itertools

import numpy as np

from tests.oracles.density import CNOT, I2, H, X, Y, Z, depolarise, embed, partial_trace, readout

PAULIS = (I2, X, Y, Z)
GATES = {
    "h": H,
    "s": np.diag([1, 1j]),
    "sx": (I2 - 1j * X) / np.sqrt(2),
    "cx": CNOT,
    "cz": np.diag([1, 1, 1, -1]),
}


def from_pauli(r):
    """Two-qubit matrix of Pauli coefficients (4, 4)."""
    return sum(r[i, j] * np.kron(PAULIS[i], PAULIS[j]) for i in range(4) for j in range(4)) / 4


class Register:
    """Unnormalised density matrices, one per value of the classical bits."""

    def __init__(self):
        self.names, self.branches = [], {(): np.ones((1, 1), complex)}  # bits: sorted tuple of (name, value)

    def places(self, names):
        return [self.names.index(name) for name in names]

    def each(self, function):
        self.branches = {bits: function(rho) for bits, rho in self.branches.items()}

    def add(self, names, rho):
        self.names += names
        self.each(lambda old: np.kron(old, rho))

    def unitary(self, matrix, names):
        full = embed(matrix, self.places(names), len(self.names))
        self.each(lambda rho: full @ rho @ full.conj().T)

    def kraus(self, operators, names):
        full = [embed(k, self.places(names), len(self.names)) for k in operators]
        self.each(lambda rho: sum(k @ rho @ k.conj().T for k in full))

    def depolarise(self, names, p2):
        self.each(lambda rho: depolarise(rho, self.places(names), p2))

    def relax(self, name, time, t1, t2):
        g = 1 - np.exp(-time / t1)
        self.kraus([np.diag([1, np.sqrt(1 - g)]), np.array([[0, np.sqrt(g)], [0, 0]])], [name])
        p = (1 - np.exp(-time / t2 + time / (2 * t1))) / 2
        self.kraus([np.sqrt(1 - p) * I2, np.sqrt(p) * Z], [name])

    def drop(self, name, effect=I2):
        """Apply an effect and trace the qubit out."""
        place, n = self.names.index(name), len(self.names)
        keep = [k for k in range(n) if k != place]
        full = embed(effect, [place], n)
        self.each(lambda rho: partial_trace(full @ rho, keep))
        self.names.remove(name)

    def measure(self, name, eta, bit):
        """Read a qubit out, trace it out and keep the outcome as a classical bit."""
        place, n = self.names.index(name), len(self.names)
        keep, found = [k for k in range(n) if k != place], {}
        for bits, rho in self.branches.items():
            for value in (0, 1):
                full = embed(readout(value, eta), [place], n)
                found[tuple(sorted((*bits, (bit, value)), key=repr))] = partial_trace(full @ rho, keep)
        self.branches = found
        self.names.remove(name)

    def forget(self, names):
        """Add up the branches over the values of some bits."""
        found = {}
        for bits, rho in self.branches.items():
            rest = tuple(entry for entry in bits if entry[0] not in names)
            found[rest] = found.get(rest, 0) + rho
        self.branches = found

    def add_bits(self, old, new):
        """Replace bits `old` by their sum modulo 2, called `new`."""
        found = {}
        for bits, rho in self.branches.items():
            total = sum(value for name, value in bits if name in old) % 2
            rest = tuple(sorted((*[entry for entry in bits if entry[0] not in old], (new, total)), key=repr))
            found[rest] = found.get(rest, 0) + rho
        self.branches = found

    def controlled(self, bit, matrix, name):
        """Apply a one-qubit matrix where a classical bit is 1."""
        full = embed(matrix, self.places([name]), len(self.names))
        for bits, rho in self.branches.items():
            if dict(bits)[bit]:
                self.branches[bits] = full @ rho @ full.conj().T

    def keep_where(self, wanted):
        """Drop the branches for which `wanted(bits)` is false."""
        self.branches = {bits: rho for bits, rho in self.branches.items() if wanted(dict(bits))}

    def coefficients(self, names):
        """Pauli coefficients (4,) * k of some qubits, unnormalised, all bits averaged."""
        rho = partial_trace(sum(self.branches.values()), self.places(names))
        k, out = len(names), np.zeros((4,) * len(names))
        for index in itertools.product(range(4), repeat=k):
            string = np.ones((1, 1))
            for i in index:
                string = np.kron(string, PAULIS[i])
            out[index] = np.real(np.trace(string @ rho))
        return out


def swap(register, left, right, p2, eta, bits=("z", "x")):
    """Noisy Bell measurement; the outcomes stay as bits."""
    register.unitary(CNOT, [left, right])
    register.depolarise([left, right], p2)
    register.unitary(H, [left])
    register.measure(left, eta, bits[0])
    register.measure(right, eta, bits[1])


def optical_swap(register, left, right, factors, bits=("z", "x")):
    """Linear optics finds Psi+ (bits 0, 1) or Psi- (1, 1), by the effects (f_0 + s f_1 XX + s f_2 YY - f_3 ZZ) / 2."""
    places, n = register.places([left, right]), len(register.names)
    keep, found = [k for k in range(n) if k not in places], {}
    for outcome, sign in ((0, 1), (1, -1)):
        weights = np.array([1, sign, sign, -1]) * factors / 2
        effect = embed(sum(w * np.kron(p, p) for w, p in zip(weights, PAULIS, strict=True)), places, n)
        for old, rho in register.branches.items():
            fresh = (*old, (bits[0], outcome), (bits[1], 1))
            found[tuple(sorted(fresh, key=repr))] = partial_trace(effect @ rho, keep)
    register.branches = found
    register.names = [register.names[k] for k in keep]


def correct(register, bits, name):
    """Z^z X^x on a qubit, then forget the bits."""
    register.controlled(bits[1], X, name)
    register.controlled(bits[0], Z, name)
    register.forget(bits)


def distill(register, left, right, words, accepted, p2, eta):
    """Both nodes run a circuit (the right one its complex conjugate), measure all but the first, keep what is accepted."""
    for side, names in enumerate((left, right)):
        for word in words:
            gate, *qubits = word.split()
            chosen = [names[int(q)] for q in qubits]
            register.unitary(GATES[gate] if side == 0 else GATES[gate].conj(), chosen)
            if len(chosen) == 2:
                register.depolarise(chosen, p2[side])
    n = len(left)
    for k in range(1, n):
        register.measure(left[k], eta[0], ("l", k))
        register.measure(right[k], eta[1], ("r", k))

    def wanted(bits):
        first, second = (tuple(bits[side, k] for k in range(1, n)) for side in "lr")
        return first == second and (accepted is None or first in accepted)

    register.keep_where(wanted)
    register.forget([(side, k) for side in "lr" for k in range(1, n)])
