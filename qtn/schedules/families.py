"""Families of schedules: balanced trees, and the one that swaps from left to right."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.schedules.arguments import MAX_ROUNDS, cutoff, require_protocol, scalar, whole
from qtn.schedules.limits import Number
from qtn.schedules.tree import Elementary, Schedule, Swap, Tree, recurrence
from qtn.steps.distill import BBPSSW, DistillationProtocol


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


def balanced(num_links: int) -> Schedule:
    """Return the tree that halves every segment, the left half being the longer one: `nested` of any number of links.

    Args:
        num_links: number of links.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.schedules.text import to_text
        >>> to_text(balanced(3))
        'swap(swap(0, 1), 2)'
        >>> balanced(8).tree == nested(3).tree
        True
    """
    nothing = _checks.real(())
    return Schedule(tree=_halved(0, whole("num_links", num_links, 1)), cutoff_times=nothing, wait_times=nothing)


def _halved(first: int, num_links: int) -> Tree:
    """Return the tree over some links that halves every segment."""
    if num_links == 1:
        return Elementary(first)
    left = (num_links + 1) // 2
    return Swap(_halved(first, left), _halved(first + left, num_links - left))
