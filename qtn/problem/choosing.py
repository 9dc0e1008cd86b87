"""Choose whole numbers, such as those of a code: moves to better neighbours, the real numbers tuned in between."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from qtn.codes.search import Entry, climb
from qtn.evaluators.plan import TooLongError
from qtn.links.chain import Chain
from qtn.links.graph_state import GraphState
from qtn.links.link import Link
from qtn.links.one_way import OneWay
from qtn.planning.leaders import evaluate_leader
from qtn.problem.choice import Optimum, rebuilt
from qtn.problem.names import chain_with, derived_keys, initial_values, schedule_with
from qtn.problem.objective import objective_of, parameters_of, tree_evaluator
from qtn.problem.problem import Problem
from qtn.problem.spread import spread_out
from qtn.problem.whole import code_tables, fits, whole_numbers

MAX_CYCLES = 10
"""How often whole numbers are chosen again after the real ones were tuned."""

FACTORS = (1.0, 0.5, 2.0)
"""Starts: the numbers of the file, all halved, all doubled, and the last alone halved and doubled."""

MOST_PHOTONS = 300
"""Photons of a code where the file has no limit, unless its own code has more."""

MOST_CLIMBS = 3
"""How many of these moves begin at."""

Numbers = Mapping[str, float]
Codes = Mapping[str, Mapping[str, Any]]
"""Dotted name -> table of a code."""


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
        Moves begin at the best of combinations spread over all codes and spacings, which are all codes where there are
        few. No neighbour of what is found is better, at its real numbers or, as the status says, at those before the
        last tuning; there may be something better elsewhere. On an interrupt, the best so far.
    """
    options, count, interrupted, settled = alternatives(problem), 0, False, False
    found: Optimum | None = None
    for _ in range(MAX_CYCLES):
        picks: list[Pick] = []
        for codes, option in options:
            scored, begin = Scored(count=count), entry_of(option)
            try:
                climbed(option, begin, scored, show, spread=found is None)
            except KeyboardInterrupt:
                interrupted = True
            count = scored.count
            picks.append(Pick(option, codes, begin, scored.best or begin, scored.score))
            if interrupted:
                break
        pick = max(picks, key=lambda pick: pick.score)
        if found is not None and (interrupted or pick.best == pick.begin):
            settled = True
            break  # tuned already, for these whole numbers
        here = rebuilt(pick.problem, {}, pick.numbers)
        found = with_pick(tuned(without_choices(here, moves=not interrupted)), pick, interrupted)
        settled = not found.parameters
        again = {name: x for name, x in found.parameters.items() if not name.startswith(derived_keys(problem))}
        if found.interrupted or not found.parameters or len(again) < len(found.parameters):
            break  # nothing moved, or numbers that follow from others, which no file holds
        options = [(pick.codes, rebuilt(here, {}, again))]
    assert found is not None
    return told(found, count, settled)


@dataclasses.dataclass(frozen=True)
class Pick:
    """Whole numbers that climbing ended at."""

    problem: Problem
    """Its code is the one that was chosen, with the numbers from which climbing began."""
    codes: Codes
    """What was put in place of codes of the file."""
    begin: Entry
    best: Entry
    score: float

    @property
    def numbers(self) -> dict[str, int]:
        """Return the whole numbers by dotted name."""
        return dict(zip(names_of(self.problem), self.best, strict=True))


def names_of(problem: Problem) -> list[str]:
    """Return the dotted names of the whole numbers that are chosen."""
    table = problem.config.optimise
    assert table is not None
    return list(whole_numbers(problem, table.choices))


def entry_of(problem: Problem) -> Entry:
    """Return these whole numbers as they are in a problem."""
    table = problem.config.optimise
    assert table is not None
    return tuple(whole_numbers(problem, table.choices).values())


def alternatives(problem: Problem) -> list[tuple[Codes, Problem]]:
    """Return the problem as it is, and with each of the other codes that may be chosen."""
    table = problem.config.optimise
    assert table is not None
    places = code_tables(problem, table.choices)
    options: list[dict[str, Any]] = [dict.fromkeys(places, code) for code in problem.document["optimise"]["codes"]]
    return [({}, problem), *((codes, rebuilt(problem, codes, {})) for codes in options)]


