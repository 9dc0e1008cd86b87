"""Contract trains to numbers and small arrays: products, overlaps, operators, reduced states."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from qtn._array import Array
from qtn.tensors.train import Train, check_site


@jax.jit
def evaluate(train: Train, vectors: Array) -> Array:
    """Return sum_i train[i1..in] v1[i1] ... vn[in] for one row vector per site, (n, d)."""
    start = jnp.zeros(train.shape[1], jnp.result_type(train, vectors)).at[0].set(1.0)

    def step(carry: Array, there: tuple[Array, Array]) -> tuple[Array, None]:
        site, vector = there
        return carry @ jnp.einsum("aib,i->ab", site, vector), None

    return lax.scan(step, start, (train, vectors))[0][0]


@jax.jit
def overlap(first: Train, second: Train, operators: Array | None = None, factor: Any = 1.0) -> Array:
    """Return sum conj(first) x_i (factor * operator_i) second, operators (n, d, d) or none."""
    dtype = jnp.result_type(first, second, *(() if operators is None else (operators,)))
    start = jnp.zeros((first.shape[1], second.shape[1]), dtype).at[0, 0].set(1.0)

    def step(carry: Array, there: tuple[Array, Array, Any]) -> tuple[Array, None]:
        bra, ket, operator = there
        if operator is not None:
            ket = jnp.einsum("ij,ajb->aib", operator, ket)
        return factor * jnp.einsum("aic,aib->cb", jnp.conj(bra), jnp.tensordot(carry, ket, 1)), None

    return lax.scan(step, start, (first, second, operators))[0][0, 0]


@jax.jit
def overlap_operator(first: Train, operator: Array, second: Train) -> Array:
    """Return <first| O |second> for an operator train (n, w, d, d, w), legs (left, out, in, right)."""
    start = jnp.zeros((first.shape[1], operator.shape[1], second.shape[1]), jnp.result_type(first, second, operator))

    def step(carry: Array, there: tuple[Array, Array, Array]) -> tuple[Array, None]:
        bra, site, ket = there
        half = jnp.einsum("awb,bjc->awjc", carry, ket)
        half = jnp.einsum("awjc,wijv->aivc", half, site)
        return jnp.einsum("aivc,aid->dvc", half, jnp.conj(bra)), None

    return lax.scan(step, start.at[0, 0, 0].set(1.0), (first, operator, second))[0][0, 0, 0]


@jax.jit
def sandwich(bra_ket: Train, pauli: Train, paulis: Array) -> Array:
    """Return 2^-n sum_a r_a <psi| P_a |psi> for a state vector train and a Pauli vector train.

    Args:
        bra_ket: (n, chi, 2, chi), psi.
        pauli: (n, w, 4, w), r.
        paulis: (4, 2, 2).
    """
    chi, w = bra_ket.shape[1], pauli.shape[1]
    start = jnp.zeros((chi, w, chi), bra_ket.dtype).at[0, 0, 0].set(1.0)

    def step(carry: Array, there: tuple[Array, Array]) -> tuple[Array, None]:
        site, r = there
        half = jnp.einsum("awb,bjc->awjc", carry, site)
        half = jnp.einsum("awjc,wpv->ajpcv", half, r)
        half = jnp.einsum("ajpcv,pij->aicv", half, paulis)
        return jnp.einsum("aicv,aid->dvc", half, jnp.conj(site)) / 2, None

    return jnp.real(lax.scan(step, start, (bra_ket, pauli))[0][0, 0, 0])


def reduce_to(train: Train, sites: Sequence[int], vectors: Array) -> Array:
    """Contract all sites but `sites` with their row vectors (n, d).

    Returns:
        (d,) * k: in the order of `sites`.
    """
    n, d = train.shape[0], train.shape[2]
    wanted = [check_site(site, n) for site in sites]
    if len(set(wanted)) != len(wanted):
        raise ValueError(f"Argument `sites` must name each site once, but is {list(sites)}.")
    matrices = jnp.einsum("naib,ni->nab", train, vectors)
    carry = jnp.zeros((1, train.shape[1]), matrices.dtype).at[0, 0].set(1.0)
    for start, stop in zip([-1, *sorted(wanted)], [*sorted(wanted), n], strict=True):
        carry = _through(carry, matrices[start + 1 : stop])
        if stop < n:
            carry = jnp.tensordot(carry, train[stop], 1).reshape(-1, train.shape[1])
    dense = carry[:, 0].reshape((d,) * len(wanted))
    return jnp.transpose(dense, [sorted(wanted).index(site) for site in wanted])


@jax.jit
def _through(carry: Array, matrices: Array) -> Array:
    """Multiply rows by matrices one after the other."""
    return lax.scan(lambda rows, matrix: (rows @ matrix, None), carry, matrices)[0]


def doubled(train: Train, sites: Sequence[int]) -> Array:
    """Return the reduced density matrix of `sites` of a state vector train, (d^k, d^k), in the order of `sites`."""
    n, chi, d = train.shape[:3]
    wanted = [check_site(site, n) for site in sites]
    if len(set(wanted)) != len(wanted):
        raise ValueError(f"Argument `sites` must name each site once, but is {list(sites)}.")
    k = len(wanted)
    carry = jnp.zeros((1, chi, chi), train.dtype).at[0, 0, 0].set(1.0)  # (open legs), bra, ket

    for start, stop in zip([-1, *sorted(wanted)], [*sorted(wanted), n], strict=True):
        carry = _traced(carry, train[start + 1 : stop])
        if stop < n:
            carry = jnp.einsum("xab,aic,bjd->xjicd", carry, jnp.conj(train[stop]), train[stop], optimize="optimal")
            carry = carry.reshape(-1, chi, chi)
    dense = carry[:, 0, 0].reshape((d, d) * k)
    order = [sorted(wanted).index(site) for site in wanted]
    return jnp.transpose(dense, [2 * o for o in order] + [2 * o + 1 for o in order]).reshape(d**k, d**k)


@jax.jit
def _traced(carry: Array, sites: Array) -> Array:
    """Trace sites out of a doubled train."""

    def step(env: Array, site: Array) -> tuple[Array, None]:
        return jnp.einsum("xab,aic,bid->xcd", env, jnp.conj(site), site, optimize="optimal"), None

    return lax.scan(step, carry, sites)[0]


def apply_operator(operator: Array, train: Train) -> Train:
    """Apply an operator train (n, w, d', d, w) exactly: bonds are multiplied."""
    n, w, d = operator.shape[:3]
    chi = train.shape[1]
    return jnp.einsum("nvijw,najb->nvaiwb", operator, train).reshape(n, w * chi, d, w * chi)
