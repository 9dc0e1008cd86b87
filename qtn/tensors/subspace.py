"""Dominant subspaces and isometries, with derivatives that survive degenerate spectra.

Everything downstream of a truncation depends only on the projection theta V V^H, so the kept vectors V may be taken
not to rotate among themselves. With theta = U diag(s) (V, W)^H, kept V, discarded W (the null space included):

    dV = W Y,   dW = -V Y^H,   Y (V^H G V) - (W^H G W) Y = W^H dG V,   G = theta^H theta

Only the gaps s_kept^2 - s_discarded^2 divide, and a pair of equal singular values (both zero, or a multiplet that is
cut) contributes zero. Written as matrices, the rule may be differentiated again.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.ad_checkpoint import checkpoint_name
from jax.custom_batching import sequential_vmap
from jaxtyping import Complex, Float

from qtn._array import Array

Matrix = Float[Array, "_ _"] | Complex[Array, "_ _"]

ZERO = 64 * float(jnp.finfo(jnp.float64).eps)
"""Two singular values closer than this, relative to the largest, count as equal."""

GRAM_IS_ENOUGH = 1e-6
"""Above this largest discarded singular value (relative) the Gram matrix finds the subspace well enough."""

GRAM_RESOLVES = 1e-7
"""The Gram matrix resolves relative singular values down to this."""


def dagger(matrix: Array) -> Array:
    """Return the conjugate transpose of the last two axes."""
    return jnp.conj(jnp.swapaxes(matrix, -1, -2))


def _stored(value: Any) -> Any:
    """Mark the result of a decomposition: `jax.checkpoint` policies can keep it and repeat the rest."""
    return jax.tree.map(lambda leaf: checkpoint_name(leaf, "decomposition"), value)


def column_norms(matrix: Array) -> Array:
    """Return the norms of the columns."""
    squares = jnp.sum(jnp.abs(matrix) ** 2, axis=0)
    return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, 1.0)), 0.0)


def _right_vectors(theta: Array, num_kept: int, relative: Array) -> Array:
    """Return all right singular vectors as columns, largest first.

    Under `vmap` on a CPU one matrix after the other: the choice between two decompositions would become both.
    """
    one = partial(_by_gram_or_svd, num_kept)
    return lax.platform_dependent(theta, relative, cpu=sequential_vmap(one), default=one)


def _by_gram_or_svd(num_kept: int, theta: Array, relative: Array) -> Array:
    """Return all right singular vectors as columns, largest first: by the Gram matrix where that is as good.

    The Gram matrix finds vectors of relative singular value s up to eps / s, so that what it loses is below what is
    discarded anyway where that is above 1e-7. Without such a threshold a margin is left for derivatives.
    """
    squares, vectors = jnp.linalg.eigh(dagger(theta) @ theta)
    largest_discarded, largest = squares[theta.shape[1] - num_kept - 1], squares[-1]
    enough = (largest_discarded >= GRAM_IS_ENOUGH**2 * largest) | (relative >= GRAM_RESOLVES)
    return lax.cond(
        enough & (largest > 0),
        lambda: vectors[:, ::-1],
        lambda: dagger(jnp.linalg.svd(theta, full_matrices=True)[2]),
    )


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def dominant_basis(
    theta: Matrix, max_kept: int, relative: Float[Array, ""], absolute: Float[Array, ""]
) -> tuple[Array, Array, Float[Array, "n"]]:
    """Return all right singular vectors of `theta`, what it maps them to, and which of them are kept.

    Kept are at most `max_kept` vectors whose singular values s exceed `absolute` and `relative` * s_max.

    Args:
        theta: (m, n), real or complex.
        max_kept: static, 1 <= max_kept < n.
        relative: smallest singular value worth keeping, as a fraction of the largest.
        absolute: smallest singular value worth keeping.

    Returns:
        basis: (n, n), right singular vectors as columns, largest first, the null space last.
        image: (m, n), theta times the basis: its column norms are the singular values.
        kept: (n,), 1.0 for kept columns, else 0.0.

    Note:
        Differentiable in both modes, to any order, as a function of what is kept: the columns do not rotate among
        themselves. Exact as long as a gap separates kept from discarded. A tangent that raises the rank of `theta`
        is not represented where zero singular values are kept already.
    """
    basis = _right_vectors(theta, max_kept, relative)
    image = theta @ basis
    place, s = jnp.arange(theta.shape[1]), column_norms(image)
    kept = (place < max_kept) & (s >= absolute) & (s >= relative * s[0])
    return basis, image, kept.astype(jnp.float64)


@dominant_basis.defjvp
def _dominant_basis_jvp(max_kept, primals, tangents):
    theta, relative, absolute = primals
    d_theta = tangents[0]
    basis, image, kept = _stored(dominant_basis(theta, max_kept, relative, absolute))
    clean, moved = _cleaned(image), d_theta @ basis
    turn = _sylvester(dagger(clean) @ clean, dagger(moved) @ clean + dagger(clean) @ moved, kept)
    return (basis, image, kept), (basis @ turn, moved + clean @ turn, jnp.zeros_like(kept))


def _cleaned(image: Array) -> Array:
    """Make the columns of theta V orthogonal to rounding of each column, not of the largest.

    What is left of the largest columns in the smallest would be divided by the square of the smallest.
    """
    q, r = jnp.linalg.qr(lax.stop_gradient(image))
    clean = _stored(q * jnp.diagonal(r))
    clean = jnp.pad(clean, ((0, 0), (0, image.shape[1] - clean.shape[1])))
    return image + lax.stop_gradient(clean - image)


def _sylvester(gram: Array, source: Array, kept: Array) -> Array:
    """Return the T that turns kept into discarded columns: T G - G T = source between the two, T = 0 within each.

    G holds the two blocks of `gram`, diagonal in value but not in their derivatives.
    """
    s = jnp.sqrt(jnp.maximum(jnp.real(jnp.diagonal(lax.stop_gradient(gram))), 0))
    difference = s[None, :] - s[:, None]
    between = kept[None, :] != kept[:, None]
    solvable = between & (jnp.abs(difference) > ZERO * jnp.max(s))
    gap = jnp.where(solvable, difference * (s[None, :] + s[:, None]), 1.0)
    blocks = jnp.where(between, 0.0, gram)

    def commutator(turn: Array) -> Array:
        inside = jnp.where(solvable, turn, 0.0)
        return jnp.where(solvable, inside @ blocks - blocks @ inside, turn)

    def solve(_: Any, right_side: Array) -> Array:
        return right_side / gap

    return lax.custom_linear_solve(commutator, jnp.where(solvable, source, 0.0), solve, solve)


@jax.custom_jvp
def isometry(theta: Matrix) -> Array:
    """Return Q (m, min(m, n)), orthonormal columns whose span contains that of `theta`: theta = Q (Q^H theta).

    Note:
        Differentiable in both modes in the gauge Q^H dQ = 0, also for rank-deficient `theta`, as long as the tangent
        does not raise the rank. For m <= n the derivative is zero, and exact.
    """
    if theta.shape[0] <= theta.shape[1]:
        return jnp.eye(theta.shape[0], dtype=theta.dtype)
    return jnp.linalg.qr(theta)[0]


@isometry.defjvp
def _isometry_jvp(primals, tangents):
    (theta,), (d_theta,) = primals, tangents
    q = _stored(isometry(theta))
    if theta.shape[0] <= theta.shape[1]:
        return q, jnp.zeros_like(q)

    def outside(matrix: Array) -> Array:
        return matrix - q @ (dagger(q) @ matrix)

    # twice: division by a small column of R magnifies what rounding left inside the span
    return q, outside(_divide(outside(d_theta), dagger(q) @ theta))


def _divide(numerator: Array, triangle: Array) -> Array:
    """Return Z with Z R = numerator for R upper triangular in value (not in its derivatives).

    Columns that add nothing to the span of those before them get zero. Substitution keeps the accuracy of small
    columns, which a singular value decomposition of R would lose.
    """
    value = jnp.triu(lax.stop_gradient(triangle))
    diagonal = jnp.abs(jnp.diagonal(value))
    empty = diagonal <= ZERO * jnp.max(diagonal)
    solvable = jnp.where(empty, jnp.eye(value.shape[0], dtype=value.dtype), value)

    def solve(_: Any, right_side: Array) -> Array:
        return lax.linalg.triangular_solve(solvable, jnp.where(empty, 0.0, right_side), left_side=False)

    def transpose_solve(_: Any, right_side: Array) -> Array:
        found = lax.linalg.triangular_solve(solvable, right_side, left_side=False, transpose_a=True)
        return jnp.where(empty, 0.0, found)

    return lax.custom_linear_solve(lambda z: z @ triangle, numerator, solve, transpose_solve)
