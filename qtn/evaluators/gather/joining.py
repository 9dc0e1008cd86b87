"""How a hub joins its halves of pairs to one state of the users: which of its Paulis each string of theirs depends on.

Outcomes are averaged over and users corrected, so the mean of a Pauli string of the users is that of one string of user
and hub halves, times a sign, p2 for each noisy gate that meets it, and 2 eta - 1 for each outcome that it needs. A
Pauli is two bits (x, z): I = (0, 0), Z = (0, 1), X = (1, 0), Y = (1, 1).
"""

import dataclasses

import numpy as np
from jaxtyping import Int

from qtn._array import Array
from qtn._pytree import pytree

X_BIT, Z_BIT = np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1])
"""Bits of I, X, Y, Z."""

PAULI = np.array([[0, 3], [1, 2]])
"""Pauli of bits [x, z]."""


@pytree
class Measured:
    """What strings of the users become at the hub; NumPy, as strings are known."""

    paulis: Int[Array, "s n"]
    """Pauli of each half at the hub."""

    sign: Int[Array, "s"]
    gates: Int[Array, "s"]
    """Number of noisy gates that meet the string."""

    bits: Int[Array, "s"]
    """Number of outcomes that the string needs."""


@dataclasses.dataclass(frozen=True)
class GhzJoining:
    """To a GHZ state, so that two arms are a swap.

    CNOT from the first half to each other one, which is measured in Z (X on its user); the first half itself is
    measured in X (Z on the last user).
    """

    def measured(self, users: Int[Array, "s n"]) -> Measured:
        """Go back from the last measurement: an x shared by all halves, and a running parity z of the first."""
        x, own = X_BIT[users[:, -1]], Z_BIT[users]
        z, sign = np.zeros_like(x), np.ones_like(x)
        gates, bits = np.zeros_like(x), x.copy()
        for arm in range(users.shape[1] - 1, 0, -1):
            b = own[:, arm]
            gates += x | b | z
            bits += b
            z = z ^ b
            sign = np.where(x & b & z, -sign, sign)
        halves = np.concatenate([PAULI[x, z][:, None], PAULI[x[:, None], own[:, 1:]]], axis=1)
        return Measured(paulis=halves, sign=sign, gates=gates, bits=bits)


@dataclasses.dataclass(frozen=True)
class GraphJoining:
    """To a graph state: CZ between halves along edges, in order; each half is measured in X (Z on its user)."""

    edges: tuple[tuple[int, int], ...]

    def measured(self, users: Int[Array, "s n"]) -> Measured:
        """Go back through the gates from X on each half whose user has x = 1."""
        x, z = X_BIT[users], np.zeros_like(users)
        sign, gates = np.ones_like(users[:, 0]), np.zeros_like(users[:, 0])
        for one, other in reversed(self.edges):
            gates += x[:, one] | x[:, other] | z[:, one] | z[:, other]
            sign = np.where(x[:, one] & x[:, other] & (z[:, one] ^ z[:, other]), -sign, sign)
            z[:, one], z[:, other] = z[:, one] ^ x[:, other], z[:, other] ^ x[:, one]
        return Measured(paulis=PAULI[x, z], sign=sign, gates=gates, bits=x.sum(axis=1))


Joining = GhzJoining | GraphJoining
