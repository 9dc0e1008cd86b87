"""The Pauli basis: matrices, and the linear maps between operators and real Pauli vectors.

rho = 2^-n sum_a r_a P_a with r_a = tr(P_a rho), order I, X, Y, Z, first qubit slowest.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from qtn._array import Array, library

PAULI_MATRICES = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
"""(4, 2, 2): I, X, Y, Z."""

TRACE = np.array([1.0, 0.0, 0.0, 0.0])
"""Row vector of tr(rho) = r_I for one qubit."""

BELL_SIGNS = np.array([1.0, 1.0, -1.0, 1.0])
"""<P x P> of Phi+ = (|00> + |11>)/sqrt(2) for P = I, X, Y, Z."""


def pauli_vector(matrix: Any) -> Array:
    """Return tr(P_a matrix) for all Pauli strings, (2^n, 2^n) -> (4,) * n; real for Hermitian matrices."""
    n = int(np.log2(matrix.shape[0]))
    tensor = jnp.asarray(matrix).reshape((2,) * (2 * n))
    for site in range(n):
        tensor = jnp.tensordot(tensor, PAULI_MATRICES, axes=[[0, n - site], [2, 1]])
    return tensor


def from_pauli_vector(vector: Any) -> Array:
    """Return 2^-n sum_a r_a P_a, (4,) * n -> (2^n, 2^n)."""
    n = vector.ndim
    tensor = jnp.asarray(vector)
    for _ in range(n):
        tensor = jnp.tensordot(tensor, PAULI_MATRICES / 2, axes=[[0], [0]])
    return jnp.transpose(tensor, [2 * k for k in range(n)] + [2 * k + 1 for k in range(n)]).reshape(2**n, 2**n)


def effect(matrix: Any) -> Array:
    """Return the row vector e with tr(matrix rho) = sum_a e_a r_a, (..., 2, 2) -> (..., 4); real part."""
    return jnp.real(jnp.einsum("...ij,aji->...a", jnp.asarray(matrix), PAULI_MATRICES)) / 2


def ptm(operator: Any, other: Any = None) -> Array:
    """Return the Pauli transfer matrix of rho -> A rho B^H (B = A if not given), (2^k, 2^k) -> (4^k, 4^k), k = 1, 2.

    Real if B = A; complex in general.
    """
    right = operator if other is None else other
    xp = library(operator, right)
    k = int(np.log2(operator.shape[-1]))
    paulis = (
        PAULI_MATRICES if k == 1 else np.einsum("aij,bkl->abikjl", PAULI_MATRICES, PAULI_MATRICES).reshape(16, 4, 4)
    )
    moved = xp.einsum("...ij,bjk,...lk->...bil", operator, paulis, xp.conj(right))
    out = xp.einsum("aij,...bji->...ab", paulis, moved) / 2**k
    return xp.real(out) if other is None else out
