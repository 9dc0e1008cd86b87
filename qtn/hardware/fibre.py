"""Optical fibre: how much light it passes and how long the light takes."""

from typing import Any

from jaxtyping import Float

from qtn import _checks, units
from qtn._array import Array

DEFAULT_REFRACTIVE_INDEX = 1.468
"""Group index of standard single-mode fibre at 1550 nm [1]."""


def transmissivity(loss: Any) -> Float[Array, ""]:
    """Return the probability that a photon passes: eta = 10^(-loss/10).

    Args:
        loss: attenuation [dB]; length [km] times about 0.2 dB/km for new fibre at 1550 nm.

    Returns:
        eta: probability [1].

    Note:
        Exact, differentiable, double precision.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> round(float(transmissivity(20.0)), 12)
        0.01
    """
    return 10.0 ** (-_checks.real(loss) / 10)


def travel_time(length: Any, refractive_index: Any = DEFAULT_REFRACTIVE_INDEX) -> Float[Array, ""]:
    """Return how long light takes: t = n length / c.

    Args:
        length: length of the fibre [m].
        refractive_index: group index n [1].

    Returns:
        t: time [s].

    Note:
        Exact, differentiable, double precision.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> print(f"{travel_time(20e3):.4e}")
        9.7934e-05
    """
    return _checks.real(length) * _checks.real(refractive_index) / units.SPEED_OF_LIGHT
