"""What a simulation of swap-asap leaves behind, and the state that follows from it."""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.asap.line import Line
from qtn.evaluators.asap.sites import END_LABELS, same_pauli, sites_of, swap_signs
from qtn.schedules.policy import Ends


@pytree
class Record:
    """When everything happened that one delivered pair went through, in seconds."""

    born: Float[Array, "... n"]
    """Delivery of the pair of each link."""

    swapped: Float[Array, "... n"]
    """Swap at the left node of each link; [..., 0] is not used."""

    completed: Float[Array, "..."]
    """Delivery of the end-to-end pair."""


@pytree
class Counts:
    """Outcomes of everything that was drawn."""

    delivered: Float[Array, "... n"]
    """Successful attempts of each link."""
    missed: Float[Array, "... n"]
    """Failed attempts of each link."""
    swaps: Float[Array, "... n"]
    """Successful swaps at the left node of each link."""
    losses: Float[Array, "... n"]
    """Failed swaps there."""


def tracked_state(line: Line, record: Record, ends: Ends) -> Float[Array, "4 4"]:
    """Return the state of one delivery, Pauli corrections applied at delivery: the average over swap outcomes.

    Every link contributes what is left of its Paulis after both halves have waited for their swaps; see
    `qtn.evaluators.asap`.
    """
    sites = sites_of(line, jnp.asarray(1.0), ends, mass=True)
    labels = same_pauli(sites.labels, sites.labels)
    right_waits = record.swapped[1:] - record.born[:-1]  # of the right half of link j - 1, at node j
    left_waits = record.swapped[1:] - record.born[1:]
    end_waits = record.completed - record.born[jnp.array([0, -1])]
    message = jnp.exp(-sites.last_rates * end_waits[1])

    def one(message: Array, site: tuple[Array, ...]) -> tuple[Array, None]:
        matrix, rates, left, right = site
        arrived = jnp.exp(-rates * left) * (matrix @ message)
        return jnp.exp(-rates * right) * (labels @ arrived), None

    inner = (sites.matrix[1:], sites.rates[1:], left_waits, right_waits)
    message, _ = jax.lax.scan(one, message, inner, reverse=True)
    first = jnp.exp(-sites.first_rates * end_waits[0])[:, None] * sites.first * message
    return same_pauli((0, 1, 2, 3), END_LABELS) @ first @ same_pauli(sites.labels, (0, 1, 2, 3))


def held_half(half: Float[Array, "4 4"], rates: Float[Array, "3"], equilibrium: Array, time: Array) -> Array:
    """Return Paulis, first axis a qubit that was held for a time."""
    fade = jnp.exp(-rates * time)
    rest = equilibrium * (1 - fade[2]) * half[0]
    return jnp.concatenate([half[:1], fade[:, None] * half[1:]]).at[3].add(rest)


def corrected_state(line: Line, record: Record, ends: Ends) -> Float[Array, "4 4"]:
    """Return the state of one delivery, each correction applied at its swap to the right end of the new pair.

    The swaps are replayed in the order in which they happened, those of one moment from left to right.
    """
    n = line.num_links
    measured = ends is Ends.MEASURED
    equilibrium, signs = jnp.asarray(line.equilibrium), swap_signs(line)
    rates = jnp.asarray(line.rates)
    if measured:
        rates = rates.at[jnp.array([0, n])].set(0.0)
        equilibrium = equilibrium.at[jnp.array([0, n])].set(0.0)
    # of each segment, at its leftmost link: its state, last link, and when its ends were brought up to date
    index = jnp.arange(n)
    start = (line.state, index, record.born, record.born)

    def advance(state: Array, first: Array, last: Array, since: tuple[Array, Array], now: Array) -> Array:
        state = held_half(state, rates[first], equilibrium[first], now - since[0])
        return held_half(state.T, rates[last + 1], equilibrium[last + 1], now - since[1]).T

    def one(carry: tuple[Array, ...], link: Array) -> tuple[tuple[Array, ...], None]:
        states, lasts, lefts, rights = carry
        now = record.swapped[link]
        head = jnp.max(jnp.where((index < link) & (lasts >= 0), index, 0))
        a = advance(states[head], head, lasts[head], (lefts[head], rights[head]), now)
        b = advance(states[link], link, lasts[link], (lefts[link], rights[link]), now)
        joined = a * (signs[link] * jnp.diagonal(b))
        carry = (
            states.at[head].set(joined),
            lasts.at[head].set(lasts[link]).at[link].set(-1),
            lefts.at[head].set(now),
            rights.at[head].set(now),
        )
        return carry, None

    order = jnp.argsort(record.swapped[1:], stable=True) + 1
    (states, _, lefts, rights), _ = jax.lax.scan(one, start, order)
    return advance(states[0], jnp.asarray(0), jnp.asarray(n - 1), (lefts[0], rights[0]), record.completed)
