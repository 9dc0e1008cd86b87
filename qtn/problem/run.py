"""Evaluate and differentiate a problem: the numbers of the command line, as plain dictionaries."""

import math
from collections.abc import Iterable
from typing import Any, get_args

import jax
import jax.numpy as jnp

from qtn.evaluators.evaluate import evaluate as evaluate_chain
from qtn.evaluators.outcome import Result, Summary
from qtn.merit.age import storage_times
from qtn.merit.bounds import plob_rate, repeater_rate
from qtn.merit.chsh import chsh_value
from qtn.merit.entanglement import coherent_information, hashing_yield, log_negativity
from qtn.merit.entropy import NOTHING
from qtn.merit.fidelity import fidelity, qber_x, qber_y, qber_z
from qtn.merit.in_time import delivered_by
from qtn.merit.key_rate import delivered_pair, secret_fraction, secret_key_rate
from qtn.problem.evaluators import evaluator_name
from qtn.problem.join_rows import join_rows
from qtn.problem.link_rows import link_rows
from qtn.problem.names import chain_table, numeric_leaves, system_with, with_values
from qtn.problem.problem import Problem
from qtn.problem.schema import MeritName

QUANTILES = ("0.05", "0.5", "0.95")

MERITS: tuple[str, ...] = get_args(MeritName)
"""What can be differentiated by name."""


def merit(problem: Problem, name: str, result: Summary | Result, *, clip: bool) -> Any:
    """Return one named figure of merit."""
    pair = delivered_pair(result)
    table = {
        "secret_key_rate_hz": lambda: secret_key_rate(result, problem.fraction, clip=clip),
        "secret_fraction": lambda: secret_fraction(result, problem.fraction, clip=clip),
        "rate_hz": lambda: 1 / result.mean_time,
        "mean_time_s": lambda: result.mean_time,
        "fidelity": lambda: fidelity(pair),
        "qber_x": lambda: qber_x(pair),
        "qber_y": lambda: qber_y(pair),
        "qber_z": lambda: qber_z(pair),
        "log_negativity": lambda: log_negativity(pair),
        "coherent_information": lambda: coherent_information(pair),
        "hashing_yield": lambda: hashing_yield(pair),
        "chsh": lambda: chsh_value(pair),
    }
    return table[name]()


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
    chain = chain_table(problem, values or {})
    times = found.quantiles(jnp.array([float(level) for level in QUANTILES]))
    numbers = {name: float(merit(problem, name, found, clip=True)) for name in MERITS}
    rows = link_rows(chain)
    return numbers | {
        "bell_diagonal": [float(weight) for weight in found.bell_diagonal],
        "waiting_time_quantiles_s": dict(zip(QUANTILES, map(float, times), strict=True)),
        **bounds_on_key(problem, rows),
        **by_deadline(problem, found),
        **ages(problem, values or {}),
        "links": rows,
        "joins": join_rows(problem, values or {}, found.info),
        "info": found.info.numbers() | merit_errors(problem, found),
    }


def merit_errors(problem: Problem, found: Result, names: Iterable[str] = MERITS) -> dict[str, dict[str, float]]:
    """Return {"standard_errors": that of each figure of merit, unclipped}, where it is an estimate, else {}."""
    errors = {name: found.standard_error(lambda x, name=name: merit(problem, name, x, clip=False)) for name in names}
    known = {name: float(error) for name, error in errors.items() if error is not None}
    return {"standard_errors": known} if known else {}


def gradient(problem: Problem, of: str, values: dict[str, float] | None = None) -> dict[str, Any]:
    """Return value, derivatives and elasticities of a merit with respect to every number of a problem.

    Args:
        problem: the problem.
        of: one of `MERITS`; for key rates and fractions the value is clipped at 0, the derivatives are those of the
            unclipped figure.
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
        return merit(problem, of, result, clip=False), (merit(problem, of, result, clip=True), result.info)

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
