"""The numbers of the command line, as plain dictionaries: a problem evaluated, or differentiated."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from qtn.problem.evaluation import Evaluation, merit_errors, merits, result_of
from qtn.problem.evaluators import evaluator_name
from qtn.problem.names import numeric_leaves, system_with
from qtn.problem.problem import Problem

QUANTILES = ("0.05", "0.5", "0.95")


def report_numbers(evaluation: Evaluation) -> dict[str, Any]:
    """Return what `qtn evaluate` prints, as plain numbers: quantities, quantiles, and what the root adds."""
    problem, found = evaluation.problem, evaluation.result
    times = found.quantiles(jnp.array([float(level) for level in QUANTILES]))
    numbers = {name: float(value) for name, value in merits(problem, found, evaluation.values, clip=True).items()}
    errors, use = merit_errors(problem, found, evaluation.values), problem.config.application
    return numbers | {
        "bell_diagonal": [float(weight) for weight in found.bell_diagonal],
        "waiting_time_quantiles_s": dict(zip(QUANTILES, map(float, times), strict=True)),
        **problem.root.rows(evaluation),
        **({} if use is None else {"application": {"model": use.model, "sentences": use.lines(numbers)}}),
        "info": found.info.numbers() | ({"standard_errors": errors} if errors else {}),
    }


def gradient(problem: Problem, of: str, values: dict[str, float] | None = None) -> dict[str, Any]:
    """Return value, derivatives and elasticities of a merit with respect to every number of a problem.

    Args:
        problem: the problem.
        of: name of a quantity; for key rates and fractions the value is clipped at 0, the derivatives are those of
            the unclipped figure.
        values: numbers to replace first.

    Returns:
        {"value", "gradient": {name: d merit / d number}, "elasticity": {name: x/f df/dx}}, the elasticities largest
        first; those at 0 and infinity are left out.
    """
    return differentiate(problem, of, values)[0]


def differentiate(problem: Problem, of: str, values: dict[str, float] | None = None) -> tuple[dict[str, Any], Any]:
    """Return what `gradient` returns, and how good the time grid was."""
    leaves = numeric_leaves(problem) | (values or {})
    if evaluator_name(problem.config) != "renewal":
        # swaps that never fail are a premise of Asap(), and no sample shows how they would
        leaves = {name: x for name, x in leaves.items() if not (name.endswith(".swap.p_success") and x == 1.0)}

    def target(numbers: dict[str, Any]) -> tuple[Any, Any]:
        result = result_of(problem, problem.evaluator, system_with(problem, numbers))
        raw, read = (merits(problem, result, numbers, [of], clip=clip)[of] for clip in (False, True))
        return raw, (read, result.info)

    (raw, (clipped, info)), slopes = jax.value_and_grad(target, has_aux=True)(leaves)
    slopes = {name: float(slope) for name, slope in slopes.items()}
    relative = {
        name: leaves[name] * slopes[name] / float(raw)
        for name in leaves
        if leaves[name] != 0 and math.isfinite(leaves[name]) and float(raw) != 0
    }
    ordered = dict(sorted(relative.items(), key=lambda item: -abs(item[1])))
    found = {"value": float(clipped), "gradient": {name: slopes[name] for name in leaves}, "elasticity": ordered}
    return found, info
