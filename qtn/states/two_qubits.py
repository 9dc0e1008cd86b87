"""`Pair`: any state of two qubits by its 16 Pauli correlations, the bridge between trains and Bell weights."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.states.basis import BELL_SIGNS, TRACE
from qtn.states.pair import BELL_FROM_CHARACTERS, CHARACTERS_FROM_BELL, bell_diagonal
from qtn.states.trains import MPDO, TrainState, from_pauli_array, to_mixed
from qtn.tensors.contract import reduce_to


@pytree
class Pair:
    """Two qubits, rho = 1/4 sum_ij R_ij P_i x P_j."""

    correlations: Float[Array, "4 4"]
    """R_ij = tr(P_i x P_j rho), order I, X, Y, Z; R_II is the trace."""


def pair_from_weights(weights: Any) -> Pair:
    """Return the Bell-diagonal pair with weights (Phi+, Psi+, Psi-, Phi-)."""
    characters = jnp.asarray(CHARACTERS_FROM_BELL) @ bell_diagonal(weights)
    return Pair(correlations=jnp.diag(characters * BELL_SIGNS))


def pair_of(state: TrainState, first: int, second: int) -> Pair:
    """Return two qubits of a train (all others traced out), normalised."""
    trace = jnp.broadcast_to(TRACE, (state.num_sites, 4))
    found = reduce_to(to_mixed(state).train, (first, second), trace)
    return Pair(correlations=found / found[0, 0])


def pair_to_mixed(pair: Pair) -> MPDO:
    """Return the pair as a train of two sites, bond 4."""
    return from_pauli_array(pair.correlations, 4)


def bell_weights(pair: Pair) -> Float[Array, "4"]:
    """Return the weights of Phi+, Psi+, Psi-, Phi-: the diagonal in the Bell basis.

    What the links, steps and evaluators of repeaters work with; exact for Bell-diagonal pairs, the Pauli twirl of
    all others.
    """
    return jnp.asarray(BELL_FROM_CHARACTERS) @ (jnp.diagonal(pair.correlations) * BELL_SIGNS)
