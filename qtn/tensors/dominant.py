"""The largest eigenvalue of an operator train, among trains of a given bond: one site after the other."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Complex, Float

from qtn._array import Array
from qtn.tensors.train import Train

LANCZOS = 8
"""Vectors that each site is chosen from: what it was, and what the operator makes of it again and again."""


@jax.jit
def dominant_half_sweep(operator: Array, train: Train) -> tuple[Train, Float[Array, ""]]:
    """Replace every site once, from the first to the last, by a better one between its neighbours.

    Args:
        operator: (n, w, d, d, w), legs (left, out, in, right), Hermitian as a whole.
        train: (n, chi, d, chi), right-canonical (isometries but for the first site).

    Returns:
        train: normalised, left-canonical; the sites of its mirror are what the next half sweep starts from.
        value: <x, O x>, which no half sweep makes smaller.

    References:
        White, Phys. Rev. Lett. 69, 2863 (1992); Schollwoeck, Annals of Physics 326, 96 (2011), section 6.
    """
    chi, d = train.shape[1:3]
    edge = jnp.zeros((operator.shape[1], chi, chi), complex).at[0, 0, 0].set(1.0)

    def back(carry: Array, there: tuple[Array, Array]) -> tuple[Array, Array]:
        site_operator, site = there
        half = jnp.einsum("vbd,cjd->vbcj", carry, site)
        half = jnp.einsum("vbcj,wijv->wbci", half, site_operator)
        return jnp.einsum("wbci,aib->wac", half, jnp.conj(site)), carry

    rights = lax.scan(back, edge, (operator, train), reverse=True)[1]

    def forth(carry: tuple[Array, Array], there: Any) -> tuple[tuple[Array, Array], tuple[Array, Array, Array]]:
        (left, outer), (site_operator, right, site) = carry, there
        half = jnp.einsum("wac,wijv->aicjv", left, site_operator).reshape(chi * d, chi * d, -1)

        def apply(flat: Array) -> Array:
            there = jnp.einsum("xyv,yd->xvd", half, flat.reshape(chi * d, chi))
            return jnp.einsum("xvd,vbd->xb", there, right).reshape(-1)

        best, value = dominant_vector(apply, jnp.einsum("ab,bic->aic", outer, site).reshape(-1))
        basis, rest = jnp.linalg.qr(best.reshape(chi * d, chi))
        basis = basis.reshape(chi, d, chi)
        moved = jnp.einsum("wac,cjd->wajd", left, basis)
        moved = jnp.einsum("wajd,wijv->aidv", moved, site_operator)
        after = jnp.einsum("aidv,aib->vbd", moved, jnp.conj(basis))
        return (after, rest), (basis, best.reshape(chi, d, chi), value)

    start = edge, jnp.eye(chi, dtype=complex)
    _, (sites, solved, values) = lax.scan(forth, start, (operator, rights, jnp.asarray(train, complex)))
    found = jnp.concatenate([sites[:-1], solved[-1:]])
    return found.at[0, 1:].set(0.0).at[-1, :, :, 1:].set(0.0), values[-1]


def dominant_vector(
    apply: Callable[[Array], Array], start: Complex[Array, "n"]
) -> tuple[Complex[Array, "n"], Float[Array, ""]]:
    """Return a normalised vector with a larger <x, O x> than the start has, and that value.

    Args:
        apply: x -> O x, O Hermitian.
        start: not 0; what `apply` never takes it to is not found.

    Note:
        The best one of a Krylov space, kept orthogonal twice over.

    References:
        Lanczos, J. Res. Natl. Bur. Stand. 45, 255 (1950); Parlett, The Symmetric Eigenvalue Problem (1998), chapter 13.
    """
    found, size = jnp.zeros((LANCZOS, start.size), complex), jnp.linalg.norm(start)
    found = found.at[0].set(start / size)

    def step(k: Any, both: tuple[Array, Array]) -> tuple[Array, Array]:
        basis, images = both
        image = apply(basis[k])
        rest = image
        for _ in range(2):
            rest = rest - (jnp.conj(basis) @ rest) @ basis
        length = jnp.linalg.norm(rest)
        new = length > 1e-12 * jnp.linalg.norm(image)
        rest = jnp.where(new, rest / jnp.where(new, length, 1.0), 0.0)
        return basis.at[k + 1].set(rest, mode="drop"), images.at[k].set(image)

    basis, images = lax.fori_loop(0, LANCZOS, step, (found, jnp.zeros_like(found)))
    small = jnp.conj(basis) @ images.T
    empty = jnp.real(jnp.sum(jnp.abs(basis) ** 2, axis=1)) < 0.5
    lowest = jnp.real(small[0, 0]) - 1.0 - jnp.abs(small[0, 0])
    small = jnp.where(jnp.diag(empty), lowest, (small + jnp.conj(small.T)) / 2)
    values, vectors = jnp.linalg.eigh(small)
    best = vectors[:, -1] @ basis
    return best / jnp.linalg.norm(best), values[-1]
