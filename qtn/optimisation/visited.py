"""The points that the search from one start has visited: each is evaluated once, and the best is kept."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from qtn.optimisation.axis import Axis
from qtn.optimisation.point import Point, better, judged, sizes_of
from qtn.optimisation.settings import ConstrainedSettings


class Finished(Exception):  # noqa: N818
    """A run is over: converged, stalled or out of evaluations."""


class Visited:
    """A model with a budget of evaluations, on scaled parameters, and what is known of it."""

    def __init__(
        self,
        evaluate: Callable[[Any], Any],
        axes: list[Axis],
        settings: ConstrainedSettings,
        report: Callable[[], None],
    ) -> None:
        self.evaluate, self.axes, self.settings, self.report = evaluate, axes, settings, report
        self.lower = np.array([axis.scaled(axis.lower) for axis in axes])
        self.upper = np.array([axis.scaled(axis.upper) for axis in axes])
        self.points: dict[bytes, Point] = {}
        self.last: Point | None = None
        self.best: Point | None = None
        self.sizes = np.zeros(0)
        """(m,), unit of each slack."""
        self.settled = False
        """Whether the best point stands: the model is noisy, and single values are no measure."""
        self.random = np.random.default_rng(settings.seed)
        """Draws points of flat ground to look at: others each time."""
        self.gained: tuple[float, int] | None = None
        """Value that last was a gain, and after how many evaluations."""

    def at(self, u: np.ndarray) -> Point:
        """Evaluate the model at a scaled point, once."""
        u = np.clip(u, self.lower, self.upper)
        if u.tobytes() in self.points:
            return self.points[u.tobytes()]
        if len(self.points) >= self.settings.max_evaluations:
            raise Finished
        point = self._evaluated(u)
        if point.finite:
            if self.last is None:
                self.sizes = sizes_of(point)
            point = judged(point, self.lower, self.upper, self.sizes, self.last, self.settings)
            self.last = point
            if self.best is None or (not self.settled and better(point, self.best)):
                self.best = point
        self.points[u.tobytes()] = point
        if self.best is not None:
            self.report()
        return point

    def _evaluated(self, u: np.ndarray) -> Point:
        """Call the model."""
        x = np.array([axis.unscaled(part) for axis, part in zip(self.axes, u, strict=True)])
        jacobian, values = (np.asarray(part, dtype=float) for part in self.evaluate(jnp.asarray(x)))
        slope = np.array([axis.b * (part if axis.log else 1.0) for axis, part in zip(self.axes, x, strict=True)])
        finite = bool(np.all(np.isfinite(values)) and np.all(np.isfinite(jacobian)))
        rows = jacobian * slope
        return Point(u, x, float(values[0]), values[1:], rows[0], rows[1:], slope, finite)

    def over(self) -> bool:
        """Whether the best point cannot be improved on, or was not for longer than the patience."""
        return self.best is not None and (self.best.stationary or self.stalled())

    def stalled(self) -> bool:
        """Whether a feasible point has not been improved on for longer than the patience."""
        best, now = self.best, len(self.points)
        if self.settings.patience is None or best is None or not best.feasible:
            return False
        if self.gained is None or best.value - self.gained[0] > self.settings.least_gain * abs(self.gained[0]):
            self.gained = best.value, now
        return now - self.gained[1] >= self.settings.patience
