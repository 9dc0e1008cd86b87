"""Where the sun stands: stations that see single photons work at night."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn._pytree import pytree
from qtn.orbits.orbit import EARTH_ROTATION, Station

OBLIQUITY = math.radians(23.4393)
"""Between the equator and the way of the sun [rad]."""

YEAR = 365.2564 * 86_400.0
"""In which the sun goes round the stars [s]."""


@pytree
class Night:
    """Until when the sun is in the way.

    Note:
        The earth goes round the sun on a circle: sunrise is right to about ten minutes, which is what the equation of
        time amounts to. Differentiable with respect to every field.
    """

    below: Float[Array, ""]
    """How far the sun must stand below the horizon [rad]."""

    season: Float[Array, ""]
    """Ecliptic longitude of the sun at t = 0 [rad]: 0 in March, pi/2 in June, pi in September, 3 pi/2 in December."""

    time_of_day: Float[Array, ""]
    """Sun time in Greenwich at t = 0 [s]: 43,200 at noon."""


def night(below: Any = 0.0, *, season: Any = 0.0, time_of_day: Any = 0.0) -> Night:
    """Build what is asked of the sun.

    Args:
        below: how far it must stand below the horizon [rad], in [0, pi/2): 0, or pi/10 (astronomical night).
        season: ecliptic longitude of the sun at t = 0 [rad]: 0 in March, pi/2 in June, and so on.
        time_of_day: sun time in Greenwich at t = 0 [s]; 0 is midnight.

    Returns:
        night: to be given to `passes`.

    Raises:
        ValueError: if a number lies outside its range.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> import numpy as np
        >>> december = night(np.radians(18), season=np.radians(270))
    """
    return Night(
        below=_checks.require(
            "below",
            below,
            lambda v: (v >= 0) & (v < np.pi / 2),
            "lie in [0, pi/2) (radians, of the sun below the horizon)",
        ),
        season=_checks.require("season", season, np.isfinite, "be finite"),
        time_of_day=_checks.require("time_of_day", time_of_day, np.isfinite, "be finite"),
    )


def sun_height(night: Night, station: Station, time: Any, rotation: Any = EARTH_ROTATION) -> Array:
    """Return the sine of the elevation of the sun.

    Args (shapes broadcast):
        night: its season and time of day.
        station: on the ground.
        time: t [s].
        rotation: of the earth [rad/s].

    Note:
        The sun is far away and goes round evenly; differentiable.
    """
    xp = library(night, station, time, rotation)
    tilt = math.cos(OBLIQUITY)
    right_ascension = xp.arctan2(xp.sin(night.season) * tilt, xp.cos(night.season))
    noon = math.pi * (1 - night.time_of_day / 43_200)  # longitude that has noon at t = 0
    east = station.longitude + rotation * time + right_ascension - noon  # right ascension of the station
    along = night.season + 2 * math.pi / YEAR * time
    flat = xp.cos(along) * xp.cos(east) + xp.sin(along) * tilt * xp.sin(east)
    return xp.sin(station.latitude) * xp.sin(along) * math.sin(OBLIQUITY) + xp.cos(station.latitude) * flat
