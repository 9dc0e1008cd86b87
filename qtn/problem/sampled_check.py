"""Check an optimum by sampling it: a second evaluator that shares nothing with the first but the physics of steps."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from qtn.evaluators.outcome import Outcome
from qtn.evaluators.sampled.evaluator import Sampled
from qtn.merit.fidelity import fidelity
from qtn.problem.names import with_values
from qtn.problem.problem import Problem
from qtn.states.basis import BELL_SIGNS

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


def sampled_check(problem: Problem, values: Mapping[str, float], found: Outcome) -> SampledCheck:
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
    covariance = np.asarray(sampled.info.covariance)
    weights = np.zeros(17)
    weights[[1, 6, 11, 16]] = BELL_SIGNS / 4  # fidelity = (r_II + r_XX - r_YY + r_ZZ) / 4
    times = float(sampled.mean_time), float(np.sqrt(covariance[0, 0]))
    fidelities = float(fidelity(sampled.state)), float(np.sqrt(weights @ covariance @ weights))
    exact = float(found.mean_time), float(fidelity(found.state))
    # An error of 0 is one that so few samples do not show: count deviations from rounding on.
    deviations = [
        abs(value - true) / max(error, 1e-9 * abs(true))
        for (value, error), true in zip((times, fidelities), exact, strict=True)
    ]
    return SampledCheck(NUM_SAMPLES, times, fidelities, max(deviations))
