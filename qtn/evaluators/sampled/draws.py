"""Random draws and the logarithm of their probability."""

from typing import Any

import jax
import jax.numpy as jnp

from qtn._array import Array


def attempts_needed(key: Array, p: Array, shape: tuple[int, ...]) -> Array:
    """Draw the number of attempts up to and including the first success: 1, 2, ...; no derivative."""
    p = jax.lax.stop_gradient(p)
    uniform = 1 - jax.random.uniform(key, shape)  # in (0, 1]
    log_q = jnp.log1p(-jnp.where(p < 1, p, 0.5))
    return jnp.where(p < 1, jnp.floor(jnp.log(uniform) / log_q) + 1, 1.0)


def log_counts(p: Array, successes: Any, failures: Any) -> Array:
    """Return successes log p + failures log (1 - p); where p is 1 failures do not occur and count nothing."""
    below = p < 1
    return successes * jnp.log(p) + jnp.where(below, failures * jnp.log1p(-jnp.where(below, p, 0.5)), 0.0)


@jax.custom_jvp
def undifferentiated(value: Array, known: Array | bool) -> Array:
    """Return a number of which samples do not show the derivative unless `known`: NaN instead of a wrong one."""
    return value


@undifferentiated.defjvp
def _unknown(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return the value, and NaN times the tangent where it is unknown."""
    value, known = primals
    return value, tangents[0] * jnp.where(known, 1.0, jnp.nan)
