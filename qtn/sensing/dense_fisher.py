"""Quantum Fisher information of dense states, through the symmetric logarithmic derivative."""

import jax
import jax.numpy as jnp
from jaxtyping import Complex, Float

from qtn._array import Array
from qtn.tensors.subspace import dagger

SUPPORT = 1e-13
"""Eigenvalues that add up to less than this, relative to the largest, lie outside the support."""

FAINT = 1e-9
"""Depolarisation of each qubit that tells how the first noise on a state without full rank counts."""


@jax.custom_jvp
def logarithmic_derivative(matrix: Complex[Array, "N N"], rate: Complex[Array, "N N"]) -> Complex[Array, "N N"]:
    """Return the Hermitian L with (matrix L + L matrix) / 2 = rate, zero outside the support of `matrix`.

    Args:
        matrix: Hermitian, non-negative.
        rate: Hermitian.

    Note:
        Differentiable while the support stays the same; degenerate eigenvalues are no exception.
    """
    values, vectors = jnp.linalg.eigh(matrix)
    sums = values[:, None] + values[None, :]
    inside = sums > SUPPORT * values[-1]
    inner = dagger(vectors) @ rate @ vectors
    return vectors @ jnp.where(inside, 2 * inner / jnp.where(inside, sums, 1.0), 0.0) @ dagger(vectors)


@logarithmic_derivative.defjvp
def _logarithmic_derivative_jvp(primals, tangents):
    matrix, rate = primals
    d_matrix, d_rate = tangents
    found = logarithmic_derivative(matrix, rate)
    moved = d_rate - (d_matrix @ found + found @ d_matrix) / 2
    return found, logarithmic_derivative(matrix, moved)


@jax.custom_jvp
def _squared_length(matrix: Array, rate: Array) -> Array:
    """Return tr(rate L) = max over L of 2 tr(rate L) - tr(matrix L^2), so that L may be held fixed in a derivative."""
    return _product(rate, logarithmic_derivative(matrix, rate))


@_squared_length.defjvp
def _squared_length_jvp(primals, tangents):
    matrix, rate = primals
    d_matrix, d_rate = tangents
    values = jnp.linalg.eigvalsh(matrix)
    strength = jnp.where(values[0] < FAINT * values[-1], FAINT, 0.0)
    fixed = logarithmic_derivative(softened(matrix, strength), softened(rate, strength))
    value = _product(rate, logarithmic_derivative(matrix, rate))
    return value, 2 * _product(d_rate, fixed) - _product(d_matrix, fixed @ fixed)


def softened(matrix: Array, strength: Array) -> Array:
    """Return an operator after a little depolarisation of each qubit."""
    for qubit in range(matrix.shape[0].bit_length() - 1):
        tensor = matrix.reshape(2**qubit, 2, -1, 2**qubit, 2, matrix.shape[0] >> (qubit + 1))
        traced = jnp.einsum("aibcid->abcd", tensor)
        mixed = jnp.einsum("abcd,ij->aibcjd", traced, jnp.eye(2) / 2).reshape(matrix.shape)
        matrix = (1 - strength) * matrix + strength * mixed
    return matrix


def _product(first: Array, second: Array) -> Array:
    """Return tr(first second) of Hermitian matrices."""
    return jnp.real(jnp.sum(first * second.T))


@jax.jit
def dense_fisher(matrix: Complex[Array, "N N"], rate: Complex[Array, "N N"]) -> Float[Array, ""]:
    """Return the quantum Fisher information tr(rate L) / tr(matrix), L the symmetric logarithmic derivative.

    Args:
        matrix: density matrix.
        rate: its derivative by the parameter.

    Note:
        Exact; first and second derivatives are exact where the rank stays the same. Where it grows (the first noise on
        a pure state) F has a kink, and slopes are those of noise that turns every qubit in all directions alike, to
        1e-7; dephasing and damping of GHZ states, and dephasing of product states, have the same. No noise has a lower
        one than what is returned.

    References:
        Braunstein and Caves, Phys. Rev. Lett. 72, 3439 (1994).

    Example:
        >>> import jax; jax.config.update("jax_enable_x64", True)
        >>> from qtn.sensing.generator import generator, turned
        >>> from qtn.states import dense, plus
        >>> state = dense(plus(2))
        >>> round(float(dense_fisher(state.matrix, turned(state, generator(2)).matrix)), 12)
        2.0
    """
    return _squared_length(matrix, rate) / jnp.real(jnp.trace(matrix))
