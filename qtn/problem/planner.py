"""Find the best schedule and settings of a problem: tune the given tree, or search, tune the leaders, search again."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from qtn.optimisation.checkpoint import Checkpoint
from qtn.optimisation.constrained import ConstrainedProgress
from qtn.planning.leaders import Leader, evaluate_leader
from qtn.planning.objective import MARGIN, OUTSIDE, TOLERANCE
from qtn.planning.search import Progress, SearchResult, SearchSettings, search
from qtn.planning.tune import tune
from qtn.problem.choice import Choice, Optimum, ranked, settings_of, times_of, value_of
from qtn.problem.choosing import choose
from qtn.problem.cost import hardware_cost
from qtn.problem.names import chain_with, schedule_with, setting_with
from qtn.problem.objective import objective_of, parameters_of, search_evaluator, space_of, tree_evaluator
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of
from qtn.schedules.tree import Schedule

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


def optimise(
    problem: Problem,
    *,
    seed: int | tuple[int, ...] = 0,
    start: Mapping[str, float] | None = None,
    report: Show = lambda phase, best, evaluations: None,
    checkpoint: Checkpoint | None = None,
) -> Optimum:
    """Find the best schedule and settings of the [optimise] table of a problem.

    Args:
        problem: with an [optimise] table.
        seed: of the further starts of a given tree; the first start is the file's.
        start: dotted name -> number, where the only start is, such as what was found for other limits.
        report: called as it goes on; the best score that it is told never falls, and is -inf until something was tuned
            or searched to the end: the short grids of a search may be wrong by a fifth, so the phase tells their best.
        checkpoint: keeps what is found, so that a run that was killed goes on to the same answer.

    Returns:
        The best choices, with the search and the tuning behind them. On an interrupt, the best so far.

    Raises:
        ValueError: if the table is missing, or cannot be done.
    """
    if problem.config.optimise is None:
        raise ValueError("optimise: is missing; add [optimise] with `parameters = [...]`")
    if problem.config.optimise.choices:
        return choose(
            problem,
            lambda fixed: Planner(fixed, report, checkpoint, seed, start).of_fixed_numbers(),
            lambda best, count: report("choosing whole numbers", best, count),
        )
    return Planner(problem, report, checkpoint, seed, start).run()


class Planner:
    """The state of one optimisation."""

    def __init__(
        self,
        problem: Problem,
        report: Show,
        checkpoint: Checkpoint | None = None,
        seed: int | tuple[int, ...] = 0,
        start: Mapping[str, float] | None = None,
    ) -> None:
        table = problem.config.optimise
        assert table is not None
        self.problem, self.table, self.report, self.checkpoint, self.seed = problem, table, report, checkpoint, seed
        self.parameters, self.objective = parameters_of(problem), objective_of(problem)
        self.start, self.num_starts = dict(self.parameters.initial), NUM_STARTS if start is None else 1
        self.start |= {name: value for name, value in (start or {}).items() if name in self.start}
        self.history: list[float] = []
        self.num_searches = self.num_gradients = 0
        self.best_score = -math.inf

    def run(self) -> Optimum:
        """Search and tune in turn until the schedule stays."""
        values = self.start
        if self.table.search is None:
            given = self.problem.schedule if self.problem.root.scheduled else None
            return self.optimum([self.tuned(given, values, self.num_starts)], None)
        best: list[Choice] = []
        found: SearchResult | None = None
        tree: Any = None
        for _ in range(MAX_CYCLES):
            found = self.search(values)
            choices = [self.choice(leader, values) for leader in found.leaders]
            if choices[0].tree == tree:
                break  # tuned already, for these numbers
            if not found.interrupted:
                number = MOST_TUNED if best or not values else 1  # numbers that are far off rank schedules badly
                choices = [*self.tuned_leaders(choices[:number], values), *choices[number:]]
            interrupted = found.interrupted or any(choice.interrupted for choice in choices)
            best = ranked([*choices, *best])[:MOST_CHOICES]
            values = {name: best[0].values[name] for name in values}
            if interrupted or not values or best[0].tree == tree:
                break
            tree = best[0].tree
        return self.optimum(best, found)

    def of_fixed_numbers(self) -> Optimum:
        """Tune the given tree if there are numbers to tune, else only evaluate it."""
        if self.parameters.initial:
            return self.run()
        leader = evaluate_leader(
            self.problem.chain, self.objective, self.problem.schedule, tree_evaluator(self.problem)
        )
        return self.optimum([self.choice(leader, {})], None)

    def optimum(self, choices: list[Choice], found: SearchResult | None) -> Optimum:
        """Put together what was found."""
        interrupted = bool(found and found.interrupted) or any(choice.interrupted for choice in choices)
        return Optimum(
            value=value_of(self.problem, choices[0]),
            parameters=settings_of(self.problem, choices[0]),
            choices=tuple(choices),
            found=found,
            history=np.array(self.history)[:, None],
            num_gradients=self.num_gradients,
            num_searches=self.num_searches,
            status="Interrupted: this is the best so far." if interrupted else self.status(choices[0]),
            interrupted=interrupted,
        )

    def status(self, best: Choice) -> str:
        """Return how it ended, in sentences."""
        if best.violation > TOLERANCE:
            missed = ", ".join(
                f"{name} {best.merits[name]:.6g} (asked: {limit:g})"
                for name, limit in self.objective.minimum.items()
                if best.merits[name] < limit
            )
            return f"No feasible point found; the closest has {missed}. Lower the limits, or free more parameters."
        return best.tuned.status if best.tuned else "Searched."

    def told(self, phase: str, score: float, evaluations: int) -> None:
        """Report the best score so far."""
        self.best_score = max(self.best_score, score)
        self.report(phase, self.best_score, evaluations)

    def read(self, score: float) -> float:
        """Return the score of what keeps the limits as people read it: without key 0, whatever ranks it there."""
        clipped = not self.table.minimise and quantities_of(self.problem.document)[self.objective.maximise].clipped
        return max(score, 0.0) if clipped else score

    def search(self, values: Mapping[str, float], num_leaders: int = MOST_CHOICES) -> SearchResult:
        """Search the schedules of the chain with these values."""
        table, minimise = self.table.search, self.table.minimise
        assert table is not None
        self.num_searches += 1

        def show(progress: Progress) -> None:
            rough = f", about {self.read(progress.best):.6g} on its grid"
            if progress.best <= OUTSIDE:
                rough = ", nothing within the limits yet" if math.isfinite(progress.best) else ""
            self.told(progress.phase + ("" if minimise else rough), -math.inf, progress.evaluated)

        use = setting_with(self.problem, values).application
        objective = dataclasses.replace(self.objective, application=use)
        found = search(
            chain_with(self.problem, values),
            space_of(self.problem),
            dataclasses.replace(objective, maximise=MARGIN) if minimise else objective,
            settings=SearchSettings(method=table.method, width=table.width, num_leaders=num_leaders),
            evaluator=search_evaluator(self.problem, values),
            report=show,
            checkpoint=self.checkpoint and self.checkpoint.next("search"),
        )
        exact = found.leaders[0].violation == 0 and not (minimise or table.cutoffs)  # trial cut-offs get short grids
        self.told("search", self.read(found.leaders[0].score) if exact else -math.inf, found.evaluated)
        return found

    def choice(self, leader: Leader, values: Mapping[str, float]) -> Choice:
        """Return a leader of a search as a choice, without tuning."""
        score = leader.score
        if self.table.minimise:
            cost = float(hardware_cost(self.parameters.initial, values))
            score = self.objective.cost_score(cost, leader.violation)
        everything = dict(values) | times_of(leader.schedule)
        return Choice(leader.schedule, everything, leader.merits, score, leader.violation, leader.grid_error)

    def tuned_leaders(self, choices: list[Choice], values: Mapping[str, float]) -> list[Choice]:
        """Tune one choice after another, as long as it has numbers and nobody stops it."""
        found: list[Choice] = []
        for choice in choices:
            assert choice.schedule is not None
            if not (values or choice.schedule.cutoff_times.size) or any(each.interrupted for each in found):
                break
            try:
                found.append(self.tuned(choice.schedule, values))
            except KeyboardInterrupt:  # before the first evaluation: what was searched stays
                found.append(dataclasses.replace(choice, stopped=True))
        return [*found, *choices[len(found) :]]

    def tuned(self, schedule: Schedule | None, values: Mapping[str, float], num_starts: int = 1) -> Choice:
        """Tune the numbers of a schedule, or of what has none."""
        problem, factors = dataclasses.replace(self.problem, given_schedule=schedule), self.parameters.factors
        free = dict(values) | (times_of(schedule) if schedule is not None and self.table.search is not None else {})
        if not free:
            raise ValueError("optimise.parameters: names nothing; list at least one number, or add `search = {}`")
        tuning = self.parameters.tuning(problem, free, self.objective)

        def show(progress: ConstrainedProgress) -> None:
            self.num_gradients += 1
            score = self.read(progress.value) if progress.violation <= TOLERANCE else -math.inf
            self.history.append(max([score, *self.history[-1:]]))
            self.told("tuning", score, self.num_gradients)

        start = {name: tuning.bounds[name].inside(value) for name, value in factors.of(free).items()}
        kept = self.checkpoint and self.checkpoint.next("tuning")
        result = tune(tuning, start, num_starts=num_starts, seed=self.seed, report=show, checkpoint=kept)
        found = {name: float(value) for name, value in factors.numbers(result.parameters).items()}
        result = dataclasses.replace(result, parameters=found)
        best = None if schedule is None else schedule_with(problem, found)
        return Choice(best, found, result.merits, result.score, result.violation, result.grid_error, result)
