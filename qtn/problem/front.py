"""The front between two merits: the best of one for a ladder of least values of the other."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from qtn.optimisation.checkpoint import Checkpoint
from qtn.planning.front import pareto
from qtn.problem.planner import Choice, Show, plan
from qtn.problem.problem import Problem
from qtn.problem.schema import Minimum, Optimise

NAMES = {
    "rate": "rate_hz",
    "fidelity": "fidelity",
    "key_rate": "secret_key_rate_hz",
    "secret_fraction": "secret_fraction",
}
"""What a front can be drawn between; the full names are understood as well."""


@dataclasses.dataclass(frozen=True)
class Front:
    """Points none of which is better than another in both merits, from the largest `first` to the largest `second`."""

    first: str
    second: str
    choices: tuple[Choice, ...]
    interrupted: bool = False


def read_names(text: str) -> tuple[str, str]:
    """Read "rate,fidelity".

    Raises:
        ValueError: if these are not two different merits.
    """
    names = [NAMES.get(part.strip(), part.strip()) for part in text.split(",")]
    if len(names) != 2 or names[0] == names[1] or not set(names) <= set(NAMES.values()):
        raise ValueError(f"--front: must name two of {', '.join(NAMES)}, such as rate,fidelity, but is {text!r}")
    return names[0], names[1]


def front(
    problem: Problem,
    first: str,
    second: str,
    *,
    num_points: int = 9,
    report: Show = lambda phase, best, done: None,
    checkpoint: Checkpoint | None = None,
) -> Front:
    """Return the front between two merits of a problem with an [optimise] table.

    Both ends come first; between them `first` is maximised with `second` at least on an even ladder. Other limits of
    the file hold throughout.

    Args:
        problem: its schedules, numbers and limits are used; what it maximises is not.
        first: name of a merit.
        second: name of another.
        num_points: points asked for, both ends included; fewer where some coincide.
        report: as in `plan`, with the number of the point in front.
        checkpoint: as in `plan`.
    """
    table = problem.config.optimise or Optimise(parameters=[])
    limits = table.minimum.model_dump(exclude_none=True) if table.minimum else {}
    limits = {name: value for name, value in limits.items() if name not in (first, second)}

    def best(maximise: str, minimum: Mapping[str, float], number: int) -> Any:
        wanted: dict[str, Any] = {"maximise": maximise, "minimise": None, "minimum": Minimum(**{**limits, **minimum})}
        config = problem.config.model_copy(update={"optimise": table.model_copy(update=wanted)})
        asked = dataclasses.replace(problem, config=config)
        return plan(
            asked,
            report=lambda *news: report(f"point {number} of {num_points}: {news[0]}", *news[1:]),
            checkpoint=checkpoint and checkpoint.section(f"point-{number:03d}"),
        )

    ends = best(first, {}, 1)
    found, interrupted = [ends.best], ends.interrupted
    if not interrupted:
        ends = best(second, {}, num_points)
        found.append(ends.best)
        interrupted = ends.interrupted
    low, high = found[0].merits[second], found[-1].merits[second]
    for number, level in enumerate(np.linspace(low, high, num_points)[1:-1].tolist(), 2):
        if interrupted or level <= 0:
            continue
        point = best(first, {second: level}, number)
        interrupted = point.interrupted
        found.append(point.best)
    feasible = [choice for choice in found if choice.violation == 0]
    losses = np.array([[-choice.merits[first], -choice.merits[second]] for choice in feasible])
    kept = [feasible[index] for index in pareto(losses)] if feasible else []
    ordered = sorted(kept, key=lambda choice: choice.merits[second])
    return Front(first, second, tuple(ordered), interrupted)
