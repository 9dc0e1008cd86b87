"""The search from one start: runs while they help, then a second look at corners and flat ground."""

import contextlib
import dataclasses
import math

import numpy as np
from scipy.optimize import lsq_linear, minimize

from qtn.optimisation.axis import scattered
from qtn.optimisation.first_order import Adam
from qtn.optimisation.point import Point
from qtn.optimisation.settings import ConstrainedSettings, Steps
from qtn.optimisation.visited import Finished, Visited

MOST_SECOND_ORDER = 200
"""Parameters up to which `Steps.AUTO` takes second-order steps: their cost grows with the cube of this number."""

INSIDE = (0.5, 0.1)
"""Where a second look at a corner is taken: so far from the touched ends, as a part of the interval."""

MOST_LOOKS = 3
"""Second looks in a row that may find something better."""

FLAT = float(np.sqrt(np.finfo(float).eps))
"""A gradient below this part of the value (scaled) says nothing about where to go."""


def search(visited: Visited, start: np.ndarray) -> None:
    """Search until converged, out of evaluations or stuck, also on a second look; `visited.best` has the result."""
    with contextlib.suppress(Finished):
        if not visited.at(start).finite:
            return
        for _ in range(MOST_LOOKS):
            _ascend(visited)
            before = visited.best
            for u in _elsewhere(visited):
                visited.at(u)
            if visited.best is before:
                break
    if visited.best is not None and len(visited.points) > visited.settings.num_looks and _flat(visited):
        # a gradient of 0 proves nothing
        visited.best = dataclasses.replace(visited.best, kkt_residual=math.inf, stationary=False)


def _ascend(visited: Visited) -> None:
    """Climb from the best point, again and again while that helps."""
    run = _drift if _first_order(visited.settings, len(visited.axes)) else _climb
    for _ in range(visited.settings.max_runs):
        before = visited.best
        assert before is not None
        with contextlib.suppress(Finished):
            run(visited, before)
            for end in (visited.last, visited.best):
                if end is not None and not end.feasible:
                    _restore(visited, end)  # the end of a run may miss feasibility by a rounding
        if visited.best is before or visited.best is None or not visited.best.feasible or visited.over():
            return


def _first_order(settings: ConstrainedSettings, num_parameters: int) -> bool:
    """Whether steps of first order are taken."""
    many = num_parameters > MOST_SECOND_ORDER
    return settings.method == Steps.FIRST_ORDER or (many and settings.method == Steps.AUTO)


def _elsewhere(visited: Visited) -> list[np.ndarray]:
    """Return what else is looked at before the best point is believed.

    A corner is stationary whatever lies inside the box, and flat ground is stationary everywhere.
    """
    best, lower, upper, settings = visited.best, visited.lower, visited.upper, visited.settings
    if best is None or not best.feasible:
        return []
    if _flat(visited):
        random = np.random.default_rng(settings.seed)
        return [scattered(lower, upper, best.u, random) for _ in range(settings.num_looks)]
    low, high = (abs(best.u - end) <= settings.active for end in (lower, upper))
    if not np.any((low | high) & (upper > lower)):
        return []
    width = np.where(np.isfinite(upper - lower), upper - lower, 1.0)
    return [np.where(low, lower + t * width, np.where(high, upper - t * width, best.u)) for t in INSIDE]


def _flat(visited: Visited) -> bool:
    """Whether no gradient that was seen says where to go."""
    size = max(FLAT * abs(visited.best.value) if visited.best else 0.0, np.finfo(float).tiny)
    return all(np.linalg.norm(point.grad) <= size for point in visited.points.values() if point.finite)


def _climb(visited: Visited, origin: Point) -> None:
    """Run sequential quadratic programming from a point."""
    settings, sizes = visited.settings, visited.sizes
    # A gradient below the rounding of the value says nothing: no long step along it.
    steepness = max(float(np.linalg.norm(origin.grad)), 1e-8 * abs(origin.value)) / settings.first_step or 1.0

    def usable(u: np.ndarray) -> Point:
        """Return the point, or where it is not finite a bad one: the line search then steps back."""
        point = visited.at(u)
        if visited.over():
            raise Finished
        if point.finite:
            return point
        last = visited.last or origin
        return dataclasses.replace(last, value=last.value - 1e6 * (abs(last.value) + steepness))

    inequality = {
        "type": "ineq",
        "fun": lambda u: usable(u).slacks / sizes,
        "jac": lambda u: usable(u).jacobian / sizes[:, None],
    }
    minimize(
        lambda u: -usable(u).value / steepness,
        origin.u,
        jac=lambda u: -usable(u).grad / steepness,
        method="SLSQP",
        bounds=np.stack([visited.lower, visited.upper], axis=1),
        constraints=[inequality] if len(sizes) else [],
        options={"maxiter": max(settings.max_evaluations // settings.max_runs, 20), "ftol": 1e-15},
    )


def _drift(visited: Visited, origin: Point) -> None:
    """Run Adam from a point, pushed back by the limits that it misses."""
    settings, sizes = visited.settings, visited.sizes
    num_steps = math.ceil(0.9 * (settings.max_evaluations - len(visited.points)))  # leaves some to `restore`
    adam = Adam(num_steps, learning_rate=0.1 * settings.first_step)
    steepness = float(np.linalg.norm(origin.grad)) or 1.0
    point, state = origin, adam.begin(origin.u, len(sizes))
    for _ in range(num_steps):
        pull = np.concatenate([point.grad[None] / steepness, point.jacobian / sizes[:, None]])
        u, state = adam.step(point.u, state, pull, point.slacks / sizes)
        trial = visited.at(np.asarray(u))
        if visited.over():
            return
        point = trial if trial.finite else visited.best or origin


def _restore(visited: Visited, point: Point) -> None:
    """Minimise the sum of squared violations in the box: Gauss-Newton steps, damped where they do not help."""
    damping = 1e-6
    while damping < 1e6 and not point.feasible:
        violated = point.violation > 0
        rows = point.jacobian[violated] / visited.sizes[violated, None]
        system = np.concatenate([rows, math.sqrt(damping) * np.eye(len(point.u))])
        target = np.concatenate([point.violation[violated], np.zeros(len(point.u))])
        box = (visited.lower - point.u - 1e-12, visited.upper - point.u + 1e-12)
        step = lsq_linear(system, target, box).x
        if np.linalg.norm(step) < 1e-9:
            return
        trial = visited.at(point.u + step)
        helps = trial.finite and np.sum(trial.violation**2) < np.sum(point.violation**2)
        point, damping = (trial, max(damping / 10, 1e-12)) if helps else (point, max(damping, 1e-4) * 10)
