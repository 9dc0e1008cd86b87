"""Light that is not the signal: the sky in the telescope, and the chance of a click in a window."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.units import SPEED_OF_LIGHT

PLANCK = 6.62607015e-34
"""h [J s]."""


def background_rate(
    *, radiance: Any, field_of_view: Any, receiver_radius: Any, bandwidth: Any, wavelength: Any
) -> Float[Array, "..."]:
    """Return how many photons of the background a telescope collects.

        rate = B pi (alpha/2)^2 pi r^2 dlambda / (h c / lambda)

    Args (shapes broadcast):
        radiance: B, of the sky (or of the ground, seen from above) [W m^-2 sr^-1 m^-1]: 1e6 times that by micrometres.
        field_of_view: alpha, full angle [rad].
        receiver_radius: r, of the telescope [m].
        bandwidth: dlambda, of the filter [m].
        wavelength: lambda [m].

    Returns:
        rate: before losses of optics and detectors [1/s].

    Raises:
        ValueError: if a number is negative or infinite.

    Note:
        Exact for small angles, differentiable.

    References:
        Er-long, Zheng-fu, Shun-sheng, Tao, Da-sheng, Guang-can, New J. Phys. 7, 215 (2005).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> moonless = 1.5e-5 * 1e6
        >>> rate = background_rate(
        ...     radiance=moonless, field_of_view=1e-4, receiver_radius=0.5, bandwidth=1e-9, wavelength=850e-9
        ... )
        >>> print(f"{rate:.0f} /s")
        396 /s
    """
    area = jnp.pi * _checks.non_negative_finite("receiver_radius", receiver_radius) ** 2
    angle = jnp.pi * (_checks.non_negative_finite("field_of_view", field_of_view) / 2) ** 2
    power = _checks.non_negative_finite("radiance", radiance) * area * angle
    colour = _checks.positive_finite("wavelength", wavelength)
    return power * _checks.non_negative_finite("bandwidth", bandwidth) * colour / (PLANCK * SPEED_OF_LIGHT)


def noise_probability(count_rate: Any, window: Any) -> Float[Array, "..."]:
    """Return the chance of at least one click without signal in a window: 1 - exp(-rate window).

    Args (shapes broadcast):
        count_rate: dark counts and detected background of one detector [1/s].
        window: in which a click counts [s].

    Returns:
        p: in [0, 1).

    Raises:
        ValueError: if a number is negative or infinite.

    Note:
        Exact for independent counts, differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> print(f"{noise_probability(500.0, 1e-9):.1e}")
        5.0e-07
    """
    rate = _checks.non_negative_finite("count_rate", count_rate)
    return -jnp.expm1(-rate * _checks.non_negative_finite("window", window))
