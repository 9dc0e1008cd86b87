"""A pair of qubits as numbers: Pauli coefficients, Bell weights, characters, and the maps between them.

The Pauli coefficients of any two-qubit state are r[i, j] = tr(P_i x P_j rho), (4, 4), order I, X, Y, Z; r[0, 0] is the
trace. A Bell-diagonal pair has only the diagonal (1, c_X, -c_Y, c_Z).

Bell weights p = (pI, pX, pY, pZ) are those of Phi+, Psi+, Psi-, Phi- (errors I, X, Y, Z on Phi+). Characters are
c = CH p, p = CH c / 4: c_0 is the trace, c_X = <XX>, c_Y = -<YY>, c_Z = <ZZ>.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn import _checks
from qtn._array import Array, library
from qtn.states.basis import BELL_SIGNS

PAULIS = "IXYZ"

CHARACTERS_FROM_BELL = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]], dtype=float)
"""CH: characters of a vector of Bell weights."""

BELL_FROM_CHARACTERS = CHARACTERS_FROM_BELL / 4
"""The inverse of `CHARACTERS_FROM_BELL`."""


def werner(w: Any) -> Float[Array, "4"]:
    """Return the Bell weights of the Werner state w Phi+ + (1 - w) 1/4.

    Args:
        w: Werner parameter in [-1/3, 1]; the fidelity is (1 + 3 w) / 4.
    """
    w = _checks.require("werner", w, lambda v: (v >= -1 / 3) & (v <= 1), "lie in [-1/3, 1]")
    return library(w).stack([1 + 3 * w, 1 - w, 1 - w, 1 - w]) / 4


def from_fidelity(fidelity: Any) -> Float[Array, "4"]:
    """Return the Bell weights of the Werner state with this fidelity (in [0, 1])."""
    fidelity = _checks.probability("fidelity", fidelity)
    rest = (1 - fidelity) / 3
    return library(fidelity).stack([fidelity, rest, rest, rest])


def bell_diagonal(weights: Any) -> Float[Array, "4"]:
    """Return checked Bell weights (pI, pX, pY, pZ): non-negative, sum 1."""
    weights = _checks.probability("bell_diagonal", weights)
    if weights.shape != (4,):
        raise ValueError(f"Argument `bell_diagonal` must hold 4 weights, but has shape {weights.shape}.")
    total = _checks.known(weights)
    if total is not None and abs(total.sum() - 1) > 1e-9:
        raise ValueError(f"Argument `bell_diagonal` must sum to 1, but sums to {total.sum():.12g}.")
    return weights


def pauli_from_bell(weights: Float[Array, "4"]) -> Float[Array, "4 4"]:
    """Return the Pauli coefficients (4, 4) of Bell weights (4,)."""
    return library(weights).diag(BELL_SIGNS * (CHARACTERS_FROM_BELL @ weights))


def bell_from_pauli(state: Float[Array, "*n 4 4"]) -> Float[Array, "*n 4"]:
    """Return the Bell weights of Pauli coefficients (..., 4, 4): those of the Pauli twirl of the pair."""
    return _compiled_weights(state) if library(state) is jnp else _weights(state)


def _weights(state: Float[Array, "*n 4 4"]) -> Float[Array, "*n 4"]:
    xp = library(state)
    characters = xp.diagonal(state, axis1=-2, axis2=-1) * BELL_SIGNS
    return xp.einsum("ij,...j->...i", BELL_FROM_CHARACTERS, characters)


_compiled_weights = jax.jit(_weights)
