"""The numbers of the command line, as plain dictionaries: a problem evaluated, or differentiated."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from qtn.evaluators.grid import EQUAL, common_spacing
from qtn.evaluators.levels import MOST_WHOLE_LINKS, whole_level
from qtn.evaluators.renewal import Renewal
from qtn.evaluators.tape import backwards
from qtn.links.chain import Chain
from qtn.links.link import herald
from qtn.merit.quantities import Delivered, values_of
from qtn.problem.application.application import Application
from qtn.problem.cost import gains
from qtn.problem.edges import edges
from qtn.problem.evaluation import (
    Evaluation,
    evaluator_for,
    merit_errors,
    needs_time,
    result_of,
    used,
)
from qtn.problem.evaluators import evaluator_name
from qtn.problem.names import numeric_leaves, system_with
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of

QUANTILES = ("0.05", "0.5", "0.95")


def report_numbers(evaluation: Evaluation) -> dict[str, Any]:
    """Return what `qtn evaluate` prints, as plain numbers: quantities, quantiles, and what the root adds."""
    problem, found = evaluation.problem, evaluation.result
    times = found.quantiles(np.array([float(level) for level in QUANTILES]))
    wanted, whole = used(problem, found, evaluation.values)
    values = {name: float(value) for name, value in values_of(wanted, whole, clip=True).items()}
    numbers: dict[str, Any] = {
        name: None if name in evaluation.inexact or math.isnan(value) else value for name, value in values.items()
    }
    exact = [name for name, value in numbers.items() if value is not None]
    errors, use = merit_errors(problem, found, evaluation.values, exact), problem.config.application
    left_out = {"left_out": left_out_sentence(evaluation)} if evaluation.inexact else {}
    return (
        numbers
        | left_out
        | {
            **({"bell_diagonal": np.asarray(found.bell_diagonal).tolist()} if "fidelity" in numbers else {}),
            "waiting_time_quantiles_s": dict(zip(QUANTILES, np.asarray(times).tolist(), strict=True)),
            **problem.root.rows(evaluation),
            **({} if use is None else {"application": application_numbers(use, numbers, whole)}),
            "info": found.info.numbers() | ({"standard_errors": errors} if errors else {}),
        }
    )


def application_numbers(application: Application, numbers: dict[str, Any], whole: Delivered) -> dict[str, Any]:
    """Return what an application says of its quantities, what it draws, and what is wrong with the use of pairs."""
    drawn = {} if whole.setting is None else application.draws(whole.setting.application, whole.use)
    said = [*application.lines(numbers | drawn), *application.told(whole.use)]
    return {"model": application.model, "sentences": said, "warnings": application.warnings(whole.use), **drawn}


def left_out_sentence(evaluation: Evaluation) -> str:
    """Say which quantities were left out, why, and how to ask for them."""
    rows = quantities_of(evaluation.problem.document)
    *others, last = (rows[name].words for name in evaluation.inexact)
    given, level = evaluation.problem.config.evaluate.level, whole_level(*evaluation.system)
    if level is None:
        cure = "no state level holds them with these protocols"
    elif given and evaluation.problem.chain.num_links <= MOST_WHOLE_LINKS:
        cure = f"leave evaluate.level out, or set it to {level.name!r}"
    else:
        cure = f"ask for them with evaluate.level = {level.name!r}"
    which = f"{', '.join(others)} and {last}" if others else last
    return f"Left out: {which}, as they depend on more of the state than its Bell weights; {cure}."


def gradient(problem: Problem, of: str, values: dict[str, float] | None = None) -> dict[str, Any]:
    """Return value, derivatives and elasticities of a merit with respect to every number of a problem.

    Args:
        problem: the problem.
        of: name of a quantity; for key rates and fractions the value is clipped at 0, the derivatives are those of
            the unclipped figure.
        values: numbers to replace first.

    Returns:
        {"value", "gradient": {name: d merit / d number}, "elasticity": {name: x/f df/dx}, "gain": {name: change of
        the merit for 1 % better}, "edges": {name: {"slope", "step", "diverges"}}, "ties": [link, ...], "multiples":
        bool}, the elasticities largest first; those at 0 and infinity are left out; for "gain" see `gains`; and
        "warnings" of the application, where there is one. At the ends of ranges named in "edges" the derivative means
        nothing, and the slope over a finite step stands in its place; for "ties" and "multiples" see `lattice`.
    """
    return differentiate(problem, of, values)[0]


def differentiate(problem: Problem, of: str, values: dict[str, float] | None = None) -> tuple[dict[str, Any], Any]:
    """Return what `gradient` returns, and how good the time grid was."""
    leaves = numeric_leaves(problem) | (values or {})
    if evaluator_name(problem.config) != "renewal":
        # swaps that never fail are a premise of Asap(), and no sample shows how they would
        leaves = {name: x for name, x in leaves.items() if not (name.endswith(".swap.p_success") and x == 1.0)}

    sloped = slopes_of(problem, of)
    (raw, (clipped, info, use)), slopes = sloped(leaves)
    exact = not hasattr(info, "num_samples")  # samples have standard errors, and no slopes to be compared
    ends = edges(problem, leaves, lambda numbers: unclipped(sloped(numbers)), (float(raw), slopes)) if exact else {}
    slopes |= {name: end.slope for name, end in ends.items()}
    relative = {
        name: leaves[name] * slopes[name] / float(raw)
        for name in leaves
        if leaves[name] != 0 and math.isfinite(leaves[name]) and float(raw) != 0
    }
    ordered = dict(sorted(relative.items(), key=lambda item: -abs(item[1])))
    found = {"value": float(clipped), "gradient": {name: slopes[name] for name in leaves}, "elasticity": ordered}
    found["gain"] = gains(leaves, slopes)
    described = {"edges": {name: vars(end) for name, end in ends.items()}, **lattice(system_with(problem, leaves)[0])}
    if problem.config.application is not None and use is not None:
        described["warnings"] = problem.config.application.warnings(use)
    if problem.root.routed:
        described["path"] = list(problem.root.route(problem.document[problem.root_key]))
    return found | described, info


def lattice(system: Any) -> dict[str, Any]:
    """Return which links of a chain deliver on common times, where slopes by one attempt time alone have two sides.

    Returns:
        {"ties": links that take as long as the fastest, [] if it is alone: their derivatives average both sides,
        "multiples": whether other links take whole multiples of a common time: theirs are one-sided}.
    """
    if not isinstance(system, Chain) or len(system.links) == 1:
        return {"ties": [], "multiples": False}
    times = np.array([float(herald(link).attempt_time) for link in system.links])
    fastest = times <= times.min() * (1 + EQUAL)
    ties = np.flatnonzero(fastest).tolist() if fastest.sum() > 1 else []
    return {"ties": ties, "multiples": not fastest.all() and common_spacing(times.tolist()) > 0}


def unclipped(found: tuple[tuple[Any, Any], dict[str, float]]) -> tuple[float, dict[str, float]]:
    """Return the unclipped merit and its slopes."""
    (raw, _), slopes = found
    return float(raw), slopes


Sloped = Callable[[Mapping[str, float]], tuple[tuple[Any, tuple[Any, Any, Any]], dict[str, float]]]
"""Numbers -> (unclipped merit, (merit as people read it, errors of the evaluation, what the application made of it)),
and its slope by each number."""


def slopes_of(problem: Problem, of: str) -> Sloped:
    """Return a merit of a problem as a function of its numbers, with its slopes."""
    evaluator = evaluator_for(problem, [of])

    def judged(result: Any, numbers: dict[str, Any]) -> tuple[Any, tuple[Any, Any, Any]]:
        wanted, whole = used(problem, result, numbers, [of])
        raw, read = (values_of(wanted, whole, clip=clip)[of] for clip in (False, True))
        return raw, (read, result.info, whole.use)

    def target(numbers: dict[str, Any]) -> tuple[Any, tuple[Any, Any, Any]]:
        return judged(result_of(problem, evaluator, system_with(problem, numbers)), numbers)

    whole = jax.value_and_grad(target, has_aux=True)
    last = jax.jit(jax.value_and_grad(judged, (0, 1), has_aux=True))

    @jax.jit
    def pulled(numbers: dict[str, Any], seeds: list[Any]) -> dict[str, Any]:
        return jax.vjp(lambda numbers: jax.tree.leaves(system_with(problem, numbers)), numbers)[1](seeds)[0]

    def sloped(given: Mapping[str, float]) -> tuple[tuple[Any, tuple[Any, Any, Any]], dict[str, float]]:
        numbers = {name: np.float64(x) for name, x in given.items()}
        if not isinstance(evaluator, Renewal):
            value, slopes = whole(numbers)
            return value, {name: float(slope) for name, slope in slopes.items()}
        own: dict[str, Any] = {}

        def judge(result: Any) -> tuple[Any, Any]:
            value, (seeds, direct) = last(result, numbers)
            own.update(direct)
            return value, seeds

        evaluate = evaluator.evaluate if needs_time(problem) else evaluator.summarise
        value, seeds = backwards(evaluate, system_with(problem, numbers), judge)
        through = pulled(numbers, jax.tree.leaves(seeds))
        return value, {name: float(through[name]) + float(own[name]) for name in numbers}

    return sloped
