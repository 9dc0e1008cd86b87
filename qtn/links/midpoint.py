"""What heralding at a midpoint station has in common: two arms, one beam splitter, many modes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qtn import _checks
from qtn.hardware.fibre import transmissivity, travel_time
from qtn.links.link import Heralded
from qtn.states.pair import pauli_from_bell


def checked_arms(
    *,
    length_left: Any,
    length_right: Any,
    loss_left: Any,
    loss_right: Any,
    efficiency: Any,
    visibility: Any,
    dark_count_probability: Any,
    emission_time: Any,
    refractive_index: Any,
    num_modes: Any,
    attempt_time: Any,
) -> dict[str, Any]:
    """Return the fields that all midpoint links share, checked and as double-precision scalars.

    Args:
        length_left: fibre from the left node to the midpoint [m].
        length_right: fibre from the right node to the midpoint [m].
        loss_left: attenuation of the left fibre [dB].
        loss_right: attenuation of the right fibre [dB].
        efficiency: everything outside the fibre (emission, coupling, detection), per arm, in [0, 1].
        visibility: Hong-Ou-Mandel visibility, in [0, 1].
        dark_count_probability: per detector and window, in [0, 1).
        emission_time: time of one attempt that is not travel [s].
        refractive_index: group index of the fibre [1], at least 1.
        num_modes: multiplexed modes, at least 1.
        attempt_time: duration of one attempt [s], or None = emission and travel.

    Returns:
        fields: name to value.

    Raises:
        ValueError: if a value lies outside its range, or an attempt would take no time.
    """
    fields: dict[str, Any] = {
        "length_left": non_negative_finite("length_left", length_left),
        "length_right": non_negative_finite("length_right", length_right),
        "loss_left": non_negative_finite("loss_left", loss_left),
        "loss_right": non_negative_finite("loss_right", loss_right),
        "efficiency": _checks.probability("efficiency", efficiency),
        "visibility": _checks.probability("visibility", visibility),
        "dark_count_probability": _checks.require(
            "dark_count_probability", dark_count_probability, lambda v: (v >= 0) & (v < 1), "lie in [0, 1)"
        ),
        "emission_time": non_negative_finite("emission_time", emission_time),
        "refractive_index": at_least_one("refractive_index", refractive_index),
        "num_modes": at_least_one("num_modes", num_modes),
    }
    if attempt_time is not None:
        fields["attempt_time"] = _checks.positive_finite("attempt_time", attempt_time)
    for name, value in fields.items():
        if value.shape != ():
            raise ValueError(f"Argument `{name}` must be a single number, but has shape {value.shape}.")
    if attempt_time is None:
        require_duration(fields)
    return {"attempt_time": None, **fields}


def non_negative_finite(name: str, value: Any) -> Array:
    """Check that all values are >= 0 and finite."""
    return _checks.require(name, value, lambda v: (v >= 0) & np.isfinite(v), "be non-negative and finite")


def at_least_one(name: str, value: Any) -> Array:
    """Check that all values are >= 1 and finite."""
    return _checks.require(name, value, lambda v: (v >= 1) & np.isfinite(v), "be at least 1 and finite")


def require_duration(fields: dict[str, Any]) -> None:
    """Raise if emission and travel are known to take no time at all."""
    names = ("length_left", "length_right", "emission_time")
    known = [_checks.known(fields[name]) for name in names]
    if all(value is not None and value == 0 for value in known):
        raise ValueError(
            "Argument `attempt_time` must be positive, but comes out as 0: "
            "both lengths and `emission_time` are 0. Give `emission_time` or `attempt_time`."
        )


def require_success(heralded: Heralded) -> None:
    """Raise if the link is known never to herald a pair."""
    p_success = _checks.known(heralded.p_success)
    if p_success is not None and not np.all(p_success > 0):
        raise ValueError(
            "The success probability must be positive, but is 0: no attempt heralds a pair. "
            "Raise the efficiency, the bright-state population or the dark counts, or lower the loss."
        )


def arm_transmissivities(loss_left: Any, loss_right: Any, efficiency: Any) -> tuple[Array, Array]:
    """Return (etaA, etaB), the probability that a photon of the left (right) arm would be detected.

        eta = efficiency 10^(-loss/10)

    Args:
        loss_left: attenuation of the left fibre [dB].
        loss_right: attenuation of the right fibre [dB].
        efficiency: everything outside the fibre, per arm, in [0, 1].

    Returns:
        etaA, etaB: probabilities [1].

    Note:
        Exact, differentiable.
    """
    return efficiency * transmissivity(loss_left), efficiency * transmissivity(loss_right)


def attempt_duration(
    attempt_time: Any, length_left: Any, length_right: Any, refractive_index: Any, emission_time: Any
) -> Float[Array, ""]:
    """Return the time of one attempt: as given, or emission and travel to the midpoint and back.

        t = emission_time + 2 max(length_left, length_right) n / c

    Args:
        attempt_time: the time itself [s], or None = the formula.
        length_left: fibre from the left node to the midpoint [m].
        length_right: fibre from the right node to the midpoint [m].
        refractive_index: group index n of the fibre [1].
        emission_time: time of one attempt that is not travel [s].

    Returns:
        t: time [s].

    Note:
        Exact; both nodes wait for the farther one. Differentiable; at equal lengths the derivative is shared
        equally between the arms, so that moving both gives the right slope.
    """
    if attempt_time is not None:
        return attempt_time
    farther = jnp.maximum(length_left, length_right)
    return emission_time + 2 * travel_time(farther, refractive_index)


def multiplexed(p_success: Float[Array, ""], num_modes: Any) -> Float[Array, ""]:
    """Return the probability that at least one of m modes succeeds.

        1 - (1 - p)^m = -expm1(m log1p(-p))

    Args:
        p_success: p of one mode, in [0, 1].
        num_modes: m >= 1; any real number, so that it can be optimised.

    Returns:
        probability: in [0, 1].

    Note:
        Exact to relative rounding for small p; differentiable, at p = 1 too.
    """
    below = jnp.where(p_success < 1, p_success, 0.5)
    inner = -jnp.expm1(num_modes * jnp.log1p(-below))
    return jnp.where(p_success < 1, inner, jnp.where(num_modes > 1, 1.0, p_success))


def clicks_to_pair(
    odd: Float[Array, ""],
    even: Float[Array, ""],
    coherence: Float[Array, ""],
    num_modes: Float[Array, ""],
    attempt_time: Float[Array, ""],
) -> Heralded:
    """Turn the unnormalised state that clicks leave behind into the heralded pair, corrected to Phi+.

    The state is X-shaped. A Z on one qubit makes its coherence positive whichever detectors clicked, and an X
    brings Psi+ to Phi+, so that the unnormalised weights of Phi+, Psi+, Psi-, Phi- are

        (odd/2 + coherence, even/2, even/2, odd/2 - coherence)

    Args:
        odd: rho_01 + rho_10, summed over the accepted click patterns [1].
        even: rho_00 + rho_11, summed likewise [1].
        coherence: |rho_01,10|, summed likewise [1].
        num_modes: m >= 1.
        attempt_time: duration of one attempt [s].

    Returns:
        heralded: with p_success = 1 - (1 - odd - even)^m.

    Note:
        The Bell-diagonal part, exact; the rest (rho_01 - rho_10, rho_00 - rho_11) is dropped. Differentiable:
        rounding below 0 is clipped without touching the derivative, and if nothing can click the state is
        taken as 1/4 with derivative 0.
    """
    weights = jnp.stack([odd / 2 + coherence, even / 2, even / 2, odd / 2 - coherence])
    weights = jnp.where(weights < 0, weights - jax.lax.stop_gradient(weights), weights)
    total = jnp.sum(weights)
    state = jnp.where(total > 0, weights / jnp.where(total > 0, total, 1.0), 0.25)
    return Heralded(
        p_success=multiplexed(odd + even, num_modes), attempt_time=attempt_time, state=pauli_from_bell(state)
    )
