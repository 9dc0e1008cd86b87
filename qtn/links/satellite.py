"""A satellite between two ground stations sends one photon of each pair to either of them."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree
from qtn.hardware.earth import EARTH_RADIUS, mask_angle, sin_elevation
from qtn.hardware.fibre import hint_at_units
from qtn.hardware.free_space import FreeSpace, downlink_transmissivity, free_space
from qtn.links.herald import heralded
from qtn.links.link import Heralded, herald
from qtn.links.midpoint import multiplexed, require_success
from qtn.links.registered import (
    at_least_one,
    dark_count,
    non_negative_finite,
    registered_state,
    scalar,
    source_weights,
    spdc_state,
)
from qtn.links.spdc_source import attempt_period


@pytree
class Satellite:
    """A source on a satellite that stands still over the line between the stations: one moment of a pass.

    The channels are those of `qtn.hardware.free_space` (their means); the source is either entangled light with all
    its multi-pair terms (`registered.spdc_state`), or emits at most one pair (`registered.registered_state`). Stray
    light counts as dark counts. Pulses follow each other without waiting for an answer: an attempt takes one period of
    the source.

    Note:
        Exact for this model, Bell-diagonal, differentiable with respect to every field (not across the minimum
        elevation, where the light goes out), double precision.

    References:
        Khatri, Brady, Desporte, Bart, Dowling, npj Quantum Inf. 7, 4 (2021), arXiv:1912.06678 (geometry, channel).
    """

    distance_left: Float[Array, "..."]
    """Along the ground from the left station to the point below the satellite [m]."""

    distance_right: Float[Array, "..."]
    """The same for the right station [m]."""

    altitude: Float[Array, "..."]
    """Of the satellite [m]."""

    beam_waist: Float[Array, "..."] | None
    """w0 of the beams at the satellite [m]; None = `divergence` is given."""

    divergence: Float[Array, "..."] | None
    """Half-angle of the beams far away [rad]; None = `beam_waist` is given."""

    pointing_jitter: Float[Array, "..."]
    """Standard deviation of the direction of either beam about either axis [rad]."""

    receiver_radius: Float[Array, "..."]
    """Radius of the telescopes on the ground [m]."""

    wavelength: Float[Array, "..."]
    """[m]."""

    zenith_transmissivity: Float[Array, "..."]
    """Of the atmosphere straight up, in (0, 1]."""

    minimum_elevation: Float[Array, "..."]
    """Below it a station does not receive [rad]."""

    mean_pairs: Float[Array, "..."] | None
    """Mean number of pairs in one pulse of entangled light; None = the source emits at most one pair."""

    p_source: Float[Array, "..."] | None
    """Probability that the source emits one pair; None = entangled light."""

    source_state: Float[Array, "... 4"] | None
    """Bell weights of the one pair; None = entangled light."""

    visibility: Float[Array, "..."] | None
    """V of the correlations of entangled light apart from multi-pair terms; None = one pair."""

    efficiency: Float[Array, "..."]
    """Pointing, coupling and detection, per station."""

    dark_count_probability: Float[Array, "..."]
    """Dark counts and stray light, per detector and window, in [0, 1)."""

    num_modes: Float[Array, "..."]
    """m, modes tried in one attempt, >= 1."""

    attempt_time: Float[Array, "..."]
    """Period of the source [s]."""

    def heralded(self) -> Heralded:
        """Return success probability, attempt time and state of one attempt."""
        return herald_satellite(self)


def optics(link: Satellite) -> FreeSpace:
    """Return the optics of either downlink, in still air: turbulence keeps the mean power that comes down."""
    return FreeSpace(
        receiver_radius=link.receiver_radius,
        divergence=link.divergence,
        beam_waist=link.beam_waist,
        wavelength=link.wavelength,
        zenith_transmissivity=link.zenith_transmissivity,
        pointing_jitter=link.pointing_jitter,
        turbulence=None,
    )


def downlinks(link: Satellite) -> tuple[Array, Array]:
    """Return (etaA, etaB), the probabilities that a photon arrives at the left (right) telescope.

    Args:
        link: its parameters.

    Note:
        Exact for the model of `qtn.hardware.free_space`, differentiable.
    """

    def downlink(distance: Array) -> Array:
        return downlink_transmissivity(
            ground_distance=distance,
            altitude=link.altitude,
            optics=optics(link),
            minimum_elevation=link.minimum_elevation,
        )

    return downlink(link.distance_left), downlink(link.distance_right)


def herald_satellite(link: Satellite) -> Heralded:
    """Return what one pulse of a satellite offers.

    Args:
        link: its parameters.

    Returns:
        heralded: success probability, attempt time [s], state corrected to Phi+.

    Note:
        Exact for the model, differentiable.
    """
    eta_left, eta_right = (link.efficiency * eta for eta in downlinks(link))
    pd = link.dark_count_probability
    if link.mean_pairs is not None:
        state = spdc_state(link.mean_pairs, link.visibility, eta_left, eta_right, pd)
    else:
        assert link.source_state is not None
        state = registered_state(link.p_source, link.source_state, eta_left, eta_right, pd, pd)
    return heralded(state, link.attempt_time, multiplexed(state[0, 0], link.num_modes))


def require_visible(link: Satellite) -> None:
    """Raise if a station is known not to see the satellite high enough."""
    limit = _checks.known(link.minimum_elevation)
    for side, distance in (("left", link.distance_left), ("right", link.distance_right)):
        sine = _checks.known(sin_elevation(distance, link.altitude))
        if sine is None or limit is None or (sine > 0 and sine >= np.sin(limit)):
            continue
        height, least = np.degrees(np.arcsin(sine)), np.degrees(limit)
        where = "below the horizon" if sine <= 0 else f"below the minimum of {least:.4g} degrees"
        raise ValueError(
            f"Argument `distance_{side}` must leave the satellite in sight, but is {float(distance):g} m: the "
            f"elevation is {height:.4g} degrees, {where}. "
            "Shorten the distance, raise `altitude` or lower `minimum_elevation`."
        )


def satellite(
    *,
    distance_left: Any,
    distance_right: Any,
    altitude: Any,
    receiver_radius: Any,
    wavelength: Any,
    beam_waist: Any = None,
    divergence: Any = None,
    pointing_jitter: Any = 0.0,
    zenith_transmissivity: Any = 1.0,
    minimum_elevation: Any = 0.0,
    mean_pairs: Any = None,
    visibility: Any = None,
    p_source: Any = None,
    fidelity: Any = None,
    bell_diagonal: Any = None,
    repetition_rate: Any = None,
    attempt_time: Any = None,
    efficiency: Any = 1.0,
    dark_count_probability: Any = 0.0,
    num_modes: Any = 1,
) -> Satellite:
    """Build a satellite double downlink.

    Args:
        distance_left: along the ground from the left station to the point below the satellite [m].
        distance_right: the same for the right station [m].
        altitude: of the satellite [m].
        receiver_radius: radius of the telescopes on the ground [m].
        wavelength: [m].
        beam_waist: w0 of the beams at the satellite [m]; or
        divergence: half-angle of the beams far away, at 1/e^2 of their power [rad].
        pointing_jitter: standard deviation of the direction of either beam about either axis [rad].
        zenith_transmissivity: of the atmosphere straight up, in (0, 1].
        minimum_elevation: below it a station does not receive [rad], in [0, pi/2).
        mean_pairs: mean number of pairs in one pulse of entangled light; or
        visibility: of entangled light, in [0, 1]; 1 by default; only with `mean_pairs`.
        p_source: probability that the source emits exactly one pair, in (0, 1].
        fidelity: of this one Werner pair; 1 by default; only with `p_source`.
        bell_diagonal: (4,), Bell weights of this one pair, instead of `fidelity`.
        repetition_rate: pulses per second [Hz].
        attempt_time: period of the source [s], instead of `repetition_rate`.
        efficiency: pointing, coupling and detection, per station, in [0, 1].
        dark_count_probability: with stray light, per detector (two per station) and window, in [0, 1).
        num_modes: multiplexed modes, at least 1.

    Returns:
        link: the link.

    Raises:
        ValueError: if a value lies outside its range, a station does not see the satellite, or none can succeed.

    Note:
        Exact for the model, differentiable, double precision.

    References:
        Khatri, Brady, Desporte, Bart, Dowling, npj Quantum Inf. 7, 4 (2021), arXiv:1912.06678.

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> link = satellite(
        ...     distance_left=500e3, distance_right=500e3, altitude=500e3, beam_waist=0.025, receiver_radius=0.75,
        ...     wavelength=810e-9, zenith_transmissivity=0.5, p_source=1.0, repetition_rate=1e9,
        ... )
        >>> print(f"{link.heralded().p_success:.2e}")
        5.04e-05
    """
    if (mean_pairs is None) == (p_source is None):
        raise ValueError(
            "Exactly one of the arguments `mean_pairs` (entangled light) and `p_source` (at most one pair) "
            "must be given."
        )
    light = mean_pairs is not None
    beams = free_space(
        receiver_radius=scalar("receiver_radius", _checks.positive_finite, receiver_radius),
        wavelength=scalar("wavelength", _checks.positive_finite, wavelength),
        divergence=divergence,
        beam_waist=beam_waist,
        zenith_transmissivity=scalar("zenith_transmissivity", _checks.positive_probability, zenith_transmissivity),
        pointing_jitter=scalar("pointing_jitter", _checks.non_negative_finite, pointing_jitter),
    )
    wrong = ("fidelity", fidelity), ("bell_diagonal", bell_diagonal)
    for name, value in wrong if light else (("visibility", visibility),):
        if value is not None:
            other = "`mean_pairs`; give `visibility` instead" if light else "`p_source`; give `fidelity` instead"
            raise ValueError(f"Argument `{name}` does not go with {other}.")
    clear = 1.0 if visibility is None else visibility
    link = Satellite(
        distance_left=scalar("distance_left", non_negative_finite, distance_left),
        distance_right=scalar("distance_right", non_negative_finite, distance_right),
        altitude=scalar("altitude", _checks.positive_finite, altitude),
        beam_waist=beams.beam_waist,
        divergence=beams.divergence,
        pointing_jitter=beams.pointing_jitter,
        receiver_radius=beams.receiver_radius,
        wavelength=beams.wavelength,
        zenith_transmissivity=beams.zenith_transmissivity,
        minimum_elevation=scalar("minimum_elevation", mask_angle, minimum_elevation),
        mean_pairs=scalar("mean_pairs", non_negative_finite, mean_pairs) if light else None,
        visibility=scalar("visibility", _checks.probability, clear) if light else None,
        p_source=None if light else scalar("p_source", _checks.positive_probability, p_source),
        source_state=None if light else source_weights(fidelity, bell_diagonal),
        efficiency=scalar("efficiency", _checks.probability, efficiency),
        dark_count_probability=scalar("dark_count_probability", dark_count, dark_count_probability),
        num_modes=scalar("num_modes", at_least_one, num_modes),
        attempt_time=attempt_period(repetition_rate, attempt_time),
    )
    hint_at_units("distance_left", link.distance_left)
    hint_at_units("distance_right", link.distance_right)
    require_far_side(link)
    require_visible(link)
    require_success(herald(link))
    return link


def require_far_side(link: Satellite) -> None:
    """Raise if a station is known to lie beyond a half turn around the earth."""
    for side, distance in (("left", link.distance_left), ("right", link.distance_right)):
        value = _checks.known(distance)
        if value is not None and value > jnp.pi * EARTH_RADIUS:
            raise ValueError(
                f"Argument `distance_{side}` must be at most half the circumference of the earth, "
                f"{np.pi * EARTH_RADIUS:.6g} m, but is {float(value):g}."
            )
