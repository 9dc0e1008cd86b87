"""When an elementary link delivers: the geometric distribution of attempts, deposited on the time grid."""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array


def arrival(p_success: Float[Array, ""], attempt_steps: Float[Array, ""], num_steps: int) -> Float[Array, "num_steps"]:
    """Return the probability that a link delivers at each grid time.

    Attempt k = 1, 2, ... succeeds with probability p (1 - p)^(k - 1), at k attempt_steps. A time between two grid
    points is shared between them in proportion to its nearness, so mass and mean are always exact; where
    attempt_steps is a whole number, or one over a whole number, nothing else is lost either (up to the second
    moment inside a cell, which vanishes as the square of the step).

    Args:
        p_success: p in (0, 1].
        attempt_steps: attempt time divided by the grid step, > 0.
        num_steps: length of the grid.

    Returns:
        (num_steps,), at times 0, 1, ... in steps.

    Note:
        Closed form per cell, differentiable in both numbers; finite at p = 1. The derivative with respect to
        attempt_steps is the right one where an attempt ends on a grid point.
    """
    # The attempts that end in cell j, (j, j + 1], are number low + 1 .. low + count.
    left = jnp.arange(num_steps) / attempt_steps
    low, high = (jax.lax.stop_gradient(jnp.floor(v + 1e-9)) for v in (left, left + 1 / attempt_steps))
    before = all_fail(p_success, low)
    inside, later = _within_cells(p_success, high - low, jax.lax.stop_gradient(jnp.floor(1 / attempt_steps)))
    position = inside * ((low + 1) * attempt_steps - jnp.arange(num_steps)) + later * attempt_steps
    # what a shifted array is made of would be computed for both of its uses, and element by element
    early, late = jax.lax.optimization_barrier((before * (inside - position), before * position))
    return early.at[1:].add(late[:-1])


def _within_cells(
    p: Float[Array, ""], count: Float[Array, "t"], usual: Float[Array, ""]
) -> tuple[Float[Array, "t"], Float[Array, "t"]]:
    """Return (chance that one of `count` attempts succeeds, mean number of attempts before it times that chance).

    Args:
        p: chance of one attempt.
        count: attempts of each cell: `usual`, or one more, or one off by rounding.
        usual: whole number.
    """
    counts = jnp.maximum(usual + jnp.arange(-1.0, 3.0), 0.0)
    inside = one_succeeds(p, counts)
    # sum_{i < count} i p q^i = q (1 - q^count) / p - count q^count, where attempt low + 1 + i ends
    later = jnp.where(counts > 1, (1 - p) * inside / p - counts * (1 - inside), 0.0)
    place = [count <= counts[0], count == counts[1], count == counts[2]]
    return jnp.select(place, list(inside[:3]), inside[3]), jnp.select(place, list(later[:3]), later[3])


def all_fail(p: Float[Array, ""], count: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """Return (1 - p)^count for whole counts >= 0, with finite derivatives at p = 1."""
    log_q = jnp.log1p(-jnp.where(p < 1, p, 0.5))
    at_one = jnp.where(count == 0, 1.0, jnp.where(count == 1, 1 - p, 0.0))
    return jnp.where(p < 1, jnp.exp(count * log_q), at_one)


def one_succeeds(p: Float[Array, ""], count: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """Return 1 - (1 - p)^count for whole counts >= 0, without cancellation at small p."""
    log_q = jnp.log1p(-jnp.where(p < 1, p, 0.5))
    at_one = jnp.where(count == 0, 0.0, jnp.where(count == 1, p, 1.0))
    return jnp.where(p < 1, -jnp.expm1(count * log_q), at_one)
