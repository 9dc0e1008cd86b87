"""What links of codes share: fibre between stations, errors that multiply, and the checks of their numbers."""

import dataclasses
import enum
from typing import Any

import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn.hardware.fibre import hint_at_units, travel_time
from qtn.links.link import Heralded, Link
from qtn.links.registered import at_least_one, non_negative_finite, optional_time, scalar
from qtn.states.basis import BELL_SIGNS

MOST_ERROR = 0.75
"""Probability of an error of the three Paulis at which nothing of a qubit is left."""

NEVER = 1e-200
"""A success probability that is as good as none."""

DECIBELS = 10 / np.log(10)
"""Loss [dB] of a fibre as long as its attenuation length."""


class Ends(enum.StrEnum):
    """What becomes of the qubits at both ends of a link of a code."""

    MEASURED = "measured"
    """They are measured at once, and what an attempt was worth is told later: one follows the other without a pause."""
    STORED = "stored"
    """Memories hold them until both nodes know of the pair."""


def depolarised(error: Any) -> Float[Array, "4"]:
    """Return the probabilities of I, X, Y, Z where one of the three errors happens with a total probability."""
    each = error / 3
    return library(error).stack([1 - error, each, each, each])


def kept_sign(error: Any) -> Any:
    """Return with which mean sign X, Y and Z keep their values under `depolarised`: 1 - 4 error / 3."""
    return 1 - 4 * error / 3


def repeated(value: Any, count: Any) -> Any:
    """Return value^count; of a negative value with the sign cos(pi count), which is exact for whole numbers alone."""
    xp = library(value, count)
    size = xp.abs(value) ** count
    return xp.where(value < 0, xp.cos(np.pi * count) * size, size)


def light(length: Any, attenuation_length: Any, efficiency: Any) -> Any:
    """Return the probability that a photon passes a fibre and the devices: eta = efficiency exp(-length / L_att)."""
    return efficiency * library(length, attenuation_length, efficiency).exp(-length / attenuation_length)


def delivered(link: Any, made: Any, p_success: Any, signs: Any, ways: tuple[float, float]) -> Heralded:
    """Return what a link of a code offers.

    Args:
        link: says what becomes of the qubits at its ends.
        made: time in which what an attempt needs is made [s].
        p_success: probability that an attempt succeeds.
        signs: (4,), mean signs with which its pair keeps 1, X, Y, Z.
        ways: how often light passes the whole link between the emission (or arrival) of the left and right qubit and
            when both nodes know.
    """
    way = 0.0
    held: dict[str, Any] = {}
    if link.ends is Ends.STORED:
        way = travel_time(link.length, link.refractive_index)
        held = {"held_left": ways[0] * way, "held_right": ways[1] * way}
    time = made + max(ways) * way if link.attempt_time is None else link.attempt_time
    xp = library(p_success, signs, time, held)
    return Heralded(
        p_success=xp.asarray(p_success),
        attempt_time=xp.asarray(time),
        state=xp.diag(BELL_SIGNS * signs),
        **{name: xp.asarray(each) for name, each in held.items()},
    )


def checked_numbers(
    *,
    length: Any,
    attenuation_length: Any,
    efficiency: Any,
    photon_error: Any,
    reencoding_error: Any,
    emission_time: Any,
    gate_time: Any,
    refractive_index: Any,
    attempt_time: Any,
    ends: Any,
) -> dict[str, Any]:
    """Return the numbers that links of codes share, checked and as double-precision scalars, and their ends."""
    return {
        "ends": _checks.choice("ends", ends, Ends),
        "refractive_index": scalar("refractive_index", at_least_one, refractive_index),
        "length": scalar("length", spaced, length),
        "attenuation_length": scalar("attenuation_length", _checks.positive_finite, attenuation_length),
        "efficiency": scalar("efficiency", _checks.positive_probability, efficiency),
        "photon_error": scalar("photon_error", error_probability, photon_error),
        "reencoding_error": scalar("reencoding_error", error_probability, reencoding_error),
        "emission_time": scalar("emission_time", non_negative_finite, emission_time),
        "gate_time": scalar("gate_time", non_negative_finite, gate_time),
        "attempt_time": optional_time(attempt_time),
    }


def error_probability(name: str, value: Any) -> Array:
    """Check that all values lie in [0, 3/4]."""
    rule = f"lie in [0, {MOST_ERROR:g}], where nothing of the qubit is left"
    return _checks.require(name, value, lambda v: (v >= 0) & (v <= MOST_ERROR), rule)


def spaced(name: str, value: Any) -> Array:
    """Check that a length leaves room between stations."""
    rule = "be positive and finite: stations cannot have spacings of 0"
    return _checks.require(name, value, lambda v: (v > 0) & np.isfinite(v), rule)


def stations(value: Any) -> Array:
    """Check a number of stations."""
    return scalar("num_stations", at_least_one, value)


def require_working(link: Any) -> None:
    """Raise if a link of a code takes no time, or is known never to deliver; hint at numbers in other units.

    Raises:
        ValueError: if an attempt takes no time, or none can succeed.
    """
    hint_at_units("length", link.length, DECIBELS * link.length / link.attenuation_length / link.segments)
    hint_at_units("attenuation_length", link.attenuation_length, DECIBELS)
    found = link.heralded()
    time = _checks.known(found.attempt_time)
    if time is not None and not time > 0:
        raise ValueError(
            "Argument `attempt_time` must be positive, but comes out as 0: `emission_time` and `gate_time` are 0. "
            "Give one of them, or `attempt_time`."
        )
    p_success = _checks.known(found.p_success)
    if p_success is not None and not p_success > NEVER:
        raise ValueError(
            f"The success probability must be larger than {NEVER:g}, but is {p_success:.1e}: no attempt heralds a "
            "pair. Raise the efficiency, take more stations or another code, or shorten the link."
        )


def causes(link: Any) -> dict[str, Link]:
    """Return a link of a code with one cause of loss or error left at a time, by what it is called in reports."""
    perfect = {"length": 0.0 * link.length, "efficiency": 1.0, "photon_error": 0.0, "reencoding_error": 0.0}
    if getattr(link, "station_positions", None) is not None:
        perfect["station_positions"] = 0.0 * link.station_positions
    measured = hasattr(link, "p_bell")
    if measured:
        perfect["p_bell"] = 1.0

    def only(*names: str) -> Link:
        there = [name for name in perfect if name not in names and getattr(link, name) is not None]
        changed = {name: _checks.real(perfect[name]) for name in there}
        return dataclasses.replace(link, **changed)

    return {
        "fibre": only("length", "station_positions"),
        "devices": only("efficiency"),
        **({"Bell measurements": only("p_bell")} if measured else {}),
        "photons": only("photon_error"),
        "re-encoding": only("reencoding_error"),
    }
