"""A pair as merits take it: Bell weights (4,), or all Pauli coefficients (4, 4).

Merits that need only the Bell-diagonal part accept both shapes; those that need more read Bell weights as the
Bell-diagonal pair that they are.
"""

import jax.numpy as jnp
from jaxtyping import Complex, Float

from qtn._array import Array, library
from qtn.states.basis import PAULI_MATRICES
from qtn.states.pair import bell_from_pauli, pauli_from_bell

Pair = Float[Array, "4"] | Float[Array, "4 4"]
"""Weights of Phi+, Psi+, Psi-, Phi-; or r_ij = tr(P_i x P_j rho) with r_00 = 1."""


def bell_weights(pair: Array) -> Float[Array, "4"]:
    """Return the weights of Phi+, Psi+, Psi-, Phi-: given, or CH (1, r_XX, -r_YY, r_ZZ) / 4.

    Raises:
        ValueError: if `pair` has neither shape.
    """
    if check(pair).ndim == 1:
        return pair
    return bell_from_pauli(pair)


def coefficients(pair: Array) -> Float[Array, "4 4"]:
    """Return the Pauli coefficients r_ij: given, or diag(1, c_X, -c_Y, c_Z) of Bell weights.

    Raises:
        ValueError: if `pair` has neither shape.
    """
    if check(pair).ndim == 2:
        return pair
    return pauli_from_bell(pair)


def density_matrix(pair: Pair) -> Complex[Array, "4 4"]:
    """Return rho = sum_ij r_ij P_i x P_j / 4, complex, in the basis |00>, |01>, |10>, |11>."""
    return jnp.einsum("ij,iab,jcd->acbd", coefficients(pair), PAULI_MATRICES, PAULI_MATRICES).reshape(4, 4) / 4


def check(pair: Array) -> Array:
    """Raise unless a pair has one of its two shapes."""
    if jnp.shape(pair) not in ((4,), (4, 4)):
        raise ValueError(
            f"A pair must be 4 Bell weights or (4, 4) Pauli coefficients, but has shape {jnp.shape(pair)}."
        )
    return library(pair).asarray(pair)
