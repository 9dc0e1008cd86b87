"""Mean values of products of one operator a user in a GHZ-like state, exact for any number of users."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, Num

from qtn._array import Array
from qtn.evaluators.gather.held import Held
from qtn.evaluators.gather.strings import TOGETHER
from qtn.evaluators.gather.train import first_site, inner_site, last_site
from qtn.hardware.gates import Gates


@jax.jit
def product_means(held: Held, gate_set: Gates, kinds: Int[Array, "n"], vectors: Num[Array, "s n 4"]) -> Num[Array, "s"]:
    """Return means of products of operators, times the probability that an attempt succeeds.

    Args:
        held: of each kind of arm.
        gate_set: of the hub.
        kinds: (n,), kind of each arm.
        vectors: (s, n, 4): each operator is sum_k v_k P_k, with P = I, X, Y, Z.

    Note:
        Exact, differentiable: O(n q) a product; the sum over the bits that halves share is a product of small matrices.
    """
    kinds = jnp.asarray(kinds)
    together = max(1, TOGETHER // (8 * held.weight.size))
    answer = partial(_mean, held, gate_set, kinds)
    return jax.lax.map(answer, jnp.asarray(vectors), batch_size=min(together, vectors.shape[0]))


def _mean(held: Held, gate_set: Gates, kinds: Array, vectors: Array) -> Array:
    """Return one mean: a row of columns (x, z, q) goes through all users."""
    before, new = held.before, held.new

    def closed(site: Array, vector: Array) -> Array:
        return jnp.einsum("u,uxzq->xzq", vector, site)

    def add(carry: tuple[Array, Array], user: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        kind, vector = user
        kept = np.array([1.0, 1.0, 0.0, 0.0])  # operators without z of their own
        sites = [inner_site(each, gate_set, kind, to_right=True) for each in (before, new)]
        (old, old_added), (came, came_added) = (
            (closed(site, vector * kept), closed(site, vector * (1 - kept))) for site in sites
        )

        def product(rows: Array, straight: Array, added: Array) -> Array:
            return rows * straight + rows[:, ::-1] * added

        first, complete = carry
        complete = product(complete, old + came, old_added + came_added) + product(first, came, came_added)
        return (product(first, old, old_added), complete), None

    start = (
        closed(first_site(before, kinds[0]), vectors[0]),
        closed(first_site(new, kinds[0]), vectors[0]),
    )
    last = [closed(last_site(each, gate_set, kinds[-1]), vectors[-1]) for each in (before, new)]
    (first, complete), _ = jax.lax.scan(add, start, (kinds[1:-1], vectors[1:-1]))
    return jnp.sum(held.weight * (complete * (last[0] + last[1]) + first * last[1]))
