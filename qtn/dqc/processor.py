"""A processor: its data qubits, gates and readouts, and how it makes pairs with others."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.hardware.gates import Gates
from qtn.hardware.memory import Memory
from qtn.hardware.node import Node, node


@pytree
class Processor:
    """One of several processors that share a circuit; built by `processor`."""

    node: Node
    """Memory of its qubits, two-qubit gate and readout with their durations."""

    one_qubit: Float[Array, ""]
    """p1 in [0, 1]: after a one-qubit gate rho -> p1 rho + (1 - p1) tr(rho) 1/2."""

    latency: Float[Array, ""]
    """Time of a message between processors [s]."""

    cutoff_time: Float[Array, ""]
    """Age at which a pair that was made ahead is discarded and made again [s]; inf = never."""

    num_links: int = static(default=1)
    """Links to each other processor that try side by side for the same pair."""

    buffer: int = static(default=0)
    """Pairs with each other processor that are made ahead."""


def processor(
    memory: Memory | None = None,
    gate_set: Gates | None = None,
    *,
    one_qubit: Any = 1.0,
    latency: Any = 0.0,
    num_links: int = 1,
    buffer: int = 0,
    cutoff_time: Any = math.inf,
) -> Processor:
    """Build a processor; perfect unless said otherwise.

    Args:
        memory: of its data and communication qubits while they wait.
        gate_set: two-qubit gate, readout, and how long they take.
        one_qubit: p1 of one-qubit gates, in [0, 1]; they take no time.
        latency: time of a message to another processor [s].
        num_links: links to each other processor that try side by side; the first pair is taken, the others start anew.
        buffer: pairs with each other processor that are made ahead, each in a lane of its own that starts again as soon
            as its pair is used; 0 = made when they are needed.
        cutoff_time: age at which a pair that was made ahead is discarded [s]; inf = never.

    Raises:
        ValueError: if a number lies outside its range.

    Note:
        Of two processors with different links, buffers or cut-offs the smaller number counts for pairs between them,
        and the longer of two durations.
    """
    for name, value, least in (("num_links", num_links, 1), ("buffer", buffer, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"Argument `{name}` must be a whole number >= {least}, but is {value!r}.")
    return Processor(
        node=node(memory, gate_set),
        one_qubit=_checks.probability("one_qubit", one_qubit),
        latency=_checks.non_negative_finite("latency", latency),
        cutoff_time=_checks.positive("cutoff_time", cutoff_time),
        num_links=int(num_links),
        buffer=int(buffer),
    )


def one_each(processors: Any, count: int) -> tuple[Processor, ...]:
    """Return the processor of each place, one for all or one each.

    Raises:
        TypeError: if they are something else.
        ValueError: if the number does not fit.
    """
    if isinstance(processors, Processor):
        return (processors,) * count
    if not isinstance(processors, (list, tuple)) or not all(isinstance(each, Processor) for each in processors):
        raise TypeError(
            "Argument `processor` must be built by `qtn.dqc.processor`, one for all or a list of one each, but is "
            f"{processors!r:.60}."
        )
    if len(processors) != count:
        raise ValueError(
            f"Argument `processor` must be one for all or one for each of {count}, but holds {len(processors)}."
        )
    return tuple(processors)
