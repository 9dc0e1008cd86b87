"""How far the mean number of detections of one intensity may lie from what was counted."""

import jax
import jax.numpy as jnp

from qtn._array import Array
from qtn.qkd.tails import Tail

HALVINGS = 60


def interval(counts: Array, log_failure: Array, tail: Tail) -> tuple[Array, Array]:
    """Return bounds (low, high) on the means of some counts, each of which fails with a given probability.

        Hoeffding: n_k -+ sqrt(sum_k n_k ln(1/eps)/2)
        Chernoff (exact, Chernoff): the two roots m of m - n_k - n_k ln(m/n_k) = ln(1/eps)

    Each of the detections chooses its intensity independently, given its number of photons.

    Args:
        counts: (i,), of each intensity; real.
        log_failure: natural logarithm of eps, for each bound.
        tail: which of both.

    Note:
        Bounds, not exact tails: the probabilities of single detections are unknown. Chernoff's by bisection, with
        derivatives by the implicit function theorem, first order.

    References:
        Hoeffding, J. Am. Stat. Assoc. 58, 13 (1963); Chernoff, Ann. Math. Stat. 23, 493 (1952).
    """
    if tail in (Tail.EXACT, Tail.CHERNOFF):
        return _chernoff(counts, log_failure, above=False), _chernoff(counts, log_failure, above=True)
    spread = jnp.sqrt(-jnp.sum(counts) / 2 * log_failure)
    return counts - spread, counts + spread


def _chernoff(counts: Array, log_failure: Array, above: bool) -> Array:
    """Return the root above or below the counts."""

    def excess(mean: Array, count: Array, level: Array) -> Array:
        safe = jnp.where(count > 0, count, 1.0)
        return mean - count - jnp.where(count > 0, safe * jnp.log(mean / safe), 0.0) + level

    count, level = jax.lax.stop_gradient((counts, log_failure))
    far = count - level + jnp.sqrt(level**2 - 2 * count * level) if above else jnp.full_like(count, 1e-300)

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        near, far = ends
        middle = (near + far) / 2
        beyond = excess(middle, count, level) > 0
        return jnp.where(beyond, near, middle), jnp.where(beyond, middle, far)

    near, far = jax.lax.fori_loop(0, HALVINGS, halve, (count, far))
    root = jnp.maximum((near + far) / 2, 1e-300)
    slope = 1 - count / root
    moving = (jnp.abs(slope) > 1e-12) & (above | (count > -level * 1e-3))
    moved = root - jnp.where(moving, excess(root, counts, log_failure), 0.0) / jnp.where(moving, slope, 1.0)
    return jnp.where(moving, moved, root)
