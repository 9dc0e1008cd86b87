"""The front between two merits: the best of one for a ladder of least values of the other."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from qtn import _text
from qtn.merit.quantities import Quantity
from qtn.optimisation.checkpoint import Checkpoint
from qtn.planning.candidates import schedule_of
from qtn.planning.front import pareto
from qtn.planning.leaders import evaluate_leader
from qtn.problem.choice import Choice, Optimum
from qtn.problem.names import chain_with
from qtn.problem.objective import search_evaluator
from qtn.problem.planner import Planner, Show, optimise
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of, to_be_raised
from qtn.problem.schema import Optimise


@dataclasses.dataclass(frozen=True)
class Front:
    """Points none of which is better than another in both merits, from the largest `first` to the largest `second`."""

    first: str
    second: str
    choices: tuple[Choice, ...]
    interrupted: bool = False


def read_names(text: str, quantities: Mapping[str, Quantity]) -> tuple[str, str]:
    """Read "rate,fidelity": names of quantities, or what is clear of them without their unit.

    Raises:
        ValueError: if these are not two different quantities of which more is better.
    """
    short = {each.short: name for name, each in to_be_raised(quantities).items()}
    names = [_matching(part.strip(), short) for part in text.split(",")]
    if len(names) != 2 or names[0] == names[1] or "" in names:
        raise ValueError(
            f"--front: must name two of {', '.join(short)}, such as rate,fidelity, but is {_text.echoed(text)}"
        )
    return names[0], names[1]


def _matching(text: str, short: Mapping[str, str]) -> str:
    """Return the name that is a text, or the one that ends with it; empty if that is none or not clear."""
    if text in short.values():
        return text
    ends = [name for each, name in short.items() if each.endswith(f"_{text}")]
    return short.get(text) or (ends[0] if len(ends) == 1 else "")


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
    limits = {name: value for name, value in (table.minimum or {}).items() if name not in (first, second)}

    def asked(maximise: str, minimum: Mapping[str, float]) -> Problem:
        wanted: dict[str, Any] = {"maximise": maximise, "minimise": None, "minimum": {**limits, **minimum}}
        config = problem.config.model_copy(update={"optimise": table.model_copy(update=wanted)})
        return dataclasses.replace(problem, config=config, also=(first, second))

    def best(maximise: str, minimum: Mapping[str, float], number: int) -> Optimum:
        return optimise(
            asked(maximise, minimum),
            report=lambda *news: report(f"point {number} of {num_points}: {news[0]}", *news[1:]),
            checkpoint=checkpoint and checkpoint.section(f"point-{number:03d}"),
        )

    search = table.search
    if search is not None and not table.parameters and not search.cutoffs and search.method != "beam":
        rows = quantities_of(problem.document)
        pure = min((first, second), key=lambda name: _haste(rows[name]))
        return _of_one_search(asked(pure, {}), first, second, num_points, report, checkpoint)
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


def _haste(quantity: Quantity) -> tuple[bool, bool]:
    """Return how much a quantity bounds the time: not at all, as what is left of a pair does, or as a pair does."""
    return quantity.per_pair is not None, quantity.per_pair is not None and not quantity.clipped


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
    evaluator = search_evaluator(problem, {})
    leaders = [
        evaluate_leader(chain_with(problem, {}), planner.objective, schedule_of(found.front[index]), evaluator)
        for index in chosen
    ]
    return _unbeaten(first, second, [planner.choice(leader, {}) for leader in leaders], found.interrupted)
