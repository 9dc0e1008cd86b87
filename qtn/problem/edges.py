"""Numbers at the end of their range, where a derivative may be infinite or one-sided: what the slope is worth there.

Key fractions and entanglement measures have the slope of x log x or of a square root at perfect hardware. Derivatives
of JAX stay finite there, figures without meaning; people are told the slope over a finite step instead.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from qtn.problem.names import bounds, initial_values
from qtn.problem.problem import Problem

NEAR, NEARER = 1e-6, 1e-9
"""Steps into a range, relative to its length, at which slopes are compared with that at its end."""

SHOWN = 1e-3
"""The step, relative to the length of the range, over which a slope is shown where the derivative means nothing."""

AGREEMENT = 0.05
"""Relative difference up to which slopes count as the same."""

NOTHING = 1e-9
"""Change over a whole range, relative to the value, that is rounding."""

Slopes = Callable[[dict[str, float]], tuple[float, Mapping[str, float]]]
"""Numbers -> (value, its derivative by each number)."""


@dataclasses.dataclass(frozen=True)
class Edge:
    """A number at the end of its range at which the derivative is infinite, or not that of small steps."""

    slope: float
    """Of the value over `step`."""
    step: float
    """Signed, into the range, in the unit of the number."""
    diverges: bool
    """Whether slopes grow as steps get smaller; else they have a limit, which is another one than JAX returns."""


def edges(
    problem: Problem, numbers: Mapping[str, float], slopes: Slopes, found_here: tuple[float, Mapping[str, float]]
) -> dict[str, Edge]:
    """Find the numbers at an end of their range at which derivatives mean nothing.

    All of them move into their ranges together, twice, so that this costs two more gradients, and one for each number
    that is found.

    Args:
        problem: says the ranges.
        numbers: dotted name -> number.
        slopes: differentiates the value.
        found_here: what it returns at `numbers`.
    """
    widths = inward(problem, numbers)
    if not widths:
        return {}
    value, here = found_here
    near, nearer = (slopes(moved(numbers, widths, step))[1] for step in (NEAR, NEARER))
    most = max(abs(value), *(abs(here[name] * width) for name, width in widths.items()))
    found = {}
    for name, width in widths.items():
        rounding = NOTHING * most / abs(width)
        if alike(here[name], nearer[name], near[name], rounding):
            continue
        there, _ = slopes(moved(numbers, {name: width}, SHOWN))
        growing = abs(nearer[name]) > (1 + AGREEMENT) * abs(near[name])
        found[name] = Edge((there - value) / (SHOWN * width), SHOWN * width, growing)
    return found


def alike(here: float, nearer: float, near: float, rounding: float) -> bool:
    """Whether slopes are those of a function without an edge, up to rounding."""
    scale = max(abs(here), abs(nearer))
    return abs(here - nearer) <= AGREEMENT * scale + rounding or scale <= AGREEMENT * abs(near)


def inward(problem: Problem, numbers: Mapping[str, float]) -> dict[str, float]:
    """Return the numbers at an end of a bounded range, each with the way (signed) to its other end."""
    found = {}
    for name, value in numbers.items():
        limits = bounds(problem, name)
        width = limits.upper - limits.lower
        if np.isfinite(width) and value in (limits.lower, limits.upper):
            found[name] = width if value == limits.lower else -width
    return found


def ends_met(problem: Problem, axes: Mapping[str, np.ndarray], names: Iterable[str]) -> list[str]:
    """Return what to tell of a sweep that differentiates by numbers at an end of their range: one sentence, or none.

    Args:
        problem: says the ranges, and the numbers that stay as they are.
        axes: dotted name -> the values that a number takes.
        names: numbers that something is differentiated by.
    """
    leaves, met = initial_values(problem, names), []
    for name, own in leaves.items():
        for value in np.unique(np.asarray(axes.get(name, own), float)):
            if inward(problem, {name: float(value)}):
                met.append(f"{name} = {value:g}")
    if not met:
        return []
    return [
        f"derivatives at an end of a range ({', '.join(met)}) are finite where the true slope may diverge; "
        "`qtn gradient` with --set tells, or start the axis beside it"
    ]


def moved(numbers: Mapping[str, float], widths: Mapping[str, float], step: float) -> dict[str, float]:
    """Move numbers into their ranges by a fraction of these; Bell weights keep their sum."""
    found: dict[str, Any] = dict(numbers) | {name: numbers[name] + step * width for name, width in widths.items()}
    for table in {name.rpartition(".")[0] for name in widths if ".bell_diagonal." in name}:
        weights = [name for name in numbers if name.startswith(f"{table}.")]
        largest = max(weights, key=lambda name: numbers[name])
        found[largest] = 0.0
        found[largest] = 1.0 - sum(found[name] for name in weights)
    return found
