"""Polish numbers that only matter in whole multiples of a spacing, such as cut-offs of links that keep step."""

import itertools
from collections.abc import Callable, Mapping

Point = dict[str, float]


def polish_on_lattice(
    score: Callable[[Point], float], start: Mapping[str, float], spacing: Mapping[str, float]
) -> tuple[Point, float, int]:
    """Round numbers to multiples, then move them by one spacing, alone and in pairs, until nothing gets better.

    Args:
        score: larger is better.
        start: all numbers by name; those not in `spacing` stay as they are.
        spacing: name -> spacing; values stay at least one spacing above 0.

    Returns:
        (point, score, evaluations).

    Example:
        >>> polish_on_lattice(lambda x: -(x["a"] - 3) ** 2 - (x["b"] - x["a"]) ** 2, {"a": 6.4, "b": 5.0},
        ...                   {"a": 1.0, "b": 1.0})[0]
        {'a': 3.0, 'b': 3.0}
    """
    seen: dict[tuple[int, ...], float] = {}
    names = list(spacing)

    def point(counts: tuple[int, ...]) -> Point:
        return dict(start) | {name: spacing[name] * count for name, count in zip(names, counts, strict=True)}

    def value(counts: tuple[int, ...]) -> float:
        if counts not in seen:
            seen[counts] = score(point(counts))
        return seen[counts]

    here = tuple(max(round(start[name] / spacing[name]), 1) for name in names)
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
                    if min(moved) >= 1 and value(tuple(moved)) > value(here):
                        here, improved = tuple(moved), True
    return point(here), value(here), len(seen)
