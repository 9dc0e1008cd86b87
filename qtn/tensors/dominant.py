"""The largest eigenvalue of an operator train, among trains of a given bond: one site after the other."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Float

from qtn._array import Array
from qtn.tensors.train import Train


@jax.jit
def dominant_half_sweep(operator: Array, train: Train) -> tuple[Train, Float[Array, ""]]:
    """Replace every site once, from the first to the last, by the best one between its neighbours.

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

    def forth(carry: Array, there: Any) -> tuple[Array, tuple[Array, Array, Array]]:
        site_operator, right = there
        half = jnp.einsum("wac,wijv->aicjv", carry, site_operator)
        matrix = jnp.einsum("aicjv,vbd->aibcjd", half, right).reshape((chi * d * chi,) * 2)
        values, vectors = jnp.linalg.eigh((matrix + jnp.conj(matrix.T)) / 2)
        best = vectors[:, -1]
        basis = jnp.linalg.qr(best.reshape(chi * d, chi))[0].reshape(chi, d, chi)
        moved = jnp.einsum("wac,cjd->wajd", carry, basis)
        moved = jnp.einsum("wajd,wijv->aidv", moved, site_operator)
        after = jnp.einsum("aidv,aib->vbd", moved, jnp.conj(basis))
        return after, (basis, best.reshape(chi, d, chi), values[-1])

    _, (sites, solved, values) = lax.scan(forth, edge, (operator, rights))
    found = jnp.concatenate([sites[:-1], solved[-1:]])
    return found.at[0, 1:].set(0.0).at[-1, :, :, 1:].set(0.0), values[-1]
