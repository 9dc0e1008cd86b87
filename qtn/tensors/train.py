"""Tensor trains as one stacked, padded array (n, chi, d, chi): layout, gauge, sums, compression.

Site i is train[i], legs (left bond, physical, right bond). Boundary bonds use index 0. A bond narrower than chi uses
its leading indices, all else is zero; the functions of this file keep it so.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Complex, Float

from qtn._array import Array
from qtn.tensors.split import SplitInfo, Truncation, keep_right
from qtn.tensors.subspace import dagger, isometry

Train = Float[Array, "_ _ _ _"] | Complex[Array, "_ _ _ _"]
"""(n, chi, d, chi)."""


def from_sites(sites: Sequence[Any]) -> Train:
    """Stack tensors of shapes (left, d, right) into one padded train.

    Args:
        sites: neighbours share a bond; the first left and the last right bond are 1.
    """
    arrays = [jnp.asarray(site) for site in sites]
    if not arrays:
        raise ValueError("Argument `sites` must hold at least one tensor, but is empty.")
    for place, (left, right) in enumerate(pairwise(arrays)):
        if left.ndim != 3 or right.ndim != 3 or left.shape[2] != right.shape[0] or left.shape[1] != right.shape[1]:
            raise ValueError(
                f"Argument `sites` must hold tensors (left, d, right) that fit, but sites {place} and {place + 1} have "
                f"shapes {left.shape} and {right.shape}."
            )
    if arrays[0].shape[0] != 1 or arrays[-1].shape[2] != 1:
        raise ValueError(
            f"Argument `sites` must end in bonds of 1, but they are {arrays[0].shape[0]} and {arrays[-1].shape[2]}."
        )
    chi = max(array.shape[0] for array in arrays)
    dtype = jnp.result_type(*arrays)
    return jnp.stack([jnp.pad(a.astype(dtype), ((0, chi - a.shape[0]), (0, 0), (0, chi - a.shape[2]))) for a in arrays])


def product(vectors: Array) -> Train:
    """Return the train of bond 1 of one vector per site, (n, d)."""
    return vectors[:, None, :, None]


def widen(train: Train, bond: int) -> Train:
    """Pad all bonds with zeros to `bond`, or cut zeros away down to it."""
    chi = train.shape[1]
    if bond <= chi:
        return train[:, :bond, :, :bond]
    return jnp.pad(train, ((0, 0), (0, bond - chi), (0, 0), (0, bond - chi)))


def mirror(train: Train) -> Train:
    """Return the same state read from the other end."""
    return jnp.swapaxes(train[::-1], 1, 3)


def apply_each(train: Train, matrices: Array) -> Train:
    """Apply one matrix per site, (n, d', d) or one for all, (d', d)."""
    return jnp.einsum("...ij,...ajb->...aib", matrices, train)


@jax.jit
def left_canonical(train: Train) -> Train:
    """Return the same state with isometries on all sites but the last, which carries the norm."""
    chi, d = train.shape[1:3]

    def move(carry: Array, site: Array) -> tuple[Array, Array]:
        centre = jnp.tensordot(carry, site, 1).reshape(chi * d, chi)
        q = isometry(centre)
        return dagger(q) @ centre, q.reshape(chi, d, chi)

    carry, sites = lax.scan(move, jnp.eye(chi, dtype=train.dtype), train[:-1])
    return jnp.concatenate([sites, jnp.tensordot(carry, train[-1], 1)[None]])


def right_canonical(train: Train) -> Train:
    """Return the same state with isometries on all sites but the first, which carries the norm."""
    return mirror(left_canonical(mirror(train)))


@jax.jit
def compress(train: Train, rule: Truncation) -> tuple[Train, SplitInfo]:
    """Return the nearest train (site by site) within the truncation rule, left-canonical, of bond rule.max_bond.

    Returns:
        train: (n, rule.max_bond, d, rule.max_bond), the norm on the last site; never rescaled.
        info: one entry per bond, (n - 1,).

    Note:
        Differentiable like `split`. The error squared in the 2-norm is at most the sum of the discarded weights.
    """
    chi, d = train.shape[1:3]

    def cut(carry: Array, site: Array) -> tuple[Array, tuple[Array, SplitInfo]]:
        centre = jnp.tensordot(carry, site, 1).reshape(chi * d, chi)
        _, image, info = keep_right(centre, rule)
        q = isometry(image)
        carry = dagger(q) @ centre
        grow = ((0, chi - q.shape[1]),)
        return jnp.pad(carry, (*grow, (0, 0))), (jnp.pad(q, ((0, 0), *grow)).reshape(chi, d, chi), info)

    train = right_canonical(train)
    carry, (sites, info) = lax.scan(cut, jnp.eye(chi, dtype=train.dtype), train[:-1])
    return widen(jnp.concatenate([sites, jnp.tensordot(carry, train[-1], 1)[None]]), rule.max_bond), info


@jax.jit
def schmidt_values(train: Train) -> Float[Array, "_ _"]:
    """Return the singular values across every bond, largest first (not normalised).

    Note:
        Values only: their derivatives are those of `jnp.linalg.svd`, infinite or arbitrary where values coincide.
    """
    chi = train.shape[1]
    train = right_canonical(train)

    def move(carry: Array, site: Array) -> tuple[Array, Array]:
        centre = jnp.tensordot(carry, site, 1).reshape(-1, chi)
        rest = dagger(isometry(centre)) @ centre
        return rest, jnp.linalg.svd(rest, compute_uv=False)

    return lax.scan(move, jnp.eye(chi, dtype=train.dtype), train[:-1])[1]


@jax.jit
def add(first: Train, second: Train) -> Train:
    """Return the sum of two trains; its bond is the sum of theirs (1 site: elementwise)."""
    n, a = first.shape[:2]
    b = second.shape[1]
    if n == 1:
        return widen(first, max(a, b)) + widen(second, max(a, b))
    both = jnp.pad(first, ((0, 0), (0, b), (0, 0), (0, b))) + jnp.pad(second, ((0, 0), (a, 0), (0, 0), (a, 0)))
    both = both.at[0, 0].set(both[0, 0] + both[0, a]).at[0, a].set(0.0)
    return both.at[-1, :, :, 0].set(both[-1, :, :, 0] + both[-1, :, :, a]).at[-1, :, :, a].set(0.0)


@jax.jit
def change(train: Train, changed: Train) -> Train:
    """Return the sum over sites of the train with that one site replaced by its own of `changed`: a product rule.

    Args:
        train: (n, chi, d, chi).
        changed: (n, chi, d, chi), a tangent of `train`.

    Returns:
        train: (n, 2 chi, d, 2 chi).
    """
    n, chi = train.shape[:2]
    if n == 1:
        return widen(changed, 2 * chi)
    both = jnp.concatenate([train, changed], axis=3)  # nothing has changed yet
    after = jnp.concatenate([jnp.zeros_like(train), train], axis=3)
    found = jnp.concatenate([both, after], axis=1)
    return found.at[-1, :, :, 0].set(found[-1, :, :, chi]).at[-1, :, :, chi].set(0.0)


def scale(train: Train, factor: Any) -> Train:
    """Multiply the state by a number."""
    return train.at[0].multiply(factor)


def insert(train: Train, place: int, vectors: Array) -> Train:
    """Insert product sites (k, d) so that the first becomes site `place`; every bond is kept."""
    n, chi = train.shape[:2]
    if not 0 <= place <= n:
        raise ValueError(f"Argument `place` must lie in 0..{n}, but is {place}.")
    wires = jnp.eye(chi, dtype=train.dtype)[None, :, None, :] * vectors[:, None, :, None]
    if place in (0, n):  # outside the train the bond is the boundary's
        only = jnp.zeros((chi, chi), train.dtype).at[0, 0].set(1.0)
        wires = only[None, :, None, :] * vectors[:, None, :, None]
    return jnp.concatenate([train[:place], wires.astype(train.dtype), train[place:]])


def remove(train: Train, sites: Sequence[int], vectors: Array) -> Train:
    """Contract each of `sites` with its row vector (k, d), absorbing what is left into a neighbour.

    Args:
        train: (n, chi, d, chi).
        sites: static, distinct; at least one site must stay.
        vectors: (k, d); <0| to project, the trace vector to trace out. Not conjugated here.
    """
    n = train.shape[0]
    doomed = {check_site(site, n): vector for site, vector in zip(sites, vectors, strict=True)}
    if len(doomed) in (0, n) or len(doomed) != len(sites):
        raise ValueError(f"Argument `sites` must name some, but not all, of {n} sites once, but is {list(sites)}.")
    pieces, start = [], 0
    for place in sorted(doomed):  # what lies between is taken in one piece
        matrix = jnp.einsum("aib,i->ab", train[place], doomed[place])
        if place > start:
            pieces.append(train[start:place])
        if pieces:
            pieces[-1] = pieces[-1].at[-1].set(jnp.tensordot(pieces[-1][-1], matrix, 1))
        else:  # nothing to the left yet: hand it to the next site
            train = train.at[place + 1].set(jnp.tensordot(matrix, train[place + 1], 1))
        start = place + 1
    return jnp.concatenate([*pieces, train[start:]])


def check_site(site: int, num_sites: int) -> int:
    """Return `site` if it exists."""
    if isinstance(site, bool) or not isinstance(site, int) or not 0 <= site < num_sites:
        raise ValueError(f"Argument `site` must lie in 0..{num_sites - 1}, but is {site!r}.")
    return site


def to_dense(train: Train) -> Array:
    """Return all amplitudes, (d,) * n: for few sites."""
    dense = train[0][0]
    for site in train[1:]:
        dense = jnp.tensordot(dense, site, 1)
    return dense[..., 0]


def from_dense(dense: Array, rule: Truncation) -> tuple[Train, list[SplitInfo]]:
    """Return the train of an array (d,) * n, by one split per bond."""
    d, n = dense.shape[0], dense.ndim
    sites, infos, rest = [], [], dense.reshape(1, -1)
    for _ in range(n - 1):
        theta = rest.reshape(rest.shape[0] * d, -1)
        _, image, info = keep_right(theta, rule)
        q = isometry(image)
        sites.append(q.reshape(rest.shape[0], d, -1))
        infos.append(info)
        rest = dagger(q) @ theta
    return from_sites([*sites, rest.reshape(-1, d, 1)]), infos
