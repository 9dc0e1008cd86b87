"""How light from a satellite fluctuates: pointing errors and scintillation as a few values with their probabilities."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import i0e
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.earth import height_at
from qtn.hardware.free_space import FreeSpace, air, mean_square_radius
from qtn.hardware.turbulence import log_variance

NUM_POINTING, NUM_IRRADIANCE = 16, 12
"""Values that stand for the pointing error and for the irradiance."""

NUM_RADII = 32
"""Radii over which a beam that is not centred is added up."""

REACH = 5.0
"""Of a beam, in radii w: beyond, its power is e^-50."""


@pytree
class Fading:
    """The probability that a photon arrives, as a random number: averages of any function of it are weighted sums."""

    transmissivity: Float[Array, "... f"]
    """Values [1], in [0, 1]."""

    probability: Float[Array, "... f"]
    """Of each; their sum is 1."""

    def mean(self, values: Any) -> Array:
        """Return the mean of a function of the transmissivity, given by its values (..., f)."""
        return jnp.sum(jnp.asarray(values) * self.probability, -1)


FAINT = 14.0
"""Logarithm by which light is weaker where its pointing error is left to few values."""


def fading(
    optics: FreeSpace,
    distance: Any,
    elevation: Any,
    *,
    num_pointing: int = NUM_POINTING,
    num_irradiance: int = NUM_IRRADIANCE,
) -> Fading:
    """Return how the probability that a photon arrives is distributed.

    Pointing errors are a two-dimensional Gaussian, the irradiance in turbulence is log-normal with mean 1; the first
    move slower than pulses follow each other, both are independent.

    Args (shapes broadcast):
        optics: of satellite and station.
        distance: between both [m].
        elevation: of the satellite above the horizon [rad], in (0, pi/2].
        num_pointing: values that stand for the pointing error.
        num_irradiance: values that stand for the irradiance; 1 in still air.

    Returns:
        fading: distance and elevation as the first axes, f = num_pointing num_irradiance values as the last.

    Note:
        Quadratures (Gauss-Legendre over the quantiles of the error, Gauss-Hermite over the logarithm of the
        irradiance), whose mean is `transmissivity` to some 1e-8, and to 1e-4 where the beam moves by several times its
        width. Values are cut off at 1, which only telescopes as wide as the beam would see. Differentiable.

    References:
        Vasylyev, Semenov, Vogel, Phys. Rev. Lett. 108, 220501 (2012), arXiv:1204.0956 (wandering beams).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.hardware.free_space import free_space
        >>> optics = free_space(receiver_radius=0.5, wavelength=850e-9, divergence=1e-5, pointing_jitter=2e-6)
        >>> light = fading(optics, 1e6, jnp.pi / 2)
        >>> print(f"{light.mean(light.transmissivity):.6f}, at best {jnp.max(light.transmissivity):.6f}")
        0.004301, at best 0.004965
    """
    for name, value in (("num_pointing", num_pointing), ("num_irradiance", num_irradiance)):
        if not isinstance(value, int) or not 1 <= value <= 200:
            raise ValueError(f"Argument `{name}` must be a whole number from 1 to 200, but is {value!r:.40}.")
    far, angle = jnp.broadcast_arrays(_checks.real(distance), _checks.real(elevation))
    sine = jnp.sin(angle)
    moved, p_moved = _pointed(optics, far, sine, num_pointing)
    bright, p_bright = _irradiance(optics, far, angle, num_irradiance)
    values = moved[..., :, None] * bright[..., None, :] * air(optics, sine)[..., None, None]
    return Fading(
        transmissivity=jnp.minimum(values, 1.0).reshape(*far.shape, -1),
        probability=(p_moved[..., :, None] * p_bright).reshape(*far.shape, -1),
    )


def off_centre(square_radius: Any, receiver_radius: Any, offset: Any) -> Float[Array, "..."]:
    """Return the part of a Gaussian beam that a telescope catches off its centre.

        integral over r < a of (4 r / w^2) exp(-2 (r^2 + d^2) / w^2) I0(4 r d / w^2) dr

    Args (shapes broadcast):
        square_radius: w^2 [m^2].
        receiver_radius: a [m].
        offset: d, of the centre of the beam from that of the telescope [m].

    Returns:
        fraction: [1]; 1 - exp(-2 a^2 / w^2) at d = 0.

    Note:
        Gauss-Legendre where the beam is, to some 1e-9; differentiable.
    """
    width = jnp.sqrt(square_radius)[..., None]
    middle = jnp.asarray(offset)[..., None]
    outer = jnp.minimum(jnp.asarray(receiver_radius)[..., None], middle + REACH * width)
    inner = jnp.minimum(jnp.maximum(middle - REACH * width, 0.0), outer)
    nodes, weights = np.polynomial.legendre.leggauss(NUM_RADII)
    r = (inner + outer) / 2 + (outer - inner) / 2 * nodes
    density = 4 * r / width**2 * jnp.exp(-2 * ((r - middle) / width) ** 2) * i0e(4 * r * middle / width**2)
    return jnp.sum(density * weights * (outer - inner) / 2, -1)


def _pointed(optics: FreeSpace, far: Array, sine: Array, count: int) -> tuple[Array, Array]:
    """Return what the telescope catches (..., n) at quantiles of the pointing error, and their probabilities."""
    square = mean_square_radius(optics, far, sine, pointed=True)
    swing = jnp.maximum((2 * optics.pointing_jitter * far) ** 2 / square, 1e-3)
    dark = jnp.exp(-FAINT / swing)[..., None]  # part of the time in which next to nothing arrives
    low, high = (np.polynomial.legendre.leggauss(each) for each in (max(count // 4, 1), max(count - count // 4, 1)))
    place = (high[0] + 1) / 2
    quantile = jnp.concatenate([dark * (low[0] + 1) / 2, dark + (1 - dark) * place**3], -1)
    share = jnp.concatenate([dark * low[1] / 2, (1 - dark) * 3 * place**2 * high[1] / 2], -1)
    offset = (optics.pointing_jitter * far)[..., None] * jnp.sqrt(-2 * jnp.log(jnp.maximum(quantile, 1e-300)))
    values = off_centre(square[..., None], optics.receiver_radius, offset)
    return values, share / jnp.sum(share, -1, keepdims=True)


def _irradiance(optics: FreeSpace, far: Array, angle: Array, count: int) -> tuple[Array, Array]:
    """Return the irradiance (..., n) by that of still air, of mean 1, and the probabilities."""
    if optics.turbulence is None:
        return jnp.ones((*far.shape, 1)), jnp.ones(1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    share = weights / np.sum(weights)
    height = height_at(far, jnp.sin(angle)) if optics.up else None
    radius = 0.0 if optics.up else optics.receiver_radius
    variance = log_variance(optics.turbulence, optics.wavelength, angle, radius, height=height)
    moving = variance > 0
    spread = jnp.where(moving, jnp.sqrt(jnp.where(moving, variance, 1.0)), 0.0)
    values = jnp.exp(spread[..., None] * nodes)
    return values / jnp.sum(values * share, -1, keepdims=True), jnp.asarray(share)
