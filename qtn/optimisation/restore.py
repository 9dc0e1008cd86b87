"""Lead a point back to where all limits hold."""

import math

import numpy as np
from scipy.optimize import lsq_linear

from qtn.optimisation.point import Point
from qtn.optimisation.visited import Visited


def restore(visited: Visited, point: Point) -> Point:
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
            break
        trial = visited.at(point.u + step)
        helps = trial.finite and np.sum(trial.violation**2) < np.sum(point.violation**2)
        point, damping = (trial, max(damping / 10, 1e-12)) if helps else (point, max(damping, 1e-4) * 10)
    return point
