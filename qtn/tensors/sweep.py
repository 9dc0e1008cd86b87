"""Run layers of two-site gates through a train, one sweep a layer, compiled once for any number of sites and layers.

A sweep carries the centre M of the train from site 0 to the last. At bond b it applies one-site matrices to both
sides, then the gate, and splits theta[(l i), (r j)] again. What a bond does is data, its `kind`:

    IDLE     no gate             exact: nothing            lossy: M = Q R, R moves on
    LEFT     new bond = (l i)    U = 1,  M' = theta        (no decomposition, exact)
    RIGHT    new bond = (r j)    U = theta, M' = 1         lossy: U = Q of it
    FACTOR   new bond = (b k)    gate = sum_k L_k x R_k    (exact sweeps only)
    CUT      dominant subspace   U = U_K, M' = U_K^H theta (lossy sweeps only)

In an exact sweep no gauge is needed and nothing is decomposed: derivatives are those of plain contractions. In a
lossy sweep all sites left of the centre are isometries on one side, all right of it on the other, so that every cut
is optimal in the 2-norm and the norm is never rescaled: what is lost is visible.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Bool, Float, Int

from qtn._array import Array
from qtn.tensors.split import Truncation, keep_right
from qtn.tensors.subspace import dagger, isometry
from qtn.tensors.train import Train, mirror, widen

IDLE, RIGHT, LEFT, FACTOR = range(4)
CUT = FACTOR  # exact sweeps know factors, lossy ones cuts


KEEP_DECOMPOSITIONS = jax.checkpoint_policies.save_only_these_names("decomposition")
"""Contractions are cheap to repeat in the reverse pass, decompositions are not."""


class Layers(NamedTuple):
    """Gates of several sweeps; odd sweeps run from the last site to the first and are stored in that order."""

    kinds: Int[Array, "s bonds"]
    before: Array
    """(s, bonds, 2, d, d), one-site matrices applied first."""
    gates: Array
    """(s, bonds, d d, d d), rows (i j): i the site met first."""
    factors: Array
    """(s, bonds, r, d, d), orthonormal left operators of FACTOR bonds (zero elsewhere)."""


class CutInfo(NamedTuple):
    """What the cuts of one sweep did, per bond."""

    discarded_weight: Float[Array, "..."]
    rank: Int[Array, "..."]
    capped: Bool[Array, "..."]
    degenerate: Bool[Array, "..."]
    rank_deficient: Bool[Array, "..."]


def exact_forms(kinds: Any) -> tuple[int, ...]:
    """Return which forms of an exact step occur (0 IDLE, 1 LEFT or RIGHT, 2 FACTOR): only these are compiled."""
    return tuple(sorted({(int(kind) + 1) // 2 for kind in np.ravel(kinds)}))


def exact_sweeps(
    train: Train, layers: Layers, bond: int, forms: tuple[int, ...] = (0, 1, 2), *, checkpoint: bool = False
) -> Train:
    """Run exact sweeps in alternating direction.

    Args:
        train: (n, chi, d, chi), chi <= bond.
        layers: at least one sweep.
        bond: every bond of every sweep must fit.
        forms: static, from `exact_forms`.
        checkpoint: recompute each sweep in the reverse pass instead of storing it.

    Returns:
        train: of bond `bond`, in the orientation of the next sweep (mirrored after an odd number).
    """
    wrap = jax.checkpoint if checkpoint else (lambda f: f)
    if layers.kinds.shape[0] == 1:  # a single sweep, a staircase say, need not pad what it starts from
        return mirror(_exact_sweep(train, Layers(*(field[0] for field in layers)), bond, forms))
    step = wrap(lambda state, layer: (mirror(_exact_sweep(state, layer, bond, forms)), None))
    return lax.scan(step, widen(train, bond), layers)[0]


def lossy_sweeps(
    train: Train, layers: Layers, rule: Truncation, *, checkpoint: bool = False
) -> tuple[Train, CutInfo, Float[Array, "s"]]:
    """Run lossy sweeps in alternating direction at bond rule.max_bond.

    Args:
        train: (n, chi, d, chi), in the orientation of the first sweep; all sites but the first are isometries.
        layers: the gates.
        rule: truncation.
        checkpoint: recompute each sweep in the reverse pass instead of storing it: memory of one sweep plus one
            train a sweep, for one more forward pass.

    Returns:
        train: in the orientation of the next sweep.
        info: (s, n - 1), per sweep and bond, in the order of that sweep.
        weight: (s,), sum of the squares of all amplitudes after each sweep, read off the centre.
    """
    wrap = jax.checkpoint if checkpoint else (lambda f: f)

    def step(state: Train, layer: Layers) -> tuple[Train, tuple[CutInfo, Array]]:
        state, info = _lossy_sweep(state, layer, rule)
        return mirror(state), (info, jnp.sum(jnp.abs(state[-1]) ** 2))

    train, (info, weight) = lax.scan(wrap(step), widen(train, rule.max_bond), layers)
    return train, info, weight


def still_layer(layers: Layers) -> Layers:
    """Return one IDLE sweep: run over a mirrored train it leaves the train canonical for the sweep that follows."""
    return Layers(*(jnp.zeros((1, *field.shape[1:]), field.dtype) for field in layers))


def _pair(centre: Array, site: Array, layer: Layers) -> tuple[Array, Array]:
    """Apply the one-site matrices to both sides of a bond."""
    before = layer.before
    return jnp.einsum("ij,ajb->aib", before[0], centre), jnp.einsum("ij,ajb->aib", before[1], site)


def two_site_tensor(centre: Array, site: Array, layer: Layers) -> Array:
    """Return gate (centre site) as a matrix, rows (l i), columns (r j)."""
    d = centre.shape[1]
    left, right = _pair(centre, site, layer)
    joined = jnp.tensordot(left, right, 1)  # l i j r
    gate = layer.gates.reshape(d, d, d, d)  # i j i' j'
    return jnp.einsum("ijkm,lkmr->lirj", gate, joined).reshape(centre.shape[0] * d, -1)


def _as_left(matrix: Array, d: int) -> Array:
    """Rows (l i) -> legs l i b."""
    return matrix.reshape(-1, d, matrix.shape[1])


def _as_right(matrix: Array, d: int) -> Array:
    """Columns (r j) -> legs b j r."""
    return jnp.swapaxes(matrix.reshape(matrix.shape[0], -1, d), 1, 2)


def _exact_sweep(train: Train, layer: Layers, bond: int, forms: tuple[int, ...]) -> Train:
    """Run one sweep from a train of any bond to one of bond `bond`."""
    chi, d = train.shape[1:3]
    eye = jnp.eye(bond * d, dtype=train.dtype)

    def idle(centre: Array, site: Array, here: Layers) -> tuple[Array, Array]:
        return _fit(centre, 2, bond), _fit(site, 0, bond)

    def side(centre: Array, site: Array, here: Layers) -> tuple[Array, Array]:
        theta, is_left = two_site_tensor(centre, site, here), here.kinds == LEFT
        near = jnp.where(is_left, eye[:, :bond], _fit(theta, 1, bond))
        return _as_left(near, d), _as_right(jnp.where(is_left, theta[:bond], eye[:bond, : chi * d]), d)

    def factor(centre: Array, site: Array, here: Layers) -> tuple[Array, Array]:
        first, second = _pair(centre, site, here)
        gate = here.gates.reshape(d, d, d, d)
        rights = jnp.einsum("kac,abce->kbe", jnp.conj(here.factors), gate)
        near = jnp.einsum("kij,ajb->aibk", here.factors, first).reshape(bond, d, -1)
        far = jnp.einsum("kij,bjc->bkic", rights, second).reshape(-1, d, chi)
        return _fit(near, 2, bond), _fit(far, 0, bond)

    def step(centre: Array, there: tuple[Array, Layers]) -> tuple[Array, Array]:
        site, here = there
        near, far = lax.switch(place[(here.kinds + 1) // 2], branches, centre, site, here)
        return far, near

    branches = [(idle, side, factor)[form] for form in forms]
    place = jnp.asarray([forms.index(form) if form in forms else 0 for form in range(3)])

    light = jax.checkpoint(step, prevent_cse=False)
    last, sites = lax.scan(light, _fit(train[0], 0, bond), (train[1:], layer))
    return jnp.concatenate([sites, _fit(last, 2, bond)[None]])


def _fit(array: Array, axis: int, size: int) -> Array:
    """Cut or pad an axis with zeros."""
    extra = size - array.shape[axis]
    if extra <= 0:
        return lax.slice_in_dim(array, 0, size, axis=axis)
    return jnp.pad(array, [(0, extra if k == axis else 0) for k in range(array.ndim)])


def _lossy_sweep(train: Train, layer: Layers, rule: Truncation) -> tuple[Train, CutInfo]:
    chi, d = train.shape[1:3]
    eye = jnp.eye(chi * d, chi, dtype=train.dtype)

    none = CutInfo(jnp.asarray(0.0), jnp.asarray(0), *[jnp.asarray(False)] * 3)

    wire = _as_right(jnp.eye(chi, chi * d, dtype=train.dtype), d)

    def move(kind: Array, centre: Array, site: Array, theta: Array) -> tuple[Array, Array, CutInfo]:
        """IDLE and RIGHT: Q R of the centre, or of theta[:, :chi] with (r j) as the new bond."""
        matrix = jnp.where(kind == IDLE, centre.reshape(chi * d, chi), theta[:, :chi])
        q = isometry(matrix)
        return _as_left(q, d), jnp.tensordot(dagger(q) @ matrix, jnp.where(kind == IDLE, site, wire), 1), none

    def left(kind: Array, centre: Array, site: Array, theta: Array) -> tuple[Array, Array, CutInfo]:
        return _as_left(eye, d), _as_right(theta[:chi], d), none

    def cut(kind: Array, centre: Array, site: Array, theta: Array) -> tuple[Array, Array, CutInfo]:
        kept, image, found = keep_right(dagger(theta), rule)
        return (
            _as_left(kept, d),
            _as_right(dagger(image), d),
            CutInfo(*(getattr(found, field) for field in CutInfo._fields)),
        )

    def step(centre: Array, there: tuple[Array, Layers]) -> tuple[Array, tuple[Array, CutInfo]]:
        site, here = there
        theta = two_site_tensor(centre, site, here)
        near, far, found = lax.switch(here.kinds - 1, [move, left, cut], here.kinds, centre, site, theta)
        return far, (near, found)

    light = jax.checkpoint(step, prevent_cse=False, policy=KEEP_DECOMPOSITIONS)
    last, (sites, found) = lax.scan(light, train[0], (train[1:], layer))
    return jnp.concatenate([sites, last[None]]), found
