"""Expectation values of many product operators on one pure train, environments shared."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float

from qtn._array import Array
from qtn.tensors.train import Train


class Strings(NamedTuple):
    """Product operators of one width: where each begins, and one matrix for each of its sites."""

    order: Any
    """(m,), their places in the list they come from."""
    starts: Any
    """(m,)."""
    operators: Any
    """(m, w, 2, 2)."""


def group_strings(letters: np.ndarray, matrices: np.ndarray) -> tuple[Strings, ...]:
    """Group strings (o, n) of letters into `matrices` by the sites that they span, in powers of two; letter 0 is 1."""
    n, groups = letters.shape[1], {}
    for place, row in enumerate(letters):
        acting = np.nonzero(row)[0]
        first, last = (acting[0], acting[-1]) if len(acting) else (0, 0)
        width = min(1 << int(last - first).bit_length(), n)
        start = min(first, n - width)
        groups.setdefault(width, []).append((place, start, matrices[row[start : start + width]]))
    return tuple(Strings(*(np.array(column) for column in zip(*rows, strict=True))) for rows in groups.values())


def string_values(train: Train, groups: Sequence[Strings]) -> tuple[Float[Array, "o"], Float[Array, ""]]:
    """Return <O> (not normalised; real parts) of all strings, and the norm squared.

    Note:
        Exact and differentiable; n chi^3 for the environments and w chi^3 a string of width w.
    """
    n = train.shape[0]
    one = jnp.zeros((train.shape[1], train.shape[1]), train.dtype).at[0, 0].set(1.0)
    last, lefts = lax.scan(lambda env, site: (_through(env, site, site), env), one, train)
    lefts = jnp.concatenate([lefts, last[None]])
    rights = lefts[:0]
    if any(group.operators.shape[1] < n for group in groups):
        first, rights = lax.scan(lambda env, site: (_back(env, site), env), one, train, reverse=True)
        rights = jnp.concatenate([first[None], rights])
    values = jnp.zeros(sum(len(group.order) for group in groups))
    for group in groups:
        width = group.operators.shape[1]

        def value(string: Any, width: int = width) -> Array:
            start, operators = string
            sites = lax.dynamic_slice_in_dim(train, start, width)
            step = lambda env, there: (_through(env, there[0], jnp.einsum("ij,ajb->aib", there[1], there[0])), None)  # noqa: E731
            env = lax.scan(step, lefts[start], (sites, operators))[0]
            return jnp.real(env[0, 0] if width == n else jnp.sum(env * rights[start + width]))

        found = lax.map(value, (jnp.asarray(group.starts), jnp.asarray(group.operators)), batch_size=16)
        values = values.at[jnp.asarray(group.order)].set(found)
    return values, jnp.real(last[0, 0])


def _through(env: Array, bra: Array, ket: Array) -> Array:
    """Carry (ket, bra) over one site."""
    return jnp.einsum("cib,cid->bd", jnp.tensordot(env, ket, [[0], [0]]), jnp.conj(bra))


def _back(env: Array, site: Array) -> Array:
    return jnp.einsum("aid,cid->ac", jnp.tensordot(site, env, 1), jnp.conj(site))
