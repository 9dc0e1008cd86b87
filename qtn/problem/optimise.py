"""Find the best values of the numbers that a problem names."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from qtn.evaluators.choose import find_horizon, time_scales
from qtn.evaluators.extrapolate import summarise_on
from qtn.evaluators.outcome import Summary
from qtn.evaluators.plan import LADDER, GridPlan
from qtn.optimisation.maximise import Fit, Progress, Settings, maximise
from qtn.problem.names import bounds, expand, numeric_leaves, with_values
from qtn.problem.problem import Problem
from qtn.problem.run import merit, outcome
from qtn.steps.level import BELL_DIAGONAL

EXACT_STEPS = 4096
"""Grids up to this length are used exactly during the search."""

SEARCH_ERROR = 1e-3
"""Largest grid error during the search; the winner is evaluated at full resolution."""


def optimise(
    problem: Problem,
    *,
    settings: Settings = Settings(),
    report: Callable[[Progress], None] = lambda progress: None,
    key: Any = None,
) -> Fit:
    """Maximise the merit of a problem over the numbers in its [optimise] table.

    The search runs on short grids whose error is below `SEARCH_ERROR`, which moves the optimum by its square; the
    best settings are then evaluated at full resolution.

    Args:
        problem: with an [optimise] table.
        settings: starts, iterations, tolerances.
        report: called after each chunk of iterations.
        key: random key of the further starts; the first start is the file's.

    Returns:
        The best settings by dotted name, the merit there at full resolution (clipped at 0), history and status.
    """
    table = problem.config.optimise
    if table is None:
        raise ValueError("optimise: is missing; add [optimise] with `parameters = [...]`")
    names = expand(problem, table.parameters)
    leaves = numeric_leaves(problem)
    initial = {name: leaves[name] for name in names}
    for name, value in initial.items():
        if not math.isfinite(value):
            raise ValueError(f"{name}: must be finite to be optimised, but is {value}")
    if not initial:
        raise ValueError("optimise.parameters: names nothing; list at least one number")

    def objective(params: dict[str, Any], plan: GridPlan) -> Any:
        summary = summarise_on(plan, *with_values(problem, params), BELL_DIAGONAL)
        return merit(problem, table.maximise, without_reward_for_waiting(problem, summary), clip=False)

    fit = maximise(
        objective,
        initial,
        {name: bounds(problem, name) for name in names},
        settings=settings,
        context=lambda starts: search_plans(problem, starts),
        report=report,
        key=jax.random.key(0) if key is None else key,
    )
    candidates = [fit.params, initial]
    values = [float(merit(problem, table.maximise, outcome(problem, each), clip=False)) for each in candidates]
    best = 0 if values[0] >= values[1] else 1
    return dataclasses.replace(fit, params=candidates[best], value=max(values[best], 0.0))


def without_reward_for_waiting(problem: Problem, summary: Summary) -> Summary:
    """Hide the slope of the mean time where there is no key yet.

    There the unclipped key rate, negative key over mean time, would rise by waiting for ever; the way out is a better
    state. Values are unchanged.
    """
    keyless = problem.fraction(summary.bell_diagonal) <= 0
    fixed = jax.lax.stop_gradient(summary.mean_time)
    return dataclasses.replace(summary, mean_time=jnp.where(keyless, fixed, summary.mean_time))


def search_plans(problem: Problem, starts: list[dict[str, Any]]) -> list[GridPlan]:
    """Return a grid plan for each start, all of one shape, so that the starts run in one compiled program."""
    systems = [with_values(problem, {name: float(value) for name, value in start.items()}) for start in starts]
    scales = [time_scales(*system) for system in systems]
    horizons = [find_horizon(*system, BELL_DIAGONAL, scale) for system, scale in zip(systems, scales, strict=True)]
    spacing = min(scale.spacing for scale in scales)
    parts = (
        max(horizon / scale.spacing for horizon, scale in zip(horizons, scales, strict=True)) if spacing else math.inf
    )
    if parts <= EXACT_STEPS:
        length = next(length for length in LADDER if length >= parts)
        return [GridPlan(grids=(scale.grid(scale.spacing, length),)) for scale in scales]
    for length in LADDER[1:5]:
        plans = [scale.extrapolation(horizon, length) for horizon, scale in zip(horizons, scales, strict=True)]
        alike = [with_structure_of(plans[0], plan) for plan in plans]
        error = float(summarise_on(alike[0], *systems[0], BELL_DIAGONAL).info.grid_error)
        if error <= SEARCH_ERROR:
            break
    return alike


def with_structure_of(first: GridPlan, plan: GridPlan) -> GridPlan:
    """Return a plan with the static numbers of another: during a search they only place edges of cut-offs."""
    return jax.tree.unflatten(jax.tree.structure(first), jax.tree.leaves(plan))
