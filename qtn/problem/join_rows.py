"""What each join of a schedule delivers, as rows of numbers for reports."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from qtn.evaluators.renewal import Renewal
from qtn.merit.fidelity import fidelity, qber_x, qber_z
from qtn.problem.names import with_values
from qtn.problem.problem import Problem
from qtn.schedules.arguments import span
from qtn.schedules.text import to_text
from qtn.schedules.tree import Schedule, Swap, subtrees

LONGEST_TEXT = 80


def join_rows(problem: Problem, values: Mapping[str, Any], info: Any) -> list[dict[str, Any]]:
    """Return one row for each distinct swap or distillation of a problem, children first.

    Args:
        problem: the problem.
        values: numbers to replace.
        info: of the outcome; the time grid of `Renewal()` is used again.

    Returns:
        rows: {"join": text, or a short name where that is long, "links", "mean_time_s", "p_success" of one attempt,
            "fidelity", "qber_x", "qber_z", "whole": whether it is the last step}; [] where evaluators know no steps.
    """
    if not isinstance(problem.evaluator, Renewal):
        return []
    evaluator = dataclasses.replace(problem.evaluator, step=float(info.step), num_steps=info.num_steps)
    chain, schedule = with_values(problem, values)
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
                "qber_x": float(qber_x(join.state)),
                "qber_z": float(qber_z(join.state)),
                "whole": join.step == schedule.tree,
            }
        )
    return rows
