"""The front between two merits: the best of one for a ladder of least values of the other."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from qtn.optimisation.checkpoint import Checkpoint
from qtn.planning.candidates import schedule_of
from qtn.planning.front import pareto
from qtn.planning.leaders import evaluate_leader
from qtn.problem.names import chain_with
from qtn.problem.planner import Choice, Planner, Show, optimise
from qtn.problem.problem import Problem
from qtn.problem.schema import Minimum, Optimise

NAMES = {
    "rate": "rate_hz",
    "fidelity": "fidelity",
    "key_rate": "secret_key_rate_hz",
    "secret_fraction": "secret_fraction",
}
"""What a front can be drawn between; the full names are understood as well."""

PURE = ("fidelity", "secret_fraction", "secret_key_rate_hz", "rate_hz")
"""Merits in the order in which they allow long waiting times."""


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
    the file hold throughout. Where no number is tuned one search serves all points.

    Args:
        problem: its schedules, numbers and limits are used; what it maximises is not.
        first: name of a merit.
        second: name of another.
        num_points: points asked for, both ends included; fewer where some coincide.
        report: as in `optimise`, with the number of the point in front.
        checkpoint: as in `optimise`.
    """
    table = problem.config.optimise or Optimise(parameters=[])
    limits = table.minimum.model_dump(exclude_none=True) if table.minimum else {}
    limits = {name: value for name, value in limits.items() if name not in (first, second)}

    def best(maximise: str, minimum: Mapping[str, float], number: int) -> Any:
        wanted: dict[str, Any] = {"maximise": maximise, "minimise": None, "minimum": _limits({**limits, **minimum})}
        config = problem.config.model_copy(update={"optimise": table.model_copy(update=wanted)})
        asked = dataclasses.replace(problem, config=config)
        return optimise(
            asked,
            report=lambda *news: report(f"point {number} of {num_points}: {news[0]}", *news[1:]),
            checkpoint=checkpoint and checkpoint.section(f"point-{number:03d}"),
        )

    search = table.search
    if search is not None and not table.parameters and not search.cutoffs and search.method != "beam":
        pure = min((first, second), key=PURE.index)
        config = problem.config.model_copy(
            update={
                "optimise": table.model_copy(update={"maximise": pure, "minimise": None, "minimum": _limits(limits)})
            }
        )
        return _of_one_search(
            dataclasses.replace(problem, config=config), first, second, num_points, report, checkpoint
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
    return _unbeaten(first, second, found, interrupted)


def _limits(limits: Mapping[str, float]) -> Minimum:
    return Minimum(**limits)


def _unbeaten(first: str, second: str, found: list[Choice], interrupted: bool) -> Front:
    """Return the front of some choices."""
    feasible = [choice for choice in found if choice.violation == 0]
    losses = np.array([[-choice.merits[first], -choice.merits[second]] for choice in feasible])
    kept = [feasible[index] for index in pareto(losses)] if feasible else []
    ordered = sorted(kept, key=lambda choice: choice.merits[second])
    return Front(first, second, tuple(ordered), interrupted)


def _of_one_search(
    problem: Problem, first: str, second: str, num_points: int, report: Show, checkpoint: Checkpoint | None
) -> Front:
    """Return the front of the schedules that one search saw: enough where there are no numbers to tune.

    The search maximises the merit that bounds the time least, so that nothing on the front is too slow for it.
    """
    planner = Planner(problem, report, checkpoint and checkpoint.section("front"))
    found = planner.search({}, num_leaders=1)
    merits = found.merits
    feasible = np.flatnonzero(planner.objective.violation(merits) == 0)
    points = np.column_stack([merits[first], merits[second]])[feasible]
    front = feasible[pareto(-points)] if len(feasible) else feasible
    chosen: dict[int, None] = {}
    levels = merits[second][front]
    for level in np.linspace(levels.min(), levels.max(), num_points) if len(front) else ():
        enough = front[levels >= level - 1e-12 * abs(level)]
        chosen[int(enough[np.argmax(merits[first][enough])])] = None
    evaluator = planner.evaluator({})
    leaders = [
        evaluate_leader(chain_with(problem, {}), planner.objective, schedule_of(found.front[index]), evaluator)
        for index in chosen
    ]
    return _unbeaten(first, second, [planner.choice(leader, {}) for leader in leaders], found.interrupted)
