"""Find the best schedule and settings of a problem: tune the given tree, or search, tune the leaders, search again."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qtn.evaluators.fold import heralded_links
from qtn.evaluators.grid import common_spacing
from qtn.evaluators.renewal import Renewal
from qtn.optimisation.bounded import Interval
from qtn.optimisation.checkpoint import Checkpoint
from qtn.optimisation.constrained import ConstrainedProgress
from qtn.planning.leaders import Leader
from qtn.planning.level import level_for
from qtn.planning.objective import MARGIN, TOLERANCE, Objective
from qtn.planning.search import Progress, SearchResult, SearchSettings, search
from qtn.planning.space import SearchSpace
from qtn.planning.tune import tune
from qtn.planning.tuning import Tuned, Tuning
from qtn.problem.cost import BEST, Factors, costs, hardware_cost, require_imperfect
from qtn.problem.evaluation import needs_time
from qtn.problem.evaluators import level_of
from qtn.problem.names import (
    bounds,
    chain_with,
    declaration,
    expand,
    initial_values,
    schedule_with,
    setting_with,
    with_values,
)
from qtn.problem.placement import room
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of
from qtn.schedules.tree import Schedule
from qtn.steps.distill import PROTOCOLS

MAX_CYCLES = 3
"""How often the schedule is searched again after its numbers were tuned."""

MOST_TUNED = 3
"""Leaders of a search that are tuned."""

MOST_CHOICES = 10
"""Schedules that are reported."""

NUM_STARTS = 3
"""Starts where the tree is given; a search looks round by itself."""

Show = Callable[[str, float, int], None]
"""Called with what is going on, the best score so far and the number of evaluations so far."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """A schedule with its numbers, evaluated at full resolution."""

    schedule: Schedule
    values: Mapping[str, float]
    """Dotted name -> best value."""
    merits: Mapping[str, float]
    score: float
    """What is ranked: the merit, or minus the cost; lower than any merit where limits are missed."""
    violation: float
    grid_error: float
    """Bound on the error of the evaluation, of the mean time (relative) and of each Pauli coefficient."""
    tuned: Tuned | None = None


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


def optimise(
    problem: Problem,
    *,
    seed: int | tuple[int, ...] = 0,
    report: Show = lambda phase, best, evaluations: None,
    checkpoint: Checkpoint | None = None,
) -> Optimum:
    """Find the best schedule and settings of the [optimise] table of a problem.

    Args:
        problem: with an [optimise] table.
        seed: of the further starts of a given tree; the first start is the file's.
        report: called as it goes on; the best score that it is told never falls.
        checkpoint: keeps what is found, so that a run that was killed goes on to the same answer.

    Returns:
        The best choices, with the search and the tuning behind them. On an interrupt, the best so far.

    Raises:
        ValueError: if the table is missing, or cannot be done.
    """
    if problem.config.optimise is None:
        raise ValueError("optimise: is missing; add [optimise] with `parameters = [...]`")
    return Planner(problem, report, checkpoint, seed).run()


def tree_evaluator(problem: Problem) -> Renewal:
    """Return the evaluator of a problem, if trees can be searched and tuned with it.

    Raises:
        ValueError: if they cannot.
    """
    evaluator = problem.evaluator
    if not isinstance(evaluator, Renewal):
        raise ValueError(
            'evaluate.evaluator: schedules are searched, and limits kept, with "renewal"; leave the evaluator out, and '
            "evaluate the best schedule with another one afterwards"
        )
    return evaluator


class Planner:
    """The state of one optimisation."""

    def __init__(
        self,
        problem: Problem,
        report: Show,
        checkpoint: Checkpoint | None = None,
        seed: int | tuple[int, ...] = 0,
    ) -> None:
        table = problem.config.optimise
        assert table is not None
        self.problem, self.table, self.report, self.checkpoint, self.seed = problem, table, report, checkpoint, seed
        self.names = expand(problem, table.parameters)
        self.initial = initial_values(problem, self.names)
        for name, value in self.initial.items():
            if not math.isfinite(value):
                raise ValueError(f"{name}: must be finite to be optimised, but is {value}")
            if table.minimise and costs(name):
                require_imperfect(name, value)
        self.factors = Factors({n: x for n, x in self.initial.items() if table.minimise and costs(n)})
        self.objective = objective_of(problem)
        self.history: list[float] = []
        self.num_searches = self.num_gradients = 0
        self.best_score = -math.inf

    def run(self) -> Optimum:
        """Search and tune in turn until the schedule stays."""
        if self.table.search is None:
            choices = [self.tuned(self.problem.schedule, self.initial, NUM_STARTS)]
            return self.optimum(choices, None)
        values: Mapping[str, float] = self.initial
        best: list[Choice] = []
        found: SearchResult | None = None
        for _ in range(MAX_CYCLES):
            found = self.search(values)
            choices = [self.choice(leader, values) for leader in found.leaders]
            interrupted = found.interrupted
            if best and choices[0].schedule.tree == best[0].schedule.tree:
                break  # tuned already, for these numbers
            number = MOST_TUNED if best or not self.names else 1  # numbers that are far off rank schedules badly
            for position, each in enumerate(choices[:number]):
                if interrupted or not (self.names or each.schedule.cutoff_times.size):
                    break
                choices[position] = self.tuned(each.schedule, values)
                interrupted = interrupted or choices[position].tuned.interrupted  # type: ignore[union-attr]
            known = best[0].schedule.tree if best else None
            best = sorted([*choices, *best], key=lambda choice: -choice.score)
            best = _distinct(best)[:MOST_CHOICES]
            values = {name: best[0].values[name] for name in self.names}
            if interrupted or not self.names or best[0].schedule.tree == known:
                break
        return self.optimum(best, found)

    def optimum(self, choices: list[Choice], found: SearchResult | None) -> Optimum:
        """Put together what was found."""
        best, tuned = choices[0], choices[0].tuned
        interrupted = bool((found and found.interrupted) or any(c.tuned and c.tuned.interrupted for c in choices))
        return Optimum(
            value=self.value(best),
            parameters=settings_of(self.problem, best),
            choices=tuple(choices),
            found=found,
            history=np.array(self.history)[:, None],
            num_gradients=self.num_gradients,
            num_searches=self.num_searches,
            status=self.status(best, tuned, interrupted),
            interrupted=interrupted,
        )

    def status(self, best: Choice, tuned: Tuned | None, interrupted: bool) -> str:
        """Return how it ended, in sentences."""
        if interrupted:
            return "Interrupted: this is the best so far."
        if best.violation > 1e-6:
            missed = ", ".join(
                f"{name} {best.merits[name]:.6g} (asked: {limit:g})"
                for name, limit in self.objective.minimum.items()
                if best.merits[name] < limit
            )
            return f"No feasible point found; the closest has {missed}. Lower the limits, or free more parameters."
        return tuned.status if tuned else "Searched."

    def value(self, choice: Choice) -> float:
        """Return what was maximised, key clipped at 0, or minimised."""
        if self.table.minimise:
            return float(hardware_cost(self.initial, settings_of(self.problem, choice)))
        found = choice.merits[self.table.maximise]
        return max(found, 0.0) if self.table.maximise.startswith("secret") else found

    def told(self, phase: str, score: float, evaluations: int) -> None:
        """Report the best score so far."""
        self.best_score = max(self.best_score, score)
        self.report(phase, self.best_score, evaluations)

    def search(self, values: Mapping[str, float], num_leaders: int = MOST_CHOICES) -> SearchResult:
        """Search the schedules of the chain with these values."""
        table = self.table.search
        assert table is not None
        self.num_searches += 1

        def show(progress: Progress) -> None:
            self.told(progress.phase, -math.inf if self.table.minimise else progress.best, progress.evaluated)

        objective = self.objective
        if self.table.minimise:
            objective = dataclasses.replace(objective, maximise=MARGIN)
        return search(
            chain_with(self.problem, values),
            space_of(self.problem),
            objective,
            settings=SearchSettings(method=table.method, width=table.width, num_leaders=num_leaders),
            evaluator=self.evaluator(values),
            report=show,
            checkpoint=self.checkpoint and self.checkpoint.next("search"),
        )

    def evaluator(self, values: Mapping[str, float]) -> Renewal:
        """Return the evaluator of the file, with a state level that is exact for every schedule that is searched."""
        space = space_of(self.problem)
        try:
            level = level_for(
                chain_with(self.problem, values),
                space.protocols if space.max_rounds else (),
                level_of(self.problem.config),
            )
        except ValueError as error:
            raise ValueError(f"optimise.search.protocols: {error}") from None
        return dataclasses.replace(tree_evaluator(self.problem), level=level)

    def choice(self, leader: Leader, values: Mapping[str, float]) -> Choice:
        """Return a leader of a search as a choice, without tuning."""
        score = leader.score
        if self.table.minimise:
            cost = float(hardware_cost(self.initial, values))
            score = self.objective.cost_score(cost, leader.violation)
        everything = dict(values) | times_of(leader.schedule)
        return Choice(leader.schedule, everything, leader.merits, score, leader.violation, leader.grid_error)

    def tuned(self, schedule: Schedule, values: Mapping[str, float], num_starts: int = 1) -> Choice:
        """Tune the numbers of a schedule."""
        problem = dataclasses.replace(self.problem, given_schedule=schedule)
        free = dict(values)
        if self.table.search is not None:
            free |= times_of(schedule)
        if not free:
            raise ValueError("optimise.parameters: names nothing; list at least one number, or add `search = {}`")
        tuning = self.tuning(problem, free)

        def show(progress: ConstrainedProgress) -> None:
            self.num_gradients += 1
            score = progress.value if progress.violation <= TOLERANCE else -math.inf
            self.history.append(max([score, *self.history[-1:]]))
            self.told("tuning", score, self.num_gradients)

        start = {name: tuning.bounds[name].inside(value) for name, value in self.factors.of(free).items()}
        kept = self.checkpoint and self.checkpoint.next("tuning")
        result = tune(tuning, start, num_starts=num_starts, seed=self.seed, report=show, checkpoint=kept)
        found = {name: float(value) for name, value in self.factors.numbers(result.parameters).items()}
        result = dataclasses.replace(result, parameters=found)
        return Choice(
            schedule=schedule_with(problem, result.parameters),
            values=result.parameters,
            merits=result.merits,
            score=result.score,
            violation=result.violation,
            grid_error=result.grid_error,
            tuned=result,
        )

    def tuning(self, problem: Problem, free: Mapping[str, float]) -> Tuning:
        """Return what is tuned; its parameters are factors where the file's numbers cost."""
        limits = {name: self.interval(problem, name, value) for name, value in free.items()}
        chain = problem.document[problem.root_key]
        whole = [name for name in free if declaration(problem, name).whole]
        lattice = {name: 1 / self.factors.baseline.get(name, 1.0) for name in whole}
        spacing = cutoff_spacing(problem, free)
        lattice |= {name: spacing for name in free if "cutoff_times" in name and spacing > 0}

        return Tuning(
            system=lambda factors: with_values(problem, self.factors.numbers(factors)),
            setting=lambda factors: setting_with(problem, self.factors.numbers(factors)),
            bounds=limits,
            objective=self.objective,
            cost=self.factors.cost if self.table.minimise else None,
            constraints=lambda factors: room(chain, factors),
            log=[name for name, limit in limits.items() if limit.lower > 0 and limit.upper > 100 * limit.lower],
            lattice=lattice,
            evaluator=tree_evaluator(problem),
        )

    def interval(self, problem: Problem, name: str, value: float) -> Interval:
        """Return where a number may move: hardware that costs only gets better than in the file."""
        if name in self.factors.baseline:
            return Interval(1.0, BEST)
        if "cutoff_times" in name:
            return Interval(min(value, *_attempt_times(problem, self.initial)), math.inf)
        limit = bounds(problem, name)
        edge = 1e-9 * (limit.upper - limit.lower) if math.isfinite(limit.upper) else 1e-12
        return Interval(limit.lower + edge, limit.upper - edge if math.isfinite(limit.upper) else limit.upper)


