"""From unnormalised Pauli coefficients to a heralded pair: what all heralding schemes share."""

import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn.links.link import Heralded


def heralded(
    state: Float[Array, "4 4"],
    attempt_time: Float[Array, ""],
    p_success: Float[Array, ""] | None = None,
    *,
    held: tuple[Array, Array] | None = None,
    right_flipped: bool = False,
) -> Heralded:
    """Turn an unnormalised state into what a link offers.

    Args:
        state: (4, 4), Pauli coefficients corrected to Phi+; state[0, 0] is the probability of the herald.
        attempt_time: duration of one attempt [s].
        p_success: probability of success where it differs from state[0, 0], as with many modes.
        held: how long the left and the right memory have held their qubits at delivery [s]; None = no memory did.
        right_flipped: whether the right one did so before an X brought it to `state`.

    Returns:
        heralded: probability, time, and the state divided by its trace.

    Note:
        Exact, differentiable. A probability of 0 leaves the maximally mixed state, with derivative 0.
    """
    weight = state[0, 0]
    normal = jnp.where(weight > 0, state / jnp.where(weight > 0, weight, 1.0), jnp.zeros((4, 4)).at[0, 0].set(1.0))
    held_left, held_right = (None, None) if held is None else held
    return Heralded(
        p_success=weight if p_success is None else p_success,
        attempt_time=attempt_time,
        state=normal,
        held_left=held_left,
        held_right=held_right,
        right_flipped=right_flipped,
    )
