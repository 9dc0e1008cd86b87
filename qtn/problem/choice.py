"""What an optimisation finds: schedules with their best numbers."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from qtn.planning.search import SearchResult
from qtn.planning.tuning import Tuned
from qtn.problem.cost import hardware_cost
from qtn.problem.load import changed
from qtn.problem.names import initial_values
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of
from qtn.problem.structures import override
from qtn.schedules.tree import Schedule


@dataclasses.dataclass(frozen=True)
class Choice:
    """A schedule with its numbers, evaluated at full resolution."""

    schedule: Schedule | None
    """None where nothing is scheduled."""
    values: Mapping[str, float]
    """Dotted name -> best value."""
    merits: Mapping[str, float]
    score: float
    """What is ranked: the merit, or minus the cost; lower than any merit where limits are missed."""
    violation: float
    grid_error: float
    """Bound on the error of the evaluation, of the mean time (relative) and of each Pauli coefficient."""
    tuned: Tuned | None = None
    stopped: bool = False
    """Whether the user stopped its tuning before it had begun."""
    whole: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Dotted name -> best value of the whole numbers that were chosen; `values` are those of such a problem."""
    codes: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Dotted name -> table of the codes that were chosen in place of those of the file, before their numbers moved."""

    @property
    def tree(self) -> Any:
        """Return the tree of its schedule, which may be compared; None where nothing is scheduled."""
        return None if self.schedule is None else self.schedule.tree

    @property
    def interrupted(self) -> bool:
        """Whether the user stopped its tuning."""
        return self.stopped or (self.tuned is not None and self.tuned.interrupted)


@dataclasses.dataclass(frozen=True)
class Optimum:
    """What an optimisation found."""

    value: float
    """The best merit, key clipped at 0, or the least cost, at full resolution."""
    parameters: Mapping[str, float]
    """Dotted name -> best value, of the numbers that the file has; the cut-offs of a searched tree stand in it."""
    choices: tuple[Choice, ...]
    """Best schedules, the best first."""
    found: SearchResult | None
    """The last search; None if the tree was given."""
    history: np.ndarray
    """(evaluations, 1), the best score after each evaluation with gradient."""
    num_gradients: int
    num_searches: int
    status: str
    interrupted: bool

    @property
    def best(self) -> Choice:
        """Return the best choice."""
        return self.choices[0]


def settings_of(problem: Problem, choice: Choice) -> dict[str, float]:
    """Return the numbers of a choice that the file has."""
    searched = problem.config.optimise is not None and problem.config.optimise.search is not None
    return {name: value for name, value in choice.values.items() if not (searched and name.startswith("schedule."))}


def value_of(problem: Problem, choice: Choice) -> float:
    """Return what was maximised, clipped where people read it so, or minimised."""
    table = problem.config.optimise
    assert table is not None
    if table.minimise:
        numbers = settings_of(problem, choice)
        return float(hardware_cost(initial_values(problem, numbers), numbers))
    found = choice.merits[table.maximise]
    return max(found, 0.0) if quantities_of(problem.document)[table.maximise].clipped else found


def chosen(problem: Problem, choice: Choice) -> Problem:
    """Return a problem with the whole numbers and the schedule of a choice, if it has them."""
    if choice.whole or choice.codes:
        problem = rebuilt(problem, choice.codes, choice.whole)
    return problem if choice.schedule is None else problem.with_schedule(choice.schedule)


def rebuilt(problem: Problem, codes: Mapping[str, Mapping[str, Any]], numbers: Mapping[str, Any]) -> Problem:
    """Return a problem with other codes and other numbers, also those of its tree."""
    overrides = [f"{name}={inline(table)}" for name, table in codes.items()]
    found = changed(problem, [*overrides, *(override(name, value) for name, value in numbers.items())])
    return dataclasses.replace(found, also=problem.also)


def inline(table: Mapping[str, Any]) -> str:
    """Return a table of texts, numbers and lists as one line of TOML."""
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in table.items()) + " }"


def times_of(schedule: Schedule) -> dict[str, float]:
    """Return the cut-off times of a schedule by name."""
    return {f"schedule.cutoff_times.{i}": float(time) for i, time in enumerate(schedule.cutoff_times)}


def ranked(choices: Iterable[Choice]) -> list[Choice]:
    """Return the best choice of each tree, the best first."""
    found: dict[Any, Choice] = {}
    for choice in sorted(choices, key=lambda choice: -choice.score):
        found.setdefault(choice.tree, choice)
    return list(found.values())
