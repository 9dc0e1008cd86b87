"""The front between two merits: the best of one for a ladder of least values of the other."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qtn import _text
from qtn.merit.quantities import Quantity
from qtn.optimisation.checkpoint import Checkpoint
from qtn.planning.candidates import schedule_of
from qtn.planning.front import pareto
from qtn.planning.leaders import evaluate_leader
from qtn.planning.tuning import better
from qtn.problem.choice import Choice, Optimum
from qtn.problem.names import chain_with
from qtn.problem.objective import search_evaluator
from qtn.problem.planner import Planner, Show, optimise
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of, to_be_raised
from qtn.problem.schema import Optimise

LEAST_OF_BEST = 1e-3
"""Part of the best rate below which a front does not look, unless the file has a limit for that rate."""

FAR = 0.5
"""Relative difference of a number of two neighbours from which the lower one is tuned from the upper one as well."""


@dataclasses.dataclass(frozen=True)
class Front:
    """Points none of which is better than another in both merits, from the largest `first` to the largest `second`."""

    first: str
    second: str
    choices: tuple[Choice, ...]
    interrupted: bool = False
    floors: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Name of a merit -> least value that was looked for."""
    skipped: Mapping[float, str] = dataclasses.field(default_factory=dict)
    """Least value of `second` at which no point could be computed -> why."""

    @property
    def sentences(self) -> list[str]:
        """Return what was looked for, and what could not be computed."""
        floors = [f"{name} at least {value:.4g}" for name, value in self.floors.items()]
        said = [f"Looked for: {' and '.join(floors)}; optimise.minimum sets other limits."] if floors else []
        return said + [f"No point at {self.second} {level:.6g}: {why}" for level, why in self.skipped.items()]


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
    the file hold throughout. Neither end goes further than is worth knowing: the limits that the file sets for the two
    merits, else a fidelity above 1/2, and of a rate `LEAST_OF_BEST` of the best. Each point starts from its neighbours.
    Where no number is tuned one search serves all points.

    Args:
        problem: its schedules, numbers and limits are used; what it maximises is not.
        first: name of a merit.
        second: name of another.
        num_points: points asked for, both ends included; fewer where some coincide.
        report: as in `optimise`, with the number of the point in front.
        checkpoint: as in `optimise`.

    Returns:
        The front; points between the ends that cannot be computed are left out, with the reason.

    Raises:
        ValueError: if an end cannot be computed.
    """
    table = problem.config.optimise or Optimise(parameters=[])
    limits, rows = table.minimum or {}, quantities_of(problem.document)
    floors = {name: limits.get(name, rows[name].useless) for name in (first, second)}

    def asked(maximise: str, minimum: Mapping[str, float]) -> Problem:
        least = {name: value for name, value in {**limits, **floors, **minimum}.items() if value > 0}
        wanted: dict[str, Any] = {"maximise": maximise, "minimise": None}
        wanted["minimum"] = {name: value for name, value in least.items() if name != maximise or name in limits}
        config = problem.config.model_copy(update={"optimise": table.model_copy(update=wanted)})
        return dataclasses.replace(problem, config=config, also=(first, second))

    def best(
        maximise: str, minimum: Mapping[str, float], number: int, near: Choice | None = None, way: str = ""
    ) -> Optimum:
        return optimise(
            asked(maximise, minimum),
            start=near and near.values,
            report=lambda *news: report(f"point {number} of {num_points}: {news[0]}", *news[1:]),
            checkpoint=checkpoint and checkpoint.section(f"point-{number:03d}{way}"),
        )

    search = table.search
    if search is not None and not table.parameters and not search.cutoffs and search.method != "beam":
        pure = min((first, second), key=lambda name: _haste(rows[name]))
        return _of_one_search(asked(pure, {}), first, second, num_points, report, checkpoint)
    found, interrupted = {}, False
    for name in sorted((first, second), key=lambda name: not _haste(rows[name])[0]):  # first a rate, which has a floor
        if not interrupted:
            end = best(name, {}, 1 if name == first else num_points)
            found[name], interrupted = end.best, end.interrupted
            if _haste(rows[name])[0] and name not in limits:
                floors[name] = LEAST_OF_BEST * max(end.best.merits[name], 0.0)
    between, skipped, interrupted = _between(
        lambda level, number, near, back: best(first, {second: level}, number, near, "-back" if back else ""),
        [found.get(first), *_levels(found, first, second, num_points), found.get(second)],
        interrupted,
    )
    front = _unbeaten(first, second, [*found.values(), *between], interrupted)
    return dataclasses.replace(front, floors={k: v for k, v in floors.items() if v > 0}, skipped=skipped)


def _between(
    best: Callable[[float, int, Any, bool], Optimum], ladder: list[Any], interrupted: bool
) -> tuple[list[Choice], dict[float, str], bool]:
    """Return the best at each level of a ladder, from the neighbour below, and the one above where they are far apart.

    Args:
        best: called with level, number of the point, the neighbour that it starts from, and whether on the way back.
        ladder: the choice at one end, the levels, the choice at the other end.
        interrupted: whether there is nothing more to do.

    Returns:
        (choices, {level: why there is none}, interrupted).
    """
    found: dict[int, Choice] = {}
    skipped: dict[float, str] = {}
    for order in (range(1, len(ladder) - 1), range(len(ladder) - 2, 0, -1)):
        near = ladder[order[0] - order.step] if len(order) else None
        for place in order:
            known = found.get(place)
            if interrupted or ladder[place] <= 0:
                continue
            if known is not None and near is not None and not _apart(near, known):
                near = known
                continue
            try:
                point = best(ladder[place], place + 1, near, order.step < 0)
            except ValueError as error:
                if known is None:
                    skipped[ladder[place]] = str(error)
                continue
            interrupted = point.interrupted
            near = found[place] = point.best if known is None or better(point.best, known) else known
            skipped.pop(ladder[place], None)
    return [found[place] for place in sorted(found)], skipped, interrupted


def _apart(one: Choice, other: Choice) -> bool:
    """Whether neighbours differ in their tree or much in a number, as on both sides of a jump between optima."""
    pairs = [(value, other.values.get(name, math.nan)) for name, value in one.values.items()]
    return one.tree != other.tree or not all(abs(a - b) <= FAR * max(abs(a), abs(b)) for a, b in pairs)


def _levels(ends: Mapping[str, Choice], first: str, second: str, num_points: int) -> list[float]:
    """Return least values of `second` between both ends; none where an end is missing."""
    if len(ends) < 2:
        return []
    return np.linspace(ends[first].merits[second], ends[second].merits[second], num_points)[1:-1].tolist()


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
