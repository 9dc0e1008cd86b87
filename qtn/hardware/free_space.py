"""Light from a satellite to a ground station: distance, elevation, diffraction, atmosphere.

The earth is a sphere of radius R, the satellite stands at altitude h over a point at the ground distance s from the
station (along the surface). Turbulence and pointing errors are not modelled.
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
    rule = "lie in [0, pi/2) (radians: for degrees use `numpy.radians(...)`)"
    return _checks.require(name, value, lambda v: (v >= 0) & (v < np.pi / 2), rule)


def slant_range(ground_distance: Any, altitude: Any, earth_radius: Any = EARTH_RADIUS) -> Float[Array, ""]:
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


def sin_elevation(ground_distance: Any, altitude: Any, earth_radius: Any = EARTH_RADIUS) -> Float[Array, ""]:
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


def diffraction(distance: Any, beam_waist: Any, receiver_radius: Any, wavelength: Any) -> Float[Array, ""]:
    """Return the fraction of a Gaussian beam that a telescope catches: 1 - exp(-2 r^2 / w^2).

        w = w0 sqrt(1 + (L lambda / (pi w0^2))^2)

    Args:
        distance: L [m].
        beam_waist: w0 at the satellite [m].
        receiver_radius: r of the telescope on the ground [m].
        wavelength: lambda [m].

    Returns:
        fraction: in [0, 1].

    Note:
        Exact for a perfectly pointed Gaussian beam, differentiable.
    """
    waist, radius = _checks.real(beam_waist), _checks.real(receiver_radius)
    spread = _checks.real(distance) * _checks.real(wavelength) / (jnp.pi * waist**2)
    return -jnp.expm1(-2 * radius**2 / (waist**2 * (1 + spread**2)))


def downlink_transmissivity(
    *,
    ground_distance: Any,
    altitude: Any,
    beam_waist: Any,
    receiver_radius: Any,
    wavelength: Any,
    zenith_transmissivity: Any,
    minimum_elevation: Any = 0.0,
    earth_radius: Any = EARTH_RADIUS,
) -> Float[Array, ""]:
    """Return the probability that a photon sent to a station arrives: eta = eta_diffraction eta_zenith^(sec zeta).

    Args:
        ground_distance: s, along the surface from the station to the point below the satellite [m].
        altitude: h > 0 [m].
        beam_waist: w0 at the satellite [m].
        receiver_radius: r of the telescope [m].
        wavelength: lambda [m].
        zenith_transmissivity: of the atmosphere, straight up, in (0, 1].
        minimum_elevation: below it the station does not receive [rad], in [0, pi/2).
        earth_radius: R [m].

    Returns:
        eta: probability; 0 below the minimum elevation and below the horizon.

    Note:
        Exact for this model (plane-parallel atmosphere: good above about 10 degrees), differentiable except at the
        minimum elevation, where it jumps.

    References:
        Khatri, Brady, Desporte, Bart, Dowling, npj Quantum Inf. 7, 4 (2021), arXiv:1912.06678.
    """
    distance = slant_range(ground_distance, altitude, earth_radius)
    sine = sin_elevation(ground_distance, altitude, earth_radius)
    visible = (sine > 0) & (sine >= jnp.sin(_checks.real(minimum_elevation)))
    air = _checks.real(zenith_transmissivity) ** (1 / jnp.where(visible, sine, 1.0))
    return jnp.where(visible, diffraction(distance, beam_waist, receiver_radius, wavelength) * air, 0.0)
