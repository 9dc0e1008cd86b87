"""Build schedules by composing steps; slots are numbered as in the text: operands first, then own."""

from collections.abc import Callable
from typing import Unpack

import jax.numpy as jnp
import numpy as np

from qtn import _checks
from qtn._array import Array
from qtn.schedules.arguments import (
    MAX_ROUNDS,
    check_spans,
    require_protocol,
    scalar,
    span,
    tree_of,
    whole,
)
from qtn.schedules.limits import LIMITS, Limits, Number, checked, conflict, rules_of
from qtn.schedules.tree import (
    NUMBERS,
    Distill,
    Elementary,
    Rules,
    Schedule,
    Swap,
    Tree,
    Wait,
    pumping,
    recurrence,
    shifted,
)
from qtn.steps.distill import BBPSSW, DistillationProtocol

__all__ = ["Number", "check_spans", "distill", "elementary", "pump", "swap", "wait"]

Slots = tuple[int | None, Rules]
"""Slot of the age cut-off of a step, and its other slots."""


def elementary(position: int) -> Schedule:
    """Return the schedule that takes the pair of link `position` as it comes."""
    tree = Elementary(whole("position", position, 0))
    return Schedule(tree=tree, cutoff_times=_checks.real(()), wait_times=_checks.real(()))


