"""Find the test of a session where the part that is compared, the threshold, or both are given."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from qtn._array import Array
from qtn.qkd.best_test import Setting, best_test, sizes, trial
from qtn.qkd.tails import Tail

POINTS, ROUNDS = 33, 9
"""Whole numbers that are tried at once, and how often: each round looks between the neighbours of the best."""

SPREAD, MORE = 8.0, 40.0
"""Errors up to which thresholds are looked for: standard deviations, and as many besides, above the expected number."""

WINDOW = 8
"""Numbers of compared bits that are tried for each number of tolerated errors."""


def compared(setting: Setting, fraction: Array) -> Array:
    """Return k, whole and at least 1, where that part of the bits that were measured alike is compared."""
    of_raw = fraction / (1 - fraction) * setting.block
    alike = setting.block / (jnp.sqrt(fraction) + jnp.sqrt(1 - fraction)) ** 2
    return jnp.maximum(jnp.floor(jnp.where(setting.of_signals, fraction * alike, of_raw)), 1.0)


def tolerated(threshold: Array, num_test: Array) -> Array:
    """Return j, the whole number of errors of which one more is above a threshold."""
    return jnp.floor(threshold * num_test * (1 + 1e-12))


@partial(jax.jit, static_argnames="tail")
def given_test(setting: Setting, fraction: Array | None, threshold: Array | None, tail: Tail) -> tuple[Array, Array]:
    """Return compared bits and tolerated errors, whole, constants for derivatives.

    Args:
        setting: what the session is made of.
        fraction: part of the bits measured alike that is compared; None = as it gives most.
        threshold: error rate above which a session is aborted; None = as it gives most.
        tail: which bound.
    """
    if fraction is None and threshold is None:
        return best_test(setting, tail)
    setting, fraction, threshold = jax.lax.stop_gradient((setting, fraction, threshold))

    def value(num_test: Array, max_errors: Array) -> Array:
        fits = (num_test >= 1) & (max_errors < num_test) & (sizes(setting, num_test)[0] >= 1)
        safe = jnp.where(fits, num_test, 2.0), jnp.where(fits, max_errors, 0.0)
        return jnp.where(fits, trial(setting, *safe, tail).throughput, -jnp.inf)

    if fraction is not None:
        k = compared(setting, fraction)
        if threshold is not None:
            return k, tolerated(threshold, k)
        mean = k * setting.error_rate
        most = mean + SPREAD * jnp.sqrt(mean) + MORE
        return k, best_whole(lambda j: value(k, j), jnp.floor(mean), jnp.minimum(jnp.ceil(most), k - 1))
    assert threshold is not None
    most = jnp.floor(jnp.where(setting.of_signals, 0.9, 3.0) * setting.block)

    def window(j: Array) -> tuple[Array, Array]:
        """Return the fewest and the most compared bits of which j is the tolerated number."""
        low, high = j / jnp.maximum(threshold, 1e-12), (j + 1) / jnp.maximum(threshold, 1e-12)
        return jnp.clip(jnp.ceil(low * (1 - 1e-12)), 1.0, most), jnp.clip(jnp.ceil(high) - 1, 1.0, most)

    def of_errors(j: Array) -> Array:
        numbers = jnp.round(jnp.geomspace(*window(j), WINDOW))
        return jnp.max(jax.vmap(lambda k: value(k, j))(numbers))

    j = best_whole(of_errors, jnp.zeros(()), tolerated(threshold, most))
    return best_whole(lambda k: value(k, j), *window(j)), j


def best_whole(of: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return the whole number at which a function with one maximum is largest, between two whole ones."""
    low, high = jnp.asarray(low, dtype=float), jnp.maximum(jnp.asarray(high, dtype=float), low)

    def look(_: Array, found: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        low, high, _ = found
        points = jnp.round(jnp.linspace(low, high, POINTS))
        best = jnp.argmax(jax.vmap(of)(points))
        beside = points[jnp.maximum(best - 1, 0)], points[jnp.minimum(best + 1, POINTS - 1)]
        return *beside, points[best]

    return jax.lax.fori_loop(0, ROUNDS, look, (low, high, low))[2]
