"""The one compiled unit of the pair engine: two pairs that start together are joined when the later one is there.

Arrays are (k, num_steps): component 0 is a probability per step, the others are what the state level says. Times,
rates and cut-offs are in steps; nothing here knows seconds or physics.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.evaluators.cutoffs import edge, hold_sharp, hold_soft, postponed
from qtn.steps.step_map import Places, StepMap
from qtn.tensors.recurrence import decay_scan, delay, delayed, repeat_until_success


@pytree
class Attempt:
    """One attempt of a step, from both inputs starting at time 0 to its end."""

    success: Float[Array, "k t"]
    """What a success at each time delivers, unnormalised."""

    failure: Float[Array, "t"]
    """Probability that the attempt fails at each time."""


@pytree
class Moments:
    """What renewal-reward needs of an attempt that is repeated until it succeeds."""

    mean_steps: Float[Array, ""]
    """Mean time to success [steps]: E[one attempt] / P(success)."""

    state: Float[Array, "k"]
    """Mean delivered state, state[0] = 1."""

    p_success: Float[Array, ""]
    """Probability that one attempt succeeds."""

    tail_mass: Float[Array, ""]
    """Probability that one attempt outlasts the grid."""


@jax.jit
def join(
    first: Float[Array, "k t"],
    second: Float[Array, "k t"],
    step: StepMap,
    rates: Float[Array, "2 k"],
    cutoff: Float[Array, ""] | None = None,
    lattice: Float[Array, ""] | None = None,
) -> Attempt:
    """Join two independent deliveries by a bilinear step at the later arrival.

        success[t] = B(x, wy) + B(wx - x, y),  wx[t] = sum_{t - tau <= s <= t} D^(t - s) x[s],  wy likewise
        failure[t] = P(both there, within the cut-off, at t) - success_0[t] + P(cut off at t)

    Args:
        first: (k, t), delivered distribution of the first input (left, or kept).
        second: (k, t), of the second input (right, or consumed).
        step: successful branch B.
        rates: (2, k), decay per step of the first and second input while waiting; rates[:, 0] = 0.
        cutoff: longest wait of the earlier input [steps], inclusive; inf or None = none.
        lattice: of the grid, see `TimeGrid`; used with a cut-off.
    """
    if cutoff is None:
        held = decay_scan(first, rates[0]), decay_scan(second, rates[1])
        return meet(first, second, held, step, jnp.zeros(first.shape[1]))
    rate = rates.reshape(-1)
    waiting = decay_scan(jnp.concatenate([first, second]), rate)
    both, cut = jax.lax.cond(
        cutoff < first.shape[1],
        jax.checkpoint(hold_sharp),  # recomputed in reverse: nothing is stored for joins without a cut-off
        lambda waiting, mass, *_: (waiting, jnp.zeros_like(mass[0])),
        *(waiting, jnp.stack([first[0], second[0]]), rate, cutoff, lattice),
    )
    return meet(first, second, jnp.split(both, 2), step, cut)


@jax.jit
def join_soft(
    first: Float[Array, "k t"],
    second: Float[Array, "k t"],
    step: StepMap,
    rates: Float[Array, "2 k"],
    cutoff: Float[Array, ""],
    width: Float[Array, ""],
) -> Attempt:
    """Join as `join` does, with a soft cut-off of this width [steps], see `qtn.evaluators.cutoffs.survival`."""
    inputs, mass = jnp.concatenate([first, second]), jnp.stack([first[0], second[0]])
    held, cut = hold_soft(inputs, mass, rates.reshape(-1), cutoff, width)
    return meet(first, second, jnp.split(held, 2), step, cut)


def meet(
    first: Float[Array, "k t"],
    second: Float[Array, "k t"],
    held: Sequence[Float[Array, "k t"]],
    step: StepMap,
    cut: Float[Array, "t"],
) -> Attempt:
    """Apply a bilinear step when the later of two pairs arrives.

    Args:
        first: (k, t), arrivals.
        second: (k, t).
        held: what of each is there at each time, arrivals included.
        step: successful branch.
        cut: (t,), probability that an attempt ends early.
    """
    earlier = held[0] - first
    if step.places is None:
        success, there = _all_terms(first, second, earlier, held[1], step.entries)
    else:
        success, there = _few_terms(first, second, earlier, held[1], step.entries, step.places)
    return Attempt(success=success, failure=there - success[0] + cut)


def _all_terms(
    first: Float[Array, "k t"],
    second: Float[Array, "k t"],
    earlier: Float[Array, "k t"],
    held: Float[Array, "k t"],
    entries: Float[Array, "k k k"],
) -> tuple[Float[Array, "k t"], Float[Array, "t"]]:
    """Return (what a success delivers, probability that both are there) when the later of two pairs arrives."""

    def meeting(component: int) -> Float[Array, "k t"]:
        """Return each component of the first input times one of the second."""
        return first * held[component] + earlier * second[component]

    # One product with k x k matrices per component of the second: twice as fast in reverse as one with all k^2.
    success = sum((entries[:, :, j] @ meeting(j) for j in range(len(first))), start=jnp.zeros_like(first))
    return success, meeting(0)[0]


def _few_terms(
    first: Float[Array, "k t"],
    second: Float[Array, "k t"],
    earlier: Float[Array, "k t"],
    held: Float[Array, "k t"],
    entries: Float[Array, "k k k"],
    places: Places,
) -> tuple[Float[Array, "k t"], Float[Array, "t"]]:
    """Return the same as a sum over the places; rows are split once, so that the reverse pass joins them once."""
    arriving, following, waiting, present = (_rows(each) for each in (first, second, earlier, held))
    pairs = {
        (a, b): arriving[a] * present[b] + waiting[a] * following[b] for a, b in {(0, 0), *(p[1:] for p in places)}
    }
    values = _rows(entries[tuple(np.transpose(places))])
    terms: list[list[Array]] = [[] for _ in first]
    for value, (c, a, b) in zip(values, places, strict=True):
        terms[c].append(value * pairs[a, b])
    nothing = jnp.zeros_like(first[0])
    return jnp.stack([sum(row[1:], start=row[0]) if row else nothing for row in terms]), pairs[0, 0]


def _rows(array: Array) -> list[Array]:
    """Return array[0], array[1], ..."""
    return [jnp.squeeze(row, 0) for row in jax.lax.split(array, (1,) * len(array))]


@jax.jit
def moments(attempt: Attempt) -> Moments:
    """Return mean time and mean state of an attempt repeated until it succeeds (renewal-reward; exact)."""
    ended = attempt.success[0] + attempt.failure
    total = attempt.success.sum(axis=1)
    mean = jnp.dot(jnp.arange(ended.size), ended)
    return Moments(
        mean_steps=mean / total[0],
        state=total / total[0],
        p_success=total[0],
        tail_mass=jnp.maximum(1 - ended.sum(), 0.0),
    )


@jax.jit
def deliver(attempt: Attempt, lifetime: Float[Array, ""]) -> Float[Array, "k t"]:
    """Return what is delivered at each time when every failure restarts both inputs."""
    return repeat_until_success(attempt.success, attempt.failure, lifetime)


@jax.jit
def wait(delivered: Float[Array, "k t"], rates: Float[Array, "1 k"], steps: Float[Array, ""]) -> Float[Array, "k t"]:
    """Keep a delivered pair for `steps` before anyone uses it."""
    return delay(delivered, steps) * jnp.exp(-rates[0] * steps)[:, None]


@jax.jit
def late(attempt: Attempt, rates: Float[Array, "1 k"], steps: Float[Array, ""]) -> Attempt:
    """Let `steps` pass before success or failure is known; a pair that was made decays meanwhile."""
    return Attempt(success=wait(attempt.success, rates, steps), failure=postponed(attempt.failure, steps))


@jax.jit
def truncated(attempt: Attempt, limit: Float[Array, ""], lattice: Float[Array, ""]) -> Attempt:
    """Give up an attempt that has not ended after `limit` steps.

    Args:
        attempt: of any step.
        limit: longest run time [steps], inclusive; inf = none.
        lattice: of the grid, see `TimeGrid`.
    """
    length = attempt.failure.size
    taps = edge(limit, lattice, length)
    times = jnp.arange(length)
    inside = (times <= taps.steps[:, None]).astype(float)
    ended = inside @ (attempt.success[0] + attempt.failure)
    given_up = jnp.where(taps.steps < length, taps.weights * (1 - ended), 0.0)
    start = (times == 0).astype(float)[None]
    at_limit = jnp.zeros(length)
    for weight, step in zip(given_up, taps.steps, strict=True):
        at_limit += weight * delayed(start, jnp.maximum(step, 0))[0]
    kept = taps.weights @ inside
    return Attempt(success=attempt.success * kept, failure=attempt.failure * kept + postponed(at_limit, taps.lateness))
