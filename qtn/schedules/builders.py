"""Build schedules by composing steps; slots are numbered as in the text: operands first, then own."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qtn import _checks
from qtn.schedules.arguments import (
    MAX_ROUNDS,
    check_spans,
    cutoff,
    require_protocol,
    scalar,
    span,
    tree_of,
    whole,
)
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, Tree, Wait, recurrence, shifted
from qtn.steps.distill import BBPSSW, DistillationProtocol

__all__ = ["Number", "check_spans", "distill", "elementary", "nested", "sequential", "swap", "wait"]

Number = float | int | Array
"""A number, which may be traced."""


def elementary(position: int) -> Schedule:
    """Return the schedule that takes the pair of link `position` as it comes."""
    tree = Elementary(whole("position", position, 0))
    return Schedule(tree=tree, cutoff_times=_checks.real(()), wait_times=_checks.real(()))


def swap(left: Schedule, right: Schedule, *, cutoff_time: Number | None = None) -> Schedule:
    """Join two neighbouring segments by an entanglement swap.

    Args:
        left: what delivers the pair to the left of the swapping node.
        right: the same to the right; starts with the link after the last one of `left`.
        cutoff_time: age at which the pair that came first is discarded, and both made anew [s]; None = never.

    Returns:
        The joined schedule; its times are those of `left`, then those of `right`, then `cutoff_time`.

    Raises:
        ValueError: if the segments are not neighbours or the cut-off is negative.

    Note:
        Times may be traced: gradients flow through all builders.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> swap(elementary(0), elementary(1), cutoff_time=0.2).cutoff_times.tolist()
        [0.2]
    """
    joined, end = tree_of("left", left).last, tree_of("right", right).first
    if joined + 1 != end:
        raise ValueError(
            f"Argument `right` must start with link {joined + 1}, next to the last link of `left`, but "
            f"starts with link {end}."
        )
    return _pair(left, right, cutoff_time, lambda kept, other, slot: Swap(kept, other, slot))


def distill(
    kept: Schedule,
    consumed: Schedule | None = None,
    *,
    rounds: int = 1,
    protocol: DistillationProtocol = BBPSSW,
    cutoff_time: Number | None = None,
) -> Schedule:
    """Distill two pairs over one segment into one ("purification" in many papers).

    Args:
        kept: what delivers the pair that remains.
        consumed: what delivers the pair that is measured; by default a copy of `kept`, same times included.
        rounds: number of rounds of a recurrence, each with an equal copy of the last; needs one operand.
        protocol: `BBPSSW` or `DEJMPS`.
        cutoff_time: age at which the pair that came first is discarded [s], one for all rounds; None = never.

    Returns:
        The schedule; its times are those of `kept`, then those of `consumed` if given, then `cutoff_time`.

    Raises:
        ValueError: if the operands span different segments, `rounds` does not fit or the cut-off is negative.
    """
    tree = tree_of("kept", kept)
    rounds = whole("rounds", rounds, 1, MAX_ROUNDS)
    require_protocol(protocol)
    if consumed is None:
        cutoffs, slot = _own_cutoff(kept.cutoff_times, cutoff_time)
        tree = recurrence(tree, rounds, protocol, slot)
        return Schedule(tree=tree, cutoff_times=cutoffs, wait_times=kept.wait_times)
    other = tree_of("consumed", consumed)
    if rounds != 1:
        raise ValueError(
            f"Argument `rounds` must be 1 when `consumed` is given, but is {rounds}: nest `distill` instead."
        )
    if (other.first, other.last) != (tree.first, tree.last):
        raise ValueError(f"Argument `consumed` must span {span(tree)} as `kept` does, but spans {span(other)}.")
    return _pair(kept, consumed, cutoff_time, lambda a, b, slot: Distill(a, b, protocol, slot))


def wait(child: Schedule, duration: Number) -> Schedule:
    """Hold the pair of a segment for a fixed time before it is used.

    Args:
        child: what delivers the pair.
        duration: how long it is held [s].

    Raises:
        ValueError: if `duration` is negative or infinite.
    """
    tree = Wait(tree_of("child", child), child.wait_times.shape[0])
    time = scalar("duration", duration)
    time = _checks.require("duration", time, lambda v: (v >= 0) & np.isfinite(v), "be non-negative and finite")
    waits = _concatenated(child.wait_times, time[None])
    return Schedule(tree=tree, cutoff_times=child.cutoff_times, wait_times=waits)


def nested(
    levels: int,
    rounds: Sequence[int] | None = None,
    *,
    protocol: DistillationProtocol = BBPSSW,
    cutoff_times: Sequence[Number] | Float[Array, " levels"] | None = None,
) -> Schedule:
    """Return the balanced tree over 2^levels links (Briegel et al.), with distillation after each level.

    Args:
        levels: number of swap levels.
        rounds: `levels + 1` numbers of distillation rounds: of the links, then after each level; default 0.
        protocol: how to distill.
        cutoff_times: `levels` cut-offs of the swaps, level 1 (next to the links) first [s]; each swap has its
            own slot, so that they can be optimised apart later.

    Raises:
        ValueError: if a sequence has the wrong length or a number is out of range.

    References:
        Briegel, Duer, Cirac, Zoller, Phys. Rev. Lett. 81, 5932 (1998), arXiv:quant-ph/9803056.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.schedules.text import to_text
        >>> to_text(nested(2))
        'swap(swap(0, 1), swap(2, 3))'
        >>> to_text(nested(1, rounds=(1, 0), cutoff_times=(0.2,)))
        'swap(distill(0), distill(1), cutoff_time=0.2)'
    """
    levels = whole("levels", levels, 0)
    require_protocol(protocol)
    rounds = (0,) * (levels + 1) if rounds is None else tuple(rounds)
    if len(rounds) != levels + 1:
        raise ValueError(f"Argument `rounds` must hold levels + 1 = {levels + 1} numbers, but holds {len(rounds)}.")
    rounds = tuple(whole(f"rounds[{i}]", n, 0, MAX_ROUNDS) for i, n in enumerate(rounds))
    cutoffs, order = _checks.real(()), np.zeros(0, dtype=int)
    if cutoff_times is not None:
        if len(cutoff_times) != levels:
            raise ValueError(f"Argument `cutoff_times` must hold {levels} times, but holds {len(cutoff_times)}.")
        for level in range(levels):
            order = np.concatenate([order, order, [level]])
        if levels > 0:
            times = jnp.stack([scalar("cutoff_times", time) for time in cutoff_times])
            cutoffs = _checks.non_negative("cutoff_times", times)[order]
    tree = _balanced(levels, 0, rounds, protocol, None if cutoff_times is None else 0)
    return Schedule(tree=tree, cutoff_times=cutoffs, wait_times=_checks.real(()))


def _balanced(
    level: int, first: int, rounds: tuple[int, ...], protocol: DistillationProtocol, slot: int | None
) -> Tree:
    """Return the balanced tree over 2^level links from `first`, its cut-offs numbered from `slot`."""
    if level == 0:
        return recurrence(Elementary(first), rounds[0], protocol)
    half = 2 ** (level - 1)
    left = _balanced(level - 1, first, rounds, protocol, slot)
    right = _balanced(level - 1, first + half, rounds, protocol, None if slot is None else slot + half - 1)
    joined = Swap(left, right, None if slot is None else slot + 2 * half - 2)
    return recurrence(joined, rounds[level], protocol)


def sequential(num_links: int, *, cutoff_time: Number | None = None) -> Schedule:
    """Return the tree that swaps from left to right: swap(swap(swap(0, 1), 2), 3).

    Args:
        num_links: number of links.
        cutoff_time: cut-off of each swap [s] (each has its own slot); None = never.
    """
    num_links = whole("num_links", num_links, 1)
    cutoffs = _checks.real(())
    if cutoff_time is not None:
        cutoffs = jnp.broadcast_to(cutoff(cutoff_time), (num_links - 1,))
    tree: Tree = Elementary(0)
    for link in range(1, num_links):
        tree = Swap(tree, Elementary(link), None if cutoff_time is None else link - 1)
    return Schedule(tree=tree, cutoff_times=cutoffs, wait_times=_checks.real(()))


def _own_cutoff(cutoffs: Array, cutoff_time: Any) -> tuple[Array, int | None]:
    """Append the cut-off of a step to those of its operands; return its slot as well."""
    if cutoff_time is None:
        return cutoffs, None
    return _concatenated(cutoffs, cutoff(cutoff_time)[None]), cutoffs.shape[0]


def _pair(first: Schedule, second: Schedule, cutoff_time: Any, make: Any) -> Schedule:
    """Compose two schedules: the slots of the second follow those of the first."""
    num_cutoffs, num_waits = first.cutoff_times.shape[0], first.wait_times.shape[0]
    tree = second.tree
    if second.cutoff_times.size or second.wait_times.size:
        tree = shifted(tree, num_cutoffs, num_waits)
    cutoffs, slot = _own_cutoff(_concatenated(first.cutoff_times, second.cutoff_times), cutoff_time)
    waits = _concatenated(first.wait_times, second.wait_times)
    return Schedule(tree=make(first.tree, tree, slot), cutoff_times=cutoffs, wait_times=waits)


def _concatenated(first: Array, second: Array) -> Array:
    """Concatenate; concrete numbers by NumPy, because JAX compiles once per pair of lengths."""
    if first.size == 0 or second.size == 0:
        return second if first.size == 0 else first
    left, right = _checks.known(first), _checks.known(second)
    if left is None or right is None:
        return jnp.concatenate([first, second])
    return _checks.real(np.concatenate([left, right]))
