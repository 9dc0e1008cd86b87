"""How long a station waits between passes, and how much it must store meanwhile."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.orbits.passes import Passes


@pytree
class Coverage:
    """When at least one satellite is seen."""

    gaps: Float[Array, "g"]
    """Times without any, in order [s]: before the first pass, between passes (0 where they overlap), after the last."""

    longest_gap: Float[Array, ""]
    """[s]."""

    seen_time: Float[Array, ""]
    """With at least one [s]."""

    fraction: Float[Array, ""]
    """`seen_time` by the whole time [1]."""


@pytree
class Buffer:
    """What must be stored between passes such that what is used at a constant rate never runs out."""

    rate: Float[Array, ""]
    """Of use, per second."""

    needed_at_start: Float[Array, ""]
    """Least store at the start."""

    capacity: Float[Array, ""]
    """Most that is ever stored if it starts so."""


def coverage(passes: Passes, start: float, duration: float) -> Coverage:
    """Return when a station sees at least one satellite of many.

    Args:
        passes: of all satellites, in the order in which they rise, as `qtn.orbits.passes` returns them.
        start: of the search that found them [s].
        duration: of it [s].

    Returns:
        coverage: gaps and what is left; without a pass, one gap.

    Raises:
        ValueError: if the duration is not positive.

    Note:
        Exact, differentiable where no two passes touch.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.orbits import orbit, passes, station
        >>> day = passes(orbit(500e3, np.radians(97.4)), station(np.radians(48.0)), 0.0, 86_400.0, np.radians(10))
        >>> print(f"{coverage(day, 0.0, 86_400.0).longest_gap / 3600:.2f} h")
        11.30 h
    """
    whole = _checks.positive_finite("duration", duration)
    end = start + whole
    begins = jnp.concatenate([jnp.asarray(passes.rise), jnp.reshape(end, 1)])
    covered = _running_most(jnp.concatenate([jnp.reshape(jnp.asarray(start, float), 1), jnp.asarray(passes.set)]))
    gaps = jnp.maximum(begins - covered, 0.0)
    seen = whole - jnp.sum(gaps)
    return Coverage(gaps=gaps, longest_gap=jnp.max(gaps), seen_time=seen, fraction=seen / whole)


def buffer(passes: Passes, amounts: Any, start: float, duration: float, *, rate: Any = None) -> Buffer:
    """Return the store from which a constant rate can be drawn, when each pass adds an amount as it ends.

    Args:
        passes: of all satellites.
        amounts: (k,), what each pass adds when it sets, such as the bits of its key; not negative.
        start: of the time that is looked at [s].
        duration: of it [s].
        rate: of use, per second; None = all that comes in, evenly.

    Returns:
        buffer: in the unit of the amounts.

    Raises:
        ValueError: if the amounts do not fit the passes, or a number is negative.

    Note:
        Exact, differentiable where no two extremes are equal.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.orbits import orbit, passes, station
        >>> day = passes(orbit(500e3, np.radians(97.4)), station(np.radians(48.0)), 0.0, 86_400.0, np.radians(10))
        >>> print(f"{buffer(day, day.duration * 1000, 0.0, 86_400.0).capacity / 1e6:.2f} Mbit")
        0.93 Mbit
    """
    whole = _checks.positive_finite("duration", duration)
    given = _checks.non_negative_finite("amounts", amounts)
    if np.shape(given) != (passes.num_passes,):
        raise ValueError(
            f"Argument `amounts` must hold one number for each of {passes.num_passes} passes, but has the shape "
            f"{np.shape(given)}."
        )
    drawn = jnp.sum(given) / whole if rate is None else _checks.non_negative_finite("rate", rate)
    order = jnp.argsort(jnp.asarray(passes.set))
    added = jnp.cumsum(jnp.asarray(given)[order])
    used = drawn * (jnp.asarray(passes.set)[order] - start)
    after = jnp.concatenate([jnp.zeros(1), added - used, jnp.reshape(jnp.sum(given) - drawn * whole, 1)])
    before = jnp.concatenate([added - jnp.asarray(given)[order] - used, after[-1:]])
    needed = jnp.maximum(-jnp.min(before), 0.0)
    return Buffer(rate=jnp.asarray(drawn), needed_at_start=needed, capacity=jnp.max(after) + needed)


def _running_most(values: Array) -> Array:
    """Return the largest of all values so far."""
    return jnp.maximum.accumulate(values)
