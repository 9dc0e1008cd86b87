"""Bounded parameters as smooth functions of free ones, so that an unconstrained optimiser respects the bounds."""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array, library


@dataclasses.dataclass(frozen=True)
class Interval:
    """An open interval of allowed values; either end may be infinite."""

    lower: float = -math.inf
    upper: float = math.inf

    def bounded(self, free: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Map the real line onto the interval: a logistic curve between two ends, an exponential from one."""
        if math.isfinite(self.lower) and math.isfinite(self.upper):
            return self.lower + (self.upper - self.lower) * _sigmoid(free)
        if math.isfinite(self.lower):
            return self.lower + library(free).exp(free)
        if math.isfinite(self.upper):
            return self.upper - library(free).exp(-free)
        return free

    def free(self, value: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Invert `bounded`; a value on an end, or beyond, is moved inside by a millionth of the scale first."""
        xp = library(value)
        if math.isfinite(self.lower) and math.isfinite(self.upper):
            part = xp.clip((value - self.lower) / (self.upper - self.lower), 1e-6, 1 - 1e-6)
            return xp.log(part) - xp.log1p(-part)
        if math.isfinite(self.lower):
            return xp.log(xp.maximum(value - self.lower, 1e-6 * max(abs(self.lower), 1e-3)))
        if math.isfinite(self.upper):
            return -xp.log(xp.maximum(self.upper - value, 1e-6 * max(abs(self.upper), 1e-3)))
        return value

    def inside(self, value: float) -> float:
        """Return the nearest value of the closed interval."""
        return min(max(value, self.lower), self.upper)

    def at_end(self, value: float) -> bool:
        """Whether a value has run into an end."""
        if math.isfinite(self.lower) and math.isfinite(self.upper):
            width = self.upper - self.lower
            if 0 < 100 * self.lower < self.upper:  # factors and times vary on a logarithmic scale
                below = math.log(value / self.lower) < 1e-4 * math.log(self.upper / self.lower)
            else:
                below = value - self.lower < 1e-4 * width
            return below or self.upper - value < 1e-4 * width
        return False


def _sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return jax.nn.sigmoid(x) if library(x) is jnp else 1 / (1 + np.exp(-np.clip(x, -700.0, 700.0)))
