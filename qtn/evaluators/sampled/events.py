"""Swap-asap event by event: failed swaps, cut-offs, and entanglement that carries over to the next delivery.

One run is a loop over events: the delivery of a link, followed by the swaps it makes possible, or the loss of a qubit
that is too old. All runs advance together under `vmap`. Times are in units of the attempt time of link 0; nothing is
differentiated here: what happened is recorded, and states, derivatives and weights follow from the record.
"""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.sampled.draws import attempts_needed
from qtn.evaluators.sampled.record import Counts, Record

SAME_TIME = 1e-9
"""Relative difference below which times are equal: a qubit that is exactly as old as its cut-off is still used."""


@pytree
class Rules:
    """The numbers of a policy, in units of the attempt time of link 0."""

    p_success: Float[Array, "n"]
    attempts: Float[Array, "n"]
    p_swap: Float[Array, "n"]
    """Success probability at the left node of each link; [0] is not used."""
    cutoffs: Float[Array, "nodes"]
    """Longest age of a qubit at each node; inf = none."""
    together: Array
    """Whether links that have delivered rest until the next state is begun."""
    kept: Array
    """Whether the end nodes store their qubits."""


@pytree
class Run:
    """The state of one run. Halves of link j: left at node j, right at node j + 1."""

    key: Array
    now: Float[Array, ""]
    started: Float[Array, ""]
    """When the current end-to-end pair was begun: at the last delivery."""
    due: Float[Array, "n"]
    """When each link delivers; inf = it does not attempt."""
    resting: Array
    """(n,), links that are part of a pair and must not attempt."""
    born: Float[Array, "n"]
    """Last delivery of each link."""
    left: Array
    """(n,), whether the left half of the last pair of each link is stored."""
    right: Array
    """(n,), the right half."""
    last: Array
    """(n,), last link of the segment whose left end is the left half of link j."""
    first: Array
    """(n,), first link of the segment whose right end is the right half of link j."""
    histories: Float[Array, "slots n 2"]
    """(born, swapped) of each link of a segment, by its right end j, or by its left end n + j; 0 elsewhere."""
    counts: Counts
    num_done: Array
    """Deliveries so far."""
    record: Record
    """(d, n) and (d,), deliveries, relative to when they were begun."""
    intervals: Float[Array, "d"]
    """Time from one delivery to the next."""


def simulate(rules: Rules, key: Array, num_deliveries: int) -> Run:
    """Run until so many end-to-end pairs have been delivered (one run; compose with `vmap`)."""
    n = rules.p_success.size
    key, own = jax.random.split(key)
    needed = attempts_needed(own, rules.p_success, (n,))
    none, nothing = jnp.zeros(n, bool), jnp.zeros(n)
    run = Run(
        key=key,
        now=jnp.asarray(0.0),
        started=jnp.asarray(0.0),
        due=needed * rules.attempts,
        resting=none,
        born=nothing,
        left=none,
        right=none,
        last=jnp.arange(n),
        first=jnp.arange(n),
        histories=jnp.zeros((2 * n, n, 2)),
        counts=Counts(delivered=jnp.ones(n), missed=needed - 1, swaps=nothing, losses=nothing),
        num_done=jnp.asarray(0),
        record=Record(
            born=jnp.zeros((num_deliveries, n)),
            swapped=jnp.zeros((num_deliveries, n)),
            completed=jnp.zeros(num_deliveries),
        ),
        intervals=jnp.zeros(num_deliveries),
    )
    return jax.lax.while_loop(lambda run: run.num_done < num_deliveries, partial(advance, rules), run)


def advance(rules: Rules, run: Run) -> Run:
    """Carry out the next event."""
    n = rules.p_success.size
    link = jnp.argmin(run.due)
    # a qubit is too old once its age exceeds its cut-off
    too_old_left = jnp.where(run.left, run.born + rules.cutoffs[:-1], jnp.inf)
    too_old_right = jnp.where(run.right, run.born + rules.cutoffs[1:], jnp.inf)
    expiry = jnp.concatenate([too_old_right, too_old_left])
    half = jnp.argmin(expiry)
    delivers = run.due[link] <= expiry[half] * (1 + SAME_TIME)
    run = dataclasses.replace(run, now=jnp.where(delivers, run.due[link], expiry[half]))
    lost, delivered = expired(run, half), delivery(rules, run, link)
    run = jax.tree.map(lambda a, b: jnp.where(delivers, a, b), delivered, lost)
    # links whose memories are free attempt again
    key, own = jax.random.split(run.key)
    needed = attempts_needed(own, rules.p_success, (n,))
    free = ~run.left & ~run.right & jnp.isinf(run.due) & ~(run.resting & rules.together)
    free = free & (run.num_done < run.intervals.size)
    counts = dataclasses.replace(
        run.counts,
        delivered=run.counts.delivered + free,
        missed=run.counts.missed + jnp.where(free, needed - 1, 0.0),
    )
    return dataclasses.replace(
        run, key=key, due=jnp.where(free, run.now + needed * rules.attempts, run.due), counts=counts
    )


