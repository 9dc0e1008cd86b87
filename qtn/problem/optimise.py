"""Find the best values of the numbers that a problem names."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from qtn.evaluators.extrapolate import summarise_on
from qtn.evaluators.outcome import Summary
from qtn.evaluators.plan import GridPlan
from qtn.optimisation.checkpoint import Checkpoint
from qtn.optimisation.maximise import Fit, Progress, Settings, maximise
from qtn.planning.grids import search_plans
from qtn.problem.names import bounds, expand, numeric_leaves, with_values
from qtn.problem.problem import Problem
from qtn.problem.run import merits, outcome


def optimise(
    problem: Problem,
    *,
    settings: Settings = Settings(),
    report: Callable[[Progress], None] = lambda progress: None,
    key: Any = None,
    checkpoint: Checkpoint | None = None,
) -> Fit:
    """Maximise the merit of a problem over the numbers in its [optimise] table.

    The search runs on short grids whose error moves the optimum by its square only; the best
    settings are then evaluated at full resolution.

    Args:
        problem: with an [optimise] table.
        settings: starts, iterations, tolerances.
        report: called after each chunk of iterations.
        key: random key of the further starts; the first start is the file's.
        checkpoint: keeps the state after each chunk, so that a run that was killed goes on to the same answer.

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

    level = problem.level

    def objective(params: dict[str, Any], plan: GridPlan) -> Any:
        summary = without_reward_for_waiting(problem, summarise_on(plan, *with_values(problem, params), level))
        return merits(problem, summary, params, [table.maximise], clip=False)[table.maximise]

    fit = maximise(
        objective,
        initial,
        {name: bounds(problem, name) for name in names},
        settings=settings,
        context=lambda starts: search_plans([with_values(problem, numbers(start)) for start in starts], level),
        report=report,
        key=jax.random.key(0) if key is None else key,
        checkpoint=checkpoint,
    )
    candidates, name = [fit.params, initial], table.maximise
    values = [float(merits(problem, outcome(problem, each), each, [name], clip=False)[name]) for each in candidates]
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


def numbers(start: dict[str, Any]) -> dict[str, float]:
    """Return concrete numbers as floats."""
    return {name: float(value) for name, value in start.items()}
