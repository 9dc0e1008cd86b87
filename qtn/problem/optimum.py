"""The optimise job of a sweep: the best settings at one point."""

from collections.abc import Mapping
from typing import Any

import jax

from qtn.problem.jobs import Job
from qtn.problem.load import changed
from qtn.problem.names import with_values
from qtn.problem.optimise import optimise
from qtn.problem.planner import needs_planning, plan
from qtn.problem.problem import Problem
from qtn.problem.run import merits
from qtn.problem.structures import override


def optimum(problem: Problem, numbers: Mapping[str, float], job: Job, index: int) -> tuple[dict[str, float], str]:
    """Optimise a problem at one point.

    Args:
        problem: of the structure of the point.
        numbers: dotted name -> value at this point.
        job: which merits are kept.
        index: global index of the point; starts are drawn from `fold_in(key(seed), index)`.

    Returns:
        (columns, reason): merits and best settings by column name, and why it failed ("" = it did not).

    Raises:
        KeyboardInterrupt: if the user interrupted the search.
    """
    try:
        here = changed(problem, [override(name, value) for name, value in numbers.items()])
        found, values, reason, interrupted = _planned(here) if needs_planning(here) else _moved(here, job.seed, index)
        if interrupted:
            raise KeyboardInterrupt
        summary = found.evaluator.summarise(*with_values(found, values))
    except ValueError as error:
        return {}, str(error)
    columns = {name: float(x) for name, x in merits(found, summary, values, job.outputs, clip=True).items()}
    columns |= {f"best_{name}": values[name] for name in job.derivatives}
    columns |= {"grid_error": float(summary.info.grid_error), "tail_mass": float(summary.info.tail_mass)}
    return columns, reason


def _moved(problem: Problem, seed: int, index: int) -> tuple[Problem, dict[str, float], str, bool]:
    """Move numbers of a given schedule."""
    fit = optimise(problem, key=jax.random.fold_in(jax.random.key(seed), index))
    return problem, {name: float(value) for name, value in fit.params.items()}, "", fit.interrupted


def _planned(problem: Problem) -> tuple[Problem, dict[str, float], str, bool]:
    """Search for a schedule, or meet limits."""
    result = plan(problem)
    best: Any = result.best
    reason = f"the limits are not met: {result.status}" if best.violation > 0 else ""
    values = {name: float(value) for name, value in best.values.items() if not name.startswith("schedule.")}
    return problem.with_schedule(best.schedule), values, reason, result.interrupted
