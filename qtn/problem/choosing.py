"""Choose whole numbers, such as those of a code: moves to better neighbours, the real numbers tuned in between."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qtn.codes.search import Entry, climb
from qtn.links.chain import Chain
from qtn.links.graph_state import GraphState
from qtn.links.link import Link
from qtn.links.one_way import OneWay
from qtn.planning.leaders import evaluate_leader
from qtn.problem.choice import Optimum
from qtn.problem.load import changed
from qtn.problem.names import chain_with, initial_values, schedule_with
from qtn.problem.objective import objective_of, parameters_of, tree_evaluator
from qtn.problem.problem import Problem
from qtn.problem.structures import override
from qtn.problem.whole import fits, whole_numbers

MAX_CYCLES = 3
"""How often whole numbers are chosen again after the real ones were tuned."""

FACTORS = (1.0, 0.5, 2.0)
"""Starts: the numbers of the file, all halved, all doubled, and the last alone halved and doubled."""

Numbers = Mapping[str, float]


@dataclasses.dataclass
class Scored:
    """What was scored so far at some real numbers."""

    best: Entry = ()
    score: float = -math.inf
    count: int = 0

    def add(self, entry: Entry, score: float) -> None:
        """Take one more."""
        self.count += 1
        if score > self.score or not self.best:
            self.best, self.score = entry, score


def choose(
    problem: Problem, tuned: Callable[[Problem], Optimum], show: Callable[[float, int], None] = lambda best, count: None
) -> Optimum:
    """Return the best whole numbers that are found, with the real numbers that belong to them.

    Args:
        problem: its [optimise] table has `choices`, and no search.
        tuned: finds the real numbers of a problem without choices, if it has any.
        show: told the best score and how many were scored.

    Note:
        No neighbour of what is found is better, at its real numbers; there may be something better elsewhere. On an
        interrupt, the best so far.
    """
    table = problem.config.optimise
    assert table is not None
    names = list(whole_numbers(problem, table.choices))
    here, count, interrupted = problem, 0, False
    found: Optimum | None = None
    for _ in range(MAX_CYCLES):
        start = tuple(whole_numbers(here, table.choices).values())
        scored = Scored(count=count)
        try:
            climbed(here, names, starts(start) if found is None else [start], scored, show)
        except KeyboardInterrupt:
            interrupted = True
        count = scored.count
        if found is not None and (interrupted or scored.best == start):
            break  # tuned already, for these whole numbers
        entry = dict(zip(names, scored.best or start, strict=True))
        here = with_numbers(here, entry)
        found = with_entry(tuned(without_choices(here, moves=not interrupted)), entry, interrupted, count)
        if found.interrupted or not found.parameters:
            break
        here = with_numbers(here, found.parameters)
    assert found is not None
    return with_entry(found, found.best.whole, found.interrupted, count)


def starts(entry: Entry) -> list[Entry]:
    """Return where to begin."""
    scaled = [tuple(max(1, round(number * factor)) for number in entry) for factor in FACTORS]
    return [*scaled, *((*entry[:-1], numbers[-1]) for numbers in scaled)]


def climbed(
    problem: Problem, names: list[str], starts: list[Entry], scored: Scored, show: Callable[[float, int], None]
) -> None:
    """Move to better neighbours from each start; what is scored is noted."""
    table = problem.config.optimise
    assert table is not None
    values = initial_values(problem, parameters_of(problem).initial)
    limit = math.inf if table.max_photons is None else float(table.max_photons)
    judged = judge(problem, values)

    def allowed(entry: Entry) -> bool:
        return fits(problem, dict(zip(names, entry, strict=True)))

    def score(entries: list[Entry]) -> list[float]:
        found = []
        for entry in entries:
            chain = chain_of(problem, {**values, **dict(zip(names, entry, strict=True))}, limit)
            found.append(-math.inf if chain is None else judged(chain))
            scored.add(entry, found[-1])
            show(scored.score, scored.count)
        return found

    climb(score, starts, allowed)


def judge(problem: Problem, values: Numbers) -> Callable[[Chain], float]:
    """Return the score of a chain under the schedule of a problem."""
    objective, evaluator, schedule = objective_of(problem), tree_evaluator(problem), schedule_with(problem, values)
    return lambda chain: evaluate_leader(chain, objective, schedule, evaluator).score


def chain_of(problem: Problem, numbers: Mapping[str, Any], max_photons: float) -> Chain | None:
    """Return the chain with other numbers; None if it cannot be built, or has a code of too many photons."""
    try:
        chain = chain_with(problem, numbers)
    except ValueError:
        return None
    if any(code.num_photons > max_photons for code in map(code_of, chain.links) if code is not None):
        return None
    return dataclasses.replace(chain, links=tuple(map(heralded, chain.links)))


def code_of(link: Link) -> Any:
    """Return the code of a link, also of several memories; None if it has none."""
    return getattr(getattr(link, "link", link), "code", None)


def heralded(link: Link) -> Link:
    """Return what a link of a code offers, without compiling, which each code would need; other links as they are."""
    found: Any = link.heralded() if isinstance(link, OneWay | GraphState) else link
    return found


def without_choices(problem: Problem, *, moves: bool) -> Problem:
    """Return a problem whose whole numbers stay; its real ones only if somebody stopped."""
    table = problem.config.optimise
    assert table is not None
    kept: dict[str, Any] = {"choices": [], "max_photons": None} | ({} if moves else {"parameters": []})
    return dataclasses.replace(
        problem, config=problem.config.model_copy(update={"optimise": table.model_copy(update=kept)})
    )


def with_numbers(problem: Problem, numbers: Mapping[str, Any]) -> Problem:
    """Return a problem with other numbers, also those of its tree."""
    found = changed(problem, [override(name, value) for name, value in numbers.items()])
    return dataclasses.replace(found, also=problem.also)


def with_entry(found: Optimum, entry: Mapping[str, int], interrupted: bool, count: int) -> Optimum:
    """Return what was found with its whole numbers."""
    choices = tuple(dataclasses.replace(choice, whole=dict(entry)) for choice in found.choices)
    status = found.status.split(" Whole numbers:")[0]
    if interrupted and not found.interrupted:
        status = "Interrupted: this is the best so far."
    told = f"{status} Whole numbers: {count:,} combinations evaluated, no neighbour of the best is better."
    return dataclasses.replace(
        found,
        choices=choices,
        status=status if interrupted or found.interrupted else told,
        interrupted=found.interrupted or interrupted,
        history=np.asarray(found.history),
    )
