"""How a hub joins its halves of pairs to one state of the users: which of its Paulis each string of theirs depends on.

Outcomes are averaged over and users corrected, so the mean of a Pauli string of the users is that of one string of user
and hub halves, times a sign, p2 for each noisy gate that meets it, and 2 eta - 1 for each outcome that it needs. A
Pauli is two bits (x, z): I = (0, 0), Z = (0, 1), X = (1, 0), Y = (1, 1).
"""

import dataclasses

import numpy as np
from jaxtyping import Int

from qtn._pytree import pytree

X_BIT, Z_BIT = np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1])
"""Bits of I, X, Y, Z."""

PAULI = np.array([[0, 3], [1, 2]])
"""Pauli of bits [x, z]."""


@pytree
class Measured:
    """What strings of the users become at the hub; NumPy, as strings are known."""

    far: Int[np.ndarray, "s arms"]
    """Pauli of the half of each arm that is further from the hub: its user's, or that of a node of a tree."""

    near: Int[np.ndarray, "s arms"]
    """Pauli of the half at the hub, or nearer to it."""

    sign: Int[np.ndarray, "s"]
    gates: Int[np.ndarray, "s"]
    """Number of noisy gates that meet the string."""

    bits: Int[np.ndarray, "s"]
    """Number of outcomes that the string needs."""


@dataclasses.dataclass(frozen=True)
class GhzJoining:
    """To a GHZ state, so that two arms are a swap.

    CNOT from the first half to each other one, which is measured in Z (X on its user); the first half itself is
    measured in X (Z on the last user).
    """

    def users(self, num_arms: int) -> tuple[int, ...]:
        """Return the arms at whose far ends users are, in order."""
        return tuple(range(num_arms))

    def num_gates(self, num_arms: int) -> int:
        """Return the number of gates."""
        return num_arms - 1

    def stabilisers(self, num_users: int) -> tuple[Int[np.ndarray, "s n"], Int[np.ndarray, "s"]]:
        """Return Pauli strings, and signs, of whose means the fidelity is the mean."""
        return ghz_stabilisers(num_users)

    def measured(self, users: Int[np.ndarray, "s n"]) -> Measured:
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
        return Measured(far=users, near=halves, sign=sign, gates=gates, bits=bits)


def ghz_stabilisers(num_users: int) -> tuple[Int[np.ndarray, "s n"], Int[np.ndarray, "s"]]:
    """Return the stabilisers of a GHZ state and their signs: I and Z, or X and Y, with an even number of Z or Y."""
    bits = np.indices((2,) * (num_users - 1)).reshape(num_users - 1, -1).T
    even = np.concatenate([bits.sum(axis=1, keepdims=True) % 2, bits], axis=1)
    signs = 1 - 2 * (even.sum(axis=1) // 2 % 2)
    return np.concatenate([PAULI[0, even], PAULI[1, even]]), np.concatenate([np.ones_like(signs), signs])


@dataclasses.dataclass(frozen=True)
class TreeJoining:
    """To a GHZ state along a tree: every node that is no user joins its halves as a hub does, all at the same time.

    The half towards the root is the qubit of a node (at the root that of its first arm). It meets each other half in a
    CNOT, which is measured in Z (X on all users beyond it), and is measured in X at the end (Z on the last user).
    """

    parents: tuple[int, ...]
    """Arm k joins node k + 1 and this node; node 0 is the root."""

    @property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Return the nodes beyond each node."""
        below: list[list[int]] = [[] for _ in range(len(self.parents) + 1)]
        for child, parent in enumerate(self.parents, 1):
            below[parent].append(child)
        return tuple(map(tuple, below))

    def users(self, num_arms: int) -> tuple[int, ...]:
        """Return the arms at whose far ends users are, in order."""
        return tuple(arm for arm in range(num_arms) if not self.children[arm + 1])

    def num_gates(self, num_arms: int) -> int:
        """Return the number of gates."""
        return num_arms - 1

    def stabilisers(self, num_users: int) -> tuple[Int[np.ndarray, "s n"], Int[np.ndarray, "s"]]:
        """Return Pauli strings, and signs, of whose means the fidelity is the mean."""
        return ghz_stabilisers(num_users)

    def measured(self, users: Int[np.ndarray, "s n"]) -> Measured:
        """Go from the users to the root: an x shared by all halves, and the parity of z beyond each node."""
        x, below, places = X_BIT[users[:, -1]], self.children, self.users(len(self.parents))
        beyond = [np.zeros_like(x) for _ in below]
        sign, gates, bits = np.ones_like(x), np.zeros_like(x), np.zeros_like(x)
        for node in range(len(self.parents), -1, -1):
            if not below[node]:
                beyond[node] = Z_BIT[users[:, places.index(node - 1)]]
                continue
            z, bits = np.zeros_like(x), bits + x
            for child in reversed(below[node] if node else below[node][1:]):
                b = beyond[child]
                gates, bits, z = gates + (x | b | z), bits + b, z ^ b
                sign = np.where(x & b & z, -sign, sign)
            beyond[node] = z
        far = [PAULI[x, beyond[node]] for node in range(1, len(below))]
        for user, arm in enumerate(places):
            far[arm] = users[:, user]
        near = [PAULI[x, beyond[0 if node == below[0][0] else node]] for node in range(1, len(below))]
        return Measured(far=np.stack(far, axis=1), near=np.stack(near, axis=1), sign=sign, gates=gates, bits=bits)


@dataclasses.dataclass(frozen=True)
class GraphJoining:
    """To a graph state: CZ between halves along edges, in order; each half is measured in X (Z on its user)."""

    edges: tuple[tuple[int, int], ...]

    def users(self, num_arms: int) -> tuple[int, ...]:
        """Return the arms at whose far ends users are, in order."""
        return tuple(range(num_arms))

    def num_gates(self, num_arms: int) -> int:
        """Return the number of gates."""
        del num_arms
        return len(self.edges)

    def stabilisers(self, num_users: int) -> tuple[Int[np.ndarray, "s n"], Int[np.ndarray, "s"]]:
        """Return Pauli strings, and signs, of whose means the fidelity is the mean: products of X, taken through CZ."""
        found = self.measured(np.indices((2,) * num_users).reshape(num_users, -1).T)
        return found.near, found.sign

    def measured(self, users: Int[np.ndarray, "s n"]) -> Measured:
        """Go back through the gates from X on each half whose user has x = 1."""
        x, z = X_BIT[users], np.zeros_like(users)
        sign, gates = np.ones_like(users[:, 0]), np.zeros_like(users[:, 0])
        for one, other in reversed(self.edges):
            gates += x[:, one] | x[:, other] | z[:, one] | z[:, other]
            sign = np.where(x[:, one] & x[:, other] & (z[:, one] ^ z[:, other]), -sign, sign)
            z[:, one], z[:, other] = z[:, one] ^ x[:, other], z[:, other] ^ x[:, one]
        return Measured(far=users, near=PAULI[x, z], sign=sign, gates=gates, bits=x.sum(axis=1))


Joining = GhzJoining | TreeJoining | GraphJoining
