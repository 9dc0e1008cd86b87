"""The optimise job of a sweep: the best settings at one point."""

from collections.abc import Mapping
from typing import Any

from qtn.problem.choice import chosen
from qtn.problem.evaluation import evaluator_for, merits, result_of
from qtn.problem.jobs import Job
from qtn.problem.load import changed
from qtn.problem.names import system_with
from qtn.problem.planner import optimise
from qtn.problem.problem import Problem
from qtn.problem.structures import override


def optimum(problem: Problem, numbers: Mapping[str, float], job: Job, index: int) -> tuple[dict[str, float], str]:
    """Optimise a problem at one point.

    Args:
        problem: of the structure of the point.
        numbers: dotted name -> value at this point.
        job: which merits are kept.
        index: global index of the point; further starts are drawn from (seed, index).

    Returns:
        (columns, reason): merits and best settings by column name, and why it failed ("" = it did not).

    Raises:
        KeyboardInterrupt: if the user interrupted the search.
    """
    try:
        here = changed(problem, [override(name, value) for name, value in numbers.items()])
        result = optimise(here, seed=(job.seed, index))
        if result.interrupted:
            raise KeyboardInterrupt
        best = result.best
        found = chosen(here, best)
        values = {name: float(value) for name, value in best.values.items() if not name.startswith("schedule.")}
        summary: Any = result_of(found, evaluator_for(found, job.outputs), system_with(found, values))
    except ValueError as error:
        return {}, str(error)
    columns = {name: float(x) for name, x in merits(found, summary, values, job.outputs, clip=True).items()}
    every = {**best.values, **best.whole}
    columns |= {f"best_{name}": float(every[name]) for name in job.derivatives}
    columns |= {"grid_error": float(summary.info.grid_error), "tail_mass": float(summary.info.tail_mass)}
    return columns, f"the limits are not met: {result.status}" if best.violation > 0 else ""
