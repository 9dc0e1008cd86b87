"""What the [optimise] table asks for: the objective, the schedules to search, and the numbers to move."""

import dataclasses
import math
from collections.abc import Mapping

from qtn.evaluators.grid import common_spacing
from qtn.evaluators.renewal import Renewal
from qtn.links.link import herald
from qtn.optimisation.bounded import Interval
from qtn.planning.joined import JoinedModel
from qtn.planning.level import level_for
from qtn.planning.model import WholeModel
from qtn.planning.objective import Objective
from qtn.planning.space import SearchSpace
from qtn.planning.tuning import Tuning
from qtn.problem.cost import BEST, Factors, costs, require_imperfect
from qtn.problem.evaluation import evaluator_for, needs_time
from qtn.problem.evaluators import level_of
from qtn.problem.names import bounds, chain_with, declaration, expand, initial_values, setting_with, system_with
from qtn.problem.placement import room
from qtn.problem.problem import Problem
from qtn.problem.quantities import quantities_of
from qtn.steps.distill import PROTOCOLS


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


def tree_evaluator(problem: Problem) -> Renewal:
    """Return the evaluator of a problem, if trees can be searched and tuned with it.

    Raises:
        ValueError: if they cannot.
    """
    evaluator = evaluator_for(problem, [*problem.also, *(each.name for each in objective_of(problem).named)])
    if not isinstance(evaluator, Renewal):
        raise ValueError(
            'evaluate.evaluator: numbers and schedules are optimised with "renewal"; leave the evaluator out, and '
            "evaluate the best settings with another one afterwards"
        )
    return evaluator


def search_evaluator(problem: Problem, values: Mapping[str, float]) -> Renewal:
    """Return the same with a state level that is exact for every schedule that is searched."""
    space = space_of(problem)
    protocols = space.protocols if space.max_rounds else ()
    try:
        asked, whole = level_of(problem.config), tree_evaluator(problem).whole_state
        level = level_for(chain_with(problem, values), protocols, asked, whole=whole)
    except ValueError as error:
        raise ValueError(f"optimise.search.protocols: {error}") from None
    return dataclasses.replace(tree_evaluator(problem), level=level)


@dataclasses.dataclass(frozen=True)
class Parameters:
    """The numbers that the [optimise] table names."""

    initial: Mapping[str, float]
    """Dotted name -> number of the file."""
    factors: Factors
    """How much better those are that cost; they are moved in their place."""

    def tuning(self, problem: Problem, free: Mapping[str, float], objective: Objective) -> Tuning:
        """Return what is tuned where these numbers, and the cut-offs of a searched tree, are free."""
        limits = {name: self.interval(problem, name, value) for name, value in free.items()}
        root, table = problem.document[problem.root_key], problem.config.optimise
        joined = problem.root.scheduled
        whole = [name for name in free if declaration(problem, name).whole]
        lattice = {name: 1 / self.factors.baseline.get(name, 1.0) for name in whole}
        spacing = cutoff_spacing(problem, free) if joined else 0.0
        lattice |= {name: spacing for name in free if "cutoff_times" in name and spacing > 0}
        return Tuning(
            system=lambda factors: system_with(problem, self.factors.numbers(factors)),
            setting=lambda factors: setting_with(problem, self.factors.numbers(factors)),
            bounds=limits,
            objective=objective,
            cost=self.factors.cost if table is not None and table.minimise else None,
            constraints=lambda factors: room(root, factors),
            log=[name for name, limit in limits.items() if limit.lower > 0 and limit.upper > 100 * limit.lower],
            lattice=lattice,
            evaluator=tree_evaluator(problem) if joined else problem.evaluator,
            kind=JoinedModel if joined else WholeModel,
        )

    def interval(self, problem: Problem, name: str, value: float) -> Interval:
        """Return where a number may move: hardware that costs only gets better than in the file."""
        if name in self.factors.baseline:
            return Interval(1.0, BEST)
        if "cutoff_times" in name:
            return Interval(min(value, *attempt_times(problem, self.initial)), math.inf)
        limit = bounds(problem, name)
        edge = 1e-9 * (limit.upper - limit.lower) if math.isfinite(limit.upper) else 1e-12
        return Interval(limit.lower + edge, limit.upper - edge)


def parameters_of(problem: Problem) -> Parameters:
    """Return the numbers that the [optimise] table names.

    Raises:
        ValueError: if one of them is not known, or cannot be optimised.
    """
    table = problem.config.optimise
    assert table is not None
    initial = initial_values(problem, expand(problem, table.parameters))
    for name, value in initial.items():
        if not math.isfinite(value):
            raise ValueError(f"{name}: must be finite to be optimised, but is {value}")
        if table.minimise and costs(name):
            require_imperfect(name, value)
    return Parameters(initial, Factors.of_hardware(initial if table.minimise else {}))


def cutoff_spacing(problem: Problem, values: Mapping[str, float]) -> float:
    """Return the spacing of the delivery times [s], or 0 if there is none or it moves with the numbers."""
    attempts = attempt_times(problem, values)
    moved = {name: value * (1 - 1e-6) for name, value in values.items() if name.startswith("chain.")}
    fixed = attempts == attempt_times(problem, {**values, **moved})
    return common_spacing(attempts) if fixed else 0.0


def attempt_times(problem: Problem, values: Mapping[str, float]) -> list[float]:
    """Return the time [s] that one attempt of each link takes."""
    return [float(herald(link).attempt_time) for link in chain_with(problem, values).links]