def swap(left: Schedule, right: Schedule, **limits: Unpack[Limits]) -> Schedule:
    """Join two neighbouring segments by an entanglement swap.

    Args:
        left: what delivers the pair to the left of the swapping node.
        right: the same to the right; starts with the link after the last one of `left`.
        **limits: cutoff_time, cutoff_width, run_time, min_fidelity, latency: see `Limits`.

    Returns:
        The joined schedule; its numbers are those of `left`, then those of `right`, then its own.

    Raises:
        ValueError: if the segments are not neighbours or a number is out of range.

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
    return _pair("swap", left, right, limits, Swap)


def distill(
    kept: Schedule,
    consumed: Schedule | None = None,
    *,
    rounds: int = 1,
    protocol: DistillationProtocol = BBPSSW,
    **limits: Unpack[Limits],
) -> Schedule:
    """Distill two or more pairs over one segment into one ("purification" in many papers), all started together.

    Args:
        kept: what delivers the pair that remains.
        consumed: what delivers each pair that is measured; by default a copy of `kept`, same numbers included.
        rounds: number of rounds of a recurrence, each with equal copies of the last; needs one operand.
        protocol: such as `BBPSSW` or `DEJMPS`.
        **limits: cutoff_time, cutoff_width, run_time, min_fidelity, latency: see `Limits`; one for all rounds.

    Returns:
        The schedule; its numbers are those of `kept`, then those of `consumed` if given, then its own.

    Raises:
        ValueError: if the operands span different segments, `rounds` does not fit or a number is out of range.
    """
    tree = tree_of("kept", kept)
    rounds = whole("rounds", rounds, 1, MAX_ROUNDS)
    require_protocol(protocol)
    if consumed is None:
        numbers, slots = _own(kept.numbers, limits, "distill", protocol)
        return Schedule(tree=recurrence(tree, rounds, protocol, *slots), **numbers)
    if rounds != 1:
        raise ValueError(
            f"Argument `rounds` must be 1 when `consumed` is given, but is {rounds}: nest `distill` instead."
        )
    _check_same_span(tree, "consumed", consumed)
    return _pair("distill", kept, consumed, limits, lambda a, b, *own: Distill(a, b, protocol, *own), protocol)


def pump(
    kept: Schedule,
    fresh: Schedule | None = None,
    *,
    rounds: int = 1,
    protocol: DistillationProtocol = BBPSSW,
    **limits: Unpack[Limits],
) -> Schedule:
    """Distill a pair with fresh ones, each started only when the kept pair is ready (entanglement pumping).

    Needs two memories per node whatever the number of rounds. A failure starts the whole pump anew.

    Args:
        kept: what delivers the first pair.
        fresh: what delivers each further one; by default a copy of `kept`.
        rounds: number of fresh pairs.
        protocol: of two pairs.
        **limits: cutoff_time and so on, see `Limits`: the kept pair waits while the fresh one is made; one for all
            rounds.

    Returns:
        The schedule; its numbers are those of `kept`, then those of `fresh` if given, then its own.

    Raises:
        ValueError: if the operands span different segments, the protocol joins more than two pairs, `rounds` does not
            fit or a number is out of range.

    References:
        Duer, Briegel, Cirac, Zoller, Phys. Rev. A 59, 169 (1999), arXiv:quant-ph/9808065.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.schedules.text import to_text
        >>> to_text(pump(elementary(0), rounds=2))
        'pump(0, rounds=2)'
    """
    tree = tree_of("kept", kept)
    rounds = whole("rounds", rounds, 1, MAX_ROUNDS)
    require_protocol(protocol)
    if protocol.num_pairs != 2:
        raise ValueError(
            f"Argument `protocol` must join two pairs, but {protocol.name} joins {protocol.num_pairs}: use `distill`."
        )
    if fresh is None:
        numbers, slots = _own(kept.numbers, limits, "pump", protocol)
        return Schedule(tree=pumping(tree, tree, rounds, protocol, *slots), **numbers)
    _check_same_span(tree, "fresh", fresh)
    return _pair("pump", kept, fresh, limits, lambda a, b, *own: pumping(a, b, rounds, protocol, *own), protocol)


def _check_same_span(tree: Tree, name: str, consumed: Schedule) -> None:
    other = tree_of(name, consumed)
    if (other.first, other.last) != (tree.first, tree.last):
        raise ValueError(f"Argument `{name}` must span {span(tree)} as `kept` does, but spans {span(other)}.")


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
    return Schedule(tree=tree, **child.numbers | {"wait_times": _concatenated(child.wait_times, time[None])})


def _own(
    numbers: dict[str, Array], limits: Limits, step: str, protocol: DistillationProtocol | None
) -> tuple[dict[str, Array], Slots]:
    """Append the numbers of a step to those of its operands; return its slots as well."""
    unknown = limits.keys() - LIMITS.keys()
    if unknown:
        raise TypeError(f"{step} takes no argument {min(unknown)!r}; known: {', '.join(LIMITS)}.")
    given = {name: limits[name] for name in LIMITS if limits.get(name) is not None}
    problem = conflict(given, step, 2 if protocol is None else protocol.num_pairs)
    if problem:
        raise ValueError(f"{problem[0].upper()}{problem[1:]}.")
    slots = {}
    for name, value in given.items():
        array = LIMITS[name].array
        slots[name] = numbers[array].shape[0]
        numbers = numbers | {array: _concatenated(numbers[array], checked(name, value)[None])}
    return numbers, rules_of(slots)


def _pair(
    step: str,
    first: Schedule,
    second: Schedule,
    limits: Limits,
    make: Callable[..., Tree],
    protocol: DistillationProtocol | None = None,
) -> Schedule:
    """Compose two schedules: the slots of the second follow those of the first."""
    before, after = first.numbers, second.numbers
    tree = second.tree
    if any(array.size for array in after.values()):
        tree = shifted(tree, {name: array.shape[0] for name, array in before.items()})
    joined = {name: _concatenated(before[name], after[name]) for name in NUMBERS}
    numbers, slots = _own(joined, limits, step, protocol)
    return Schedule(tree=make(first.tree, tree, *slots), **numbers)


def _concatenated(first: Array, second: Array) -> Array:
    """Concatenate; concrete numbers by NumPy, because JAX compiles once per pair of lengths."""
    if first.size == 0 or second.size == 0:
        return second if first.size == 0 else first
    left, right = _checks.known(first), _checks.known(second)
    if left is None or right is None:
        return jnp.concatenate([first, second])
    return _checks.real(np.concatenate([left, right]))
