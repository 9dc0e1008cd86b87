"""State levels: how many numbers describe a pair, how they decay, and how steps combine them.

An evaluator handles vectors of `num_components` numbers whose first is the probability (the trace) and whose
time evolution in memories is diagonal. Everything else about the state is the level's.
"""

import dataclasses
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Float

from qtn.hardware.node import Node
from qtn.states.pair import BELL_FROM_CHARACTERS, CHARACTERS_FROM_BELL
from qtn.steps.distill import DistillationProtocol, distill_map
from qtn.steps.swap import swap_map


@runtime_checkable
class Level(Protocol):
    """What an evaluator asks of a state level; implementations are frozen, hashable and without numbers."""

    @property
    def num_components(self) -> int:
        """Length k of a state vector; component 0 is the probability."""
        ...

    def from_bell(self, weights: Float[Array, "4"]) -> Float[Array, "k"]:
        """Return the state vector of a heralded Bell-diagonal pair."""
        ...

    def to_bell(self, vectors: Float[Array, "k *t"]) -> Float[Array, "4 *t"]:
        """Return the (unnormalised) Bell weights."""
        ...

    def decay_rates(self, left: Node, right: Node) -> Float[Array, "k"]:
        """Return the decay rate [1/s] of each component of a pair stored at two nodes."""
        ...

    def swap(self, node: Node) -> Float[Array, "k k k"]:
        """Return the successful branch of a swap: out[c] = sum_ab map[c, a, b] left[a] right[b]."""
        ...

    def distill(self, protocol: DistillationProtocol, left: Node, right: Node) -> Float[Array, "k k k"]:
        """Return the accepted branch of a distillation: out[c] = sum_ab map[c, a, b] kept[a] consumed[b]."""
        ...


@dataclasses.dataclass(frozen=True)
class BellDiagonal:
    """Four characters (c_0, c_X, c_Y, c_Z): closed under Pauli noise, swaps and bilocal-Clifford distillation."""

    num_components: int = 4

    def from_bell(self, weights: Float[Array, "4"]) -> Float[Array, "4"]:
        """Return the characters CH p."""
        return jnp.asarray(CHARACTERS_FROM_BELL) @ weights

    def to_bell(self, vectors: Float[Array, "4 *t"]) -> Float[Array, "4 *t"]:
        """Return CH c / 4."""
        return jnp.tensordot(BELL_FROM_CHARACTERS, vectors, 1)

    def decay_rates(self, left: Node, right: Node) -> Float[Array, "4"]:
        """Return (0, rX, rY, rZ), the sums over both memories: <PP> decays with both."""
        rates = left.memory.pauli_rates() + right.memory.pauli_rates()
        return jnp.concatenate([jnp.zeros(1), rates])

    def swap(self, node: Node) -> Float[Array, "4 4 4"]:
        """Return `swap_map(node)`."""
        return swap_map(node)

    def distill(self, protocol: DistillationProtocol, left: Node, right: Node) -> Float[Array, "4 4 4"]:
        """Return `distill_map` with the gates of both end nodes."""
        return distill_map(protocol, left.gates, right.gates)


BELL_DIAGONAL = BellDiagonal()
"""The default level."""
