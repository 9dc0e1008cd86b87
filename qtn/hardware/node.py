"""A network node: its memories, its gates, and the success probability of its swap."""

import dataclasses
from typing import Any

from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.gates import Gates, gates
from qtn.hardware.linear_optics import LinearOptics
from qtn.hardware.memory import Memory, PerfectMemory


@pytree
class Node:
    """One node of a network."""

    memory: Memory
    """Model of every memory qubit of this node."""

    gates: Gates
    """Two-qubit gate and readout."""

    p_swap: Float[Array, ""]
    """Success probability of a Bell measurement here, that of the optics apart; chains swap at inner nodes only."""

    optics: LinearOptics | None = dataclasses.field(default=None)
    """What measures in the Bell basis; None = the two-qubit gate and two readouts."""


def node(
    memory: Memory | None = None, gate_set: Gates | None = None, p_swap: Any = 1.0, optics: LinearOptics | None = None
) -> Node:
    """Build a node; by default everything about it is perfect.

    Args:
        memory: model of its memories.
        gate_set: two-qubit gate and readout.
        p_swap: success probability of its swap, in (0, 1].
        optics: Bell measurement by linear optics, in place of gate and readouts; its own success comes on top.

    Raises:
        TypeError: if one of them is something else, such as a table of a file.
        ValueError: if `p_swap` lies outside its range.
    """
    for name, value, kind, example in (
        ("memory", memory, Memory, "dephasing_memory(t2)"),
        ("gate_set", gate_set, Gates, "gates(two_qubit, readout)"),
        ("optics", optics, LinearOptics, "linear_optics(...)"),
    ):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"Argument `{name}` must be built, such as by {example}, but is {value!r:.80}.")
    return Node(
        memory=PerfectMemory() if memory is None else memory,
        gates=gates() if gate_set is None else gate_set,
        p_swap=_checks.positive_probability("p_swap", p_swap),
        optics=optics,
    )
