"""Noisy preprocessing: one party flips raw bits on purpose, which harms Eve more than the partner."""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.merit.pair import Pair

MOST = 0.4999
"""Largest flip probability that is tried; towards 1/2 the key vanishes as (1/2 - q)^2, with the sign that decides
whether there is any: that of the limit but for errors of the pair below 1e-9."""

ROUNDS, POINTS, HALVINGS = 3, 17, 40
"""Finer and finer grids find the largest value, halvings by the sign of the slope its place."""


@dataclasses.dataclass(frozen=True)
class Preprocessed:
    """A key protocol whose raw bits are flipped with a fixed probability.

    Example:
        >>> from qtn.merit.key_rate import bb84_fraction
        >>> protocol = Preprocessed(bb84_fraction, 0.1)
    """

    fraction: Callable[..., Float[Array, ""]]
    """Takes a pair and the flip probability."""

    noise: float
    """q in [0, 1/2)."""

    def __call__(self, pair: Pair) -> Float[Array, ""]:
        """Return the secret bits per pair."""
        return self.fraction(pair, self.noise)


@dataclasses.dataclass(frozen=True)
class BestPreprocessed:
    """A key protocol with the best flip probability in [0, 0.4999] for each pair.

    Note:
        The optimum is found to 1e-12 by the sign of the slope, the fraction to rounding; the derivative is that at
        the fixed optimum (envelope theorem). Where no q gives a key the value is negative, with a slope towards one.

    References:
        Kraus, Gisin, Renner, Phys. Rev. Lett. 95, 080501 (2005), arXiv:quant-ph/0410215.
    """

    fraction: Callable[..., Float[Array, ""]]
    """Takes a pair and the flip probability."""

    def __call__(self, pair: Pair) -> Float[Array, ""]:
        """Return the secret bits per pair."""
        return self.fraction(pair, best_noise(self.fraction, pair))


def preprocessed(
    fraction: Callable[..., Float[Array, ""]], noise: float | None = None
) -> Preprocessed | BestPreprocessed:
    """Return a key protocol with noisy preprocessing.

    Args:
        fraction: of a pair and a flip probability, such as `bb84_fraction`.
        noise: flip probability q in [0, 1/2); None = the best one for each pair.

    Raises:
        ValueError: if `noise` lies outside its range.
    """
    if noise is None:
        return BestPreprocessed(fraction)
    _checks.require("noise", noise, lambda v: (v >= 0) & (v < 0.5), "lie in [0, 1/2)")
    return Preprocessed(fraction, float(noise))


def best_noise(fraction: Callable[..., Float[Array, ""]], pair: Pair) -> Float[Array, ""]:
    """Return the flip probability in [0, 0.4999] with the largest fraction; a constant for derivatives.

    Args:
        fraction: of a pair and a flip probability.
        pair: Bell weights (4,) or Pauli coefficients (4, 4).
    """
    fixed = jax.lax.stop_gradient(pair)
    values = jax.vmap(lambda noise: fraction(fixed, noise))
    slope = jax.grad(lambda noise: fraction(fixed, noise))

    def narrow(_, interval: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = interval
        grid = jnp.linspace(low, high, POINTS)
        best = grid[jnp.argmax(values(grid))]
        step = (high - low) / (POINTS - 1)
        return jnp.maximum(best - step, 0.0), jnp.minimum(best + step, MOST)

    def halve(_, interval: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = interval
        middle = (low + high) / 2
        rising = slope(middle) > 0
        return jnp.where(rising, middle, low), jnp.where(rising, high, middle)

    found = jax.lax.fori_loop(0, ROUNDS, narrow, (jnp.asarray(0.0), jnp.asarray(MOST)))
    low, high = jax.lax.fori_loop(0, HALVINGS, halve, found)
    ends = jnp.stack([low, (low + high) / 2, high])
    return jax.lax.stop_gradient(ends[jnp.argmax(values(ends))])
