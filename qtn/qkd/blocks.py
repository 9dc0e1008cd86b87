"""Which block would give a key, where the given one is too short."""

from collections.abc import Callable

LONGEST_BLOCK = 1e13
"""Signals up to which a block is looked for that gives a key."""

FOREVER = 1e100
"""Where to give up in any case."""

ENOUGH = 1.1
"""Factor to which the shortest block is found."""


def shortest_block(gives: Callable[[float], bool], block: float, longest: float = LONGEST_BLOCK) -> float | None:
    """Return the shortest block, to 10 %, that gives a key.

    Args:
        gives: whether a block gives a key; if it does, longer ones do.
        block: one that is too short.
        longest: where to give up.

    Returns:
        shortest: a block that gives a key; None if none up to the longest does.
    """
    low, high = block, 4 * block
    while not gives(high):
        if not high <= min(longest, FOREVER):  # nor where one of them is nan
            return None
        low, high = high, 4 * high
    while high > ENOUGH * low:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if gives(middle) else (middle, high)
    return high
