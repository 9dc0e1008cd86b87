"""Satellites on circular orbits over an earth that turns, stations on it, and the angle between them.

The earth is a sphere of radius R. At t = 0 the meridian of Greenwich points along the x axis of the stars. With the
argument u = phase + n t of the satellite, n = sqrt(GM / (R + h)^3), and theta = longitude + omega t - raan, the cosine
of the angle at the centre of the earth between station and satellite is

    c = sin(latitude) sin(i) sin(u) + cos(latitude) [cos(u) cos(theta) + sin(u) cos(i) sin(theta)]
"""

import math
import warnings
from typing import Any

import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn._pytree import pytree
from qtn.hardware.earth import EARTH_RADIUS
from qtn.hardware.fibre import UnusualWarning

GRAVITY = 3.986004418e14
"""GM, the earth's mass times the constant of gravity [m^3/s^2]."""

EARTH_ROTATION = 7.2921159e-5
"""omega, the turning of the earth against the stars [rad/s]."""

LOWEST, HIGHEST = 100e3, 1e9
"""Altitude below which no satellite stays in orbit, and above which none belongs to the earth [m]."""

MOST_SATELLITES = 10_000
"""In one constellation."""


@pytree
class Orbit:
    """One circular orbit, or the orbits of many satellites: then every field has their number as its length.

    Note:
        Kepler's law on a sphere: no flattening of the earth (which turns the plane of a low orbit by some degrees a
        day), no drag. Differentiable with respect to every field.
    """

    altitude: Float[Array, "*s"]
    """h, above the ground [m]."""

    inclination: Float[Array, "*s"]
    """Between the planes of orbit and equator [rad], in [0, pi]."""

    raan: Float[Array, "*s"]
    """Right ascension of the ascending node [rad]: its longitude at t = 0."""

    phase: Float[Array, "*s"]
    """Angle from the ascending node to the satellite at t = 0 [rad]."""

    @property
    def radius(self) -> Float[Array, "*s"]:
        """Return the distance from the centre of the earth [m]."""
        return EARTH_RADIUS + self.altitude

    @property
    def mean_motion(self) -> Float[Array, "*s"]:
        """Return n, the turning of the satellite [rad/s]."""
        return (GRAVITY / self.radius**3) ** 0.5

    @property
    def period(self) -> Float[Array, "*s"]:
        """Return the time of one turn against the stars [s]."""
        return 2 * math.pi / self.mean_motion


@pytree
class Station:
    """A place on the ground.

    Note:
        Differentiable with respect to both fields.
    """

    latitude: Float[Array, "*s"]
    """[rad], north positive, in [-pi/2, pi/2]."""

    longitude: Float[Array, "*s"]
    """[rad], east positive."""


def orbit(altitude: Any, inclination: Any, *, raan: Any = 0.0, phase: Any = 0.0) -> Orbit:
    """Build a circular orbit.

    Args:
        altitude: h, above the ground [m], > 0.
        inclination: between the planes of orbit and equator [rad], in [0, pi]; above pi/2 it runs against the earth.
        raan: right ascension of the ascending node [rad]: the longitude at which it lies at t = 0.
        phase: angle from the ascending node to the satellite at t = 0 [rad].

    Returns:
        orbit: of one satellite, or of as many as the arrays have entries (shapes broadcast).

    Raises:
        ValueError: if the orbit lies inside the earth, or an angle outside its range.

    Note:
        Exact for a sphere without drag, differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> import numpy as np
        >>> print(f"{orbit(500e3, np.radians(97.4)).period:.1f} s")
        5668.1 s
    """
    values = dict(altitude=_altitude(altitude), inclination=_inclination(inclination))
    values |= {name: _finite(name, value) for name, value in (("raan", raan), ("phase", phase))}
    shape = np.broadcast_shapes(*(np.shape(value) for value in values.values()))
    if len(shape) > 1 or math.prod(shape) > MOST_SATELLITES:
        raise ValueError(
            f"Arguments of an orbit must be numbers, or lists of at most {MOST_SATELLITES:,} numbers, but have the "
            f"shape {shape}."
        )
    return Orbit(**{name: library(value).broadcast_to(value, shape) for name, value in values.items()})


def station(latitude: Any, longitude: Any = 0.0) -> Station:
    """Build a place on the ground.

    Args:
        latitude: [rad], north positive, in [-pi/2, pi/2].
        longitude: [rad], east positive.

    Returns:
        station: the place.

    Raises:
        ValueError: if an angle lies outside its range.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> import numpy as np
        >>> vienna = station(np.radians(48.2), np.radians(16.4))
    """
    north = _angle("latitude", latitude, -math.pi / 2, math.pi / 2, "[-pi/2, pi/2]")
    return Station(latitude=_one("latitude", north), longitude=_one("longitude", _finite("longitude", longitude)))


