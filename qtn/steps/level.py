"""State levels: which Pauli coefficients describe a pair, how they decay, and how steps combine them.

An evaluator handles vectors of `num_components` numbers whose first is the probability (the trace) and whose time
evolution in memories is diagonal. Where <Z> of a stored qubit relaxes to z_eq, what decays is <Z> - z_eq <I>, so the
vector of a pair stored at two nodes holds the coefficients v = (M_left x M_right) r with M = 1 - z_eq |Z><I|; it
depends on the two nodes only through their equilibria. The component of YY has its sign reversed, so that a perfect
pair is all ones.
"""

import dataclasses
import itertools
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array, library
from qtn.hardware.gates import Gates
from qtn.hardware.node import Node
from qtn.states.pair import PAULIS
from qtn.steps.distill import distill_map
from qtn.steps.protocol import DistillationProtocol
from qtn.steps.swap import swap_map


@runtime_checkable
class Level(Protocol):
    """What an evaluator asks of a state level; implementations are frozen, hashable and without numbers."""

    @property
    def num_components(self) -> int:
        """Length k of a state vector; component 0 is the probability."""
        ...

    def from_pauli(self, state: Float[Array, "4 4"], left: Node, right: Node) -> Float[Array, "k"]:
        """Return the vector of a pair at two nodes."""
        ...

    def to_pauli(self, vectors: Float[Array, "k *t"], left: Node, right: Node) -> Float[Array, "4 4 *t"]:
        """Return the (unnormalised) Pauli coefficients of vectors at two nodes."""
        ...

    def decay_rates(self, left: Node, right: Node) -> Float[Array, "k"]:
        """Return the decay rate [1/s] of each component of a pair stored at two nodes."""
        ...

    def swap(self, left: Node, middle: Node, right: Node) -> Float[Array, "k k k"]:
        """Return the successful branch of a swap: out[c] = sum_ab map[c, a, b] left[a] right[b]."""
        ...

    def distill(self, protocol: DistillationProtocol, left: Node, right: Node) -> Float[Array, "k k ..."]:
        """Return the accepted branch of a distillation: out[c] = sum map[c, a, b ..] kept[a] consumed[b] .."""
        ...


