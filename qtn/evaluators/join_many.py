"""Join more than two pairs that start together: the step happens when the last one is there."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn.evaluators.cutoffs import postponed, window
from qtn.evaluators.join import Attempt
from qtn.tensors.recurrence import decay_scan, delayed

BLOCK = 1024
"""Times that are contracted together: bounds the memory of k^n numbers a time."""


@jax.jit
def join_many(
    inputs: Float[Array, "n k t"],
    step_map: Float[Array, "k ..."],
    rates: Float[Array, "n k"],
    cutoff: Float[Array, ""],
    lattice: Float[Array, ""],
) -> Attempt:
    """Join n independent deliveries by a multilinear step at the last arrival.

        success[t] = B(w1, .., wn) - B(w1 - x1, .., wn - xn),  wi[t] = sum_{t - tau <= s <= t} D^(t - s) xi[s]

    The first term holds all runs in which every pair is there at t, the second those in which all were there before.

    Args:
        inputs: (n, k, t), delivered distributions.
        step_map: (k,) * (n + 1), successful branch: out[c] = sum map[c, a1 .. an] x1[a1] .. xn[an].
        rates: (n, k), decay per step of each input while waiting; rates[:, 0] = 0.
        cutoff: longest wait of the earliest input [steps], inclusive; inf = none.
        lattice: of the grid, see `TimeGrid`.

    Returns:
        The attempt; as `qtn.evaluators.join.join` for n = 2.

    Note:
        Exact, differentiable; O(k^n t).
    """
    n, k, length = inputs.shape
    waiting = decay_scan(inputs.reshape(n * k, length), rates.reshape(n * k)).reshape(n, k, length)
    held, cut = jax.lax.cond(
        cutoff < length,
        jax.checkpoint(cut_off_many),
        lambda waiting, *_: (waiting, jnp.zeros(length)),
        *(waiting, rates, cutoff, lattice),
    )
    earlier = held - inputs
    success = contracted(step_map, held) - contracted(step_map, earlier)
    met = jnp.prod(held[:, 0], axis=0) - jnp.prod(earlier[:, 0], axis=0)
    return Attempt(success=success, failure=met - success[0] + cut)


def contracted(step_map: Float[Array, "k ..."], vectors: Float[Array, "n k t"]) -> Float[Array, "k t"]:
    """Apply a multilinear map at every time, a block of times after the other."""
    n, k, length = vectors.shape
    size = math.ceil(length / BLOCK) * BLOCK
    blocks = jnp.pad(vectors, ((0, 0), (0, 0), (0, size - length))).reshape(n, k, -1, BLOCK)

    def one(block: Float[Array, "n k b"]) -> Float[Array, "k b"]:
        found = jnp.tensordot(step_map, block[-1], 1)
        for vector in block[-2::-1]:
            found = jnp.einsum("...kb,kb->...b", found, vector)
        return found

    found = jax.lax.map(jax.checkpoint(one), jnp.moveaxis(blocks, 2, 0))
    return jnp.moveaxis(found, 0, 1).reshape(k, size)[:, :length]


def cut_off_many(
    waiting: Float[Array, "n k t"], rates: Float[Array, "n k"], cutoff: Float[Array, ""], lattice: Float[Array, ""]
) -> tuple[Float[Array, "n k t"], Float[Array, "t"]]:
    """Drop what is older than the cut-off, and return when attempts end because of it.

    An attempt whose first pair arrives at u ends at u + tau unless all are there by then:
    P(min = u) - P(min = u, max <= u + tau), both differences of products.
    """
    n, k, length = waiting.shape
    mixture = window(cutoff, lattice, length)
    arrived = waiting[:, 0]
    before = delayed(arrived, jnp.asarray(1))
    first = jnp.prod(1 - before, axis=0) - jnp.prod(1 - arrived, axis=0)
    too_old, cut = jnp.zeros_like(waiting), jnp.zeros(length)
    flat = waiting.reshape(n * k, length)
    for weight, age in zip(mixture.weights, mixture.steps, strict=True):
        fade = jnp.exp(-rates * (age + 1))[:, :, None]
        too_old = too_old + weight * fade * delayed(flat, age + 1).reshape(n, k, length)
        inside = jnp.prod(arrived - delayed(arrived, age + 1), axis=0)
        inside = inside - jnp.prod(arrived - delayed(arrived, age), axis=0)
        ended = delayed(first[None], age)[0] - jnp.where(age < 0, 0.0, inside)
        cut = cut + weight * ended.at[0].add(jnp.where(age < 0, first[0], 0.0))
    return waiting - too_old, postponed(cut, mixture.lateness)
