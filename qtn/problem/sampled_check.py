"""Check an optimum by sampling it: a second evaluator that shares nothing with the first but the physics of steps."""

import dataclasses
from collections.abc import Mapping

from qtn.evaluators.outcome import Result
from qtn.evaluators.sampled.evaluator import Sampled
from qtn.merit.fidelity import fidelity
from qtn.problem.names import with_values
from qtn.problem.problem import Problem

NUM_SAMPLES = 4096


@dataclasses.dataclass(frozen=True)
class SampledCheck:
    """What sampling says of an optimum."""

    num_samples: int
    mean_time: tuple[float, float]
    """Sampled mean waiting time and its standard error [s]."""
    fidelity: tuple[float, float]
    """Sampled fidelity and its standard error."""
    deviation: float
    """Larger of the deviations of both from the exact values, in standard errors."""
    refused: str = ""
    """Why the optimum cannot be sampled, if it cannot; then all numbers are nan."""


def sampled_check(problem: Problem, values: Mapping[str, float], found: Result) -> SampledCheck:
    """Sample a problem with a schedule, with some numbers replaced, and compare it with its exact outcome.

    Args:
        problem: with a schedule.
        values: numbers to replace.
        found: the exact outcome for the same numbers.
    """
    try:
        sampled = Sampled(NUM_SAMPLES).evaluate(*with_values(problem, values))
    except (ValueError, NotImplementedError) as error:
        nothing = (float("nan"), float("nan"))
        return SampledCheck(0, nothing, nothing, float("nan"), str(error))
    pairs, deviations = list[tuple[float, float]](), list[float]()
    for of in (lambda each: each.mean_time, lambda each: fidelity(each.state)):
        value, error, exact = float(of(sampled)), float(sampled.standard_error(of)), float(of(found))
        pairs.append((value, error))
        # An error of 0 is one that so few samples do not show: count deviations from rounding on.
        deviations.append(abs(value - exact) / max(error, 1e-9 * abs(exact)))
    return SampledCheck(NUM_SAMPLES, pairs[0], pairs[1], max(deviations))