@dataclasses.dataclass(frozen=True)
class PauliLevel:
    """The level that keeps some of the sixteen Pauli coefficients."""

    name: str
    labels: tuple[str, ...]
    """Letters of the left and the right Pauli, "II" first."""

    @property
    def num_components(self) -> int:
        """Return the number of coefficients."""
        return len(self.labels)

    @property
    def indices(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the left and the right Pauli index of each coefficient."""
        left, right = (np.array([PAULIS.index(label[side]) for label in self.labels]) for side in (0, 1))
        return left, right

    def basis(self, left: Node, right: Node, *, inverse: bool = False) -> np.ndarray:
        """Return the matrix (k, k) from the kept Pauli coefficients to the vector at two nodes, or its inverse.

        A level without ZI and IZ is for nodes that do not relax (T1 = inf): there the equilibrium does not matter.
        """
        sign = (1.0 if inverse else -1.0) * ("ZI" in self.labels)
        ends = [np.eye(4), np.eye(4)]
        for matrix, node in zip(ends, (left, right), strict=True):
            matrix[3, 0] = sign * node.memory.equilibrium()
        index = self.indices
        reverse = np.array([-1.0 if label == "YY" else 1.0 for label in self.labels])
        kept = ends[0][np.ix_(index[0], index[0])] * ends[1][np.ix_(index[1], index[1])]
        return kept * reverse if inverse else reverse[:, None] * kept

    def from_pauli(self, state: Float[Array, "4 4"], left: Node, right: Node) -> Float[Array, "k"]:
        """Return the vector of a pair at two nodes; other coefficients are dropped."""
        return jnp.asarray(self.basis(left, right)) @ state[self.indices]

    def to_pauli(self, vectors: Float[Array, "k *t"], left: Node, right: Node) -> Float[Array, "4 4 *t"]:
        """Return the Pauli coefficients of vectors at two nodes; those that are not kept are 0."""
        basis, shape = self.basis(left, right, inverse=True), (4, 4, *vectors.shape[1:])
        if library(vectors) is jnp:
            return jnp.zeros(shape).at[self.indices].set(jnp.tensordot(basis, vectors, 1))
        found: Any = np.zeros(shape)
        found[self.indices] = np.tensordot(basis, vectors, 1)
        return found

    def decay_rates(self, left: Node, right: Node) -> Float[Array, "k"]:
        """Return the sum over both memories of the rates of I (0), X, Y, Z."""
        ends = [jnp.concatenate([jnp.zeros(1), node.memory.pauli_rates()]) for node in (left, right)]
        index = self.indices
        return ends[0][index[0]] + ends[1][index[1]]

    def swap(self, left: Node, middle: Node, right: Node) -> Float[Array, "k k k"]:
        """Return `swap_map` of the middle node on the vectors of this level."""
        i, k = self.indices
        kept = swap_map(middle)[i[:, None, None], k[:, None, None], i[:, None], k[:, None], i, k]
        return self._in_basis(kept, (left, right), (left, middle), (middle, right))

    def distill(self, protocol: DistillationProtocol, left: Node, right: Node) -> Float[Array, "k k ..."]:
        """Return `distill_map` with the gates of both end nodes on the vectors of this level."""
        kept = distill_map(protocol, left.gates, right.gates, self.labels)
        return self._in_basis(kept, *[(left, right)] * (protocol.num_pairs + 1))

    def _in_basis(self, step_map: Array, after: tuple[Node, Node], *before: tuple[Node, Node]) -> Array:
        """Turn a map on Pauli coefficients into one on vectors."""
        found = jnp.tensordot(self.basis(*after), step_map, 1)
        for ends in before:  # each input axis in turn moves to the end
            found = jnp.tensordot(found, self.basis(*ends, inverse=True), axes=(1, 0))
        return found


BELL_DIAGONAL = PauliLevel("bell_diagonal", ("II", "XX", "YY", "ZZ"))
"""Closed under Pauli noise, swaps and distillation that accepts every coincidence."""

X_TYPE = PauliLevel("x_type", ("II", "XX", "YY", "ZZ", "ZI", "IZ", "XY", "YX"))
"""Also closed under relaxation (T1), single-click links and protocols that accept one outcome of Z readouts."""

PAULI = PauliLevel(
    "pauli", ("II", *("".join(pair) for pair in itertools.product(PAULIS, repeat=2) if pair != ("I", "I")))
)
"""All coefficients: any state of two qubits."""

LEVELS = {level.name: level for level in (BELL_DIAGONAL, X_TYPE, PAULI)}
"""Levels by name, small ones first."""


MOST_PAIRS = {"bell_diagonal": 5, "x_type": 4, "pauli": 3}
"""A map of n pairs holds k^(n + 1) numbers."""


@lru_cache
def carries(level: PauliLevel, protocol: DistillationProtocol) -> bool:
    """Whether a distillation is exact at a level, and small enough to be held.

    The Bell-diagonal level must find the same Bell weights whatever coefficients it does not see: true for every local
    Clifford circuit of which all coincidences are accepted. A larger level holds all coefficients that its inputs
    have, and must not need others afterwards.
    """
    if level.name == "bell_diagonal":
        return protocol.coincidence
    if protocol.num_pairs > MOST_PAIRS[level.name]:
        return False
    if level.name == "pauli":
        return True
    with jax.ensure_compile_time_eval():
        noisy = Gates(two_qubit=jnp.asarray(0.9), readout=jnp.asarray(0.9))
        full = np.asarray(distill_map(protocol, noisy, noisy, PAULI.labels))
    inside = np.array([label in level.labels for label in PAULI.labels])
    outside = full[~inside]
    for axis in range(1, protocol.num_pairs + 1):
        outside = np.compress(inside, outside, axis=axis)
    return bool(np.all(np.abs(outside) < 1e-14))