def starts(entry: Entry) -> list[Entry]:
    """Return where to begin."""
    if not entry:
        return [entry]
    scaled = [tuple(max(1, round(number * factor)) for number in entry) for factor in FACTORS]
    return [*scaled, *((*entry[:-1], numbers[-1]) for numbers in scaled)]


def most_photons(problem: Problem) -> int:
    """Return the limit of photons: that of the file, or one that its own codes keep."""
    table = problem.config.optimise
    assert table is not None
    if table.max_photons is not None:
        return table.max_photons
    given = [code.num_photons for code in map(code_of, problem.chain.links) if code is not None]
    return max([MOST_PHOTONS, *given])


def climbed(
    problem: Problem, begin: Entry, scored: Scored, show: Callable[[float, int], None], *, spread: bool
) -> None:
    """Move to better neighbours; what is scored is noted.

    Args:
        problem: its numbers that are no choices stay.
        begin: where to begin.
        scored: takes what was scored.
        show: told the best score and how many were scored.
        spread: whether to begin at the best of many others instead, it among them.
    """
    values = initial_values(problem, parameters_of(problem).initial)
    limit = most_photons(problem)
    judged, names = judge(problem, values), names_of(problem)
    known: dict[Entry, float] = {}

    def allowed(entry: Entry) -> bool:
        return fits(problem, dict(zip(names, entry, strict=True)))

    def score(entries: list[Entry]) -> list[float]:
        for entry in entries:
            if entry in known:
                continue
            chain = chain_of(problem, {**values, **dict(zip(names, entry, strict=True))}, limit)
            known[entry] = -math.inf if chain is None else judged(chain)
            if chain is not None:
                scored.add(entry, known[entry])
                show(scored.score, scored.count)
        return [known[entry] for entry in entries]

    first = [begin]
    if spread and begin:
        others = spread_out(problem.document, dict(zip(names, begin, strict=True)), limit)
        many = [each for each in dict.fromkeys([*starts(begin), *others]) if allowed(each)]
        ranked = sorted(zip(score(many), many, strict=True), key=lambda each: -each[0])
        first = [each for _, each in ranked[:MOST_CLIMBS]]
    climb(score, first, allowed)


def judge(problem: Problem, values: Numbers) -> Callable[[Chain], float]:
    """Return the score of a chain under the schedule of a problem; -inf where no time grid is long enough."""
    objective, evaluator, schedule = objective_of(problem), tree_evaluator(problem), schedule_with(problem, values)

    def score(chain: Chain) -> float:
        try:
            return evaluate_leader(chain, objective, schedule, evaluator).score
        except TooLongError:
            return -math.inf

    return score


def chain_of(problem: Problem, numbers: Mapping[str, Any], max_photons: int) -> Chain | None:
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
    kept: dict[str, Any] = {"choices": [], "codes": [], "max_photons": None} | ({} if moves else {"parameters": []})
    return dataclasses.replace(
        problem, config=problem.config.model_copy(update={"optimise": table.model_copy(update=kept)})
    )


def with_pick(found: Optimum, pick: Pick, interrupted: bool) -> Optimum:
    """Return what was found with its whole numbers."""
    choices = tuple(dataclasses.replace(each, whole=pick.numbers, codes=pick.codes) for each in found.choices)
    status = "Interrupted: this is the best so far." if interrupted else found.status
    return dataclasses.replace(found, choices=choices, status=status, interrupted=found.interrupted or interrupted)


def told(found: Optimum, count: int, settled: bool) -> Optimum:
    """Return what was found with a sentence on the whole numbers."""
    if found.interrupted:
        return found
    near = "no neighbour of the best is better" if settled else "no neighbour was better before the last tuning"
    sentence = f"Whole numbers: {count:,} combinations evaluated, {near}; others, farther away, may be."
    return dataclasses.replace(found, status=f"{found.status} {sentence}")
