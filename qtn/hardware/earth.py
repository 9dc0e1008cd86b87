"""Where a satellite stands, seen from the ground: distance and elevation.

The earth is a sphere of radius R, the satellite stands at altitude h over a point at the ground distance s from the
station (along the surface).
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array

EARTH_RADIUS = 6.371e6
"""Mean radius of the earth [m]."""


def mask_angle(name: str, value: Any) -> Array:
    """Check that elevations lie in [0, pi/2)."""
    rule = "lie in [0, pi/2) (radians), as numpy.radians(10) does"
    return _checks.require(name, value, lambda v: (v >= 0) & (v < np.pi / 2), rule)


def slant_range(ground_distance: Any, altitude: Any, earth_radius: Any = EARTH_RADIUS) -> Float[Array, "..."]:
    """Return how far the satellite is: L = sqrt(4 R (R + h) sin^2(s / 2R) + h^2).

    Args:
        ground_distance: s, along the surface from the station to the point below the satellite [m].
        altitude: h > 0 [m].
        earth_radius: R [m].

    Returns:
        L: distance [m].

    Note:
        Exact for a sphere, differentiable.

    References:
        Khatri, Brady, Desporte, Bart, Dowling, npj Quantum Inf. 7, 4 (2021), arXiv:1912.06678.
    """
    s, radius = _checks.real(ground_distance), _checks.real(earth_radius)
    return range_at(jnp.sin(s / (2 * radius)) ** 2, altitude, radius)


def range_at(haversine: Any, altitude: Any, earth_radius: Any = EARTH_RADIUS) -> Float[Array, "..."]:
    """Return how far the satellite is, from the haversine of its angle: L = sqrt(4 R (R + h) hav(psi) + h^2).

    Args (shapes broadcast):
        haversine: sin^2(psi/2) = (1 - cos psi)/2 of the angle psi at the centre of the earth [1].
        altitude: h > 0 [m].
        earth_radius: R [m].

    Returns:
        L: distance [m].

    Note:
        Exact for a sphere, differentiable, in the zenith (0) as well.
    """
    h, radius = _checks.real(altitude), _checks.real(earth_radius)
    return jnp.sqrt(4 * radius * (radius + h) * _checks.real(haversine) + h**2)


def sin_elevation(ground_distance: Any, altitude: Any, earth_radius: Any = EARTH_RADIUS) -> Float[Array, "..."]:
    """Return the sine of the elevation of the satellite, cos(zeta) = h / L - (L^2 - h^2) / (2 R L).

    Args:
        ground_distance: s [m].
        altitude: h > 0 [m].
        earth_radius: R [m].

    Returns:
        sine: 1 in the zenith, 0 on the horizon, negative below it.

    Note:
        Exact for a sphere, differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> float(sin_elevation(0.0, 500e3))
        1.0
    """
    return sine_at(slant_range(ground_distance, altitude, earth_radius), altitude, earth_radius)


def sine_at(distance: Any, altitude: Any, earth_radius: Any = EARTH_RADIUS) -> Float[Array, "..."]:
    """Return the sine of the elevation of a satellite that is so far: h / L - (L^2 - h^2) / (2 R L).

    Args (shapes broadcast):
        distance: L [m].
        altitude: h > 0 [m].
        earth_radius: R [m].

    Returns:
        sine: 1 in the zenith, 0 on the horizon, negative below it.

    Note:
        Exact for a sphere, differentiable.
    """
    far, h, radius = _checks.real(distance), _checks.real(altitude), _checks.real(earth_radius)
    return h / far - (far**2 - h**2) / (2 * radius * far)


def range_from(elevation: Any, altitude: Any, earth_radius: Any = EARTH_RADIUS) -> Float[Array, "..."]:
    """Return how far a satellite is at an elevation: L = sqrt(R^2 sin^2 + h^2 + 2 h R) - R sin.

    Args (shapes broadcast):
        elevation: of the satellite above the horizon [rad].
        altitude: h > 0 [m].
        earth_radius: R [m].

    Returns:
        L: distance [m].

    Note:
        Exact for a sphere, differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> round(float(range_from(jnp.pi / 2, 500e3)))
        500000
    """
    h, radius = _checks.real(altitude), _checks.real(earth_radius)
    up = radius * jnp.sin(_checks.real(elevation))
    return h * (h + 2 * radius) / (jnp.sqrt(up**2 + h * (h + 2 * radius)) + up)


def height_at(distance: Any, sine: Any, earth_radius: Any = EARTH_RADIUS) -> Float[Array, "..."]:
    """Return the altitude of what is seen at a distance and the sine of an elevation.

        h = sqrt(R^2 + L^2 + 2 R L sin) - R

    Args (shapes broadcast):
        distance: L [m].
        sine: of the elevation.
        earth_radius: R [m].

    Returns:
        h: [m].

    Note:
        Exact for a sphere, differentiable.
    """
    far, radius = _checks.real(distance), _checks.real(earth_radius)
    square = far**2 + 2 * radius * far * _checks.real(sine)
    return square / (jnp.sqrt(radius**2 + square) + radius)


def ground_distance(distance: Any, altitude: Any, earth_radius: Any = EARTH_RADIUS) -> Float[Array, "..."]:
    """Return how far the point below a satellite is, along the ground: the inverse of `slant_range`.

        s = 2 R arcsin sqrt((L^2 - h^2) / (4 R (R + h)))

    Args (shapes broadcast):
        distance: L, at least h [m].
        altitude: h > 0 [m].
        earth_radius: R [m].

    Returns:
        s: [m].

    Note:
        Exact for a sphere; differentiable but in the zenith, where its derivative is infinite and 0 is returned.
    """
    far, h, radius = _checks.real(distance), _checks.real(altitude), _checks.real(earth_radius)
    haversine = (far**2 - h**2) / (4 * radius * (radius + h))
    away = haversine > 0
    return jnp.where(away, 2 * radius * jnp.arcsin(jnp.sqrt(jnp.where(away, haversine, 0.5))), 0.0)
