"""The numbers of an execution: stacks of operators for the nodes and links, and the decay of every slot."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._checks import real
from qtn.evaluators.delivery import delivered_together
from qtn.evaluators.full_state.events import Timeline
from qtn.evaluators.full_state.layout import Layout
from qtn.evaluators.full_state.matrices import (
    correct_matrix,
    distill_factors,
    swap_matrix,
    tracked_matrix,
    twirl_matrix,
)
from qtn.hardware.gates import Gates
from qtn.hardware.memory import memory_matrices
from qtn.links.chain import Chain
from qtn.steps.nodes import Nodes


def decays(chain: Chain, timeline: Timeline, layout: Layout, nodes: Nodes) -> Float[Array, "uses 4 4"]:
    """Return the decay before every use of a slot since the last; classical bits do not decay."""
    if not layout.uses:
        return real(np.zeros((0, 4, 4)))
    now, then = (np.array([use[k] for use in layout.uses]) for k in (1, 2))
    which = np.array([chain.node_index(slot[0]) for slot, _, _ in layout.uses])
    quantum = np.array([slot[1] >= 0 for slot, _, _ in layout.uses])
    return _decays(timeline.times, now, then, quantum, nodes.rates, np.array(nodes.equilibrium), which)


@jax.jit
def _decays(
    times: Float[Array, "t"],
    now: Array,
    then: Array,
    quantum: Array,
    rates: Float[Array, "nodes 3"],
    equilibrium: Float[Array, "nodes"],
    which: Array,
) -> Float[Array, "uses 4 4"]:
    """Return the decay between two times at some nodes, where what is stored is quantum."""
    return memory_matrices((times[now] - times[then]) * quantum, rates[which], equilibrium[which])


def operator_stacks(
    chain: Chain, timeline: Timeline, layout: Layout, nodes: Nodes
) -> dict[tuple[object, ...], tuple[Array, ...]]:
    """Return the stacked numbers of every operator of a layout."""
    return {
        operator: _stack(operator, list(places), chain, timeline, nodes) for operator, places in layout.stacks.items()
    } | {("correct",): (real(correct_matrix()[None]),)}


def _stack(
    operator: tuple[Any, ...],
    keys: list[tuple[int, ...]],
    chain: Chain,
    timeline: Timeline,
    nodes: Nodes,
) -> tuple[Array, ...]:
    name, *details = operator
    if name == "local":
        return (jnp.stack([timeline.maps[position] for (position,) in keys]),)
    if name == "along":
        left, right = details
        return (jnp.stack([_along(timeline, key, left, right) for key in keys]),)
    if name == "generate":
        return (delivered_together(chain, nodes)[2][np.array([link for (link,) in keys])],)
    where = np.array([[chain.node_index(node) for node in key] for key in keys])
    if name == "distill":
        (protocol,) = details
        last = jnp.asarray(twirl_matrix() if protocol.twirled else np.eye(16))

        def factors(p2: Array, eta: Array) -> tuple[Array, Array]:
            left, right = (Gates(two_qubit=p2[side], readout=eta[side]) for side in (0, 1))
            return distill_factors(protocol, left, right)

        first, second = jax.vmap(factors)(nodes.two_qubit[where], nodes.readout[where])
        return first, second, jnp.broadcast_to(last, (len(keys), 16, 16))
    return (_swaps(nodes, where[:, 0], *details),)


@partial(jax.jit, static_argnames="tracked")
def _swaps(nodes: Nodes, where: Array, tracked: Any = None) -> Float[Array, "swaps ..."]:
    """Return what swaps at some nodes do, corrected at once or tracked."""
    tables = nodes.swaps[where]
    return jax.vmap(swap_matrix if tracked is None else lambda table: tracked_matrix(table, tracked))(tables)


def _along(timeline: Timeline, key: tuple[int, ...], left: int, right: int) -> Array:
    """Return one tensor of an operator train, or a wire past a site that it does not act on."""
    position, place = key
    if place < 0:
        return jnp.einsum("vw,ij->vijw", jnp.eye(left), jnp.eye(4))
    return timeline.maps[position][place][:left, :, :, :right]
