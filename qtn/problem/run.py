"""Evaluate and differentiate a problem: the numbers of the command line, as plain dictionaries."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from qtn.evaluators.evaluate import evaluate as evaluate_chain
from qtn.evaluators.outcome import Result, Summary
from qtn.merit.age import storage_times
from qtn.merit.bounds import plob_rate, repeater_rate
from qtn.merit.entropy import NOTHING
from qtn.merit.fidelity import fidelity
from qtn.merit.in_time import delivered_by
from qtn.merit.quantities import delivered, values_of
from qtn.problem.evaluators import evaluator_name
from qtn.problem.join_rows import join_rows
from qtn.problem.link_rows import link_rows
from qtn.problem.names import chain_with, numeric_leaves, root_table, system_with, with_values
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of

QUANTILES = ("0.05", "0.5", "0.95")


def merits(
    problem: Problem,
    result: Summary | Result,
    values: Mapping[str, Any] | None = None,
    names: Iterable[str] | None = None,
    *,
    clip: bool,
) -> dict[str, Any]:
    """Return quantities of a result by name.

    Args:
        problem: its quantities, its chain and its key protocol count.
        result: what an evaluator returned.
        values: numbers that were replaced for this result; traced, if it is differentiated by them.
        names: which quantities; None = all.
        clip: whether those that people read from 0 on are cut there.
    """
    rows = quantities_of(problem.document)
    wanted = list(rows.values()) if names is None else [rows[name] for name in names]
    found = delivered(wanted, result, lambda: chain_with(problem, values or {}), problem.fraction)
    return values_of(wanted, found, clip=clip)


def outcome(problem: Problem, values: dict[str, float] | None = None) -> Result:
    """Evaluate a problem, with some numbers replaced."""
    return evaluate_chain(*system_with(problem, values or {}), evaluator=problem.evaluator)


def bounds_on_key(problem: Problem, rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return what the same loss allows at most: without repeaters, and with as many ideal ones at equal distances.

    Args:
        problem: the problem; its `merit.direct_loss_db` counts, or what light keeps over all links together.
        rows: of the links, see `link_rows`.
    """
    given, source_rate = problem.config.merit.direct_loss_db, problem.config.merit.direct_source_rate_hz
    names = ("plob_rate_hz", "repeater_rate_hz", "plob_bits_per_use", "repeater_bits_per_use")
    kept = [row["eta"] for row in rows]
    if given is None and (None in kept or math.prod(kept) >= 1):
        return dict.fromkeys(names)
    eta = jnp.asarray(math.prod(kept) if given is None else 10 ** (-given / 10))
    per_use = float(plob_rate(eta, jnp.asarray(1.0))), float(repeater_rate(eta, problem.chain.num_links - 1, 1.0))
    rates = (None, None) if source_rate is None else [source_rate * each for each in per_use]
    return dict(zip(names, (*rates, *per_use), strict=True))


def by_deadline(problem: Problem, found: Result) -> dict[str, Any]:
    """Return what comes of giving up at `merit.deadline_s` and starting again; nothing where there is none.

    Returns:
        {"deadline": {"time_s", "probability" of a pair by then, "fidelity" of such pairs, "mean_time_s" =
        E[min(T, deadline)] / probability}}; the last two are None where nothing arrives in time.
    """
    deadline, found_in_time = problem.config.merit.deadline_s, found.in_time
    if deadline is None or found_in_time is None:
        return {}
    times = found_in_time.times
    pair, probability = delivered_by(found_in_time, min(deadline, float(times[-1])))  # nothing comes after the grid
    kept = float(probability)
    early = float(jnp.sum(jnp.where(times <= deadline * (1 + 1e-12), times * found_in_time.probability, 0.0)))
    good = kept > NOTHING
    row = {
        "time_s": deadline,
        "probability": kept,
        "fidelity": float(fidelity(pair)) if good else None,
        "mean_time_s": (early + deadline * (1 - kept)) / kept if good else None,
    }
    return {"deadline": row}


def ages(problem: Problem, values: dict[str, float]) -> dict[str, list[float]]:
    """Return how long qubits of delivered pairs were stored at each node [s], if `merit.ages` asks for it."""
    if not problem.config.merit.ages:
        return {}
    try:
        chain, schedule = with_values(problem, values)
        times = storage_times(chain, schedule, evaluator=problem.evaluator)
    except ValueError as error:
        raise ValueError(f"merit.ages: {error}") from error
    return {"storage_times_s": [float(time) for time in times]}


def report_numbers(problem: Problem, found: Result, values: dict[str, float] | None = None) -> dict[str, Any]:
    """Return what `qtn evaluate` prints, as plain numbers.

    Args:
        problem: the problem.
        found: its outcome.
        values: numbers that were replaced for this outcome.
    """
    chain = root_table(problem, values or {})
    times = found.quantiles(jnp.array([float(level) for level in QUANTILES]))
    numbers = {name: float(value) for name, value in merits(problem, found, values, clip=True).items()}
    rows, errors = link_rows(chain), merit_errors(problem, found, values)
    return numbers | {
        "bell_diagonal": [float(weight) for weight in found.bell_diagonal],
        "waiting_time_quantiles_s": dict(zip(QUANTILES, map(float, times), strict=True)),
        **bounds_on_key(problem, rows),
        **by_deadline(problem, found),
        **ages(problem, values or {}),
        "links": rows,
        "joins": join_rows(problem, values or {}, found.info),
        "info": found.info.numbers() | ({"standard_errors": errors} if errors else {}),
    }


def merit_errors(
    problem: Problem,
    found: Result,
    values: Mapping[str, Any] | None = None,
    names: Iterable[str] | None = None,
) -> dict[str, float]:
    """Return the standard error of quantities (unclipped) by name, as in `merits`; nothing where they are exact."""

    def error(name: str) -> Any:
        return found.standard_error(lambda each: merits(problem, each, values, [name], clip=False)[name])

    errors = {name: error(name) for name in (quantities_of(problem.document) if names is None else names)}
    return {name: float(each) for name, each in errors.items() if each is not None}


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
        result = problem.evaluator.summarise(*system_with(problem, numbers))
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
