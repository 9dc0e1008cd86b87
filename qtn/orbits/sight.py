"""Where a satellite stands in the sky of a station."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.earth import range_at, sine_at
from qtn.orbits.orbit import EARTH_ROTATION, Orbit, Station, cosine


@pytree
class Sight:
    """Direction and distance of a satellite."""

    elevation: Float[Array, "..."]
    """Above the horizon [rad]; negative below it."""

    azimuth: Float[Array, "..."]
    """From north over east [rad], in (-pi, pi]."""

    slant_range: Float[Array, "..."]
    """Distance [m]."""


def sight(orbit: Orbit, station: Station, time: Any, rotation: float = EARTH_ROTATION) -> Sight:
    """Return where a satellite stands at some times, above the horizon or below.

    Args (shapes broadcast):
        orbit: of the satellite.
        station: on the ground.
        time: [s].
        rotation: of the earth [rad/s].

    Returns:
        sight: elevation, azimuth, distance.

    Note:
        Exact for a sphere, differentiable (in the zenith the elevation has derivative 0, and no azimuth).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.orbits import orbit, station
        >>> above = sight(orbit(500e3, 0.0), station(0.1), 0.0)  # over the equator, seen from the north
        >>> print(f"{jnp.degrees(above.elevation):.2f} {abs(jnp.degrees(above.azimuth)):.1f}")
        34.17 180.0
    """
    east, north = _level(orbit, station, time, rotation)
    distance = distance_to(orbit, station, time, rotation)
    return Sight(
        elevation=elevation_of(distance, orbit.altitude), azimuth=jnp.arctan2(east, north), slant_range=distance
    )


def distance_to(orbit: Orbit, station: Station, time: Any, rotation: Any = EARTH_ROTATION) -> Array:
    """Return the distance between station and satellite [m]."""
    return range_at((1 - cosine(orbit, station, time, rotation)) / 2, orbit.altitude)


def elevation_of(distance: Any, altitude: Any) -> Array:
    """Return the elevation of a satellite at a distance [rad]; in the zenith, where it has none, with derivative 0."""
    sine = sine_at(distance, altitude)
    inside = jnp.abs(sine) < 1 - 1e-15
    return jnp.where(inside, jnp.arcsin(jnp.where(inside, sine, 0.0)), jnp.sign(sine) * jnp.pi / 2)


def _level(orbit: Orbit, station: Station, time: Any, rotation: Any) -> tuple[Array, Array]:
    """Return the parts of the unit vector from the centre of the earth to the satellite, to the east and north."""
    u = orbit.phase + orbit.mean_motion * time
    theta = station.longitude + rotation * time - orbit.raan
    along, across = jnp.cos(u), jnp.sin(u) * jnp.cos(orbit.inclination)
    east = across * jnp.cos(theta) - along * jnp.sin(theta)
    outwards = along * jnp.cos(theta) + across * jnp.sin(theta)
    north = jnp.cos(station.latitude) * jnp.sin(u) * jnp.sin(orbit.inclination) - jnp.sin(station.latitude) * outwards
    return east, north
