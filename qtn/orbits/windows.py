"""When a smooth curve lies above zero: no interval is missed, as its second derivative is bounded.

Between two points a and b a curve lies at most `bend` (b - a)^2 / 8 above or below the line through their values, and
its slope differs from that of the line by at most `bend` (b - a). Intervals that this leaves open are halved.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from qtn import _budget

Curve = Callable[[np.ndarray], Any]

SHORTEST = 1e-3
"""Intervals shorter than this may be missed [s]."""

COARSE = 0.1
"""First spacing, in units of the time in which a curve of height 1 bends away."""

HALVINGS = 60
"""Of the interval in which a zero is looked for."""

MOST = _budget.Budget(5_000_000, "points at which a satellite is looked for", "shorten `duration`, or look at fewer")


def above(curve: Curve, bend: float, start: float, end: float) -> np.ndarray:
    """Return the intervals in which a curve is positive.

    Args:
        curve: of times (n,) [s].
        bend: bound on its second derivative [1/s^2].
        start: of the search [s].
        end: of the search [s].

    Returns:
        intervals: (k, 2), in order; those that are cut off begin at `start` or end at `end`.

    Raises:
        ValueError: if the search would take too many points.

    Note:
        Exact to rounding; intervals shorter than `SHORTEST` may be missed.
    """
    count = (end - start) * bend**0.5 / COARSE
    MOST.require(int(min(count, 1e18)) + 2)
    times = np.linspace(start, end, int(count) + 2)
    values = curve(times)
    zeros = roots(curve, brackets(curve, bend, times, values))
    edges = np.concatenate([[start] if values[0] > 0 else [], zeros, [end] if values[-1] > 0 else []])
    return edges[: 2 * (len(edges) // 2)].reshape(-1, 2)


def brackets(curve: Curve, bend: float, times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return (k, 2), intervals in each of which the curve crosses zero once, in order."""
    left, right, low, high = times[:-1], times[1:], values[:-1], values[1:]
    found = []
    while len(left):
        reach, crosses = bend * (right - left) ** 2, (low > 0) != (high > 0)
        sure = np.where(crosses, np.abs(high - low) > reach, np.minimum(np.abs(low), np.abs(high)) > reach / 8)
        sure |= right - left < SHORTEST
        found.append(np.stack([left, right], -1)[sure & crosses])
        left, right, low, high = (each[~sure] for each in (left, right, low, high))
        middle = (left + right) / 2
        value = curve(middle)
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        low, high = np.concatenate([low, value]), np.concatenate([value, high])
    together = np.concatenate(found) if found else np.zeros((0, 2))
    return together[np.argsort(together[:, 0])]


def roots(curve: Curve, between: np.ndarray) -> np.ndarray:
    """Return the zeros (k,) of a curve between points (k, 2), by bisection."""
    left, right = between.T
    rises = curve(right) > 0
    for _ in range(HALVINGS if len(left) else 0):
        middle = (left + right) / 2
        after = (curve(middle) > 0) == rises
        left, right = np.where(after, left, middle), np.where(after, middle, right)
    return (left + right) / 2


def widened(intervals: np.ndarray, start: float, end: float) -> np.ndarray:
    """Return intervals (k, 2) longer by half on either side, not beyond the search nor half of the way to the next."""
    length = intervals[:, 1] - intervals[:, 0]
    gaps = intervals[1:, 0] - intervals[:-1, 1]
    before, after = np.concatenate([[np.inf], gaps]) / 2, np.concatenate([gaps, [np.inf]]) / 2
    left = intervals[:, 0] - np.minimum(length / 2, before)
    right = intervals[:, 1] + np.minimum(length / 2, after)
    return np.stack([np.maximum(left, start), np.minimum(right, end)], -1)


def meeting(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the pairs (m, 2) of intervals (k, 2) and (l, 2), in order within each set, that overlap."""
    if not (len(first) and len(second)):
        return np.zeros((0, 2), int)
    begin, end = np.searchsorted(second[:, 1], first[:, 0], "right"), np.searchsorted(second[:, 0], first[:, 1], "left")
    number = np.maximum(end - begin, 0)
    left = np.repeat(np.arange(len(first)), number)
    return np.stack([left, np.arange(len(left)) - np.repeat(np.cumsum(number) - number - begin, number)], -1)
