"""Evaluate on several grids and extrapolate in the square of their step, with a bound on what is left."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qtn._pytree import pytree
from qtn.evaluators.fold import Fold, Run, apply, heralded_links
from qtn.evaluators.grid import common_spacing
from qtn.evaluators.join import Moments, deliver, moments
from qtn.evaluators.outcome import Info, Outcome, Summary
from qtn.evaluators.plan import GridPlan
from qtn.hardware.node import Node
from qtn.links.chain import Chain
from qtn.links.link import Heralded
from qtn.schedules.tree import Schedule
from qtn.steps.level import Level

ROUNDING = 1e-12
"""Relative error of an exact grid: rounding in a few thousand additions and one Fourier transform."""

MOST_TAIL = 1e-3
"""Probability that an attempt outlasts a grid, up to which `values_on` believes it."""


@pytree
class Root:
    """What one grid says of the root of a schedule."""

    values: Float[Array, "17"]
    """Mean time [s] and Pauli coefficients of the delivered pair."""

    lifetime: Float[Array, ""]
    """Mean time of the slowest step below the root [s]."""

    tail_mass: Float[Array, ""]
    """Largest probability that an attempt outlasts the grid."""


@partial(jax.jit, static_argnames="level")
def root_values(level: Level, summary: Moments, ends: tuple[Node, Node], step: Float[Array, ""]) -> Float[Array, "17"]:
    """Return mean time [s] and Pauli coefficients of what the root delivers."""
    state = level.to_pauli(summary.state, *ends)
    return jnp.concatenate([(summary.mean_steps * step)[None], state.reshape(16)])


def root(fold: Fold) -> Root:
    """Evaluate the root of a schedule by renewal-reward."""
    summary = fold.run(moments, fold.root())
    values = fold.run(root_values, fold.level, summary, fold.chain_ends, fold.step)
    tails = jnp.stack([*fold.tails, summary.tail_mass])
    return Root(values=values, lifetime=jnp.max(jnp.stack(fold.lifetimes)), tail_mass=jnp.max(tails))


def summarise_on(plan: GridPlan, chain: Chain, schedule: Schedule, level: Level) -> Summary:
    """Evaluate on given grids; pure, for use under any JAX transformation."""
    heralded = heralded_links(chain)
    folds = [Fold(chain, schedule, heralded, grid, level) for grid in plan.grids]
    roots = [root(fold) for fold in folds]
    values = jnp.stack([root.values for root in roots])
    longest = jnp.max(jnp.stack([h.attempt_time for h in heralded])) / folds[0].step
    best, error = extrapolated(plan, values, longest)
    if plan.finest.unequal and schedule.cutoff_times.size and len(plan.grids) > 1:
        error = error + 2 * staggering(plan, chain, schedule, level, values[0])  # either way
    return summary_of(plan, best, error, jnp.stack([root.tail_mass for root in roots]), folds[0].step)


def summary_of(
    plan: GridPlan, best: Float[Array, "17"], error: Array, tails: Float[Array, "n"], step: Float[Array, ""]
) -> Summary:
    """Return mean time [s] and Pauli coefficients as a summary, with the largest of some tail masses."""
    info = Info(
        tail_mass=jax.lax.stop_gradient(jnp.max(tails)),
        grid_error=jax.lax.stop_gradient(error),
        step=step,
        num_steps=plan.finest.num_steps,
        num_grids=len(plan.grids) if plan.extrapolated else 1,
    )
    return Summary(mean_time=best[0], state=best[1:].reshape(4, 4), info=info)


def values_on(
    plan: GridPlan, chain: Chain, schedule: Schedule, heralded: tuple[Heralded, ...], level: Level, run: Run = apply
) -> Float[Array, "17"]:
    """Return mean time [s] and Pauli coefficients on given grids without their errors, one compiled piece at a time.

    The best values of `summarise_on`; `run` may follow the pieces, to go back through them. NaN where the grids are too
    short: waiting looks like no waiting there.
    """
    roots = [root(Fold(chain, schedule, heralded, grid, level, run)) for grid in plan.grids]
    if max(float(each.tail_mass) for each in roots) > MOST_TAIL:
        return jnp.full(17, jnp.nan)
    found = [each.values for each in roots]
    return run(combined, found, mixture(plan)) if plan.extrapolated else found[0]


def outcome_on(
    plan: GridPlan, chain: Chain, schedule: Schedule, heralded: tuple[Heralded, ...], level: Level, run: Run = apply
) -> Outcome:
    """Return `values_on` with what is delivered at each time of the finest grid; its errors are NaN."""
    values = values_on(plan, chain, schedule, heralded, level, run)
    return in_time(Fold(chain, schedule, heralded, plan.finest, level, run), values)


def in_time(fold: Fold, values: Float[Array, "17"]) -> Outcome:
    """Return what a fold delivers at each time, with mean time and mean state as given; its errors are NaN."""
    attempt = fold.root()
    mean_steps = jax.lax.stop_gradient(fold.run(moments, attempt).mean_steps)
    return fold.run(outcome_of, fold.level, values, fold.run(deliver, attempt, mean_steps), fold.chain_ends, fold.step)


@partial(jax.jit, static_argnames="level")
def outcome_of(
    level: Level,
    values: Float[Array, "17"],
    delivered: Float[Array, "k t"],
    ends: tuple[Node, Node],
    step: Float[Array, ""],
) -> Outcome:
    """Return vectors of a level at each grid time as an outcome."""
    unknown = jnp.full((), jnp.nan)
    return Outcome(
        mean_time=values[0],
        state=values[1:].reshape(4, 4),
        times=step * jnp.arange(delivered.shape[1]),
        probability=delivered[0],
        states=jnp.moveaxis(level.to_pauli(delivered, *ends), -1, 0),
        info=Info(tail_mass=unknown, grid_error=unknown, step=step, num_steps=delivered.shape[1]),
    )


@jax.jit
def combined(values: list[Float[Array, "17"]], weights: Float[Array, "g"]) -> Float[Array, "17"]:
    """Return the weighted sum of values on several grids."""
    return weights @ jnp.stack(values)


def mixture(plan: GridPlan) -> Float[Array, "g"]:
    """Return the weight of each grid in the extrapolation."""
    return richardson(*_squares(plan))


def _squares(plan: GridPlan) -> tuple[Float[Array, "g"], Float[Array, ""]]:
    """Return the square of the step of each grid in units of the finest, and that of the true spacing."""
    squares = jnp.stack([jnp.asarray(grid.ratio / plan.finest.ratio) ** 2 for grid in plan.grids])
    lattice = plan.finest.lattice(range(len(plan.finest.attempts)), range(len(plan.finest.waits)))
    return squares, jnp.minimum(lattice, 1.0) ** 2


def staggering(
    plan: GridPlan, chain: Chain, schedule: Schedule, level: Level, values: Float[Array, "17"]
) -> Float[Array, ""]:
    """Bound what a coarse grid cannot know about cut-offs between links whose attempts are not in step.

    True times lie on interleaved lattices, and how many of them fall just inside a cut-off depends on their phases:
    an uncertainty of an attempt (or of one grid step) in the cut-off, if the attempt times have a common
    spacing; else phases are spread evenly and only about p of it is left.
    """
    chain, schedule = jax.lax.stop_gradient((chain, schedule))
    heralded = heralded_links(chain)
    step = plan.finest.step(heralded)
    longest = jnp.max(jnp.stack([h.attempt_time for h in heralded]))
    later = schedule.cutoff_times + jnp.minimum(longest, step)
    moved = root(Fold(chain, dataclasses.replace(schedule, cutoff_times=later), heralded, plan.finest, level))
    change = jnp.max(jnp.abs(moved.values - jax.lax.stop_gradient(values)) / _scale(values))
    if common_spacing(plan.finest.attempts) > 0:
        return change
    return change * jnp.minimum(4 * jnp.max(jnp.stack([h.p_success for h in heralded])), 1.0)


def _scale(values: Float[Array, "17"]) -> Float[Array, "17"]:
    """Return what errors are relative to: the mean time itself, and 1 for the coefficients."""
    return jnp.concatenate([jax.lax.stop_gradient(values[:1]), jnp.ones(16)])


def richardson(squares: Float[Array, "g"], target: Float[Array, ""]) -> Float[Array, "g"]:
    """Return the weights of the polynomial through points at `squares`, evaluated at `target`."""
    own, other = squares[:, None], squares[None, :]
    same = jnp.eye(squares.size, dtype=bool)
    return jnp.prod(jnp.where(same, 1.0, (target - other) / jnp.where(same, 1.0, own - other)), axis=1)


def extrapolated(
    plan: GridPlan, values: Float[Array, "g 17"], attempt_steps: Float[Array, ""]
) -> tuple[Float[Array, "17"], Float[Array, ""]]:
    """Extrapolate values on several grids in the square of the step, with a bound on the error left.

    The bias of a step dt is a smooth series in dt^2 - a^2, where a is the spacing of the true times. Unequal links
    and cut-offs make a^2 uncertain by at most the square of the longest attempt. The bound is four times the
    disagreement of shorter extrapolations, plus that uncertainty, plus the square of the bias itself.

    Args:
        plan: the grids.
        values: (num_grids, 17), mean time and Pauli coefficients on each.
        attempt_steps: longest attempt time in units of the finest step.

    Returns:
        (values, error): extrapolated values, and a bound on the relative error of the mean time and the absolute
        error of the Pauli coefficients, which no Bell weight exceeds.
    """
    if len(plan.grids) == 1:
        return values[0], jnp.asarray(ROUNDING)
    scale = _scale(values[0])
    squares, target = _squares(plan)

    def through(points: list[int]) -> Float[Array, "17"]:
        index = jnp.array(points)
        return richardson(squares[index], target) @ values[index]

    best = through([0, 1, 2]) if plan.extrapolated else values[0]
    guesses = jnp.stack([through([0, i]) for i in range(1, len(plan.grids))])
    spread = jnp.max(jnp.abs(guesses - best), axis=0) / scale
    bias = jnp.max(jnp.abs(values - best), axis=0) / scale
    phase = jnp.minimum(attempt_steps, 1.0) ** 2 * (4 if plan.finest.unequal else 1)
    return best, jnp.max(4 * spread + phase * bias + 8 * bias**2) + ROUNDING
