"""How long a pair that came first may wait: sharp ages, soft ages, and pairs that must stay good enough.

A cut-off says which part of the past is still held, and when attempts end because of it. Times are in steps.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from qtn._array import Array
from qtn._pytree import pytree
from qtn.tensors.recurrence import convolve, cumulative, delay, delayed


@pytree
class Taps:
    """A real time as a mixture of whole ones."""

    steps: Array
    """(n,), whole numbers of steps >= -1."""
    weights: Float[Array, "n"]
    lateness: Float[Array, ""]
    """How much later than those steps what happens then ends, at most 1/2."""


def _unit(lattice: Float[Array, ""]) -> tuple[Array, Float[Array, ""]]:
    """Return whether the grid holds all delivery times, and the spacing to mix over."""
    exact = (jnp.abs(lattice - jnp.round(lattice)) < 1e-9 * lattice) & (lattice > 0.5)
    return exact, jnp.where(exact, lattice, 1.0)


def _clipped(time: Float[Array, ""], num_steps: int) -> Float[Array, ""]:
    longest = num_steps + 2.0
    finite = time < longest
    return jnp.where(finite, jnp.where(finite, time, 0.0), longest)


def window(cutoff: Float[Array, ""], lattice: Float[Array, ""], num_steps: int) -> Taps:
    """Return the mixture of three whole cut-offs that stands for a real one, on the difference of two times.

    Where all delivery times are whole multiples of a whole `lattice` the grid is exact, and a cut-off between two
    multiples is the mixture of both. On other grids the true times lie anywhere inside their cells: the window
    |t1 - t2| <= cutoff then has the width 2 cutoff + lattice, its edge smeared by two uniform offsets (a
    quadratic B-spline).

    Args:
        cutoff: [steps], >= 0, inf = none.
        lattice: spacing of possible times [steps], 0 = none.
        num_steps: length of the grid; no cut-off is longer.
    """
    cutoff = _clipped(cutoff, num_steps)
    exact, unit = _unit(lattice)
    centre = jnp.where(exact, cutoff / unit, cutoff + lattice / 2 - 0.5)
    low = jax.lax.stop_gradient(jnp.where(exact, jnp.floor(centre + 1e-9), jnp.round(centre)))
    f = centre - low
    linear = jnp.stack([1 - f, f, 0 * f])
    spline = jnp.stack([(0.5 - f) ** 2 / 2, 0.75 - f**2, (0.5 + f) ** 2 / 2])
    first = jnp.where(exact, low, low - 1)
    return Taps(
        steps=jnp.round(unit * (first + jnp.arange(3))).astype(int),
        weights=jnp.where(exact, linear, spline),
        lateness=jnp.where(exact, 0.0, 0.5 - lattice / 2),
    )


def edge(limit: Float[Array, ""], lattice: Float[Array, ""], num_steps: int) -> Taps:
    """Return the mixture of two whole limits that stands for a real one, on a single time.

    As `window`, for t <= limit: its edge lies at limit + lattice / 2, smeared by one uniform offset.
    """
    limit = _clipped(limit, num_steps)
    exact, unit = _unit(lattice)
    centre = jnp.where(exact, limit / unit, limit + lattice / 2 - 0.5)
    low = jax.lax.stop_gradient(jnp.floor(centre + jnp.where(exact, 1e-9, 0.0)))
    f = centre - low
    return Taps(
        steps=jnp.round(unit * (low + jnp.arange(2))).astype(int),
        weights=jnp.stack([1 - f, f]),
        lateness=jnp.where(exact, 0.0, 0.5 - lattice / 2),
    )


@pytree
class Survival:
    """A soft cut-off: what is left at each whole age, and how much was discarded just before it."""

    left: Float[Array, "t"]
    """Chance to survive each age; left[0] = 1."""
    late: Float[Array, "t"]
    """Chance to be discarded between the last age and this one, as far as it counts at this one."""
    early: Float[Array, "t"]
    """The rest of that chance: counts one step earlier, so that the mean time of discarding is exact."""


def survival(cutoff: Float[Array, ""], width: Float[Array, ""], num_steps: int) -> Survival:
    """Return the logistic survival S(a) = (1 + exp(-tau / w)) / (1 + exp((a - tau) / w)) on the grid.

    The hazard -S'/S rises from about 0 to 1 / w around the age tau.

    Args:
        cutoff: tau [steps]; inf = never.
        width: w > 0 [steps].
        num_steps: length of the grid.
    """
    cutoff = _clipped(cutoff, 64 * num_steps)
    age = jnp.arange(num_steps, dtype=float)
    left = jnp.exp(jax.nn.log_sigmoid((cutoff - age) / width) - jax.nn.log_sigmoid(cutoff / width))
    scale = jnp.exp(-jax.nn.log_sigmoid(cutoff / width))
    lived = scale * width * (jax.nn.log_sigmoid((age - cutoff) / width) - jax.nn.log_sigmoid(-cutoff / width))
    gone = left[:-1] - left[1:]
    # `lived` is the integral of S up to each age; by parts, the mean age of discarding within a step.
    inside = lived[1:] - lived[:-1] - left[1:]
    late = jnp.concatenate([jnp.zeros(1), inside])
    early = jnp.concatenate([jnp.zeros(1), gone - inside])
    return Survival(left=left, late=late, early=early)


def hold_sharp(
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
    alive = 1 - waiting[jnp.array([waiting.shape[0] // 2, 0])]
    cut = jnp.sum(sum(w * delayed(mass, age) for w, age in taps) * alive, axis=0)
    # The smallest whole cut-off is -1: what it cuts off at once, one step before the start, counts at the start.
    cut = cut.at[0].add(jnp.sum(mass[:, 0]) * jnp.sum(jnp.where(mixture.steps < 0, mixture.weights, 0.0)))
    return waiting - too_old, postponed(cut, mixture.lateness)


def hold_soft(
    inputs: Float[Array, "n t"],
    mass: Float[Array, "2 t"],
    rate: Float[Array, "n"],
    cutoff: Float[Array, ""],
    width: Float[Array, ""],
) -> tuple[Float[Array, "n t"], Float[Array, "t"]]:
    """Return what a soft cut-off leaves of the past, and when attempts end because of it.

    Args:
        inputs: (2 k, t), what arrives.
        mass: (2, t), its probability.
        rate: (2 k,), decay per step.
        cutoff: age at which a pair survives with chance 1/2 [steps].
        width: of the transition [steps].

    Note:
        Exact on a grid that holds all arrival times: a pair may be discarded at any real age, of which the mean
        is kept.
    """
    num_steps = inputs.shape[1]
    kernel = survival(cutoff, width, num_steps)
    age = jnp.arange(num_steps)
    held = convolve(inputs, kernel.left * jnp.exp(-rate[:, None] * age))
    arrived = jax.vmap(cumulative)(mass)[::-1]
    missing = 1 - delayed(arrived, jnp.asarray(1))  # the other pair was not there one step before
    late = jnp.sum(convolve(mass, kernel.late[None]) * missing, axis=0)
    early = jnp.sum(convolve(mass, kernel.early[None]) * missing, axis=0)
    return held, late + delayed(early[None], jnp.asarray(-1))[0]


def postponed(probability: Float[Array, "t"], steps: Float[Array, ""]) -> Float[Array, "t"]:
    """Delay a distribution by a real number of steps."""
    return delay(probability[None], steps)[0]
