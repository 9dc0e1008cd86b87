"""Maximise a concave quadratic function over trains, site by site: 2 <v, x> - <x, W x>.

`v` is a train, `W` an operator train whose real part is symmetric and non-negative, written as a train of numbers and
the matrices that they stand for, which takes less memory. One site after the other is solved for, the others being
fixed (Verstraete, Porras, Cirac 2004), so that the value only grows. Whatever train comes out, its value is a lower
bound of the maximum.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Float

from qtn._array import Array
from qtn.tensors.train import Train, mirror

SINGULAR = 1e-12
"""Eigenvalues below this, relative to the largest, are left out when one site is solved for."""


Operator = tuple[Train, Array]
"""(n, w, k, w) and (k, d, d): every site is sum_k train[k] matrices[k]."""


@jax.jit
def quadratic_value(operator: Operator, vector: Train, train: Train) -> Float[Array, ""]:
    """Return 2 <v, x> - <x, W x>, real part.

    Args:
        operator: W; see `Operator`.
        vector: (n, y, d, y), v; not conjugated.
        train: (n, chi, d, chi), x, real.

    Note:
        Exact and differentiable.
    """
    numbers, matrices = operator
    start = _ends(numbers, vector, train)

    def step(carry: tuple[Array, Array], there: Any) -> tuple[tuple[Array, Array], None]:
        site, *rest = there
        return _through(carry, _local(site, matrices), *rest), None

    square, line = lax.scan(step, start, (numbers, vector, train))[0]
    return jnp.real(2 * line[0, 0] - square[0, 0, 0])


def _local(numbers: Array, matrices: Array) -> Array:
    """Return one site of an operator, (w, d, d, w)."""
    return jnp.einsum("xky,kij->xijy", numbers.astype(complex), matrices)


def _ends(operator: Array, vector: Array, train: Array) -> tuple[Array, Array]:
    """Return the environments of no sites."""
    chi = train.shape[1]
    square = jnp.zeros((operator.shape[1], chi, chi), complex).at[0, 0, 0].set(1.0)
    return square, jnp.zeros((vector.shape[1], chi), complex).at[0, 0].set(1.0)


def _through(carry: tuple[Array, Array], operator: Array, vector: Array, site: Array) -> tuple[Array, Array]:
    """Carry the environments of <x, W x> and <v, x> over one site."""
    square, line = carry
    half = jnp.einsum("wac,cjd->wajd", square, site)
    half = jnp.einsum("wajd,wijv->aidv", half, operator)
    square = jnp.einsum("aidv,aib->vbd", half, site)
    return square, jnp.einsum("yai,yiz->za", *(jnp.einsum("ya,aib->ybi", line, site), vector))


def _scaled(carry: tuple[Array, Array]) -> tuple[tuple[Array, Array], Array]:
    """Return environments of order 1, and what a site must be multiplied by for that."""
    square, line = carry
    largest = jnp.max(jnp.abs(square))
    factor = jnp.where(largest > 0, 1 / jnp.sqrt(jnp.where(largest > 0, largest, 1.0)), 1.0)
    return (square * factor**2, line * factor), factor


@jax.jit
def half_sweep(operator: Operator, vector: Train, train: Train) -> tuple[Train, Float[Array, ""]]:
    """Solve for every site once, from the first to the last, and return the train and its value.

    Args:
        operator: W; see `Operator`.
        vector: (n, y, d, y), v.
        train: (n, chi, d, chi), whose sites to the right are the basis of each solution.
    """
    chi, d = train.shape[1:3]
    numbers, matrices = operator
    ends = _ends(numbers, vector, train)

    def back(carry: tuple[Array, Array], there: Any) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        site, *rest = (jnp.swapaxes(each, 0, 2) for each in there)
        return _scaled(_through(carry, _local(site, matrices), *rest))[0], carry

    rights = lax.scan(back, ends, (numbers, vector, train), reverse=True)[1]

    def forth(carry: tuple[Array, Array], there: Any) -> tuple[tuple[Array, Array], tuple[Array, Array, Array]]:
        site, there_vector, (square, line) = there
        there_operator = _local(site, matrices)
        best, value = _solved(carry, there_operator, there_vector, square, line)
        basis = jnp.linalg.qr(best.reshape(chi * d, chi))[0].reshape(chi, d, chi)
        after, factor = _scaled(_through(carry, there_operator, there_vector, basis))
        return after, (basis * factor, best, value)

    _, (sites, solved, values) = lax.scan(forth, ends, (numbers, vector, rights))
    found = jnp.concatenate([sites[:-1], solved[-1:]])
    found = found.at[0, 1:].set(0.0).at[-1, :, :, 1:].set(0.0)
    return found, values[-1]


def _solved(carry: tuple[Array, Array], operator: Array, vector: Array, square: Array, line: Array) -> Any:
    """Return the best site between its environments, and the value of the whole."""
    half = jnp.einsum("wac,wijv->aicjv", carry[0], operator)
    matrix = jnp.real(jnp.einsum("aicjv,vbd->aibcjd", half, square))
    shape = matrix.shape[:3]
    size = shape[0] * shape[1] * shape[2]
    matrix = matrix.reshape(size, size)
    right = jnp.real(jnp.einsum("ya,yiz,zb->aib", carry[1], vector, line)).reshape(size)
    values, vectors = jnp.linalg.eigh((matrix + matrix.T) / 2)
    inner = right @ vectors
    kept = values > SINGULAR * jnp.max(jnp.abs(values))
    weights = jnp.where(kept, inner / jnp.where(kept, values, 1.0), 0.0)
    return (vectors @ weights).reshape(shape), jnp.sum(weights * inner)


@partial(jax.jit, static_argnames="most")
def quadratic_maximum(
    operator: Operator, vector: Train, start: Train, *, tolerance: Any = 1e-10, most: int = 40
) -> tuple[Train, Float[Array, ""]]:
    """Return a train of the bond of `start` with a large value of 2 <v, x> - <x, W x>, and that value.

    Args:
        operator: W; see `Operator`.
        vector: (n, y, d, y), v.
        start: (n, chi, d, chi), real; directions that it does not hold are not found.
        tolerance: relative growth of the value in two half sweeps at which they end.
        most: half sweeps, at most; even.
    """
    back = (mirror(operator[0]), operator[1]), mirror(vector)

    def both(state: Any) -> Any:
        train, value, _, count = state
        train = mirror(half_sweep(operator, vector, train)[0])
        train, after = half_sweep(*back, train)
        return mirror(train), after, value, count + 2

    def goes_on(state: Any) -> Array:
        _, value, before, count = state
        return (count < most) & ((count < 4) | (value - before > tolerance * jnp.abs(value)))

    begin = (start, jnp.zeros(()), jnp.zeros(()), jnp.zeros((), int))
    train, value, _, _ = lax.while_loop(goes_on, both, begin)
    return train, value
