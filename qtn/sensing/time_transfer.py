"""Clocks that are set by pairs of photons: how precisely, and what an adversary who delays photons can do.

Both photons of a pair are made together; the peak of the differences of their arrival times shows the offset of the
clocks plus the difference of the ways, which sending pairs both ways removes, if both directions take the same time.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Float

from qtn import _checks, units
from qtn._array import Array
from qtn._pytree import pytree

REACH, POINTS = 9.0, 721
"""Standard deviations and points of the integral over the peak, whose error is below rounding."""


@pytree
class TimeTransfer:
    """How well the offset of two clocks is known from pairs of photons."""

    width: Float[Array, ""]
    """Standard deviation of the difference of arrival times of one pair [s]."""

    information_rate: Float[Array, ""]
    """Fisher information of the offset in every second [1/s^3]; 1 / it is the variance after one second."""

    def uncertainty_after(self, averaging_time: Any) -> Float[Array, "..."]:
        """Return the standard deviation of the offset after some averaging times [s], in s."""
        return 1 / jnp.sqrt(self.information_rate * _checks.positive("averaging_time", averaging_time))


def time_transfer(
    pair_rate: Any,
    jitter: Any,
    *,
    correlation_time: Any = 0.0,
    dispersion: Any = 0.0,
    bandwidth: Any = 0.0,
    accidental_rate: Any = 0.0,
    both_ways: bool = True,
) -> TimeTransfer:
    """Return how well the offset of two clocks is known from correlated photons.

        width^2 = sum jitter^2 + correlation_time^2 + (sum dispersion x bandwidth)^2
        variance after t: width^2 / (pair_rate t)   without accidentals, half of that with pairs both ways

    The wavelengths of a pair lie on opposite sides of the middle, so that the dispersions of both arms add with their
    signs: arms of opposite dispersion cancel (Franson 1992).

    Args:
        pair_rate: detected pairs a second, in each direction [1/s].
        jitter: standard deviation of one detector and clock [s]: one number for both, or (2,).
        correlation_time: standard deviation of the difference of emission times [s].
        dispersion: group delay over wavelength, summed along each arm [s/m]: a number for the sum, or one for each arm;
            17 ps/(nm km) over 10 km is 17e-6 x 10e3 = .17 s/m.
        bandwidth: standard deviation of the wavelength [m].
        accidental_rate: pairs of unrelated clicks per second and per second of delay [1/s^2]: product of single rates.
        both_ways: whether pairs are sent in both directions, so that the ways cancel: half the difference of two peaks.

    Raises:
        ValueError: if a number is out of range, or nothing widens the peak.

    Note:
        The peak is a Gaussian; its place is estimated as well as is possible (Cramer-Rao bound), which least squares
        reach without accidentals. Exact, differentiable; the slope by accidentals where there are none, infinite in
        truth, is taken as 0.

    References:
        Ho, Lamas-Linares, Kurtsiefer, New J. Phys. 11, 045011 (2009); Franson, Phys. Rev. A 45, 3126 (1992).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> found = time_transfer(10_000.0, 30e-12)
        >>> round(float(found.uncertainty_after(1.0)) * 1e15, 6)  # 30 ps sqrt(2) / sqrt(2 x 10,000), in fs
        300.0
    """
    rate = _checks.positive_finite("pair_rate", pair_rate)
    jitters = jnp.broadcast_to(_checks.non_negative_finite("jitter", jitter), (2,))
    spread = jnp.sum(_checks.require("dispersion", dispersion, np.isfinite, "be finite"))
    spread = spread * _checks.non_negative_finite("bandwidth", bandwidth)
    own = _checks.non_negative_finite("correlation_time", correlation_time)
    flat = _checks.non_negative_finite("accidental_rate", accidental_rate)
    square = jnp.sum(jitters**2) + own**2 + spread**2
    known = _checks.known(_checks.constant(square))
    if known is not None and known == 0:
        raise ValueError("Argument `jitter` must be positive where nothing else widens the peak, but is 0.")
    width = jnp.sqrt(square)
    ratio = flat * width / rate
    share = jnp.where(ratio > 0, _share(ratio), 1.0)
    return TimeTransfer(width=width, information_rate=(2.0 if both_ways else 1.0) * rate / square * share)


def _share(ratio: Array) -> Array:
    """Return the part of the information that a flat background leaves: int x^2 g^2 / (g + ratio) dx, g normal."""
    x = np.linspace(-REACH, REACH, POINTS)
    g = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return jnp.sum(x**2 * g**2 / (g + ratio)) * (x[1] - x[0])


@pytree
class DelayAttack:
    """What an adversary gains who delays photons more in one direction than in the other."""

    bias: Float[Array, ""]
    """Error of the offset [s]: half of the difference of the delays."""

    p_detected: Float[Array, ""]
    """Probability that the round trip gives it away."""


def delay_attack(delays: Any, round_trip_uncertainty: Any, *, p_false_alarm: Any = 1e-3) -> DelayAttack:
    """Return what delays do to a clock that is set by pairs sent both ways.

        bias = (d_there - d_back) / 2,   p_detected = 1 - Phi(z - (d_there + d_back) / u),   Phi(z) = 1 - p_false_alarm

    The correlations of the photons are untouched, so that no Bell test sees it; only the length of the round trip does.

    Args:
        delays: (2,), d_there and d_back [s]; negative = a faster way than the fibre.
        round_trip_uncertainty: u [s], standard deviation of what is known of it and of its measurement together.
        p_false_alarm: alarms without an adversary.

    Note:
        Exact for a Gaussian round trip; differentiable.

    References:
        Lee, Shen, Cere, Troupe, Lamas-Linares, Kurtsiefer, Appl. Phys. Lett. 114, 101102 (2019), arXiv:1812.08569.
    """
    there = _checks.require("delays", delays, np.isfinite, "be finite")
    if there.shape != (2,):
        raise ValueError(f"Argument `delays` must hold two numbers, there and back, but has shape {there.shape}.")
    known = _checks.positive_finite("round_trip_uncertainty", round_trip_uncertainty)
    limit = -ndtri(_alarms(p_false_alarm))
    return DelayAttack(bias=(there[0] - there[1]) / 2, p_detected=ndtr(jnp.sum(there) / known - limit))


def largest_hidden_bias(
    round_trip_uncertainty: Any, *, p_false_alarm: Any = 1e-3, p_missed: Any = 1e-3, length: Any = 0.0, index: Any = 1.0
) -> Float[Array, ""]:
    """Return the largest error of the offset that stays hidden with a probability of at least `p_missed` [s].

        bias = u (z_false_alarm + z_missed) / 2 + (index - 1) length / c

    The first term is a delay in one direction that the round trip does not show. The second one needs no uncertainty:
    who replaces the fibre by free space is faster one way by up to (index - 1) length / c, and delays as much on the
    way back.

    Args:
        round_trip_uncertainty: u [s].
        p_false_alarm: alarms without an adversary, in (0, 1).
        p_missed: in (0, 1).
        length: of the fibre [m]; 0 = nobody can be faster.
        index: group index of the fibre, at least 1.

    Note:
        Exact for a Gaussian round trip; differentiable.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> round(float(largest_hidden_bias(1e-12, length=10e3, index=1.468)) * 1e6, 4)  # in us
        15.6108
    """
    known = _checks.non_negative_finite("round_trip_uncertainty", round_trip_uncertainty)
    slower = -(ndtri(_alarms(p_false_alarm)) + ndtri(_alarms(p_missed, "p_missed"))) * known / 2
    over = _checks.at_least_one("index", index) - 1
    return jnp.maximum(slower, 0.0) + over * _checks.non_negative_finite("length", length) / units.SPEED_OF_LIGHT


def _alarms(value: Any, name: str = "p_false_alarm") -> Array:
    return _checks.require(name, value, lambda v: (v > 0) & (v < 1), "lie in (0, 1)")
