"""Polish numbers that only matter in whole multiples of a spacing, such as cut-offs of links that keep step."""

import itertools
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from qtn.optimisation.bounded import Interval

Point = dict[str, float]


def on_lattice(value: float, spacing: float, interval: Interval = Interval()) -> float:
    """Return the nearest multiple of a spacing, at least one, inside an interval; its end where none lies inside."""
    first, last = _counts(spacing, interval)
    return interval.inside(spacing * min(max(round(value / spacing), first), last))


def _counts(spacing: float, interval: Interval) -> tuple[float, float]:
    """Return the least and the largest multiple of a spacing inside an interval, up to rounding."""
    lower, upper = interval.lower / spacing - 1e-9, interval.upper / spacing + 1e-9
    first = max(math.ceil(lower), 1) if math.isfinite(lower) else 1
    return float(first), float(math.floor(upper)) if math.isfinite(upper) else math.inf


def polish_on_lattice(
    score: Callable[[Point], float],
    start: Mapping[str, float],
    spacing: Mapping[str, float],
    bounds: Mapping[str, Interval] = MappingProxyType({}),
) -> tuple[Point, float, int]:
    """Round numbers to multiples, then move them by one spacing, alone and in pairs, until nothing gets better.

    Args:
        score: larger is better.
        start: all numbers by name; those not in `spacing` stay as they are.
        spacing: name -> spacing; values stay at least one spacing above 0.
        bounds: name -> interval that is not left.

    Returns:
        (point, score, evaluations).

    Example:
        >>> polish_on_lattice(lambda x: -(x["a"] - 3) ** 2 - (x["b"] - x["a"]) ** 2, {"a": 6.4, "b": 5.0},
        ...                   {"a": 1.0, "b": 1.0})[0]
        {'a': 3.0, 'b': 3.0}
    """
    seen: dict[tuple[int, ...], float] = {}
    names = list(spacing)
    within = [bounds.get(name, Interval()) for name in names]
    ends = [_counts(spacing[name], interval) for name, interval in zip(names, within, strict=True)]

    def point(counts: tuple[int, ...]) -> Point:
        moved = zip(names, within, counts, strict=True)
        return dict(start) | {name: interval.inside(spacing[name] * count) for name, interval, count in moved}

    def value(counts: tuple[int, ...]) -> float:
        if counts not in seen:
            seen[counts] = score(point(counts))
        return seen[counts]

    rounded = [round(start[name] / spacing[name]) for name in names]
    here = tuple(int(min(max(count, first), last)) for count, (first, last) in zip(rounded, ends, strict=True))
    improved = True
    while improved:
        improved = False
        for number in (1, 2):  # single moves first; pairs only where none of them helps
            if improved:
                break
            for chosen in itertools.combinations(range(len(names)), number):
                for signs in itertools.product((1, -1), repeat=number):
                    moved = list(here)
                    for index, sign in zip(chosen, signs, strict=True):
                        moved[index] += sign
                    allowed = all(first <= count <= last for count, (first, last) in zip(moved, ends, strict=True))
                    if allowed and value(tuple(moved)) > value(here):
                        here, improved = tuple(moved), True
    return point(here), value(here), len(seen)
