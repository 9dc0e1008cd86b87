"""Split a matrix in two at a bond of at most a given dimension, with the exact derivative."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from qtn import _checks
from qtn._array import Array
from qtn._pytree import pytree, static
from qtn.tensors.subspace import ZERO, Matrix, column_norms, dagger, dominant_basis, isometry


@pytree
class Truncation:
    """How many singular values to keep: those above both thresholds, at most `max_bond`, at least one."""

    max_bond: int = static()
    """Largest bond, fixed when compiled."""

    relative: Float[Array, ""]
    """Smallest singular value kept, as a fraction of the largest."""

    absolute: Float[Array, ""]
    """Smallest singular value kept."""


@pytree
class SplitInfo:
    """What a truncation did."""

    discarded_weight: Float[Array, "..."]
    """Sum of the squares of the discarded singular values."""

    kept_weight: Float[Array, "..."]
    """Sum of the squares of the kept ones."""

    rank: Int[Array, "..."]
    """Number of kept singular values that are not zero."""

    capped: Bool[Array, "..."]
    """`max_bond`, not the thresholds, decided what to discard."""

    degenerate: Bool[Array, "..."]
    """The cut passes through a multiplet of equal singular values: what is kept is arbitrary, and the derivative
    between its members, which does not exist, is taken as zero."""

    rank_deficient: Bool[Array, "..."]
    """Zero singular values were kept beside a discarded space: the result is exact, but a derivative with respect
    to a number that would raise the rank is not represented."""


def truncation(max_bond: int, *, relative: Any = 0.0, absolute: Any = 0.0) -> Truncation:
    """Build a truncation rule.

    Args:
        max_bond: static, >= 1.
        relative: in [0, 1), a fraction of the largest singular value.
        absolute: >= 0, on the scale of the matrix that is split.
    """
    if isinstance(max_bond, bool) or not isinstance(max_bond, int) or max_bond < 1:
        raise ValueError(f"Argument `max_bond` must be a whole number >= 1, but is {max_bond!r}.")
    return Truncation(
        max_bond=max_bond,
        relative=_checks.require("relative", relative, lambda v: (v >= 0) & (v < 1), "lie in [0, 1)"),
        absolute=_checks.non_negative("absolute", absolute),
    )


def keep_right(theta: Matrix, rule: Truncation) -> tuple[Array, Array, SplitInfo]:
    """Return V (n, k), the row space of `theta` worth keeping, and theta V: theta ~ (theta V) V^H.

    k = min(m, n, max_bond).

    Columns are orthonormal, or zero where the thresholds discard them. The cheap half of `split`: one decomposition,
    and none where the shapes say that nothing is discarded.
    """
    rows, columns = theta.shape
    num_kept = min(rows, columns, rule.max_bond)
    if num_kept == columns:
        return jnp.eye(columns, dtype=theta.dtype), theta, _info(theta, jnp.ones(columns), num_kept, rule)
    basis, image, kept = dominant_basis(theta, num_kept, rule.relative, rule.absolute)
    mask = kept[:num_kept]
    return basis[:, :num_kept] * mask, image[:, :num_kept] * mask, _info(image, kept, num_kept, rule)


def split(theta: Array, rule: Truncation) -> tuple[Array, Array, Array, SplitInfo]:
    """Split theta ~ left @ centre @ right, keeping the dominant subspace.

    # m n -> m k, k k, k n

    Args:
        theta: (..., m, n), real or complex; leading axes are a batch.
        rule: the bond k = min(m, n, max_bond) and the thresholds below which singular values are dropped.

    Returns:
        left: (..., m, k), orthonormal columns.
        centre: (..., k, k), a full matrix, not a diagonal: its singular values are those of theta that were kept.
        right: (..., k, n), orthonormal rows, or zero where the thresholds discard them.
        info: what was discarded.

    Note:
        The product is the best approximation of rank k. Its derivative is exact in forward and reverse mode and to
        any order, also for degenerate, rank-deficient and padded matrices, in the gauge where kept vectors do not
        rotate among themselves; two cases in which it is not complete are reported in `info`. Use only functions of
        the product: single factors depend on the gauge.

    Example:
        >>> bell = jnp.eye(2) / jnp.sqrt(2.0)  # two equal singular values, where the textbook derivative is NaN
        >>> left, centre, right, info = split(bell, truncation(2))
        >>> bool(jnp.allclose(left @ centre @ right, bell)), float(info.discarded_weight)
        (True, 0.0)
    """
    if theta.ndim > 2:
        return jax.vmap(split, in_axes=(0, None))(theta, rule)
    kept, image, info = keep_right(theta, rule)
    left = isometry(image)
    return left, dagger(left) @ image, dagger(kept), info


def _info(image: Array, kept: Array, num_kept: int, rule: Truncation) -> SplitInfo:
    """Describe the cut, from theta times all its right vectors."""
    s = jax.lax.stop_gradient(column_norms(image))
    kept = jax.lax.stop_gradient(kept)
    largest, rank_kept = jnp.max(s), jnp.sum(kept).astype(int)
    zero = ZERO * largest
    lossless = rank_kept == s.shape[0]
    last, first = s[rank_kept - 1], s[jnp.minimum(rank_kept, s.shape[0] - 1)]
    worth = (first > zero) & (first >= rule.absolute) & (first >= rule.relative * s[0])
    return SplitInfo(
        discarded_weight=jnp.sum((1 - kept) * s**2),
        kept_weight=jnp.sum(kept * s**2),
        rank=jnp.sum(kept * (s > zero)).astype(int),
        capped=~lossless & worth,
        degenerate=~lossless & (last > zero) & (last - first <= zero),
        rank_deficient=~lossless & (last <= zero) & (num_kept <= rank_kept),
    )
