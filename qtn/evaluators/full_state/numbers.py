"""The numbers of an execution: stacks of operators for the nodes and links, and the decay of every slot."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from qtn.evaluators.full_state.events import Timeline
from qtn.evaluators.full_state.layout import Layout
from qtn.evaluators.full_state.matrices import (
    correct_matrix,
    distill_factors,
    memory_matrices,
    swap_matrix,
    tracked_matrix,
    twirl_matrix,
)
from qtn.hardware.gates import Gates
from qtn.links.chain import Chain


def each(function: Callable[[Any], Any], objects: Sequence[Any]) -> Any:
    """Return the stacked results of a function of pytrees; those of one structure are computed in one batch."""
    structures = {jax.tree.structure(item) for item in objects}
    shapes = {tuple(jnp.shape(leaf) for leaf in jax.tree.leaves(item)) for item in objects}
    if len(objects) > 1 and len(structures) == len(shapes) == 1:
        return jax.vmap(function)(jax.tree.map(lambda *leaves: jnp.stack(leaves), *objects))
    return jax.tree.map(lambda *parts: jnp.stack(parts), *[function(item) for item in objects])


def node_numbers(chain: Chain) -> tuple[Array, Array, Array, Array, Array]:
    """Return (p2, eta, p_swap, decay rates, equilibrium <Z>) of every stored node."""
    return each(
        lambda node: (
            node.gates.two_qubit,
            node.gates.readout,
            node.p_swap,
            node.memory.pauli_rates(),
            jnp.asarray(float(node.memory.equilibrium())),
        ),
        chain.nodes,
    )


def decays(chain: Chain, timeline: Timeline, layout: Layout, nodes: tuple[Array, ...]) -> Float[Array, "uses 4 4"]:
    """Return the decay before every use of a slot since the last; classical bits do not decay."""
    if not layout.uses:
        return jnp.zeros((0, 4, 4))
    now, then = (np.array([use[k] for use in layout.uses]) for k in (1, 2))
    which = np.array([chain.node_index(slot[0]) for slot, _, _ in layout.uses])
    quantum = np.array([slot[1] >= 0 for slot, _, _ in layout.uses])
    durations = (timeline.times[now] - timeline.times[then]) * quantum
    return memory_matrices(durations, nodes[3][which], nodes[4][which])


def operator_stacks(
    chain: Chain, timeline: Timeline, layout: Layout, nodes: tuple[Array, ...]
) -> dict[tuple[object, ...], tuple[Array, ...]]:
    """Return the stacked numbers of every operator of a layout."""
    return {
        operator: _stack(operator, list(places), chain, timeline, nodes) for operator, places in layout.stacks.items()
    } | {("correct",): (jnp.asarray(correct_matrix())[None],)}


def _stack(
    operator: tuple[Any, ...],
    keys: list[tuple[int, ...]],
    chain: Chain,
    timeline: Timeline,
    nodes: tuple[Array, ...],
) -> tuple[Array, ...]:
    name, *details = operator
    if name == "local":
        return (jnp.stack([timeline.maps[position] for (position,) in keys]),)
    if name == "along":
        left, right = details
        return (jnp.stack([_along(timeline, key, left, right) for key in keys]),)
    if name == "generate":
        states = each(lambda link: link.heralded().state, chain.links)
        return (states[np.array([chain.link_index(link) for (link,) in keys])],)
    where = np.array([[chain.node_index(node) for node in key] for key in keys])
    if name == "distill":
        (protocol,) = details
        last = jnp.asarray(twirl_matrix() if protocol.twirled else np.eye(16))

        def factors(p2: Array, eta: Array) -> tuple[Array, Array]:
            left, right = (Gates(two_qubit=p2[side], readout=eta[side]) for side in (0, 1))
            return distill_factors(protocol, left, right)

        first, second = jax.vmap(factors)(nodes[0][where], nodes[1][where])
        return first, second, jnp.broadcast_to(last, (len(keys), 16, 16))
    p2, eta, p_swap = (part[where[:, 0]] for part in nodes[:3])
    if name == "swap":
        return (jax.vmap(swap_matrix)(p2, eta, p_swap),)
    return (jax.vmap(lambda a, b, c: tracked_matrix(a, b, c, details[0]))(p2, eta, p_swap),)


def _along(timeline: Timeline, key: tuple[int, ...], left: int, right: int) -> Array:
    """Return one tensor of an operator train, or a wire past a site that it does not act on."""
    position, place = key
    if place < 0:
        return jnp.einsum("vw,ij->vijw", jnp.eye(left), jnp.eye(4))
    return timeline.maps[position][place][:left, :, :, :right]
