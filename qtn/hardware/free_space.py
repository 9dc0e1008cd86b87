"""Light between a satellite and a telescope on the ground: diffraction, pointing, atmosphere.

    eta = [1 - exp(-2 r^2 / w^2)] eta_zenith^(1 / sin(elevation)),   w^2 = w_beam^2 + (2 jitter L)^2 [+ turbulence, up]

is the mean over pointing errors and turbulence; how it fluctuates says `qtn.hardware.fading`.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.hardware.earth import EARTH_RADIUS, sine_at, slant_range
from qtn.hardware.turbulence import Turbulence, coherence_radius


@pytree
class FreeSpace:
    """Optics between a satellite and the ground; radii of the Gaussian beam are those at 1/e^2 of its power.

    Note:
        Differentiable with respect to every field, also at a jitter of 0.
    """

    receiver_radius: Float[Array, ""]
    """r of the telescope that receives [m]."""

    divergence: Float[Array, ""] | None
    """theta, half-angle of the beam far away, w = theta L [rad]; None = `beam_waist` is given."""

    beam_waist: Float[Array, ""] | None
    """w0 of the beam where it leaves [m]; None = `divergence` is given."""

    wavelength: Float[Array, ""]
    """lambda [m]."""

    zenith_transmissivity: Float[Array, ""]
    """Of the atmosphere, straight up, in (0, 1]."""

    pointing_jitter: Float[Array, ""]
    """Standard deviation of the direction of the beam about either axis [rad]."""

    turbulence: Turbulence | None
    """Of the atmosphere; None = still air."""

    up: bool = static(default=False)
    """Whether the light goes up: turbulence then widens the beam, as it meets it at the start."""


def free_space(
    *,
    receiver_radius: Any,
    wavelength: Any,
    divergence: Any = None,
    beam_waist: Any = None,
    zenith_transmissivity: Any = 1.0,
    pointing_jitter: Any = 0.0,
    turbulence: Turbulence | None = None,
    up: bool = False,
) -> FreeSpace:
    """Build the optics of one way between a satellite and the ground.

    Args:
        receiver_radius: r of the telescope that receives [m].
        wavelength: lambda [m].
        divergence: theta, half-angle of the beam far away (1/e^2 of its power) [rad], < pi/2; or
        beam_waist: w0 of the beam where it leaves [m].
        zenith_transmissivity: of the atmosphere, straight up, in (0, 1].
        pointing_jitter: standard deviation of the direction of the beam about either axis [rad].
        turbulence: of the atmosphere (`qtn.hardware.turbulence`); None = still air.
        up: whether the light goes up.

    Returns:
        optics: to be given to `transmissivity` and `qtn.hardware.fading.fading`.

    Raises:
        ValueError: if both or neither of `divergence` and `beam_waist` are given, or a number lies outside its range.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> optics = free_space(receiver_radius=0.5, wavelength=850e-9, divergence=7.4066e-6)
        >>> print(f"{-10 * jnp.log10(transmissivity(optics, 1200e3, jnp.pi / 2)):.3f} dB")
        22.000 dB
    """
    if (divergence is None) == (beam_waist is None):
        raise ValueError("Exactly one of the arguments `divergence` and `beam_waist` must be given.")
    rule = "lie in (0, pi/2) (radians)"
    return FreeSpace(
        receiver_radius=_checks.positive_finite("receiver_radius", receiver_radius),
        divergence=None
        if divergence is None
        else _checks.require("divergence", divergence, lambda v: (v > 0) & (v < np.pi / 2), rule),
        beam_waist=None if beam_waist is None else _checks.positive_finite("beam_waist", beam_waist),
        wavelength=_checks.positive_finite("wavelength", wavelength),
        zenith_transmissivity=_checks.positive_probability("zenith_transmissivity", zenith_transmissivity),
        pointing_jitter=_checks.non_negative_finite("pointing_jitter", pointing_jitter),
        turbulence=turbulence,
        up=bool(up),
    )


def beam_radius(optics: FreeSpace, distance: Any) -> Array:
    """Return the radius of the beam in a vacuum: theta L, or w0 sqrt(1 + (L lambda / (pi w0^2))^2) [m].

    Args:
        optics: of the beam.
        distance: L, of any shape [m].

    Note:
        Exact for a Gaussian beam, differentiable.
    """
    far = _checks.real(distance)
    if optics.divergence is not None:
        return optics.divergence * far
    assert optics.beam_waist is not None
    waist = optics.beam_waist
    return waist * jnp.sqrt(1 + (far * optics.wavelength / (jnp.pi * waist**2)) ** 2)


def mean_square_radius(optics: FreeSpace, distance: Any, sine: Any, *, pointed: bool = False) -> Array:
    """Return w^2 of the beam at the receiver, averaged over what moves it [m^2].

    Going up, turbulence adds 8 (L / (k rho))^2, rho its coherence radius.

    Args (shapes broadcast):
        optics: of both ends.
        distance: L [m].
        sine: of the elevation, in (0, 1].
        pointed: whether it is pointed without errors.

    Note:
        The mean over a two-dimensional Gaussian of directions is exact.

    References:
        Fante, Proc. IEEE 63, 1669 (1975) (long-term beam in turbulence).
    """
    far = _checks.real(distance)
    square = beam_radius(optics, far) ** 2
    if not pointed:
        square = square + (2 * optics.pointing_jitter * far) ** 2
    if optics.up and optics.turbulence is not None:
        rho = coherence_radius(optics.turbulence, optics.wavelength, far, sine)
        square = square + 2 * (far * optics.wavelength / (jnp.pi * rho)) ** 2
    return square


def caught(square_radius: Any, receiver_radius: Any) -> Array:
    """Return the part of a centred Gaussian beam that a telescope catches: 1 - exp(-2 r^2 / w^2)."""
    return -jnp.expm1(-2 * receiver_radius**2 / square_radius)


def air(optics: FreeSpace, sine: Any) -> Array:
    """Return the part of the light that the atmosphere passes at the sine of an elevation; 0 on the horizon."""
    seen = jnp.asarray(sine) > 0
    return jnp.where(seen, optics.zenith_transmissivity ** (1 / jnp.where(seen, sine, 1.0)), 0.0)


def arrival(optics: FreeSpace, distance: Any, sine: Any) -> Array:
    """Return `transmissivity` from the sine of the elevation."""
    visible = jnp.asarray(sine) > 0
    up = jnp.where(visible, sine, 1.0)
    return caught(mean_square_radius(optics, distance, up), optics.receiver_radius) * air(optics, sine)


def transmissivity(optics: FreeSpace, distance: Any, elevation: Any) -> Float[Array, "..."]:
    """Return the mean probability that a photon arrives: eta = [1 - exp(-2 r^2 / w^2)] eta_zenith^(1 / sin).

    Args (shapes broadcast):
        optics: of satellite and station.
        distance: L, between both [m].
        elevation: of the satellite above the horizon [rad].

    Returns:
        eta: of any shape, without detectors; 0 on and below the horizon.

    Note:
        Exact mean over pointing errors (a two-dimensional Gaussian) and over turbulence (which keeps the power); the
        atmosphere is plane-parallel, good above about 10 degrees. Differentiable.

    References:
        Khatri, Brady, Desporte, Bart, Dowling, npj Quantum Inf. 7, 4 (2021), arXiv:1912.06678.
    """
    return arrival(optics, distance, jnp.sin(_checks.real(elevation)))


def downlink_transmissivity(
    *,
    ground_distance: Any,
    altitude: Any,
    optics: FreeSpace,
    minimum_elevation: Any = 0.0,
    earth_radius: Any = EARTH_RADIUS,
) -> Float[Array, ""]:
    """Return the probability that a photon sent to a station arrives, from where the satellite stands.

    Args:
        ground_distance: s, along the surface from the station to the point below the satellite [m].
        altitude: h > 0 [m].
        optics: of satellite and station.
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
    sine = sine_at(distance, altitude, earth_radius)
    visible = (sine > 0) & (sine >= jnp.sin(_checks.real(minimum_elevation)))
    return jnp.where(visible, arrival(optics, distance, jnp.where(visible, sine, 1.0)), 0.0)
