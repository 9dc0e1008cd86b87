"""Scaled parameters: each finite interval is stretched to [0, 1], on a logarithmic scale where that is asked for."""

import dataclasses
import math
from collections.abc import Collection, Mapping

import numpy as np

from qtn.optimisation.bounded import Interval


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


def axes_of(initial: Mapping[str, float], bounds: Mapping[str, Interval], log: Collection[str]) -> list[Axis]:
    """Check parameters and scale them."""
    if not initial:
        raise ValueError("Argument `initial` must name at least one parameter, but is empty.")
    if set(initial) != set(bounds):
        odd = ", ".join(sorted(set(initial) ^ set(bounds)))
        raise ValueError(f"Arguments `initial` and `bounds` must name the same parameters, but differ in: {odd}.")
    if not set(log) <= set(initial):
        odd = ", ".join(sorted(set(log) - set(initial)))
        raise ValueError(f"Argument `log` must name parameters of `initial`, but has: {odd}.")
    return [_axis(name, start, bounds[name], name in log) for name, start in initial.items()]


def _axis(name: str, start: float, interval: Interval, log: bool) -> Axis:
    """Check one parameter and scale it."""
    lower, upper = float(interval.lower), float(interval.upper)
    if not lower <= upper:
        raise ValueError(f"Argument `bounds[{name!r}]` must have lower <= upper, but is [{lower}, {upper}].")
    if not (math.isfinite(start) and lower <= start <= upper):
        raise ValueError(f"Argument `initial[{name!r}]` must lie in [{lower}, {upper}], but is {start}. Move it.")
    if log and not lower > 0:
        raise ValueError(
            f"Argument `bounds[{name!r}]` must have lower > 0 for a parameter of `log`, but lower is {lower}. "
            "Raise it, or leave the name out of `log`."
        )
    offset, end = (math.log(each) if log else each for each in (lower, upper))
    width = end - offset
    if not math.isfinite(width):
        offset = math.log(start) if log else float(start)
        width = 1.0 if log else max(abs(offset), 1.0)
    return Axis(lower, upper, offset, width or 1.0, log)


def scattered(lower: np.ndarray, upper: np.ndarray, centre: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw a scaled point: uniform between two ends, normal round the centre otherwise."""
    bounded = np.isfinite(lower) & np.isfinite(upper)
    uniform = random.uniform(np.where(bounded, lower, 0.0), np.where(bounded, upper, 1.0))
    return np.clip(np.where(bounded, uniform, centre + random.normal(size=len(centre))), lower, upper)