def walker(
    altitude: Any,
    inclination: Any,
    *,
    num_satellites: int,
    num_planes: int,
    phasing: int = 0,
    raan: Any = 0.0,
    phase: Any = 0.0,
    spread: float = 2 * math.pi,
) -> Orbit:
    """Build a Walker constellation "i: t/p/f": equal orbits in planes that are spread evenly.

    Satellite j of plane k stands at raan + spread k / p and phase + 2 pi (j p / t + f k / t).

    Args:
        altitude: of all [m], > 0.
        inclination: of all [rad], in [0, pi].
        num_satellites: t, of all planes together.
        num_planes: p, divides t.
        phasing: f, whole, by how many t-th parts of a turn neighbouring planes are shifted.
        raan: of the first plane [rad].
        phase: of the first satellite [rad].
        spread: 2 pi (a Walker delta) or pi (a Walker star) [rad].

    Returns:
        orbit: of all satellites, plane by plane.

    Raises:
        ValueError: if the planes do not divide the satellites, or a number lies outside its range.

    References:
        Walker, J. Br. Interplanet. Soc. 37, 559 (1984).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> import numpy as np
        >>> walker(500e3, np.radians(53), num_satellites=12, num_planes=3, phasing=1).raan.shape
        (12,)
    """
    for name, value in (("num_satellites", num_satellites), ("num_planes", num_planes)):
        if not isinstance(value, int) or not 1 <= value <= MOST_SATELLITES:
            raise ValueError(
                f"Argument `{name}` must be a whole number from 1 to {MOST_SATELLITES:,}, but is {value!r:.40}."
            )
    if num_satellites % num_planes:
        raise ValueError(
            f"Argument `num_planes` must divide `num_satellites`, but {num_planes} does not divide {num_satellites}: "
            "every plane holds as many."
        )
    if not isinstance(phasing, int) or not 0 <= phasing < num_planes:
        raise ValueError(
            f"Argument `phasing` must be a whole number from 0 to num_planes - 1 = {num_planes - 1}, but is "
            f"{phasing!r:.40}."
        )
    if not (isinstance(spread, int | float) and 0 < spread <= 2 * math.pi):
        raise ValueError(f"Argument `spread` must lie in (0, 2 pi] (radians), but is {spread!r:.40}.")
    plane, place = np.divmod(np.arange(num_satellites), num_satellites // num_planes)
    shift = 2 * math.pi * (place * num_planes + phasing * plane) / num_satellites
    return orbit(
        altitude,
        inclination,
        raan=_one("raan", _finite("raan", raan)) + spread * plane / num_planes,
        phase=_one("phase", _finite("phase", phase)) + shift,
    )


def cosine(orbit: Orbit, station: Station, time: Any, rotation: Any = EARTH_ROTATION) -> Array:
    """Return the cosine of the angle between station and satellite, seen from the centre of the earth.

    Args (shapes broadcast):
        orbit: of the satellite.
        station: on the ground.
        time: t [s].
        rotation: omega, of the earth [rad/s]; 0 = at rest.

    Note:
        Exact for a sphere, differentiable.
    """
    xp = library(orbit, station, time, rotation)
    u = orbit.phase + orbit.mean_motion * time
    theta = station.longitude + rotation * time - orbit.raan
    along = xp.cos(u) * xp.cos(theta) + xp.sin(u) * xp.cos(orbit.inclination) * xp.sin(theta)
    return xp.sin(station.latitude) * xp.sin(orbit.inclination) * xp.sin(u) + xp.cos(station.latitude) * along


def bend(orbit: Orbit, rotation: float) -> float:
    """Return a bound on the second derivative of the cosine of one orbit by time [1/s^2]: it turns with n +- omega."""
    return (float(orbit.mean_motion) + abs(rotation)) ** 2


def horizon(altitude: Any, mask: Any) -> Array:
    """Return the angle at the centre of the earth at which a satellite stands at an elevation.

        psi = arccos[R cos(mask) / (R + h)] - mask

    Args (shapes broadcast):
        altitude: h [m].
        mask: elevation [rad].

    Returns:
        psi: [rad].

    Note:
        Exact for a sphere, differentiable.
    """
    xp = library(altitude, mask)
    return xp.arccos(EARTH_RADIUS * xp.cos(mask) / (EARTH_RADIUS + altitude)) - mask


def _altitude(value: Any) -> Array:
    """Check an altitude, or several."""
    height = _checks.real(value)
    known = _checks.known(height)
    if known is not None and not np.all((known > 0) & np.isfinite(known)):
        raise ValueError(
            f"Argument `altitude` must be positive and finite, but is {known.tolist()} m: the orbit would lie inside "
            "the earth. Count it from the ground, not from the centre of the earth, in metres."
        )
    if known is not None and np.any(known > HIGHEST):
        raise ValueError(
            f"Argument `altitude` must be at most {HIGHEST:g} m, but is {known.tolist()}: farther out nothing circles "
            "the earth. Altitudes are in metres."
        )
    if known is not None and np.any(known < LOWEST):
        warnings.warn(
            f"`altitude` is {float(np.min(known)):g} m: below {LOWEST / 1e3:g} km no satellite stays in orbit. "
            "Altitudes are in metres: use `500 * units.km`.",
            UnusualWarning,
            4,
        )
    return height


def _inclination(value: Any) -> Array:
    """Check an inclination, or several."""
    return _angle("inclination", value, 0.0, math.pi, "[0, pi]")


def _angle(name: str, value: Any, lower: float, upper: float, rule: str) -> Array:
    """Check angles that lie in an interval."""
    angle = _checks.real(value)
    known = _checks.known(angle)
    if known is not None and not np.all((known >= lower) & (known <= upper)):
        raise ValueError(
            f"Argument `{name}` must lie in {rule} (radians), but is {known.tolist()}: for degrees use "
            "`numpy.radians(...)`."
        )
    return angle


def _finite(name: str, value: Any) -> Array:
    """Check numbers that are finite."""
    return _checks.require(name, value, np.isfinite, "be finite")


def _one(name: str, value: Array) -> Array:
    """Check that a number is one."""
    if np.ndim(value):
        raise ValueError(f"Argument `{name}` must be one number, but has the shape {np.shape(value)}.")
    return value
