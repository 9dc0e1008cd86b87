"""When passes rise and set: zeros of smooth curves, differentiated by the implicit function theorem."""

from typing import Any

import jax
import jax.numpy as jnp

from qtn._array import Array
from qtn.orbits.night import sun_height
from qtn.orbits.orbit import cosine, horizon

SAMPLES, SECTIONS, HALVINGS = 33, 40, 60
"""Points among which a culmination is looked for, and steps to it and to rise and set."""


def conditions(numbers: Any, times: Array) -> Array:
    """Return what is positive while each condition is met: (c, k), stations first, then darkness over each.

    Args:
        numbers: orbit (k,), stations, mask, night or None, rotation of the earth.
        times: (c, k) [s].
    """
    orbit, stations, mask, night, rotation = numbers
    least = jnp.cos(horizon(orbit.altitude, mask))
    curves = [cosine(orbit, each, times[i], rotation) - least for i, each in enumerate(stations)]
    if night is not None:
        for i, each in enumerate(stations, len(stations)):
            curves.append(-jnp.sin(night.below) - sun_height(night, each, times[i], rotation))
    return jnp.stack([jnp.broadcast_to(curve, times.shape[1:]) for curve in curves])


def crossings(numbers: Any, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Return when each condition begins and ceases to be met around its highest point between bounds.

    Args:
        numbers: of `conditions`.
        lower: (c, k), left bounds [s]; where a condition is met there, it begins there.
        upper: (c, k), right bounds [s], likewise.

    Returns:
        times: (c, k) twice; equal where a condition is never met.

    Note:
        By bisection; derivatives with respect to the numbers, of any order, by the implicit function theorem.
    """
    begin, end, _ = _crossings(numbers, lower, upper)
    return begin, end


@jax.custom_jvp
def _crossings(numbers: Any, lower: Array, upper: Array) -> tuple[Array, Array, tuple[Array, Array]]:
    """Return `crossings`, and where they are zeros."""

    def at(times: Array) -> Array:
        return conditions(numbers, times)

    def zero(left: Array, right: Array, rising: bool) -> tuple[Array, Array]:
        def halve(_: Any, bounds: tuple[Array, Array]) -> tuple[Array, Array]:
            middle = (bounds[0] + bounds[1]) / 2
            after = (at(middle) > 0) == rising  # the zero lies to the left of the middle
            return jnp.where(after, bounds[0], middle), jnp.where(after, middle, bounds[1])

        found = jax.lax.fori_loop(0, HALVINGS, halve, (left, right))
        crossed = (at(left) > 0) != (at(right) > 0)
        return jnp.where(crossed, (found[0] + found[1]) / 2, left if rising else right), crossed

    peak = _peak(at, lower, upper)
    seen = at(peak) > 0
    (begin, begins), (end, ends) = zero(lower, peak, True), zero(peak, upper, False)
    firm = (seen & begins).astype(float), (seen & ends).astype(float)
    return jnp.where(seen, begin, peak), jnp.where(seen, end, peak), firm


@_crossings.defjvp
def _crossings_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Return how zeros move: dt = -(dg/dp) dp / (dg/dt)."""
    numbers, lower, upper = primals
    begin, end, firm = _crossings(numbers, lower, upper)

    def moved(time: Array, zero: Array) -> Array:
        _, rise = jax.jvp(lambda each: conditions(each, time), (numbers,), (tangents[0],))
        _, slope = jax.jvp(lambda t: conditions(numbers, t), (time,), (jnp.ones_like(time),))
        steep = (zero > 0) & (jnp.abs(slope) > 1e-300)
        return jnp.where(steep, -rise / jnp.where(steep, slope, 1.0), 0.0)

    return (begin, end, firm), (moved(begin, firm[0]), moved(end, firm[1]), jax.tree.map(jnp.zeros_like, firm))


def _peak(at: Any, lower: Array, upper: Array) -> Array:
    """Return the highest point of curves between bounds: the best of many points, then golden sections around it."""
    shares = jnp.linspace(0, 1, SAMPLES)
    heights = jax.vmap(lambda share: at(lower + share * (upper - lower)))(shares)
    best = shares[jnp.argmax(heights, axis=0)]
    step = 1 / (SAMPLES - 1)
    golden = (5**0.5 - 1) / 2

    def section(_: Any, bounds: tuple[Array, Array]) -> tuple[Array, Array]:
        left, right = bounds
        first, second = right - golden * (right - left), left + golden * (right - left)
        higher = at(first) > at(second)
        return jnp.where(higher, left, first), jnp.where(higher, second, right)

    bounds = (
        lower + jnp.maximum(best - step, 0.0) * (upper - lower),
        lower + jnp.minimum(best + step, 1.0) * (upper - lower),
    )
    left, right = jax.lax.fori_loop(0, SECTIONS, section, bounds)
    return (left + right) / 2
