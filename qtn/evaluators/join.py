"""The one compiled unit of the pair engine: two pairs that start together are joined when the later one is there.

Arrays are (k, num_steps): component 0 is a probability per step, the others are what the state level says. Times,
rates and cut-offs are in steps; nothing here knows seconds or physics.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qtn._pytree import pytree
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


@pytree
class Window:
    """A cut-off as a mixture of three whole cut-offs."""

    steps: Array
    """(3,), whole numbers of steps >= -1."""
    weights: Float[Array, "3"]
    lateness: Float[Array, ""]
    """How much later than min + cut-off (whole) a failed attempt ends, at most 1/2."""


def window(cutoff: Float[Array, ""], lattice: Float[Array, ""], num_steps: int) -> Window:
    """Return the mixture of whole cut-offs that stands for a real one.

    Where all delivery times are whole multiples of a whole `lattice` the grid is exact, and a cut-off between two
    multiples is the mixture of both. On other grids the true times lie anywhere inside their cells: the window
    |t1 - t2| <= cutoff then has the width 2 cutoff + lattice, its edge smeared by two uniform offsets (a
    quadratic B-spline).

    Args:
        cutoff: [steps], >= 0, inf = none.
        lattice: spacing of possible times [steps], 0 = none.
        num_steps: length of the grid; no cut-off is longer.
    """
    longest = num_steps + 2.0
    finite = cutoff < longest
    cutoff = jnp.where(finite, cutoff, longest)
    exact = (jnp.abs(lattice - jnp.round(lattice)) < 1e-9 * lattice) & (lattice > 0.5)
    unit = jnp.where(exact, lattice, 1.0)
    centre = jnp.where(exact, cutoff / unit, cutoff + lattice / 2 - 0.5)
    low = jax.lax.stop_gradient(jnp.where(exact, jnp.floor(centre + 1e-9), jnp.round(centre)))
    f = centre - low
    linear = jnp.stack([1 - f, f, 0 * f])
    spline = jnp.stack([(0.5 - f) ** 2 / 2, 0.75 - f**2, (0.5 + f) ** 2 / 2])
    first = jnp.where(exact, low, low - 1)
    return Window(
        steps=jnp.round(unit * (first + jnp.arange(3))).astype(int),
        weights=jnp.where(exact, linear, spline),
        lateness=jnp.where(exact, 0.0, 0.5 - lattice / 2),
    )


@jax.jit
def join(
    first: Float[Array, "k t"],
    second: Float[Array, "k t"],
    step_map: Float[Array, "k k k"],
    rates: Float[Array, "2 k"],
    cutoff: Float[Array, ""],
    lattice: Float[Array, ""],
) -> Attempt:
    """Join two independent deliveries by a bilinear step at the later arrival.

        success[t] = B(x, wy) + B(wx - x, y),  wx[t] = sum_{t - tau <= s <= t} D^(t - s) x[s],  wy likewise
        failure[t] = P(both there, within the cut-off, at t) - success_0[t] + P(cut off at t)

    Args:
        first: (k, t), delivered distribution of the first input (left, or kept).
        second: (k, t), of the second input (right, or consumed).
        step_map: (k, k, k), successful branch: out[c] = sum_ab map[c, a, b] first[a] second[b].
        rates: (2, k), decay per step of the first and second input while waiting; rates[:, 0] = 0.
        cutoff: longest wait of the earlier input [steps], inclusive; inf = none.
        lattice: of the grid, see `TimeGrid`.
    """
    num_components = first.shape[0]
    rate = rates.reshape(-1)
    waiting = decay_scan(jnp.concatenate([first, second]), rate)
    held, cut = jax.lax.cond(
        cutoff < first.shape[1],
        jax.checkpoint(cut_off),  # recomputed in reverse: nothing is stored for joins without a cut-off
        lambda waiting, mass, *_: (waiting, jnp.zeros_like(mass[0])),
        *(waiting, jnp.stack([first[0], second[0]]), rate, cutoff, lattice),
    )
    held_first, held_second = held[:num_components], held[num_components:]
    earlier = held_first - first

    def meeting(component: int) -> Float[Array, "k t"]:
        """Return each component of the first input times one of the second, when the later of them arrives."""
        return first * held_second[component] + earlier * second[component]

    # One product with k x k matrices per component of the second: twice as fast in reverse as one with all k^2.
    success = sum((step_map[:, :, j] @ meeting(j) for j in range(num_components)), start=jnp.zeros_like(first))
    return Attempt(success=success, failure=meeting(0)[0] - success[0] + cut)


def cut_off(
    waiting: Float[Array, "n t"],
    mass: Float[Array, "2 t"],
    rate: Float[Array, "n"],
    cutoff: Float[Array, ""],
    lattice: Float[Array, ""],
) -> tuple[Float[Array, "n t"], Float[Array, "t"]]:
    """Drop what is older than the cut-off, and return when attempts end because of it.

    Args:
        waiting: (2 k, t), both inputs summed over their past with decay.
        mass: (2, t), probability of arrival of each input.
        rate: (2 k,), decay per step.
        cutoff: [steps].
        lattice: spacing of arrival times [steps].

    Returns:
        (held, cut): what is still held, and the probability that an attempt is cut off at each time.
    """
    mixture = window(cutoff, lattice, mass.shape[1])
    taps = list(zip(mixture.weights, mixture.steps, strict=True))
    too_old = sum(w * jnp.exp(-rate * (age + 1))[:, None] * delayed(waiting, age + 1) for w, age in taps)
    survival = 1 - waiting[jnp.array([waiting.shape[0] // 2, 0])]
    cut = jnp.sum(sum(w * delayed(mass, age) for w, age in taps) * survival, axis=0)
    # The smallest whole cut-off is -1: what it cuts off at once, one step before the start, counts at the start.
    cut = cut.at[0].add(jnp.sum(mass[:, 0]) * jnp.sum(jnp.where(mixture.steps < 0, mixture.weights, 0.0)))
    return waiting - too_old, delay(cut[None], mixture.lateness)[0]


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
