"""One window for each revolution of each satellite: where passes may lie, for numbers that are not known.

Along an orbit the cosine of the angle to a station is X cos(u) + Y sin(u), with X and Y that change as slowly as the
earth turns. It is lowest opposite to the station, which is where a window ends and the next one begins.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn import _budget, _checks
from qtn._array import Array
from qtn.hardware.earth import EARTH_RADIUS
from qtn.orbits.night import Night
from qtn.orbits.orbit import EARTH_ROTATION, GRAVITY, Orbit, Station
from qtn.orbits.passes import Windows

FIRST, STEPS = 40, 12
"""Corrections of the first end of a window, and of every other one."""

HIGHEST = 10_000e3
"""Altitude up to which windows end where no station sees the satellite [m]."""

DAY = 86_400.0

MOST = _budget.Budget(30_000, "revolutions of satellites", "shorten `duration`, or look at fewer satellites")


def revolutions(
    orbit: Orbit,
    station: Station | Sequence[Station],
    start: float,
    duration: float,
    *,
    night: Night | None = None,
    rotation: float = EARTH_ROTATION,
) -> Windows:
    """Return a window for every revolution, in which at most one pass lies: for `qtn.orbits.passes` inside `jit`.

    Args:
        orbit: of one satellite or many, at most 10,000 km high; numbers may be traced.
        station: on the ground; of several, which see a satellite at once, the first one divides the time.
        start: of the search [s].
        duration: of the search [s].
        night: what is asked of the sun; None = nothing.
        rotation: of the earth [rad/s].

    Returns:
        windows: as many for each satellite as the lowest orbit would need; those beyond the search are empty.

    Raises:
        ValueError: if there would be too many, or a satellite is too high.

    Note:
        Most windows hold no pass: then rise and set are equal and the dwell is 0. Of a night, darkness counts from
        noon to noon: a pass across noon in a polar night is cut there. Not differentiated.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.orbits import orbit, passes, station
        >>> place, over = station(np.radians(48.0)), orbit(500e3, np.radians(97.4))
        >>> found = passes(over, place, 0.0, 86_400.0, 0.2, within=revolutions(over, place, 0.0, 86_400.0))
        >>> len(found.satellite), int(jnp.sum(found.duration > 0))
        (20, 5)
    """
    stations = (station,) if isinstance(station, Station) else tuple(station)
    _checks.require("duration", duration, lambda v: (v > 0) & np.isfinite(v), "be positive and finite")
    rule = "be at most 10,000 km, where every pass ends within a revolution; above that give numbers, not traced ones"
    _checks.require("altitude", orbit.altitude, lambda v: v <= HIGHEST, rule)
    fastest = math.sqrt(GRAVITY / EARTH_RADIUS**3) + abs(rotation)
    each = math.ceil(min(duration * fastest / (2 * math.pi), 1e15)) + 1
    many = 1 if not np.ndim(orbit.altitude) else np.shape(orbit.altitude)[0]
    MOST.require(each * many)
    wide = jax.tree.map(lambda leaf: jnp.atleast_1d(jnp.asarray(leaf)), orbit)
    bounds = _bounds(*jax.lax.stop_gradient((wide, stations[0])), start, each, rotation)
    clipped = jnp.clip(bounds, start, start + duration)
    lower, upper = clipped[:-1].T.ravel(), clipped[1:].T.ravel()
    middle = (bounds[:-1] + bounds[1:]).T.ravel() / 2
    windows = [(lower, upper)] * len(stations)
    if night is not None:
        for place in stations:
            noon = _noon_before(*jax.lax.stop_gradient((night, place)), middle)
            ends = (jnp.clip(x, start, start + duration) for x in (noon, noon + DAY))
            windows.append(tuple(ends))  # pyright: ignore[reportArgumentType]
    return Windows(
        lower=_checks.at_hand(jnp.stack([low for low, _ in windows])),
        upper=_checks.at_hand(jnp.stack([high for _, high in windows])),
        satellite=tuple(int(i) for i in np.repeat(np.arange(many), each)),
    )


def _bounds(orbit: Orbit, station: Station, start: float, number: int, rotation: float) -> Array:
    """Return (number + 1, s) times [s] at which satellites stand opposite to a station, the first not after `start`."""
    speed = jnp.asarray(orbit.mean_motion)

    def ahead(time: Array) -> Array:
        """Return how far a satellite is ahead of the place opposite to the station [rad], in (-pi, pi]."""
        theta = station.longitude + rotation * time - orbit.raan
        flat = jnp.cos(station.latitude) * jnp.sin(theta) * jnp.cos(orbit.inclination)
        toward = jnp.arctan2(
            flat + jnp.sin(station.latitude) * jnp.sin(orbit.inclination), jnp.cos(station.latitude) * jnp.cos(theta)
        )
        turned = orbit.phase + speed * time - toward
        return jnp.arctan2(-jnp.sin(turned), -jnp.cos(turned))

    def corrected(time: Array, steps: int) -> Array:
        return jax.lax.fori_loop(0, steps, lambda _, t: t - ahead(t) / speed, time)

    begin = jnp.full_like(speed, start)
    first = corrected(begin - jnp.mod(ahead(begin), 2 * math.pi) / speed, FIRST)
    first = jnp.where(first > start, corrected(first - 2 * math.pi / speed, FIRST), first)

    def follow(time: Array, _: Any) -> tuple[Array, Array]:
        after = corrected(time + 2 * math.pi / speed, STEPS)
        return after, after

    return jnp.concatenate([first[None], jax.lax.scan(follow, first, None, length=number)[1]])


def _noon_before(night: Night, station: Station, time: Array) -> Array:
    """Return the last noon before some times [s]."""
    sun = night.time_of_day + time + station.longitude / (2 * math.pi) * DAY
    return time - jnp.mod(sun - DAY / 2, DAY)
