"""What reports say of a chain besides quantities: its links, its joins, bounds of its loss, deadlines and ages."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from qtn._checks import real
from qtn.evaluators.delivery import delivering
from qtn.evaluators.renewal import Renewal
from qtn.links.chain import Chain
from qtn.links.link import Heralded
from qtn.merit.age import storage_times
from qtn.merit.bounds import plob_rate, repeater_rate
from qtn.merit.entropy import NOTHING
from qtn.merit.fidelity import fidelity, qber_x, qber_z
from qtn.merit.in_time import delivered_by
from qtn.merit.key_rate import delivered_pair
from qtn.problem.chain.code_rows import chance
from qtn.problem.chain.overpass import overpass_rows
from qtn.schedules.arguments import span
from qtn.schedules.text import to_text
from qtn.schedules.tree import Schedule, Swap, subtrees

LONGEST_TEXT = 80


def chain_rows(evaluation: Any, link_tables: list[tuple[Any, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return all of it by the names of `qtn evaluate --json`.

    Args:
        evaluation: of a problem whose root is a chain.
        link_tables: class and table of each link, from left to right, as they were evaluated.
    """
    links = link_rows(evaluation.system[0], link_tables)
    return {
        **bounds_on_key(evaluation.problem.config.merit, links),
        **by_deadline(evaluation.problem.config.merit.deadline_s, evaluation.result),
        **ages(evaluation),
        "links": links,
        "joins": join_rows(evaluation),
        **overpass_rows(evaluation, link_tables),
    }


def link_rows(chain: Chain, link_tables: list[tuple[Any, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return what each link delivers, one row each.

    Args:
        chain: as it was evaluated.
        link_tables: class and table of each link, from left to right.

    Returns:
        rows: {"link": position, "model", "length_km" or None, "eta" of the channel from end to end without the devices
            or None, "p_success" of an attempt, "attempt_time_s", "rate_hz" = p_success / attempt_time_s, "fidelity",
            "qber_x", "qber_z"}, and what links of its kind have besides: codes see `code_rows`.
    """
    rows, chain = [], delivering(chain)
    for position, (kind, table) in enumerate(link_tables):
        offer, eta = cast(Heralded, chain.link(position)), kind.transmissivity(table)
        pair = delivered_pair(offer)
        p_success, attempt_time = float(offer.p_success), float(offer.attempt_time)
        rows.append(
            {
                "link": position,
                "model": table["model"],
                "length_km": None if kind.way is None else float(kind.way(table)),
                "eta": None if eta is None else float(eta),
                "p_success": p_success,
                "attempt_time_s": attempt_time,
                "rate_hz": p_success / attempt_time,
                "fidelity": float(fidelity(pair)),
                "qber_x": chance(qber_x(pair)),
                "qber_z": chance(qber_z(pair)),
                **kind.details(table),
            }
        )
    return rows


def join_rows(evaluation: Any) -> list[dict[str, Any]]:
    """Return what each distinct swap or distillation of a tree delivers, one row each, children first.

    The time grid of the evaluation is used again.

    Returns:
        rows: {"join": text, or a short name where that is long, "links", "mean_time_s", "p_success" of one attempt,
            "fidelity", "qber_x", "qber_z", "whole": whether it is the last step}; [] where evaluators know no steps.
    """
    evaluator, info = evaluation.evaluator, evaluation.result.info
    if not isinstance(evaluator, Renewal):
        return []
    evaluator = dataclasses.replace(evaluator, step=float(info.step), num_steps=info.num_steps)
    chain, schedule = evaluation.system
    rows = []
    for join in evaluator.joins(chain, schedule):
        text = to_text(Schedule(tree=join.step, **schedule.numbers)) if len(subtrees(join.step)) < 12 else ""
        name = "swap" if isinstance(join.step, Swap) else f"distill ({join.step.protocol.name})"
        rows.append(
            {
                "join": text if 0 < len(text) <= LONGEST_TEXT else name,
                "links": span(join.step),
                "mean_time_s": float(join.mean_time),
                "p_success": float(join.p_success),
                "fidelity": float(fidelity(join.state)),
                "qber_x": chance(qber_x(join.state)),
                "qber_z": chance(qber_z(join.state)),
                "whole": join.step == schedule.tree,
            }
        )
    return rows


def bounds_on_key(merit: Any, rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return what the same loss allows at most: without repeaters, and with as many ideal ones at equal distances.

    Args:
        merit: the table [merit]; its `direct_loss_db` counts, or what light keeps over all links together.
        rows: of the links, see `link_rows`.
    """
    given, source_rate = merit.direct_loss_db, merit.direct_source_rate_hz
    names = ("plob_rate_hz", "repeater_rate_hz", "plob_bits_per_use", "repeater_bits_per_use")
    kept = [row["eta"] for row in rows]
    if given is None and (None in kept or math.prod(kept) >= 1):
        return dict.fromkeys(names)
    eta = real(math.prod(kept) if given is None else 10 ** (-given / 10))
    stations = sum(row["num_spacings"] - 1 for row in rows if "num_spacings" in row)  # those between the nodes
    per_use = float(plob_rate(eta, real(1.0))), float(repeater_rate(eta, len(rows) - 1 + stations, 1.0))
    rates = (None, None) if source_rate is None else [source_rate * each for each in per_use]
    return dict(zip(names, (*rates, *per_use), strict=True))


def by_deadline(deadline: float | None, found: Any) -> dict[str, Any]:
    """Return what comes of giving up at a deadline [s] and starting again; nothing where there is none.

    Returns:
        {"deadline": {"time_s", "probability" of a pair by then, "fidelity" of such pairs, "mean_time_s" =
        E[min(T, deadline)] / probability}}; the last two are None where nothing arrives in time.
    """
    found_in_time = found.in_time
    if deadline is None or found_in_time is None:
        return {}
    times, probabilities = np.asarray(found_in_time.times), np.asarray(found_in_time.probability)
    pair, probability = delivered_by(found_in_time, min(deadline, float(times[-1])))  # nothing comes after the grid
    kept = float(probability)
    early = float(np.sum(np.where(times <= deadline * (1 + 1e-12), times * probabilities, 0.0)))
    good = kept > NOTHING
    row = {
        "time_s": deadline,
        "probability": kept,
        "fidelity": float(fidelity(pair)) if good else None,
        "mean_time_s": (early + deadline * (1 - kept)) / kept if good else None,
    }
    return {"deadline": row}


def ages(evaluation: Any) -> dict[str, list[float]]:
    """Return how long qubits of delivered pairs were stored at each node [s], if `merit.ages` asks for it."""
    if not evaluation.problem.config.merit.ages:
        return {}
    try:
        times = storage_times(*evaluation.system, evaluator=evaluation.evaluator)
    except ValueError as error:
        raise ValueError(f"merit.ages: {error}") from error
    return {"storage_times_s": [float(time) for time in times]}
