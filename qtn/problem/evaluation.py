"""A problem evaluated: what it describes with some numbers replaced, and what that delivers."""

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.levels import MOST_WHOLE_LINKS, holds_all, whole_level
from qtn.evaluators.outcome import Result, Summary
from qtn.evaluators.plan import GridPlan
from qtn.links.chain import Chain
from qtn.merit.quantities import Delivered, Quantity, delivered, values_of
from qtn.problem.application.application import Needs
from qtn.problem.evaluators import level_of
from qtn.problem.names import root_table, setting_with, system_with
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of
from qtn.steps.level import BELL_DIAGONAL


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A problem with some numbers replaced, and what comes of it."""

    problem: Problem
    values: Mapping[str, float]
    """Dotted name -> number in place of that of the file."""
    system: tuple[Any, ...]
    """What was evaluated; see `system_with`."""
    evaluator: Evaluator[Result]
    """What evaluated it."""
    result: Result

    @cached_property
    def table(self) -> dict[str, Any]:
        """Return the root table with these numbers."""
        return root_table(self.problem, self.values)

    @cached_property
    def inexact(self) -> list[str]:
        """Return the names of the quantities that depend on more of the state than was evaluated."""
        rows, chain = quantities_of(self.problem.document).values(), self.system[0]
        wider = [each.name for each in rows if each.depends_on(self.problem.fraction) != BELL_DIAGONAL]
        whole = isinstance(chain, Chain) and holds_all(self.evaluator, *self.system)
        return [] if whole or not isinstance(chain, Chain) else wider


def evaluated(problem: Problem, values: Mapping[str, float] | None = None, names: Iterable[str] = ()) -> Evaluation:
    """Evaluate a problem: the whole state where that is cheap or somebody asks for it, else its Bell weights.

    Args:
        problem: the problem.
        values: numbers to replace.
        names: of quantities that must be exact.
    """
    system = system_with(problem, values or {})
    cheap = whole_is_cheap(problem) and (not problem.root.scheduled or whole_level(*system) is not None)
    evaluator = problem.evaluator_with(whole=cheap or need_more(problem, names))
    return Evaluation(problem, values or {}, system, evaluator, evaluator.evaluate(*system))


def whole_is_cheap(problem: Problem) -> bool:
    """Whether all quantities are computed where nobody names one: the state level is free, and the chain short."""
    free = level_of(problem.config) is None
    return free and (not problem.root.scheduled or problem.chain.num_links <= MOST_WHOLE_LINKS)


def need_more(problem: Problem, names: Iterable[str]) -> bool:
    """Whether quantities depend on more of the state than its Bell weights."""
    rows = quantities_of(problem.document)
    return any(rows[name].depends_on(problem.fraction) != BELL_DIAGONAL for name in names)


def evaluator_for(problem: Problem, names: Iterable[str]) -> Evaluator[Result]:
    """Return the evaluator of a problem that is exact for the quantities of these names."""
    return problem.evaluator_with(whole=need_more(problem, names))


def needs_time(problem: Problem) -> bool:
    """Whether the application of a problem needs what is delivered at each time, and not only means."""
    use = problem.config.application
    return use is not None and use.needs is Needs.OUTCOME


def result_of(
    problem: Problem, evaluator: Evaluator[Result], system: tuple[Any, ...], plan: GridPlan | None = None
) -> Summary | Result:
    """Return as much of a result as the quantities of a problem need; all numbers may be traced.

    Args:
        problem: its application says how much that is.
        evaluator: of the problem.
        system: what it evaluates, see `system_with`.
        plan: time grids to use, of an evaluator that is fixed (see `Gridded`); None = its own choice.
    """
    on_grids: Any = evaluator
    if needs_time(problem):
        return (evaluator if plan is None else dataclasses.replace(on_grids, plan=plan)).evaluate(*system)
    return evaluator.summarise(*system) if plan is None else on_grids.summarise_on(plan, *system)


def outcome(problem: Problem, values: Mapping[str, float] | None = None) -> Result:
    """Return the result alone."""
    return evaluated(problem, values).result


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
    wanted, found = used(problem, result, values, names)
    return values_of(wanted, found, clip=clip)


def used(
    problem: Problem,
    result: Summary | Result,
    values: Mapping[str, Any] | None = None,
    names: Iterable[str] | None = None,
) -> tuple[list[Quantity], Delivered]:
    """Return quantities, and what they are functions of, with what the application makes of it if one asks for that."""
    rows = quantities_of(problem.document)
    wanted = list(rows.values()) if names is None else [rows[name] for name in names]
    found = delivered(wanted, result, lambda: setting_with(problem, values or {}), problem.fraction)
    return wanted, found.used()


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
