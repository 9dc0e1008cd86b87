"""The search from one start: runs while they help, then a second look at corners and flat ground."""

import contextlib
import dataclasses
import math

import numpy as np
from scipy.optimize import minimize

from qtn.optimisation.axis import scattered
from qtn.optimisation.drift import drift
from qtn.optimisation.point import ZERO, Point
from qtn.optimisation.restore import restore
from qtn.optimisation.settings import ConstrainedSettings, Steps
from qtn.optimisation.visited import Finished, Visited

MOST_SECOND_ORDER = 200
"""Parameters up to which `Steps.AUTO` takes second-order steps: their cost grows with the cube of this number."""

INSIDE = (0.5, 0.1)
"""Where a second look at a corner is taken: so far from the touched ends, as a part of the interval."""

MOST_LOOKS = 3
"""Second looks in a row that may find something better."""

FLAT = float(np.sqrt(np.finfo(float).eps))
"""A gradient below this part of the value (scaled) says nothing about where to go, nor does one below `ZERO`."""


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
    best = visited.best
    if best is not None and _flat(visited) and (best.stationary or len(visited.points) > 1):
        # a gradient of 0 proves nothing
        visited.best = dataclasses.replace(best, kkt_residual=math.inf, stationary=False)


def _ascend(visited: Visited) -> None:
    """Climb from the best point, again and again while that helps."""
    run = drift if _first_order(visited.settings, len(visited.axes)) else _climb
    for _ in range(visited.settings.max_runs):
        before = visited.best
        assert before is not None
        with contextlib.suppress(Finished):
            run(visited, before)
            for end in (visited.last, visited.best):
                if end is not None and not end.feasible:
                    restore(visited, end)  # the end of a run may miss feasibility by a rounding
        best = visited.best
        if visited.settled or best is before or best is None or not best.feasible or visited.over():
            return
        if run is drift and _flat(visited):
            return  # leaves some evaluations to look elsewhere


def _first_order(settings: ConstrainedSettings, num_parameters: int) -> bool:
    """Whether steps of first order are taken."""
    many = num_parameters > MOST_SECOND_ORDER
    return settings.method == Steps.FIRST_ORDER or (many and settings.method == Steps.AUTO)


def _elsewhere(visited: Visited) -> list[np.ndarray]:
    """Return what else is looked at before the best point is believed.

    A corner is stationary whatever lies inside the box, and flat ground is stationary everywhere.
    """
    best, lower, upper, settings = visited.best, visited.lower, visited.upper, visited.settings
    if best is None or not best.feasible or visited.settled:
        return []
    if _flat(visited):
        return [scattered(lower, upper, best.u, visited.random) for _ in range(settings.num_looks)]
    low, high = (abs(best.u - end) <= settings.active for end in (lower, upper))
    if not np.any((low | high) & (upper > lower)):
        return []
    width = np.where(np.isfinite(upper - lower), upper - lower, 1.0)
    return [np.where(low, lower + t * width, np.where(high, upper - t * width, best.u)) for t in INSIDE]


def _flat(visited: Visited) -> bool:
    """Whether no gradient that was seen says where to go."""
    size = max(FLAT * abs(visited.best.value) if visited.best else 0.0, ZERO)
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