def settings_of(problem: Problem, choice: Choice) -> dict[str, float]:
    """Return the numbers of a choice that the file has."""
    searched = problem.config.optimise is not None and problem.config.optimise.search is not None
    return {name: value for name, value in choice.values.items() if not (searched and name.startswith("schedule."))}


def objective_of(problem: Problem) -> Objective:
    """Return the objective of the [optimise] table."""
    table = problem.config.optimise
    assert table is not None
    return Objective(
        table.maximise,
        problem.fraction,
        table.minimum or {},
        quantities_of(problem.document),
        setting_with(problem, {}).application,
        in_time=needs_time(problem),
    )


def space_of(problem: Problem) -> SearchSpace:
    """Return the search space of the [optimise] table."""
    table = problem.config.optimise
    assert table is not None and table.search is not None
    chosen = table.search
    return SearchSpace(
        max_rounds=chosen.max_rounds,
        protocols=tuple(PROTOCOLS[name] for name in chosen.protocols),
        pumping=chosen.pumping,
        cutoffs=chosen.cutoffs,
        slots=chosen.slots,
        order=problem.schedule.tree if chosen.order == "fixed" else None,
    )


def times_of(schedule: Schedule) -> dict[str, float]:
    """Return the cut-off times of a schedule by name."""
    return {f"schedule.cutoff_times.{i}": float(time) for i, time in enumerate(schedule.cutoff_times)}


def cutoff_spacing(problem: Problem, values: Mapping[str, float]) -> float:
    """Return the spacing of the delivery times [s], or 0 if there is none or it moves with the numbers."""
    attempts = _attempt_times(problem, values)
    moved = [name for name in values if name.startswith("chain.")]
    later = {name: values[name] * (1 - 1e-6) for name in moved}
    fixed = all(a == b for a, b in zip(attempts, _attempt_times(problem, dict(values) | later), strict=True))
    return common_spacing(attempts) if fixed else 0.0


def _attempt_times(problem: Problem, values: Mapping[str, float]) -> list[float]:
    return [float(each.attempt_time) for each in heralded_links(chain_with(problem, values))]


def _distinct(choices: list[Choice]) -> list[Choice]:
    """Return the first choice of each tree."""
    found: dict[Any, Choice] = {}
    for choice in choices:
        found.setdefault(choice.schedule.tree, choice)
    return list(found.values())
