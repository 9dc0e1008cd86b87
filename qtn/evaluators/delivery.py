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
from qtn.hardware.memory import Memory, memory_matrices
from qtn.links.chain import Chain
from qtn.links.link import Heralded, Link, herald
from qtn.steps.nodes import Nodes

Run = Callable[..., Any]
"""Applies a compiled function to arguments: `run(f, *args)` is `f(*args)`."""


def apply(piece: Callable[..., Any], *args: Any) -> Any:
    """Return `piece(*args)`."""
    return piece(*args)


def delivering(chain: Chain, run: Run = apply) -> Chain:
    """Return a chain with each link in place of which stands what it delivers to the nodes at its ends.

    Links that all positions share become one link for each where memories hold qubits and nodes differ. A chain whose
    links are that already stays as it is.

    Args:
        chain: links and nodes.
        run: applies each compiled piece to its arguments.

    Raises:
        ValueError: if memories are known to hold their qubits for longer than an attempt takes.
    """
    if all(isinstance(link, Heralded) and link.held_left is None for link in chain.links):
        return chain  # as it is: whoever follows arrays knows them by identity
    links = chain.links
    if len(links) == 1 and len(chain.nodes) > 1 and chain.herald_decay and holds(links[0]):
        links = links * chain.num_links
    found = []
    for position, link in enumerate(links):
        ends = (chain.node(position).memory, chain.node(position + 1).memory) if chain.herald_decay else None
        pair, held = run(delivered, link, ends)
        if run is apply and held is not None:
            _require_round(pair.attempt_time, [held])
        found.append(pair)
    return dataclasses.replace(chain, links=at_hand(tuple(found)) if run is apply else tuple(found))


def delivered_links(chain: Chain, run: Run = apply) -> tuple[Heralded, ...]:
    """Return what each link that `delivering` stores delivers."""
    return cast(tuple[Heralded, ...], delivering(chain, run).links)


def holds(link: Link) -> bool:
    """Whether memories hold qubits while a link heralds."""
    return jax.eval_shape(herald, link).held_left is not None


def require_time_to_herald(link: Link) -> None:
    """Raise if memories are known to hold their qubits for longer than an attempt of a link takes.

    Raises:
        ValueError: with both times.
    """
    pair = herald(link)
    if pair.held_left is not None and pair.held_right is not None:
        _require_round(pair.attempt_time, at_hand([pair.held_left, pair.held_right]))


def _require_round(attempt_time: Array, held: Any) -> None:
    """Raise if one of two holding times [s] is known to be longer than an attempt [s]."""
    if any(known(each) is None for each in held):
        return
    attempt, longest = known(attempt_time), np.max(held)
    if attempt is None or attempt >= longest * (1 - 1e-9):
        return
    raise ValueError(
        f"Argument `attempt_time` must be at least {longest:.6g} s, as for that long a memory holds its qubit "
        f"until both nodes know of the pair, but is {float(attempt):.6g} s. Leave it out, correct the lengths, or set "
        "herald_decay = false: then pairs are as if they were emitted at the herald."
    )


@jax.jit
def delivered(link: Link, ends: tuple[Memory, Memory] | None) -> tuple[Heralded, Float[Array, "2"] | None]:
    """Return what a link delivers to memories that hold their qubits while it heralds, and for how long they do [s].

    Args:
        link: any link.
        ends: left and right memory; None = as if the pair were emitted at the herald.
    """
    pair = link.heralded()
    if pair.held_left is None or pair.held_right is None:
        return pair, None
    held = jnp.stack([pair.held_left, pair.held_right])
    state = pair.state
    if ends is not None:
        rates = jnp.stack([memory.pauli_rates() for memory in ends])
        equilibrium = jnp.array([memory.equilibrium() for memory in ends])
        sign = jnp.array([-1.0 if pair.right_flipped else 1.0])
        state = held_states(state[None], held[None], sign, rates[None], equilibrium[None])[0]
    found = dataclasses.replace(pair, state=state, held_left=None, held_right=None, right_flipped=False)
    return found, None if ends is None else held


def held_states(
    states: Float[Array, "n 4 4"],
    held: Float[Array, "n 2"],
    signs: Float[Array, "n"],
    rates: Float[Array, "n 2 3"],
    equilibrium: Float[Array, "n 2"],
) -> Float[Array, "n 4 4"]:
    """Return pairs after their memories have held them.

        r -> A r B^T,      A, B = decay of the left and the right memory (`memory_matrices`)

    Args:
        states: (n, 4, 4), Pauli coefficients.
        held: (n, 2), how long, left and right [s].
        signs: (n,), -1 where the right qubit is held before an X that is applied to it in `states`: it relaxes towards
            the other side.
        rates: (n, 2, 3), decay rates of X, Y, Z [1/s].
        equilibrium: (n, 2), <Z> to which the memories relax.

    Note:
        Exact, differentiable.
    """
    towards = jnp.stack([equilibrium[:, 0], signs * equilibrium[:, 1]], axis=1)
    matrices = memory_matrices(held.reshape(-1), rates.reshape(-1, 3), towards.reshape(-1)).reshape(-1, 2, 4, 4)
    both = jnp.einsum("nij,nlk->niljk", matrices[:, 0], matrices[:, 1])  # first: mirror images stay equal to the bit
    return jnp.einsum("niljk,njk->nil", both, states)


def delivered_together(chain: Chain, nodes: Nodes) -> tuple[Array, Array, Array]:
    """Return what all links deliver, stacked; thousands of links without thousands of operations.

    Args:
        chain: links and nodes.
        nodes: those of the chain as stored (see `stacked_nodes`).

    Returns:
        p_success: (k,), of one attempt.
        attempt_time: (k,) [s].
        state: (num_links, 4, 4), Pauli coefficients; k = num_links, or 1 where all positions share one link.
    """
    p_success, attempt_time, state, held, signs = together(_offer, chain.links)
    if not chain.herald_decay or (library(held) is np and not np.any(held)):
        wide = (chain.num_links, 4, 4)
        return p_success, attempt_time, library(state).broadcast_to(state, wide) if len(chain.links) == 1 else state
    places = np.array([chain.link_index(i) for i in range(chain.num_links)])
    ends = np.array([[chain.node_index(i), chain.node_index(i + 1)] for i in range(chain.num_links)])
    equilibrium = np.array(nodes.equilibrium)[ends]
    return p_success, attempt_time, _held_together(state, held, signs, places, nodes.rates, ends, equilibrium)


def _offer(link: Link) -> tuple[Array, Array, Array, Array, Array]:
    """Return probability, time, state, how long memories held it [s] and the sign of `held_states`."""
    found = herald(link)
    held = (0.0, 0.0) if found.held_left is None or found.held_right is None else (found.held_left, found.held_right)
    sign = jnp.asarray(-1.0 if found.right_flipped else 1.0)
    return found.p_success, found.attempt_time, found.state, jnp.stack([jnp.asarray(each) for each in held]), sign


@jax.jit
def _held_together(
    states: Float[Array, "k 4 4"],
    held: Float[Array, "k 2"],
    signs: Float[Array, "k"],
    places: Array,
    rates: Float[Array, "nodes 3"],
    ends: Array,
    equilibrium: Float[Array, "n 2"],
) -> Float[Array, "n 4 4"]:
    """Return `held_states` of the links at some places between some nodes."""
    return held_states(states[places], held[places], signs[places], rates[ends], equilibrium)
