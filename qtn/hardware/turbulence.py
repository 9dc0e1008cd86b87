"""Turbulence of the atmosphere by height: how much light scintillates, and over which length it stays in step.

Hufnagel and Valley's profile, of heights h in metres,

    Cn2(h) = 0.00594 (v/27)^2 (1e-5 h)^10 e^(-h/1000) + 2.7e-16 e^(-h/1500) + A e^(-h/100)   [m^(-2/3)]

is a sum of powers times exponentials, so that its moments are Gamma functions.
"""

import math
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.special import roots_genlaguerre

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.earth import height_at

LAYERS = ((10, 1000.0), (0, 1500.0), (0, 100.0))
"""Power and scale height [m] of each part of the profile."""

NUM_HEIGHTS = 24
"""Heights in each part, where light that goes up weights them."""


@pytree
class Turbulence:
    """Hufnagel and Valley's profile; `hufnagel_valley()` is HV-5/7."""

    wind_speed: Float[Array, ""]
    """v, root mean square of the wind between 5 and 20 km [m/s]."""

    ground: Float[Array, ""]
    """A, at the ground [m^(-2/3)]."""


def hufnagel_valley(wind_speed: Any = 21.0, ground: Any = 1.7e-14) -> Turbulence:
    """Build the profile of Hufnagel and Valley, by default HV-5/7.

    Args:
        wind_speed: v, root mean square of the wind between 5 and 20 km [m/s].
        ground: A, Cn2 at the ground [m^(-2/3)].

    Returns:
        turbulence: to be given to `qtn.hardware.free_space.free_space`.

    Raises:
        ValueError: if a number is negative or infinite.

    References:
        Recommendation ITU-R P.1622 (2003); Valley, Appl. Opt. 19, 574 (1980).
    """
    return Turbulence(
        wind_speed=_checks.non_negative_finite("wind_speed", wind_speed),
        ground=_checks.non_negative_finite("ground", ground),
    )


def strengths(turbulence: Turbulence) -> tuple[Any, Any, Any]:
    """Return the factor of each part of the profile [m^(-2/3)], that of the first by metres to the tenth power."""
    return 0.00594 * (turbulence.wind_speed / 27) ** 2 * 1e-50, 2.7e-16, turbulence.ground


def structure(turbulence: Turbulence, height: Any) -> Array:
    """Return Cn2 at a height above the ground.

    Args:
        turbulence: its profile.
        height: h, of any shape [m].

    Returns:
        Cn2: [m^(-2/3)].
    """
    h = _checks.real(height)
    parts = zip(strengths(turbulence), LAYERS, strict=True)
    return sum((strength * h**power * jnp.exp(-h / scale) for strength, (power, scale) in parts), jnp.zeros(()))


def moment(turbulence: Turbulence, power: float, *, height: Any = None, falling: float = 0.0) -> Array:
    """Return the integral of Cn2(h) h^power, or of Cn2(h) h^power (1 - h/H)^falling up to a height H.

    Args:
        turbulence: its profile.
        power: of the height above the ground.
        height: H, of any shape [m]; None = without end.
        falling: power of 1 - h/H.

    Note:
        Exact without a height; else by Gauss-Laguerre, exact to rounding for satellites. Differentiable.
    """
    total = jnp.zeros(())
    for strength, (own, scale) in zip(strengths(turbulence), LAYERS, strict=True):
        weight: Any = math.gamma(own + power + 1)
        if height is not None:
            nodes, weights = _laguerre(own + power)
            left = 1 - scale * nodes / _checks.real(height)[..., None]
            weight = jnp.sum(weights * jnp.maximum(left, 1e-12) ** falling, -1)  # what lies above weighs nothing
        total = total + strength * scale ** (own + power + 1) * weight
    return total


