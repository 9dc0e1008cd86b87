"""A chain as arrays: the numbers of all links and nodes stacked, for chains of thousands of links."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qtn import _checks
from qtn._pytree import pytree, static
from qtn.links.chain import Chain
from qtn.links.link import Heralded


@pytree
class Line:
    """Links and nodes in a line, one array per quantity; `jax.grad` with respect to it returns a `Line`.

    `stacked(chain)` makes one of a `Chain`. Thousands of separate objects cost seconds of Python; their arrays do not.
    """

    p_success: Float[Array, "n"]
    """(n,), probability that one attempt of each link heralds a pair, in (0, 1]."""

    attempt_time: Float[Array, "n"]
    """(n,), duration of one attempt [s]."""

    state: Float[Array, "n 4 4"]
    """(n, 4, 4), Pauli coefficients of each heralded pair."""

    rates: Float[Array, "nodes 3"]
    """(n + 1, 3), decay rates of X, Y, Z in the memories of each node [1/s]."""

    two_qubit: Float[Array, "nodes"]
    """(n + 1,), p2 of the gates of each node."""

    readout: Float[Array, "nodes"]
    """(n + 1,), eta of the readout of each node."""

    p_swap: Float[Array, "nodes"]
    """(n + 1,), success probability of each swap; those of the ends are unused."""

    equilibrium: tuple[float, ...] = static()
    """<Z> to which the memories of each node relax."""

    @property
    def num_links(self) -> int:
        """Return n."""
        return self.p_success.shape[0]


def stacked(chain: Chain) -> Line:
    """Return a chain as arrays.

    Note:
        Exact, differentiable: `jax.grad` of a function of `stacked(chain)` with respect to the chain returns a `Chain`.
    """
    n = chain.num_links
    links = heralded_together(chain.links)
    nodes = [node_numbers(node) for node in chain.nodes]
    rates, two_qubit, readout, p_swap = (stack([node[i] for node in nodes]) for i in range(4))

    def spread(values: Array, count: int) -> Array:
        return jnp.broadcast_to(values, (count, *values.shape[1:])) if values.shape[0] == 1 else values

    return Line(
        p_success=spread(links.p_success, n),
        attempt_time=spread(links.attempt_time, n),
        state=spread(links.state, n),
        rates=spread(rates, n + 1),
        two_qubit=spread(two_qubit, n + 1),
        readout=spread(readout, n + 1),
        p_swap=spread(p_swap, n + 1),
        equilibrium=tuple(float(chain.node(i).memory.equilibrium()) for i in range(n + 1)),
    )


def node_numbers(node: Any) -> tuple[Array, Array, Array, Array]:
    """Return rates, p2, eta and swap success of a node.

    Raises:
        ValueError: if it swaps by linear optics.
    """
    if node.optics is not None:
        raise ValueError(
            "swap_asap() needs swaps by a gate and readouts, not by linear optics: use a tree and Renewal()."
        )
    return node.memory.pauli_rates(), node.gates.two_qubit, node.gates.readout, node.p_swap


def heralded_together(links: Sequence[Any]) -> Heralded:
    """Return what all links herald, stacked; links of one kind are evaluated in one batch."""
    kinds: dict[Any, list[int]] = {}
    for position, link in enumerate(links):
        leaves, structure = jax.tree.flatten(link)
        kinds.setdefault((structure, tuple(np.shape(leaf) for leaf in leaves)), []).append(position)
    batches, order = [], []
    for members in kinds.values():
        together = jax.tree.map(lambda *leaves: stack(leaves), *[links[i] for i in members])
        batches.append(herald_batch(together))
        order += members
    joined = jax.tree.map(lambda *arrays: jnp.concatenate(arrays), *batches) if len(batches) > 1 else batches[0]
    if order == sorted(order):
        return joined
    place = np.argsort(order)
    return jax.tree.map(lambda array: array[place], joined)


@jax.jit
def herald_batch(links: Any) -> Heralded:
    """Return what stacked links of one kind herald (compiled once per kind)."""
    return jax.vmap(lambda link: link.heralded())(links)


def stack(leaves: Sequence[Any]) -> Array:
    """Stack arrays of one shape; thousands of concrete numbers without thousands of operations."""
    if all(_checks.known(leaf) is not None for leaf in leaves):
        return jnp.asarray(np.stack([np.asarray(leaf) for leaf in leaves]), dtype=jnp.float64)
    return jnp.stack([_checks.real(leaf) for leaf in leaves])
