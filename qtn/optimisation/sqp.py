"""The search from one start: steps of second or first order, residuals, a second look at corners and flat ground."""

import contextlib
import dataclasses
import enum
import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import lsq_linear, minimize, nnls

from qtn.optimisation.first_order import Adam

MOST_SECOND_ORDER = 200
"""Parameters up to which `Method.AUTO` takes second-order steps: their cost grows with the cube of this number."""

INSIDE = (0.5, 0.1)
"""Where a second look at a corner is taken: so far from the touched ends, as a part of the interval."""

MOST_LOOKS = 3
"""Second looks in a row that may find something better."""

FLAT = float(np.sqrt(np.finfo(float).eps))
"""A gradient below this part of the value (scaled) says nothing about where to go."""

ROUNDING = 1e-13
"""Relative difference of values that counts as none."""

NEARBY, ADJACENT = 0.1, 1e-5
"""Scaled distance of two points up to which the difference of their gradients tells the curvature, if values agree
with it; and up to which it does in any case, as values are rounded."""


class Method(enum.StrEnum):
    """Which steps are taken."""

    AUTO = "auto"
    SECOND_ORDER = "second_order"
    """Sequential quadratic programming."""
    FIRST_ORDER = "first_order"
    """Adam: for noisy objectives and for more than some 200 parameters."""


@dataclasses.dataclass(frozen=True)
class ConstrainedSettings:
    """How long and how exactly to search; "scaled" means that each finite interval is stretched to [0, 1]."""

    method: Method = Method.AUTO
    """By itself: second-order steps up to 200 parameters."""
    num_starts: int = 1
    """Starts; the first is the given one, the others are uniform in the box (normal along an unbounded parameter)."""
    max_evaluations: int = 300
    """Evaluations of the model with its gradients, in each start."""
    max_runs: int = 4
    """Runs in each start: one that stalls is begun anew, rescaled."""
    patience: int | None = None
    """A start ends after so many evaluations in a row that gain at most `least_gain`; None = never."""
    least_gain: float = 1e-6
    """Relative gain of a feasible point that counts."""
    first_step: float = 0.3
    """Length of the first step of a run, scaled."""
    stationarity: float = 1e-7
    """A start has converged at a feasible point whose `kkt_residual` is at most this."""
    feasibility: float = 1e-8
    """A slack counts as non-negative down to minus this, in units of its size at the start."""
    active: float = 1e-6
    """A slack counts as zero up to this, in the same units; a parameter is at an end up to this, scaled."""
    num_looks: int = 12
    """Scattered points that are looked at where a start ends on flat ground."""
    seed: int = 0
    """Seed of the further starts and of scattered points."""


@dataclasses.dataclass(frozen=True)
class Axis:
    """One scaled parameter u: x = a + b u, or log x = a + b u."""

    lower: float
    upper: float
    a: float
    b: float
    log: bool

    def unscaled(self, u: float) -> float:
        """Return the parameter itself."""
        t = self.a + self.b * u
        return min(max(math.exp(t) if self.log else t, self.lower), self.upper)

    def scaled(self, x: float) -> float:
        """Return the scaled parameter."""
        if not math.isfinite(x):
            return x
        return ((math.log(x) if self.log else x) - self.a) / self.b


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


class Finished(Exception):  # noqa: N818
    """A run is over: converged, stalled or out of evaluations."""


