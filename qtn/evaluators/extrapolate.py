"""Evaluate on several grids and extrapolate in the square of their step, with a bound on what is left."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from qtn._array import Array, library
from qtn._checks import constant, largest, real
from qtn._pytree import pytree
from qtn.evaluators.delivery import Run, apply, delivered_links, delivering
from qtn.evaluators.fold import Fold
from qtn.evaluators.grid import common_spacing
from qtn.evaluators.join import Moments, deliver, moments
from qtn.evaluators.outcome import Info, Outcome, Summary
from qtn.evaluators.plan import GridPlan
from qtn.hardware.node import Node
from qtn.links.chain import Chain
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
    lifetimes = [mean * unit for mean, unit in constant(fold.lifetimes)]
    return Root(values=values, lifetime=largest(lifetimes), tail_mass=largest([*fold.tails, summary.tail_mass]))


def summarise_on(plan: GridPlan, chain: Chain, schedule: Schedule, level: Level, run: Run = apply) -> Summary:
    """Evaluate on given grids; pure, for use under any JAX transformation; `run` may follow the compiled pieces."""
    return folded(plan, chain, schedule, level, run)[1]


def folded(
    plan: GridPlan, chain: Chain, schedule: Schedule, level: Level, run: Run = apply
) -> tuple[Fold, Summary, Float[Array, "17"]]:
    """Evaluate on given grids.

    Returns:
        (fold, summary, values): what the finest grid delivers, and mean time [s] and Pauli coefficients of all grids
        together, as a summary and as one array.
    """
    chain = delivering(chain, run)
    folds = [Fold(chain, schedule, grid, level, run) for grid in plan.grids]
    roots = [root(fold) for fold in folds]
    values, tails = [each.values for each in roots], [each.tail_mass for each in roots]
    unsure: Any = np.float64(0.0)
    if plan.finest.unequal and schedule.cutoff_times.size and len(plan.grids) > 1:
        unsure = 2 * staggering(plan, chain, schedule, level, values[0])  # either way
    longest = largest([each.attempt_time for each in folds[0].heralded])
    return folds[0], *finished(plan, values, tails, longest, folds[0].step, unsure, run)


def finished(
    plan: GridPlan,
    values: Sequence[Float[Array, "17"]],
    tails: Sequence[Float[Array, ""]],
    longest: Float[Array, "*n"],
    step: Float[Array, ""],
    unsure: Any = np.float64(0.0),
    run: Run = apply,
) -> tuple[Summary, Float[Array, "17"]]:
    """Return what several grids say together.

    Args:
        plan: the grids.
        values: mean time [s] and Pauli coefficients on each.
        tails: probability that an attempt outlasts each grid.
        longest: attempt time [s], or all of them.
        step: of the finest grid [s].
        unsure: what else is uncertain, relative.
        run: applies the one compiled piece.

    Returns:
        (summary, values): mean time [s] and Pauli coefficients, also as one array.
    """
    squares, target = _squares(plan)
    flags = plan.extrapolated, plan.finest.unequal
    found = run(_finished, list(values), list(tails), squares, target, longest, step, unsure, *flags)
    best, mean_time, state, error, tail_mass = found
    info = Info(
        tail_mass=tail_mass,
        grid_error=error,
        step=step,
        num_steps=plan.finest.num_steps,
        num_grids=len(plan.grids) if plan.extrapolated else 1,
    )
    return Summary(mean_time=mean_time, state=state, info=info), best


@partial(jax.jit, static_argnames=("extrapolate", "unequal"))
def _finished(
    values: list[Float[Array, "17"]],
    tails: list[Float[Array, ""]],
    squares: Float[Array, "g"],
    target: Float[Array, ""],
    longest: Float[Array, "*n"],
    step: Float[Array, ""],
    unsure: Float[Array, ""],
    extrapolate: bool,
    unequal: bool,
) -> tuple[Array, ...]:
    """Return the best values, whole and in parts, their error and the largest tail mass."""
    best, error = extrapolated(jnp.stack(values), squares, target, jnp.max(longest) / step, extrapolate, unequal)
    error, tail_mass = jax.lax.stop_gradient((error + unsure, jnp.max(jnp.stack(tails))))
    return best, best[0], best[1:].reshape(4, 4), error, tail_mass


def values_on(plan: GridPlan, chain: Chain, schedule: Schedule, level: Level, run: Run = apply) -> Float[Array, "17"]:
    """Return mean time [s] and Pauli coefficients on given grids without their errors, one compiled piece at a time.

    The best values of `summarise_on`; `run` may follow the pieces, to go back through them. NaN where the grids are too
    short: waiting looks like no waiting there.
    """
    chain = delivering(chain, run)
    roots = [root(Fold(chain, schedule, grid, level, run)) for grid in plan.grids]
    if max(float(each.tail_mass) for each in roots) > MOST_TAIL:
        return real(np.full(17, np.nan))
    found = [each.values for each in roots]
    return run(combined, found, mixture(plan)) if plan.extrapolated else found[0]


def outcome_on(plan: GridPlan, chain: Chain, schedule: Schedule, level: Level, run: Run = apply) -> Outcome:
    """Return `values_on` with what is delivered at each time of the finest grid; its errors are NaN."""
    chain = delivering(chain, run)
    values = values_on(plan, chain, schedule, level, run)
    return in_time(Fold(chain, schedule, plan.finest, level, run), values)


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
    lattice = plan.finest.lattice(range(len(plan.finest.attempts)), range(len(plan.finest.waits)))
    xp = library(lattice, [grid.ratio for grid in plan.grids])
    squares = xp.stack([xp.asarray(grid.ratio / plan.finest.ratio) ** 2 for grid in plan.grids])
    return squares, xp.minimum(lattice, 1.0) ** 2


def staggering(
    plan: GridPlan,
    chain: Chain,
    schedule: Schedule,
    level: Level,
    values: Float[Array, "17"],
) -> Float[Array, ""]:
    """Bound what a coarse grid cannot know about cut-offs between links whose attempts are not in step.

    True times lie on interleaved lattices, and how many of them fall just inside a cut-off depends on their phases:
    an uncertainty of an attempt (or of one grid step) in the cut-off, if the attempt times have a common
    spacing; else phases are spread evenly and only about p of it is left.
    """
    chain, schedule = constant((chain, schedule))
    heralded = delivered_links(chain)
    step = plan.finest.step([each.attempt_time for each in heralded])
    longest = largest([each.attempt_time for each in heralded])
    later = schedule.cutoff_times + library(longest, step).minimum(longest, step)
    moved = root(Fold(chain, dataclasses.replace(schedule, cutoff_times=later), plan.finest, level))
    share = np.float64(1.0)
    if common_spacing(plan.finest.attempts) == 0:
        likeliest = largest([each.p_success for each in heralded])
        share = library(likeliest).minimum(4 * likeliest, 1.0)
    found, before = constant((moved.values, values))
    xp = library(found, before)
    return share * xp.max(xp.abs(found - before) / xp.where(np.arange(17) == 0, before[0], 1.0))


def _scale(values: Float[Array, "17"]) -> Float[Array, "17"]:
    """Return what errors are relative to: the mean time itself, and 1 for the coefficients."""
    return jnp.concatenate([jax.lax.stop_gradient(values[:1]), jnp.ones(16)])


def richardson(squares: Float[Array, "g"], target: Float[Array, ""]) -> Float[Array, "g"]:
    """Return the weights of the polynomial through points at `squares`, evaluated at `target`."""
    own, other, xp = squares[:, None], squares[None, :], library(squares, target)
    same = np.eye(squares.size, dtype=bool)
    return xp.prod(xp.where(same, 1.0, (target - other) / xp.where(same, 1.0, own - other)), axis=1)


def extrapolated(
    values: Float[Array, "g 17"],
    squares: Float[Array, "g"],
    target: Float[Array, ""],
    attempt_steps: Float[Array, ""],
    extrapolate: bool,
    unequal: bool,
) -> tuple[Float[Array, "17"], Float[Array, ""]]:
    """Extrapolate values on several grids in the square of the step, with a bound on the error left.

    The bias of a step dt is a smooth series in dt^2 - a^2, where a is the spacing of the true times. Unequal links
    and cut-offs make a^2 uncertain by at most the square of the longest attempt. The bound is four times the
    disagreement of shorter extrapolations, plus that uncertainty, plus the square of the bias itself.

    Args:
        values: mean time and Pauli coefficients on each grid.
        squares: of the steps, in units of the finest.
        target: square of the spacing of the true times.
        attempt_steps: longest attempt time in units of the finest step.
        extrapolate: whether the best values are extrapolated; else they are those of the finest grid.
        unequal: whether links differ in attempt time, or something waits for a fixed time.

    Returns:
        (values, error): extrapolated values, and a bound on the relative error of the mean time and the absolute
        error of the Pauli coefficients, which no Bell weight exceeds.
    """
    if len(values) == 1:
        return values[0], jnp.asarray(ROUNDING)
    scale = _scale(values[0])

    def through(points: list[int]) -> Float[Array, "17"]:
        index = jnp.array(points)
        return richardson(squares[index], target) @ values[index]

    best = through([0, 1, 2]) if extrapolate else values[0]
    guesses = jnp.stack([through([0, i]) for i in range(1, len(values))])
    spread = jnp.max(jnp.abs(guesses - best), axis=0) / scale
    bias = jnp.max(jnp.abs(values - best), axis=0) / scale
    phase = jnp.minimum(attempt_steps, 1.0) ** 2 * (4 if unequal else 1)
    return best, jnp.max(4 * spread + phase * bias + 8 * bias**2) + ROUNDING