def rytov_variance(
    turbulence: Turbulence, wavelength: Any, elevation: Any, *, height: Any = None
) -> Float[Array, "..."]:
    """Return the variance of the logarithm of the irradiance on a point, in weak turbulence.

        sigma^2 = 2.25 k^(7/6) / sin^(11/6)(elevation)  integral of Cn2(h) h^(5/6) dh        (down)

    and, going up to a height H, with a further factor (1 - h/H)^(5/6) in the integral.

    Args (shapes broadcast):
        turbulence: its profile.
        wavelength: lambda = 2 pi / k [m].
        elevation: above the horizon [rad], in (0, pi/2].
        height: H, to which the light goes [m]; None = it comes down from far above.

    Returns:
        sigma^2: [1].

    Note:
        Exact for this profile (down), differentiable; weak turbulence: good below about 0.5.

    References:
        Recommendation ITU-R P.1622 (2003), section 4; Andrews, Phillips, Laser Beam Propagation through Random Media
        (2005), chapter 12.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> print(f"{rytov_variance(hufnagel_valley(), 850e-9, jnp.radians(75)):.3f}")
        0.135
    """
    k, sine = 2 * jnp.pi / _checks.real(wavelength), jnp.sin(_checks.real(elevation))
    return 2.25 * k ** (7 / 6) * sine ** (-11 / 6) * moment(turbulence, 5 / 6, height=height, falling=5 / 6)


def log_variance(
    turbulence: Turbulence, wavelength: Any, elevation: Any, receiver_radius: Any = 0.0, *, height: Any = None
) -> Float[Array, "..."]:
    """Return the variance of the logarithm of the power that a telescope receives.

        on a point   v = 0.49 s / (1 + 1.11 s^(6/5))^(7/6) + 0.51 s / (1 + 0.69 s^(6/5))^(5/6),   s = `rytov_variance`
        on a radius  ln[1 + (e^v - 1) / (1 + 1.1 (4 r^2 sin(elevation) / (lambda z))^(7/6))]
                     z = [integral of Cn2 h^2 / integral of Cn2 h^(5/6)]^(6/7)

    Args (shapes broadcast):
        turbulence: its profile.
        wavelength: lambda [m].
        elevation: above the horizon [rad], in (0, pi/2].
        receiver_radius: r, of a telescope on the ground that averages over its area [m]; 0 = a point.
        height: H, to which the light goes [m]; None = it comes down.

    Returns:
        variance: of a log-normal distribution; that of Rytov in weak turbulence, and bounded in strong one.

    Note:
        Approximations of the field, differentiable.

    References:
        Andrews, Phillips, Laser Beam Propagation through Random Media (2005), chapters 9 and 12 (weak to strong);
        Yura, McKinley, Appl. Opt. 22, 3353 (1983), and Recommendation ITU-R P.1622 (2003) (aperture).
    """
    s = rytov_variance(turbulence, wavelength, elevation, height=height)
    bent = jnp.where(s > 0, s, 1.0) ** (6 / 5) * (s > 0)
    point = 0.49 * s / (1 + 1.11 * bent) ** (7 / 6) + 0.51 * s / (1 + 0.69 * bent) ** (5 / 6)
    low, radius = moment(turbulence, 5 / 6), _checks.real(receiver_radius)
    still = low <= 0
    depth = (moment(turbulence, 2.0) / jnp.where(still, 1.0, low)) ** (6 / 7)
    fresnel = 4 * radius**2 * jnp.sin(_checks.real(elevation)) / (_checks.real(wavelength) * depth)
    wide = fresnel > 0
    averaged = 1 / (1 + 1.1 * jnp.where(wide, fresnel, 1.0) ** (7 / 6) * wide)
    return jnp.log1p(jnp.expm1(point) * averaged)


def coherence_radius(turbulence: Turbulence, wavelength: Any, distance: Any, sine: Any) -> Float[Array, "..."]:
    """Return over which length a wave that goes up from a point stays in step at the satellite.

        rho = [1.46 k^2 / sin(elevation)  integral of Cn2(h) (1 - h/H)^(5/3) dh]^(-3/5)

    Args (shapes broadcast):
        turbulence: its profile.
        wavelength: lambda [m].
        distance: to the satellite [m].
        sine: of its elevation, in (0, 1].

    Returns:
        rho: [m]; Fried's parameter is 2.1 rho.

    Note:
        Differentiable.

    References:
        Fante, Proc. IEEE 63, 1669 (1975).
    """
    k, height = 2 * jnp.pi / _checks.real(wavelength), height_at(distance, sine)
    integral = moment(turbulence, 0.0, height=height, falling=5 / 3)
    return (1.46 * k**2 / sine * integral) ** (-3 / 5)


@cache
def _laguerre(power: float) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of integrals of x^power e^-x."""
    nodes, weights = roots_genlaguerre(NUM_HEIGHTS, power)
    return nodes, weights
