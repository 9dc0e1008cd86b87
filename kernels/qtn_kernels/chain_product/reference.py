"""The definition of `chain_product` in JAX: one scan over the links, chains along contiguous memory.

`bench` holds the formulations that it was measured against.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from qtn_kernels.chain_product.config import group_size
from qtn_kernels.chain_product.entries import Build, Rows, filled, identity, multiply, pattern, varying

Parameters = Float[Array, "links parameters chains"]
Product = Float[Array, "d d chains"]


def assemble(entries: Sequence[Array], known: Rows, like: Array) -> Product:
    """Return the array of a matrix from the entries that vary, (d, d, chains)."""
    rows = filled(entries, known)
    return jnp.stack([jnp.stack([jnp.broadcast_to(jnp.asarray(e, like.dtype), like.shape) for e in r]) for r in rows])


def built(build: Build, parameters: Array | Sequence[Array]) -> Rows:
    """Return the matrix of one link, so that XLA builds it once and not again for each entry of a product."""
    rows = build(*parameters)
    known = [[each if isinstance(each, (int, float)) else None for each in row] for row in rows]
    return filled(lax.optimization_barrier(varying(rows, known)), known)


def in_order(build: Build, parameters: Parameters) -> Product:
    """Return the products of all chains, see `chain_product`.

    The reverse pass stores the product at the start of each group, then at each link of one group, and builds matrices
    again: both modes of differentiation work.
    """
    num_links, num_parameters, _ = parameters.shape
    known = pattern(build, num_parameters)
    size = group_size(num_links)

    @partial(jax.checkpoint, prevent_cse=False)
    def one(entries: list[Array], there: Array) -> tuple[list[Array], None]:
        product = varying(multiply(filled(entries, known), built(build, there)), known)
        return [jnp.broadcast_to(each, there.shape[1:]) for each in product], None

    @partial(jax.checkpoint, prevent_cse=False)
    def group(entries: list[Array], part: Array) -> tuple[list[Array], None]:
        return lax.scan(one, entries, part)

    like, alone = parameters[0, 0], num_links % size
    entries = [jnp.full_like(like, each) for each in varying(identity(len(known)), known)]
    entries, _ = group(entries, parameters[:alone])
    entries, _ = lax.scan(group, entries, parameters[alone:].reshape(-1, size, *parameters.shape[1:]))
    return assemble(entries, known, like)
