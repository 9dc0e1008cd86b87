"""The pairs that links deliver: those they herald, after the decay until both nodes know of them."""

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array, library
from qtn._checks import at_hand, known
from qtn._pytree import together
from qtn.hardware.memory import Memory, PerfectMemory, memory_matrices
from qtn.links.chain import Chain
from qtn.links.link import Heralded, Link, herald
from qtn.steps.nodes import Nodes

ROUNDING = 1 - 1e-9
"""Share of a holding time down to which an attempt counts as long enough."""

Run = Callable[..., Any]
"""Applies a compiled function to arguments: `run(f, *args)` is `f(*args)`."""


def apply(piece: Callable[..., Any], *args: Any) -> Any:
    """Return `piece(*args)`."""
    return piece(*args)


def delivering(chain: Chain, run: Run = apply, *, checked: bool = True) -> Chain:
    """Return a chain with each link in place of which stands what it delivers to the nodes at its ends.

    A link that all positions share becomes one link for each where memories hold qubits and nodes differ. A chain whose
    links are delivered ones already stays as it is.

    Args:
        chain: links and nodes.
        run: applies each compiled piece to its arguments.
        checked: whether to raise, and not only return NaN.

    Raises:
        ValueError: if memories are known to hold their qubits for longer than an attempt takes. Where that is not known
            (under jit or vmap) such pairs are NaN.
    """
    if all(isinstance(link, Heralded) and (link.decayed or not link.holds) for link in chain.links):
        return chain  # as it is: whoever follows arrays knows them by identity
    links, decays = chain.links, chain.herald_decay
    shared = len(links) == 1
    if shared and decays and _unlike(chain) and jax.eval_shape(herald, links[0]).holds:
        links = links * chain.num_links
    found: list[Heralded] = []
    for position, link in enumerate(links):
        ends = (chain.node(position).memory, chain.node(position + 1).memory) if decays else None
        pair = run(delivered, link, ends)
        if found and shared:  # the same number
            pair = dataclasses.replace(pair, p_success=found[0].p_success, attempt_time=found[0].attempt_time)
        found.append(pair)
    chain = dataclasses.replace(chain, links=at_hand(tuple(found)) if run is apply else tuple(found))
    if checked and run is apply:
        require_time_to_herald(chain)
    return chain


def delivered_links(chain: Chain, run: Run = apply) -> tuple[Heralded, ...]:
    """Return what each link that `delivering` stores delivers."""
    return cast(tuple[Heralded, ...], delivering(chain, run).links)


def _unlike(chain: Chain) -> bool:
    """Whether memories that can decay may differ from node to node."""
    return len(chain.nodes) > 1 and not all(isinstance(node.memory, PerfectMemory) for node in chain.nodes)


def require_time_to_herald(chain: Chain) -> None:
    """Raise if memories are known to hold their qubits for longer than an attempt of their link takes.

    Raises:
        ValueError: with the link and both times.
    """
    for position, link in enumerate(chain.links if chain.herald_decay else ()):
        pair = link if isinstance(link, Heralded) else herald(link)
        if pair.holds:
            where = f"link {position}" if len(chain.links) > 1 else "the link"
            _require_round(where, pair.attempt_time, pair.held)


def _require_round(where: str, attempt_time: Array, held: Float[Array, "2"]) -> None:
    """Raise if an attempt [s] is known to be shorter than memories hold their qubits [s]."""
    attempt, times = known(attempt_time), known(held)
    if attempt is None or times is None or attempt >= times.max() * ROUNDING:
        return
    raise ValueError(
        f"Argument `attempt_time` of {where} must be at least {times.max():.6g} s, as for that long a memory holds its "
        f"qubit until both nodes know of the pair, but is {float(attempt):.6g} s. Leave it out, correct the lengths, "
        "or turn the decay off: then pairs are as if they were emitted at the herald (`herald_decay` of `qtn.chain`, "
        "in files evaluate.herald_decay = false)."
    )


@jax.jit
def delivered(link: Link, ends: tuple[Memory, Memory] | None) -> Heralded:
    """Return what a link delivers to memories that hold their qubits while it heralds.

    Args:
        link: any link.
        ends: left and right memory; None = as if the pair were emitted at the herald.
    """
    pair = link.heralded()
    if ends is None:
        return dataclasses.replace(pair, held_left=None, held_right=None)
    if pair.decayed or not pair.holds:
        return pair
    rates = jnp.stack([memory.pauli_rates() for memory in ends])[None]
    equilibrium = jnp.array([[memory.equilibrium() for memory in ends]])
    state = held_states(
        pair.state[None], pair.attempt_time[None], pair.held[None], _sign(pair)[None], rates, equilibrium
    )
    return dataclasses.replace(pair, state=state[0], decayed=True)