class Search:
    """The search from one start: evaluates each point once, keeps the best, stops when converged."""

    def __init__(
        self,
        evaluate: Callable[[Any], Any],
        axes: list[Axis],
        u: np.ndarray,
        settings: ConstrainedSettings,
        report: Callable[[Point], None],
    ):
        self.evaluate, self.axes, self.settings, self.report = evaluate, axes, settings, report
        self.lower = np.array([axis.scaled(axis.lower) for axis in axes])
        self.upper = np.array([axis.scaled(axis.upper) for axis in axes])
        self.memory: dict[bytes, Point] = {}
        self.last: Point | None = None
        self.best: Point | None = None
        self.sizes = np.zeros(0)
        self.start = u
        self.gained: tuple[float, int] | None = None
        """Value that last was a gain, and after how many evaluations."""

    def at(self, u: np.ndarray) -> Point:
        """Evaluate the model at a scaled point, once."""
        u = np.clip(u, self.lower, self.upper)
        if u.tobytes() in self.memory:
            return self.memory[u.tobytes()]
        if len(self.memory) >= self.settings.max_evaluations:
            raise Finished
        point = self._judged(self._evaluated(u))
        self.memory[u.tobytes()] = point
        if point.finite:
            self.last = point
            if self.best is None or self.better(point, self.best):
                self.best = point
        if self.best is not None:
            self.report(self.best)
        return point

    def stationary(self, point: Point) -> bool:
        """Whether a point is feasible and first-order optimal."""
        return point.feasible and point.kkt_residual <= self.settings.stationarity

    def better(self, new: Point, old: Point) -> bool:
        """Whether a point takes the place of another.

        A stationary point does so too where it falls short by nothing but rounding and what a missed limit is worth.
        """
        if rank(new) > rank(old):
            return not (self.stationary(old) and not self.stationary(new)) or not self._as_good(old, new)
        return self.stationary(new) and not self.stationary(old) and self._as_good(new, old)

    def _as_good(self, point: Point, best: Point) -> bool:
        worth = float(point.multipliers @ np.maximum(-best.slacks, 0.0))
        return best.feasible and best.value - point.value <= worth + ROUNDING * abs(best.value)

    def stalled(self) -> bool:
        """Whether a feasible point has not been improved on for longer than the patience."""
        best, now = self.best, len(self.memory)
        if self.settings.patience is None or best is None or not best.feasible:
            return False
        if self.gained is None or best.value - self.gained[0] > self.settings.least_gain * abs(self.gained[0]):
            self.gained = best.value, now
        return now - self.gained[1] >= self.settings.patience

    def _evaluated(self, u: np.ndarray) -> Point:
        """Call the model."""
        x = np.array([axis.unscaled(part) for axis, part in zip(self.axes, u, strict=True)])
        jacobian, values = (np.asarray(part, dtype=float) for part in self.evaluate(jnp.asarray(x)))
        slope = np.array([axis.b * (part if axis.log else 1.0) for axis, part in zip(self.axes, x, strict=True)])
        finite = bool(np.all(np.isfinite(values)) and np.all(np.isfinite(jacobian)))
        rows = jacobian * slope
        return Point(u, x, float(values[0]), values[1:], rows[0], rows[1:], slope, finite)

    def _judged(self, point: Point) -> Point:
        """Add violations, multipliers and the residual of stationarity: signed least squares over what is active."""
        if not point.finite:
            return point
        if self.last is None:
            size = np.maximum(np.linalg.norm(point.jacobian, axis=1), np.abs(point.slacks))
            self.sizes = np.where(size > 0, size, 1.0)
        violation = np.maximum(-point.slacks / self.sizes, 0.0)
        scaled = point.jacobian / self.sizes[:, None]
        active = np.flatnonzero(point.slacks <= self.settings.active * self.sizes)
        at_lower = np.flatnonzero(point.u - self.lower <= self.settings.active)
        at_upper = np.flatnonzero(self.upper - point.u <= self.settings.active)
        eye = np.eye(len(point.u))
        normals = np.concatenate([scaled[active], eye[at_lower], -eye[at_upper]])
        weights = nnls(normals.T, -point.grad)[0] if len(normals) else np.zeros(0)
        residual = float(np.linalg.norm(point.grad + weights @ normals))
        reference = max(float(np.linalg.norm(point.grad)), math.sqrt(np.finfo(float).eps) * abs(point.value))
        if self.last is not None:
            reference = max(reference, 0.1 * secant_curvature(point, self.last))
        multipliers = np.zeros(len(point.slacks))
        multipliers[active] = weights[: len(active)] / self.sizes[active]
        ends = np.concatenate([at_lower, at_upper]).astype(int)
        signs = np.concatenate([-np.ones(len(at_lower)), np.ones(len(at_upper))])
        bound_multipliers = {int(i): 0.0 for i in ends}
        for i, sign, weight in zip(ends, signs, weights[len(active) :], strict=True):
            bound_multipliers[int(i)] += float(sign * weight / point.slope[i])
        return dataclasses.replace(
            point,
            violation=violation,
            multipliers=multipliers,
            bound_multipliers=bound_multipliers,
            kkt_residual=residual / reference if residual > 0 else 0.0,
            feasible=bool(np.all(violation <= self.settings.feasibility)),
        )

    def run(self) -> None:
        """Search until converged, out of evaluations or stuck, also on a second look; `best` has the result."""
        with contextlib.suppress(Finished):
            if not self.at(self.start).finite:
                return
            for _ in range(MOST_LOOKS):
                self.ascend()
                before = self.best
                for u in self.elsewhere():
                    self.at(u)
                if self.best is before:
                    break
        if self.best is not None and len(self.memory) > self.settings.num_looks and self.flat():
            self.best = dataclasses.replace(self.best, kkt_residual=math.inf)  # a gradient of 0 proves nothing

    def ascend(self) -> None:
        """Climb from the best point, again and again while that helps."""
        many = len(self.axes) > MOST_SECOND_ORDER
        first_order = self.settings.method == Method.FIRST_ORDER or (many and self.settings.method == Method.AUTO)
        for _ in range(self.settings.max_runs):
            before = self.best
            assert before is not None
            with contextlib.suppress(Finished):
                (self.drift if first_order else self.climb)(before)
                for end in (self.last, self.best):
                    if end is not None and not end.feasible:
                        self.restore(end)  # the end of a run may miss feasibility by a rounding
            if self.best is before or self.best is None or not self.best.feasible or self._over():
                return

    def _over(self) -> bool:
        """Whether the best point cannot be improved on, or was not for longer than the patience."""
        return self.best is not None and (self.stationary(self.best) or self.stalled())

    def flat(self) -> bool:
        """Whether no gradient that was seen says where to go."""
        size = max(FLAT * abs(self.best.value) if self.best else 0.0, np.finfo(float).tiny)
        return all(np.linalg.norm(point.grad) <= size for point in self.memory.values() if point.finite)

    def elsewhere(self) -> list[np.ndarray]:
        """Return what else is looked at before the best point is believed.

        A corner is stationary whatever lies inside the box, and flat ground is stationary everywhere.
        """
        best, width = self.best, np.where(np.isfinite(self.upper - self.lower), self.upper - self.lower, 1.0)
        if best is None or not best.feasible:
            return []
        if self.flat():
            random = np.random.default_rng(self.settings.seed)
            return [scattered(self.lower, self.upper, best.u, random) for _ in range(self.settings.num_looks)]
        low, high = (abs(best.u - end) <= self.settings.active for end in (self.lower, self.upper))
        if not np.any((low | high) & (self.upper > self.lower)):
            return []
        return [np.where(low, self.lower + t * width, np.where(high, self.upper - t * width, best.u)) for t in INSIDE]

    def drift(self, origin: Point) -> None:
        """Run Adam from a point, pushed back by the limits that it misses."""
        num_steps = math.ceil(0.9 * (self.settings.max_evaluations - len(self.memory)))  # leaves some to `restore`
        adam = Adam(num_steps, learning_rate=0.1 * self.settings.first_step)
        steepness = float(np.linalg.norm(origin.grad)) or 1.0
        point, state = origin, adam.begin(origin.u, len(self.sizes))
        for _ in range(num_steps):
            pull = np.concatenate([point.grad[None] / steepness, point.jacobian / self.sizes[:, None]])
            u, state = adam.step(point.u, state, pull, point.slacks / self.sizes)
            trial = self.at(np.asarray(u))
            if self._over():
                return
            point = trial if trial.finite else self.best or origin

    def climb(self, origin: Point) -> None:
        """Run sequential quadratic programming from a point."""
        # A gradient below the rounding of the value says nothing: no long step along it.
        steepness = max(float(np.linalg.norm(origin.grad)), 1e-8 * abs(origin.value)) / self.settings.first_step or 1.0

        def usable(u: np.ndarray) -> Point:
            """Return the point, or where it is not finite a bad one: the line search then steps back."""
            point = self.at(u)
            if self._over():
                raise Finished
            if point.finite:
                return point
            last = self.last or origin
            return dataclasses.replace(last, value=last.value - 1e6 * (abs(last.value) + steepness))

        inequality = {
            "type": "ineq",
            "fun": lambda u: usable(u).slacks / self.sizes,
            "jac": lambda u: usable(u).jacobian / self.sizes[:, None],
        }
        minimize(
            lambda u: -usable(u).value / steepness,
            origin.u,
            jac=lambda u: -usable(u).grad / steepness,
            method="SLSQP",
            bounds=np.stack([self.lower, self.upper], axis=1),
            constraints=[inequality] if len(self.sizes) else [],
            options={"maxiter": max(self.settings.max_evaluations // self.settings.max_runs, 20), "ftol": 1e-15},
        )

    def restore(self, point: Point) -> None:
        """Minimise the sum of squared violations in the box: Gauss-Newton steps, damped where they do not help."""
        damping = 1e-6
        while damping < 1e6 and not point.feasible:
            violated = point.violation > 0
            rows = point.jacobian[violated] / self.sizes[violated, None]
            system = np.concatenate([rows, math.sqrt(damping) * np.eye(len(point.u))])
            target = np.concatenate([point.violation[violated], np.zeros(len(point.u))])
            step = lsq_linear(system, target, (self.lower - point.u - 1e-12, self.upper - point.u + 1e-12)).x
            if np.linalg.norm(step) < 1e-9:
                return
            trial = self.at(point.u + step)
            helps = trial.finite and np.sum(trial.violation**2) < np.sum(point.violation**2)
            point, damping = (trial, max(damping / 10, 1e-12)) if helps else (point, max(damping, 1e-4) * 10)


def rank(point: Point) -> tuple[bool, float]:
    """Order points: feasible before not; then by value, or by the sum of squared violations."""
    return point.feasible, point.value if point.feasible else -float(np.sum(point.violation**2))


def secant_curvature(point: Point, last: Point) -> float:
    """Return the curvature between two points; 0 where they are too far apart, or a cliff lies between them."""
    step = last.u - point.u
    distance, change = float(np.linalg.norm(step)), last.grad - point.grad
    bend = last.value - point.value - float(point.grad @ step)
    parabola = 0.3 * abs(change @ step) <= 2 * abs(bend) <= 3 * abs(change @ step)
    trusted = 0 < distance <= ADJACENT or (distance <= NEARBY and parabola)
    return float(np.linalg.norm(change)) / distance if trusted else 0.0


def scattered(lower: np.ndarray, upper: np.ndarray, centre: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a scaled point: uniform between two ends, normal round the centre otherwise."""
    bounded = np.isfinite(lower) & np.isfinite(upper)
    uniform = random.uniform(np.where(bounded, lower, 0.0), np.where(bounded, upper, 1.0))
    return np.clip(np.where(bounded, uniform, centre + random.normal(size=len(centre))), lower, upper)
