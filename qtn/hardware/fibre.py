"""Optical fibre: how much light it passes and how long the light takes."""

import warnings
from typing import Any

from jaxtyping import Float

from qtn import _checks, units
from qtn._array import Array

DEFAULT_REFRACTIVE_INDEX = 1.468
"""Group index of standard single-mode fibre at 1550 nm [1]."""


SHORT, LONG = 100.0, 20_015e3
"""Lengths [m] of fibre and ways along the ground that look like kilometres, and half of the way round the Earth."""

MOST_LOSS, STEEP = 200.0, 50.0
"""Loss [dB] at which one photon in 1e20 arrives, and by length [dB/km] beyond any light that fibres guide."""


class UnusualWarning(UserWarning):
    """A number that is possible, but looks like one in another unit."""


class ShortFibreWarning(UnusualWarning):
    """Fibre so short that its length may be in kilometres, where metres are asked for."""


def hint_at_units(name: str, length: Any, loss: Any = None) -> None:
    """Warn where a length or a loss looks like a number in another unit.

    Args:
        name: of the length.
        length: of a fibre, or of a way along the ground [m].
        loss: of the fibre [dB], if it is one.

    Warns:
        UnusualWarning: with the number and what to write; nothing for numbers that are traced.
    """
    way, total = _checks.known(length), None if loss is None else _checks.known(loss)
    if way is None or way.shape or (total is not None and total.shape):
        return
    if 0 < way < SHORT and loss is not None:
        warnings.warn(
            f"`{name}` is {way:g} m of fibre: lengths are in metres, {way:g} km is {way:g}e3.", ShortFibreWarning, 4
        )
    if way > LONG:
        warnings.warn(f"`{name}` is {way / 1e3:g} km, more than half of the way round the Earth.", UnusualWarning, 4)
    if total is not None and total > MOST_LOSS:
        warnings.warn(f"A loss of {total:g} dB passes one photon in 1e{total / 10:.0f}.", UnusualWarning, 4)
    elif total is not None and way > 0 and total > max(10.0, STEEP * way / 1e3):
        steep = total / way * 1e3
        warnings.warn(
            f"{total:g} dB on {way:g} m of fibre are {steep:g} dB/km: `{name}` is in metres.", UnusualWarning, 4
        )


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