def _sign(pair: Heralded) -> Float[Array, ""]:
    """Return -1 where the right qubit is held before an X that is applied to it in the state, else 1."""
    return jnp.asarray(-1.0 if pair.right_flipped else 1.0)


def held_states(
    states: Float[Array, "n 4 4"],
    attempt_times: Float[Array, "n"],
    held: Float[Array, "n 2"],
    signs: Float[Array, "n"],
    rates: Float[Array, "n 2 3"],
    equilibrium: Float[Array, "n 2"],
) -> Float[Array, "n 4 4"]:
    """Return pairs after their memories have held them.

        r -> A r B^T,      A, B = decay of the left and the right memory (`memory_matrices`)

    Args:
        states: (n, 4, 4), Pauli coefficients.
        attempt_times: (n,), in which all this happens [s].
        held: (n, 2), how long memories held them, left and right [s].
        signs: (n,), -1 where the right qubit is held before an X that is applied to it in `states`: it relaxes towards
            the other side.
        rates: (n, 2, 3), decay rates of X, Y, Z [1/s].
        equilibrium: (n, 2), <Z> to which the memories relax.

    Note:
        Exact, differentiable. NaN where memories would hold qubits for longer than an attempt takes.
    """
    towards = jnp.stack([equilibrium[:, 0], signs * equilibrium[:, 1]], axis=1)
    matrices = memory_matrices(held.reshape(-1), rates.reshape(-1, 3), towards.reshape(-1)).reshape(-1, 2, 4, 4)
    both = jnp.einsum("nij,nlk->niljk", matrices[:, 0], matrices[:, 1])  # first: mirror images stay equal to the bit
    found = jnp.einsum("niljk,njk->nil", both, states)
    possible = attempt_times >= jnp.max(held, axis=1) * ROUNDING
    return jnp.where(possible[:, None, None], found, jnp.nan)


def delivered_together(chain: Chain, nodes: Nodes) -> tuple[Array, Array, Array]:
    """Return what all links deliver, stacked; thousands of links without thousands of operations.

    Args:
        chain: links and nodes.
        nodes: those of the chain as stored (see `stacked_nodes`).

    Returns:
        p_success: (k,), of one attempt.
        attempt_time: (k,) [s].
        state: (num_links, 4, 4), Pauli coefficients; k = num_links, or 1 where all positions share one link.

    Raises:
        ValueError: as `delivering`.
    """
    p_success, attempt_time, state, held, signs = together(_offer, chain.links)
    if not chain.herald_decay or (library(held) is np and not np.any(held)):
        wide = (chain.num_links, 4, 4)
        return p_success, attempt_time, library(state).broadcast_to(state, wide) if len(chain.links) == 1 else state
    if library(held, attempt_time) is np and not np.all(attempt_time >= held.max(axis=1) * ROUNDING):
        require_time_to_herald(chain)
    places = np.array([chain.link_index(i) for i in range(chain.num_links)])
    ends = np.array([[chain.node_index(i), chain.node_index(i + 1)] for i in range(chain.num_links)])
    equilibrium = np.array(nodes.equilibrium)[ends]
    links = state, attempt_time, held, signs
    return p_success, attempt_time, _held_together(links, places, nodes.rates, ends, equilibrium)


def _offer(link: Link) -> tuple[Array, Array, Array, Array, Array]:
    """Return probability, time, state, holding times [s] and sign of `held_states` of a link of any kind."""
    found = herald(link)
    held = jnp.zeros(2) if found.decayed else found.held
    return found.p_success, found.attempt_time, found.state, held, _sign(found)


@jax.jit
def _held_together(
    links: tuple[Array, Array, Array, Array],
    places: Array,
    rates: Float[Array, "nodes 3"],
    ends: Array,
    equilibrium: Float[Array, "n 2"],
) -> Float[Array, "n 4 4"]:
    """Return `held_states` of the links at some places between some nodes."""
    states, attempts, held, signs = (each[places] for each in links)
    return held_states(states, attempts, held, signs, rates[ends], equilibrium)
