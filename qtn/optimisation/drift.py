"""A run of first-order steps, and where it ends if the model is noisy: at its mean, not at its luckiest point."""

import contextlib
import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from qtn.optimisation.first_order import Adam
from qtn.optimisation.point import ZERO, Point, judged, rank
from qtn.optimisation.restore import restore
from qtn.optimisation.visited import Finished, Visited

BESIDE = 1e-9
"""Scaled distance within which only noise makes a difference."""

NOISE = 1e-6
"""Difference over this distance, as a part of the largest value, from which a model counts as noisy."""


def drift(visited: Visited, origin: Point) -> None:
    """Run Adam from a point, pushed back by the limits that it misses; where the model is noisy, settle."""
    settings, sizes = visited.settings, visited.sizes
    left = settings.max_evaluations - len(visited.points)
    num_steps = max(int(0.9 * left), min(left, 1))  # leaves some to `restore` and `_settle`
    adam = Adam(num_steps, learning_rate=0.1 * settings.first_step)
    steepness = float(np.linalg.norm(origin.grad)) or 1.0
    point, state, trail = origin, adam.begin(origin.u, len(sizes)), []
    for _ in range(num_steps):
        pull = np.concatenate([point.grad[None] / steepness, point.jacobian / sizes[:, None]])
        u, state = adam.step(point.u, state, pull, point.slacks / sizes)
        trial = visited.at(np.asarray(u))
        trail += [trial] if trial.finite else []
        if visited.over():
            break
        point = trial if trial.finite else visited.best or origin
    if trail and _noisy(visited):
        _settle(visited, origin, trail[-math.ceil(len(trail) / 10) :], math.ceil(num_steps / 10))


def _noisy(visited: Visited) -> bool:
    """Whether the model has another value right beside the best point."""
    best, last = visited.best, visited.last
    assert best is not None
    near = _beside(visited, best, 1)
    visited.last = last
    largest = max(abs(point.value) for point in visited.points.values() if point.finite)
    allowed = ZERO + NOISE * largest + 10 * BESIDE * float(np.sum(np.abs(best.grad) * np.maximum(np.abs(best.u), 1.0)))
    return any(abs(point.value - best.value) > allowed for point in near)


def _settle(visited: Visited, origin: Point, tail: Sequence[Point], number: int) -> None:
    """End at the mean of the last steps, or where a run began if that is better by the mean of as many values."""
    tail = [*tail, *_beside(visited, tail[-1], number - len(tail))]  # where the run ended early
    end = _mean(visited, tail)
    if not end.feasible:
        with contextlib.suppress(Finished):
            end = restore(visited, end)
        end = _valued(end, [end, *_beside(visited, end, number)])
    visited.settled, visited.best = True, end
    again = _beside(visited, origin, number) if rank(origin) > rank(end) else []
    if again and rank(start := _valued(origin, again)) > rank(end):
        visited.best = start


def _valued(point: Point, points: Sequence[Point]) -> Point:
    """Return a point with the mean value of points beside it."""
    return dataclasses.replace(point, value=float(np.mean([each.value for each in points])))


def _beside(visited: Visited, point: Point, number: int) -> list[Point]:
    """Evaluate the model right beside a point, inside the box, as often as the budget allows."""
    random, found = np.random.default_rng(visited.settings.seed), []
    inwards = np.where(visited.upper - point.u < point.u - visited.lower, -1.0, 1.0)
    with contextlib.suppress(Finished):
        for _ in range(number):
            step = BESIDE * inwards * random.uniform(0.1, 1.0, len(point.u)) * np.maximum(np.abs(point.u), 1.0)
            found.append(visited.at(point.u + step))
    return [each for each in found if each.finite]


def _mean(visited: Visited, points: Sequence[Point]) -> Point:
    """Return the mean of points and of what the model says there."""
    u, value, slacks, grad, jacobian, slope = (
        np.mean([getattr(point, name) for point in points], axis=0)
        for name in ("u", "value", "slacks", "grad", "jacobian", "slope")
    )
    x = np.array([axis.unscaled(part) for axis, part in zip(visited.axes, u, strict=True)])
    mean = Point(u, x, float(value), slacks, grad, jacobian, slope, True)
    return judged(mean, visited.lower, visited.upper, visited.sizes, None, visited.settings)
