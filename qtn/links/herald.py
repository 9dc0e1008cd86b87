"""From unnormalised Pauli coefficients to a heralded pair: what all heralding schemes share."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qtn.links.link import Heralded
from qtn.states.pair import BELL_FROM_CHARACTERS

PHI_PLUS = np.diag([1.0, 1.0, -1.0, 1.0])
"""(4, 4), Pauli coefficients of Phi+."""


def from_bell(weights: Float[Array, "4"]) -> Float[Array, "4 4"]:
    """Return the Pauli coefficients r_ij = tr(P_i x P_j rho) of a Bell-diagonal pair: diag(1, c_X, -c_Y, c_Z).

    Args:
        weights: (4,), weights of Phi+, Psi+, Psi-, Phi-; their sum is r_00.
    """
    characters = 4 * jnp.asarray(BELL_FROM_CHARACTERS) @ weights
    return jnp.diag(characters) * PHI_PLUS


def bell_weights(state: Float[Array, "4 4"]) -> Float[Array, "4"]:
    """Return the weights of Phi+, Psi+, Psi-, Phi- of a pair: the Bell-diagonal part of its Pauli coefficients."""
    return jnp.asarray(BELL_FROM_CHARACTERS) @ jnp.diagonal(state * PHI_PLUS)


def heralded(
    state: Float[Array, "4 4"], attempt_time: Float[Array, ""], p_success: Float[Array, ""] | None = None
) -> Heralded:
    """Turn an unnormalised state into what a link offers.

    Args:
        state: (4, 4), Pauli coefficients corrected to Phi+; state[0, 0] is the probability of the herald.
        attempt_time: duration of one attempt [s].
        p_success: probability of success where it differs from state[0, 0], as with many modes.

    Returns:
        heralded: probability, time, and the state divided by its trace.

    Note:
        Exact, differentiable. A probability of 0 leaves the maximally mixed state, with derivative 0. Bell weights
        that rounding left below 0 are moved to 0 without touching the derivative.
    """
    weight = state[0, 0]
    normal = jnp.where(weight > 0, state / jnp.where(weight > 0, weight, 1.0), jnp.zeros((4, 4)).at[0, 0].set(1.0))
    return Heralded(
        p_success=weight if p_success is None else p_success,
        attempt_time=attempt_time,
        bell_diagonal=without_rounding(bell_weights(normal)),
    )


def without_rounding(weights: Float[Array, "4"]) -> Float[Array, "4"]:
    """Return weights whose rounding below 0 is moved to 0, with their derivatives."""
    return jnp.where(weights < 0, weights - jax.lax.stop_gradient(weights), weights)
