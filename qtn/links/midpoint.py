"""What heralding at a midpoint station has in common: two arms, one beam splitter, many modes."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array
from qtn.hardware.fibre import hint_at_units, transmissivity, travel_time
from qtn.links.link import Heralded
from qtn.links.registered import at_least_one, dark_count, non_negative_finite


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
        "dark_count_probability": dark_count("dark_count_probability", dark_count_probability),
        "emission_time": non_negative_finite("emission_time", emission_time),
        "refractive_index": at_least_one("refractive_index", refractive_index),
        "num_modes": at_least_one("num_modes", num_modes),
    }
    if attempt_time is not None:
        fields["attempt_time"] = _checks.positive_finite("attempt_time", attempt_time)
    for name, value in fields.items():
        if value.shape != ():
            raise ValueError(f"Argument `{name}` must be a single number, but has shape {value.shape}.")
    for side in ("left", "right"):
        hint_at_units(f"length_{side}", fields[f"length_{side}"], fields[f"loss_{side}"])
    if attempt_time is None:
        require_duration([fields[name] for name in ("length_left", "length_right", "emission_time")])
    return {"attempt_time": None, **fields}


def require_duration(times: Sequence[Any]) -> None:
    """Raise if emission and travel are known to take no time at all: `times` holds lengths and the emission time."""
    known = [_checks.known(value) for value in times]
    if all(value is not None and value == 0 for value in known):
        raise ValueError(
            "Argument `attempt_time` must be positive, but comes out as 0: "
            "lengths and `emission_time` are 0. Give `emission_time` or `attempt_time`."
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


def held_times(length_left: Any, length_right: Any, refractive_index: Any) -> tuple[Array, Array]:
    """Return how long both memories have held their qubits when clicks at the midpoint are known to both nodes.

        held = [length + max(length_left, length_right)] n / c

    The photons meet at the midpoint, so that of the nearer node is emitted later.

    Args:
        length_left: fibre from the left node to the midpoint [m].
        length_right: fibre from the right node to the midpoint [m].
        refractive_index: group index n of the fibre [1].

    Returns:
        left, right: times [s].

    Note:
        Exact: the pair is used once the node that learns last knows. Differentiable as `attempt_duration`.
    """
    farther = jnp.maximum(length_left, length_right)
    left, right = (travel_time(length + farther, refractive_index) for length in (length_left, length_right))
    return left, right


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


def clicks_to_state(
    populations: Float[Array, "2 2"], coherence: Float[Array, ""], phase_offset: Any = 0.0
) -> Float[Array, "4 4"]:
    """Turn the unnormalised state that clicks leave behind into Pauli coefficients, corrected to Phi+.

    The state is X-shaped. A Z on the left qubit makes its coherence positive whichever detectors clicked, and an X
    on the right qubit brings Psi+ to Phi+. With q_ab the populations of |ab> before and k the coherence:

        r_II = sum q,  r_ZI = q_0. - q_1.,  r_IZ = q_.1 - q_.0,  r_ZZ = (q_01 + q_10) - (q_00 + q_11)
        r_XX = 2 k cos(phi),  r_YY = -2 k cos(phi),  r_XY = r_YX = 2 k sin(phi)

    Args:
        populations: (2, 2), q_ab summed over the accepted click patterns [1].
        coherence: k = |rho_01,10|, summed likewise [1].
        phase_offset: phi, a known phase of the left arm that nobody corrects [rad].

    Returns:
        state: (4, 4), unnormalised; state[0, 0] is the probability of the accepted patterns.

    Note:
        Exact, differentiable.
    """
    q = populations
    real, imaginary = 2 * coherence * jnp.cos(phase_offset), 2 * coherence * jnp.sin(phase_offset)
    odd, even = q[0, 1] + q[1, 0], q[0, 0] + q[1, 1]
    left, right = q[0, 0] + q[0, 1] - q[1, 0] - q[1, 1], q[0, 1] + q[1, 1] - q[0, 0] - q[1, 0]
    none = jnp.zeros_like(odd)
    rows = (
        (odd + even, none, none, right),
        (none, real, imaginary, none),
        (none, imaginary, -real, none),
        (left, none, none, odd - even),
    )
    return jnp.stack([jnp.stack(row) for row in rows])
