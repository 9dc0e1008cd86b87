"""Entropies, and functions of eigenvalues, with derivatives that stay finite where the true ones do not."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array

NOTHING = 1e-14
"""Probabilities below this are rounding and count as 0."""


def entropy(probabilities: Float[Array, "*n"]) -> Float[Array, ""]:
    """Return the Shannon entropy -sum p log2 p [bit] of a distribution.

    Note:
        0 log 0 = 0; the derivative at p <= 0, infinite in truth, is taken as 0.
    """
    safe = jnp.where(probabilities > 0, probabilities, 1.0)
    return -jnp.sum(safe * jnp.log2(safe))


def binary_entropy(p: Float[Array, ""]) -> Float[Array, ""]:
    """Return h(p) = -p log2 p - (1 - p) log2 (1 - p) [bit]."""
    return entropy(jnp.stack([p, 1 - p]))


def entropy_of_square(x: Float[Array, ""]) -> Float[Array, ""]:
    """Return h((1 + sqrt x)/2) [bit], analytic through x = 0, where sqrt alone has no derivative.

        h((1 + s)/2) = 1 - [(1 + s) ln(1 + s) + (1 - s) ln(1 - s)] / (2 ln 2) = 1 - sum_n x^n / (2 n (2n - 1) ln 2)

    Args:
        x: at most 1; below 0 the function is continued, 1 + [y arctan y - ln(1 + y^2)/2] / ln 2 with y = sqrt(-x).

    Note:
        Exact to rounding, differentiable; the derivative at x = 1, infinite in truth, leaves out what diverges.
    """
    small = jnp.abs(x) < 0.02
    series = sum(jnp.where(small, x, 0.0) ** n / (2 * n * (2 * n - 1)) for n in range(1, 9))
    root = jnp.sqrt(jnp.where(small, 1.0, jnp.minimum(jnp.abs(x), 1.0)))
    minus = jnp.where(small | (x < 0) | (root >= 1), 0.0, 1 - root)
    spread = ((1 + root) * jnp.log1p(root) + minus * jnp.log(jnp.where(minus > 0, minus, 1.0))) / 2
    depth = jnp.sqrt(jnp.where(small | (x > 0), 1.0, -x))
    continued = jnp.log1p(depth**2) / 2 - depth * jnp.arctan(depth)
    return 1 - jnp.where(small, series, jnp.where(x > 0, spread, continued)) / jnp.log(2.0)


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def spectral_sum(
    matrix: Array, function: Callable[[Array], Array], derivative: Callable[[Array], Array]
) -> Float[Array, ""]:
    """Return sum_k g(lambda_k) over the eigenvalues of a Hermitian matrix.

        d sum g = tr[ V diag(g'(lambda)) V^H dM ]

    Args:
        matrix: (n, n), Hermitian.
        function: g, elementwise.
        derivative: g'; where g has a kink or a pole, the value to be used there.

    Note:
        Exact; the first derivative has no gaps in it, so it is right also where eigenvalues coincide.
    """
    del derivative
    return jnp.sum(function(jnp.linalg.eigvalsh(matrix)))


@spectral_sum.defjvp
def _spectral_sum_jvp(function, derivative, primals, tangents):
    values, vectors = jnp.linalg.eigh(primals[0])
    slope = (vectors * derivative(values)) @ jnp.conj(vectors.T)
    return jnp.sum(function(values)), jnp.real(jnp.sum(slope * jnp.conj(tangents[0])))


def von_neumann(matrix: Array) -> Float[Array, ""]:
    """Return -tr rho log2 rho [bit].

    Note:
        Eigenvalues below 1e-14 count as 0; their derivative, infinite in truth, is taken as 0.
    """
    return spectral_sum(matrix, _entropy_term, _entropy_slope)


def _entropy_term(values: Array) -> Array:
    safe = jnp.where(values > NOTHING, values, 1.0)
    return -safe * jnp.log2(safe)


def _entropy_slope(values: Array) -> Array:
    return jnp.where(values > NOTHING, -(jnp.log(jnp.where(values > NOTHING, values, 1.0)) + 1) / jnp.log(2.0), 0.0)


def trace_norm(matrix: Array) -> Float[Array, ""]:
    """Return the sum of |eigenvalues| of a Hermitian matrix; the derivative of |0| is taken as 0."""
    return spectral_sum(matrix, jnp.abs, jnp.sign)
