"""A network node: its memories, its gates, and the success probability of its swap."""

from typing import Any

from jaxtyping import Array, Float

from qtn import _checks
from qtn._pytree import pytree
from qtn.hardware.gates import Gates, gates
from qtn.hardware.memory import Memory, PerfectMemory


@pytree
class Node:
    """One node of a network."""

    memory: Memory
    """Model of every memory qubit of this node."""

    gates: Gates
    """Two-qubit gate and readout."""

    p_swap: Float[Array, ""]
    """Success probability of an entanglement swap here; unused at end nodes."""


def node(memory: Memory | None = None, gate_set: Gates | None = None, p_swap: Any = 1.0) -> Node:
    """Build a node; by default everything about it is perfect.

    Args:
        memory: model of its memories.
        gate_set: two-qubit gate and readout.
        p_swap: success probability of its swap, in (0, 1].
    """
    return Node(
        memory=PerfectMemory() if memory is None else memory,
        gates=gates() if gate_set is None else gate_set,
        p_swap=_checks.positive_probability("p_swap", p_swap),
    )
