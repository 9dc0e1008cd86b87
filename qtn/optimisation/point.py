"""A visited point: value, slacks and gradients, how far it is from optimal, and which of two is better."""

import dataclasses
import math

import numpy as np
from scipy.optimize import nnls

from qtn.optimisation.settings import ConstrainedSettings

ROUNDING = 1e-13
"""Relative difference of values that counts as none."""

ZERO = 1e-15
"""What rounding may leave of a value, or of a scaled gradient, that is zero."""

NEARBY, ADJACENT = 0.1, 1e-5
"""Scaled distance of two points up to which the difference of their gradients tells the curvature, if values agree
with it; and up to which it does in any case, as values are rounded."""


@dataclasses.dataclass(frozen=True)
class Point:
    """The model at one point, with gradients by the scaled parameters, and how far it is from optimal."""

    u: np.ndarray
    x: np.ndarray
    value: float
    slacks: np.ndarray
    grad: np.ndarray
    jacobian: np.ndarray
    slope: np.ndarray
    """(n,), dx/du."""
    finite: bool
    violation: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
    multipliers: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))
    bound_multipliers: dict[int, float] = dataclasses.field(default_factory=dict)
    kkt_residual: float = math.inf
    feasible: bool = False
    stationary: bool = False
    """Whether it is feasible and first-order optimal."""


def sizes_of(point: Point) -> np.ndarray:
    """Return the unit (m,) of each slack: its gradient or its value at a point, whichever is larger."""
    size = np.maximum(np.linalg.norm(point.jacobian, axis=1), np.abs(point.slacks))
    return np.where(size > 0, size, 1.0)


def judged(
    point: Point,
    lower: np.ndarray,
    upper: np.ndarray,
    sizes: np.ndarray,
    last: Point | None,
    settings: ConstrainedSettings,
) -> Point:
    """Add violations, multipliers and the residual of stationarity: signed least squares over what is active."""
    violation = np.maximum(-point.slacks / sizes, 0.0)
    active = np.flatnonzero(point.slacks <= settings.active * sizes)
    low, high = np.flatnonzero(point.u - lower <= settings.active), np.flatnonzero(upper - point.u <= settings.active)
    eye = np.eye(len(point.u))
    normals = np.concatenate([(point.jacobian / sizes[:, None])[active], eye[low], -eye[high]])
    weights = nnls(normals.T, -point.grad)[0] if len(normals) else np.zeros(0)
    kkt_residual = _relative(float(np.linalg.norm(point.grad + weights @ normals)), point, last)
    of_slacks, of_lower, of_upper = np.split(weights, np.cumsum([len(active), len(low)]))
    multipliers, ends = np.zeros(len(point.slacks)), np.zeros(len(point.u))
    multipliers[active] = of_slacks / sizes[active]
    ends[low] -= of_lower / point.slope[low]
    ends[high] += of_upper / point.slope[high]
    feasible = bool(np.all(violation <= settings.feasibility))
    return dataclasses.replace(
        point,
        violation=violation,
        multipliers=multipliers,
        bound_multipliers={int(i): float(ends[i]) for i in (*low, *high)},
        kkt_residual=kkt_residual,
        feasible=feasible,
        stationary=feasible and kkt_residual <= settings.stationarity,
    )


def _relative(residual: float, point: Point, last: Point | None) -> float:
    """Return a residual of stationarity relative to the gradient, or to the curvature where there is no gradient."""
    reference = max(float(np.linalg.norm(point.grad)), math.sqrt(np.finfo(float).eps) * abs(point.value))
    if last is not None:
        reference = max(reference, 0.1 * _secant_curvature(point, last))
    return residual / reference if residual > 0 else 0.0


def _secant_curvature(point: Point, last: Point) -> float:
    """Return the curvature between two points; 0 where they are too far apart, or a cliff lies between them."""
    step = last.u - point.u
    distance, change = float(np.linalg.norm(step)), last.grad - point.grad
    bend = last.value - point.value - float(point.grad @ step)
    parabola = 0.3 * abs(change @ step) <= 2 * abs(bend) <= 3 * abs(change @ step)
    trusted = 0 < distance <= ADJACENT or (distance <= NEARBY and parabola)
    return float(np.linalg.norm(change)) / distance if trusted else 0.0


def rank(point: Point) -> tuple[bool, float]:
    """Order points: feasible before not; then by value, or by the sum of squared violations."""
    return point.feasible, point.value if point.feasible else -float(np.sum(point.violation**2))


def better(new: Point, old: Point) -> bool:
    """Whether a point takes the place of another.

    A stationary point does so too where it falls short by nothing but rounding and what a missed limit is worth.
    """
    if rank(new) > rank(old):
        return not (old.stationary and not new.stationary) or not _as_good(old, new)
    return new.stationary and not old.stationary and _as_good(new, old)


def _as_good(point: Point, best: Point) -> bool:
    """Whether a stationary point has the value of a feasible one, or lacks what the limits missed there are worth."""
    worth = float(point.multipliers @ np.maximum(-best.slacks, 0.0))
    return best.feasible and best.value - point.value <= worth + ROUNDING * abs(best.value)