def delivery(rules: Rules, run: Run, link: Array) -> Run:
    """Place the new pair of a link, swap at its left node, then at its right node, and deliver what spans the chain."""
    n = rules.p_success.size
    index = jnp.arange(n)
    here = index == link
    run = dataclasses.replace(
        run,
        due=jnp.where(here, jnp.inf, run.due),
        resting=run.resting | here,
        born=jnp.where(here, run.now, run.born),
        left=run.left | (here & ((link > 0) | rules.kept)),
        right=run.right | (here & ((link < n - 1) | rules.kept)),
    )
    history = jnp.where(here[:, None], jnp.stack([run.now, 0.0]), 0.0)
    # the segment at hand: first and last link, and whether it still exists
    segment = (link, link, history, jnp.asarray(True))
    run, segment = swap(rules, run, segment, link)
    run, segment = swap(rules, run, segment, link + 1)
    first, last, history, exists = segment
    run = dataclasses.replace(
        run,
        last=jnp.where(exists & (index == first), last, run.last),
        first=jnp.where(exists & (index == last), first, run.first),
        histories=jnp.where(
            (exists & (jnp.arange(2 * n) == last) | exists & (jnp.arange(2 * n) == n + first))[:, None, None],
            history,
            run.histories,
        ),
    )
    complete = exists & (first == 0) & (last == n - 1)
    return jax.tree.map(lambda a, b: jnp.where(complete, a, b), completed(rules, run, history), run)


def swap(rules: Rules, run: Run, segment: tuple[Array, ...], link: Array) -> tuple[Run, tuple[Array, ...]]:
    """Swap at the left node of a link, if the segment at hand and another meet there."""
    n = rules.p_success.size
    first, last, history, exists = segment
    index = jnp.arange(n)
    inside = (link > 0) & (link < n)
    before, after = jnp.clip(link - 1, 0, n - 1), jnp.clip(link, 0, n - 1)
    meets = exists & inside & run.right[before] & run.left[after]
    on_left = last == before  # the segment at hand ends here, the other begins here
    other_first = jnp.where(on_left, after, run.first[before])
    other_last = jnp.where(on_left, run.last[after], before)
    other = run.histories[jnp.where(on_left, n + after, before)]
    key, own = jax.random.split(run.key)
    works = jax.random.uniform(own) < rules.p_swap[after]
    succeeds, fails = meets & works, meets & ~works
    at_node = index == after
    joined = history + other + jnp.where(at_node[:, None], jnp.stack([0.0, run.now]), 0.0)
    new_first = jnp.where(succeeds, jnp.minimum(first, other_first), first)
    new_last = jnp.where(succeeds, jnp.maximum(last, other_last), last)
    low, high = jnp.minimum(first, other_first), jnp.maximum(last, other_last)
    dropped = fails & (index >= low) & (index <= high)
    counts = dataclasses.replace(
        run.counts,
        swaps=run.counts.swaps + (succeeds & at_node),
        losses=run.counts.losses + (fails & at_node),
    )
    # the measured halves are free; a failure also frees the far ends
    free_left = meets & at_node | fails & (index == low)
    free_right = meets & (index == before) | fails & (index == high)
    run = dataclasses.replace(
        run,
        key=key,
        left=run.left & ~free_left,
        right=run.right & ~free_right,
        resting=run.resting & ~dropped,
        counts=counts,
    )
    return run, (new_first, new_last, jnp.where(succeeds, joined, history), exists & ~fails)


def expired(run: Run, half: Array) -> Run:
    """Lose the pair of the qubit that is too old."""
    n = run.due.size
    index = jnp.arange(n)
    own = half % n
    is_right = half < n
    first = jnp.where(is_right, run.first[own], own)
    last = jnp.where(is_right, own, run.last[own])
    return dataclasses.replace(
        run,
        left=run.left & ~(index == first),
        right=run.right & ~(index == last),
        resting=run.resting & ~((index >= first) & (index <= last)),
    )


def completed(rules: Rules, run: Run, history: Array) -> Run:
    """Deliver the pair that spans the chain, and begin the next one."""
    n = run.due.size
    index = jnp.arange(n)
    done = jnp.arange(run.intervals.size) == run.num_done
    started = run.started
    record = Record(
        born=jnp.where(done[:, None], history[:, 0] - started, run.record.born),
        swapped=jnp.where(done[:, None], history[:, 1] - started, run.record.swapped),
        completed=jnp.where(done, run.now - started, run.record.completed),
    )
    return dataclasses.replace(
        run,
        started=run.now,
        due=jnp.where(rules.together, jnp.inf, run.due),
        resting=jnp.zeros(n, bool),
        left=run.left & ~(rules.together | (index == 0)),
        right=run.right & ~(rules.together | (index == n - 1)),
        num_done=run.num_done + 1,
        record=record,
        intervals=jnp.where(done, run.now - started, run.intervals),
    )
