"""Join two pairs that must stay good enough: a pair is discarded when its fidelity falls below a minimum.

How long a pair may wait then depends on what was delivered, and so on when it was delivered.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from qtn._array import Array
from qtn.evaluators.cutoffs import postponed, window
from qtn.evaluators.join import Attempt, meet
from qtn.steps.step_map import StepMap
from qtn.tensors.recurrence import cumulative, decay_scan

BRACKETS_PER_OCTAVE = 4
FIRST_BRACKET = 2.0**-6
"""Ages at which the fidelity is looked at before its crossing is refined [steps]."""

NOTHING = 1e-60
"""A probability of delivery below which nothing is discarded: what it would change is less than rounding."""


def lasting(
    delivered: Float[Array, "k t"], rates: Float[Array, "k"], row: Float[Array, "k"], minimum: Float[Array, ""]
) -> tuple[Bool[Array, "t"], Float[Array, "t"]]:
    """Return which delivered pairs are good enough, and the age at which each ceases to be so.

    Args:
        delivered: (k, t), unnormalised states.
        rates: (k,), decay per step.
        row: (k,), fidelity = row . state / state[0].
        minimum: fidelity.

    Returns:
        (accepted, ages): both (t,); ages [steps] are inf where the fidelity stays above the minimum for longer than
        the grid.

    Note:
        Ages are differentiable (implicit function theorem), acceptance is not. The first crossing is found if the
        fidelity does not come back within a fifth of its age.
    """
    length = delivered.shape[1]
    there = delivered[0] > NOTHING
    state = jnp.where(there, delivered / jnp.where(there, delivered[0], 1.0), 1.0)

    def surplus(ages: Array) -> Array:
        return row @ (state * jnp.exp(-rates[:, None] * ages)) - minimum

    octaves = math.ceil(math.log2(2.0 * length / FIRST_BRACKET))
    ratio = 2.0 ** (1 / BRACKETS_PER_OCTAVE)

    def scan(j: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = carry
        age = FIRST_BRACKET * ratio**j
        below = surplus(jnp.full(length, age)) < 0
        found = jnp.isfinite(high)
        return jnp.where(found | below, low, age), jnp.where(~found & below, age, high)

    def halve(_: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = carry
        middle = (low + high) / 2
        below = surplus(middle) < 0
        return jnp.where(below, low, middle), jnp.where(below, middle, high)

    start = jnp.zeros(length), jnp.full(length, jnp.inf)
    low, high = jax.lax.fori_loop(0, octaves * BRACKETS_PER_OCTAVE + 1, scan, start)
    finite = jnp.isfinite(high)
    root, _ = jax.lax.fori_loop(0, 60, halve, (low, jnp.where(finite, high, low)))
    root = jax.lax.stop_gradient(root)
    slope = jax.lax.stop_gradient(row @ (state * jnp.exp(-rates[:, None] * root) * -rates[:, None]))
    moving = finite & (slope < 0)
    age = root - jnp.where(moving, surplus(root), 0.0) / jnp.where(moving, slope, 1.0)
    return jax.lax.stop_gradient(surplus(jnp.zeros(length)) >= 0), jnp.where(finite, age, jnp.inf)


@jax.jit
def join_faithful(
    first: Float[Array, "k t"],
    second: Float[Array, "k t"],
    step: StepMap,
    rates: Float[Array, "2 k"],
    rows: Float[Array, "2 k"],
    minimum: Float[Array, ""],
    lattice: Float[Array, ""],
) -> Attempt:
    """Join two pairs; discard both, and start anew, when one falls below a fidelity.

    A pair that is not good enough when it is delivered ends the attempt at once.

    Args:
        first: (k, t), delivered distribution of the first input.
        second: (k, t), of the second input.
        step: successful branch.
        rates: (2, k), decay per step of each input while waiting.
        rows: (2, k), fidelity of each input = row . state / state[0].
        minimum: fidelity.
        lattice: of the grid, see `TimeGrid`.

    References:
        Li, Coopmans, Elkouss, IEEE Trans. Quantum Eng. 2, 4103015 (2021), arXiv:2005.04946 (FIDELITY-CUT-OFF).
    """
    length = first.shape[1]
    time = jnp.arange(length)
    held, good, bad, expiring, cut_at_start = [], [], [], [], jnp.zeros(())
    for pair, rate, row in zip((first, second), rates, rows, strict=True):
        accepted, ages = lasting(pair, rate, row, minimum)
        taps = jax.vmap(lambda age: window(age, lattice, length))(jnp.maximum(ages, 0.0))
        kept = pair * accepted
        gone, expired = jnp.zeros_like(pair), jnp.zeros(length)
        for n, w in zip(taps.steps.T, taps.weights.T, strict=True):
            fade = jnp.exp(-rate[:, None] * (n + 1.0))
            gone = gone.at[:, time + n + 1].add(kept * w * fade, mode="drop")
            cut_at_start += jnp.sum(jnp.where(time + n < 0, w * kept[0], 0.0))
            expired = expired.at[jnp.where(time + n < 0, length, time + n)].add(kept[0] * w, mode="drop")
        held.append(decay_scan(kept - gone, rate))
        good.append(kept)
        bad.append(pair[0] * ~accepted)
        expiring.append(expired)
        lateness = taps.lateness[0]
    cut, rejected = jnp.zeros(length), -bad[0] * bad[1]
    for own, other in ((0, 1), (1, 0)):
        cut += expiring[own] * (1 - cumulative(good[other][0] + bad[other]))
        ended = bad[other] + expiring[other]
        rejected += bad[own] * (1 - cumulative(ended) + ended)
    cut = postponed(cut.at[0].add(cut_at_start), lateness)
    return meet(good[0], good[1], held, step, cut + rejected)
