"""Give every step of a schedule the time that its gates, readouts and messages take."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.links.chain import Chain
from qtn.schedules.arguments import check_spans
from qtn.schedules.tree import Distill, Elementary, Rules, Schedule, Swap, Tree, Wait, subtrees


def with_latencies(schedule: Schedule, chain: Chain, message_times: Sequence[Any] | None = None) -> Schedule:
    """Return a schedule whose swaps and distillations take time, during which pairs decay.

        swap:      gate + readout of the swapping node + the longer of its messages to both ends
        distill:   the slower end's (two-qubit gates of the protocol x gate + readout) + one message between the ends

    A Bell measurement by linear optics takes no gate time, only messages.

    Args:
        schedule: what to change; steps that have a latency keep it.
        chain: its nodes say how long gates and readouts take.
        message_times: how long a classical message over each link takes [s], from left to right; None = no time.

    Returns:
        The schedule, with one entry of `wait_times` more for each step.

    Raises:
        ValueError: if the schedule does not fit the chain or the number of times is wrong.

    Note:
        Differentiable in all times. Links account for their own heralding: its time and its decay.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn import abstract_link, chain, gates, node, parse, to_text
        >>> line = chain(
        ...     abstract_link(p_success=0.1, attempt_time=1e-3, werner=0.9), node(gate_set=gates(readout_time=1e-6)), 2
        ... )
        >>> to_text(with_latencies(parse("swap(0, 1)"), line, [2e-4, 1e-4]))
        'swap(0, 1, latency=0.000201)'
    """
    check_spans(schedule, chain.num_links)
    if message_times is None:
        message_times = [0.0] * chain.num_links
    if len(message_times) != chain.num_links:
        raise ValueError(
            f"Argument `message_times` must hold {chain.num_links} times, one for each link, but holds "
            f"{len(message_times)}."
        )
    messages = [_checks.non_negative_finite("message_times", time) for time in message_times]
    first = schedule.wait_times.shape[0]
    slots: dict[object, int] = {}
    times: list[Float[Array, ""]] = []

    def slot(part: Swap | Distill) -> int:
        middle = part.right.first if isinstance(part, Swap) else part.protocol
        key = type(part).__name__, part.first, part.last, middle
        if key not in slots:
            slots[key] = first + len(times)
            times.append(_latency(part, chain, messages))
        return slots[key]

    changed: dict[Tree, Tree] = {}
    for part in subtrees(schedule.tree):
        if isinstance(part, Elementary):
            changed[part] = part
        elif isinstance(part, Wait):
            changed[part] = Wait(changed[part.child], part.duration)
        else:
            own = part.rules
            latency = slot(part) if own.latency is None else own.latency
            rules = Rules(own.cutoff_width, own.run_time, own.min_fidelity, latency)
            one, other = (changed[child] for child in part.children)
            if isinstance(part, Swap):
                changed[part] = Swap(one, other, part.cutoff, rules)
            else:
                changed[part] = Distill(one, other, part.protocol, part.cutoff, rules, part.sequential)
    numbers = schedule.numbers
    if times:
        numbers |= {"wait_times": jnp.concatenate([numbers["wait_times"], jnp.stack(times)])}
    return Schedule(tree=changed[schedule.tree], **numbers)


def _latency(part: Swap | Distill, chain: Chain, messages: Sequence[Float[Array, ""]]) -> Float[Array, ""]:
    """Return how long a step takes after its pairs are there [s]."""

    def message(first: int, last: int) -> Float[Array, ""]:
        return jnp.sum(jnp.stack(messages[first : last + 1]))

    if isinstance(part, Swap):
        node = chain.node(part.right.first)
        busy = node.gates.two_qubit_time + node.gates.readout_time if node.optics is None else jnp.zeros(())
        return busy + jnp.maximum(message(part.first, part.left.last), message(part.right.first, part.last))
    gates = [chain.node(end).gates for end in (part.first, part.last + 1)]
    count = sum(word.split()[0] in ("cx", "cz") for word in part.protocol.circuit)
    busy = [count * each.two_qubit_time + each.readout_time for each in gates]
    return jnp.maximum(*busy) + message(part.first, part.last)
