"""What is tuned, how it is judged, and what tuning finds."""

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp

from qtn.evaluators.outcome import Outcome, Summary
from qtn.evaluators.renewal import Renewal
from qtn.merit.quantities import Setting
from qtn.optimisation.bounded import Interval
from qtn.planning.joined import JoinedModel
from qtn.planning.model import Model, Numbers, System
from qtn.planning.objective import Objective, result_of


@dataclasses.dataclass(frozen=True)
class Judged:
    """Numbers judged on one time grid; its fields are those of `Tuned`."""

    value: float
    merits: dict[str, float]
    score: float
    violation: float
    grid_error: float


@dataclasses.dataclass(frozen=True)
class Tuned:
    """What tuning found, at full resolution."""

    parameters: dict[str, float]
    value: float
    """The merit, or the cost."""
    merits: dict[str, float]
    score: float
    """Larger is better: see `Objective.scores`; minus the cost where a cost was minimised."""
    violation: float
    """Sum of the relative amounts by which limits are missed; 0 = feasible."""
    grid_error: float
    """Bound on the error of the evaluation, of the mean time (relative) and of each Pauli coefficient."""
    multipliers: dict[str, float]
    """For each limit, how much the best value gains when the limit is lowered by one unit; 0 if it does not bind."""
    kkt_residual: float
    """How far from stationary the point is; see `ConstrainedFit.kkt_residual`."""
    converged: bool
    num_gradients: int
    """Evaluations with gradient."""
    num_evaluations: int
    """Evaluations without gradient, of the polish on the lattice."""
    status: str
    start_scores: tuple[float, ...] = ()
    """Score that each start ended at, the given one first; lower than any merit where limits are missed."""
    interrupted: bool = False


@runtime_checkable
class Ranked(Protocol):
    """What has a score, and limits that it keeps or misses."""

    @property
    def score(self) -> float:
        """Larger is better."""
        ...

    @property
    def violation(self) -> float:
        """0 = feasible."""
        ...


def better(new: Ranked, old: Ranked) -> bool:
    """Whether a feasible point gains, or an infeasible one misses less."""
    return new.violation < old.violation if old.violation > 0 or new.violation > 0 else new.score > old.score


@dataclasses.dataclass(frozen=True)
class Tuning:
    """What is tuned: a system that depends on named numbers, and what it is judged by."""

    system: System
    """{name: number} -> what `evaluator` takes, chain and schedule for `Renewal`; pure, called with traced numbers."""
    bounds: Mapping[str, Interval]
    objective: Objective
    cost: Callable[[Numbers], Any] | None = None
    """Differentiable; minimised, if given, in place of maximising the merit."""
    constraints: Callable[[Numbers], Mapping[str, Any]] = lambda numbers: {}
    """Further differentiable functions of the numbers that must stay above 0."""
    log: Collection[str] = ()
    """Numbers that vary on a logarithmic scale."""
    lattice: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Numbers that end on multiples of a spacing."""
    setting: Callable[[Numbers], Setting] | None = None
    """{name: number} -> where pairs are delivered and what for; None = the chain of `system`, and the application of
    `objective`, whose numbers then stay."""
    evaluator: Any = dataclasses.field(default_factory=Renewal)
    """Evaluates at full resolution; `Renewal` without a state level of its own takes the smallest that is exact."""
    kind: type[Model] = JoinedModel
    """How gradients are taken: joined along a tree by `Renewal`, or with any `Evaluator` as a whole (`WholeModel`)."""

    def model(self, start: Mapping[str, float]) -> Model:
        """Return the system with its judge, as a function with gradients."""

        def judge(numbers: Numbers, values: Any, constants: Any) -> tuple[Any, dict[str, Any]]:
            pair = result_of(values)
            slacks = {**self.slacks(numbers, pair, constants["bias"]), **self.constraints(numbers)}
            return self.value(numbers, pair, constants["keyless_time"]), slacks

        return self.kind(self.system, judge, self.evaluator, start, in_time=self.objective.in_time)

    def where(self, numbers: Numbers) -> Setting:
        """Return where pairs are delivered and what for."""
        return self.setting(numbers) if self.setting else self.objective.on(self.system(numbers)[0])

    def value(self, numbers: Numbers, summary: Summary | Outcome, keyless_time: Any) -> Any:
        """Return what is maximised; see `Objective.value`."""
        if self.cost is not None:
            return -self.cost(numbers)
        return self.objective.value(self.objective.values(summary, lambda: self.where(numbers)), keyless_time)

    def slacks(self, numbers: Numbers, summary: Summary | Outcome, bias: Mapping[str, Any]) -> dict[str, Any]:
        """Return by how much each limit is kept, relative to it; `bias` is how much the time grid overestimates."""
        merits, rows = self.objective.values(summary, lambda: self.where(numbers)), self.objective.quantities
        kept = {name: merits[name] / (limit * bias[name]) for name, limit in self.objective.minimum.items()}
        rates = {name for name in kept if rows[name].per_pair is not None and not rows[name].clipped}
        return {name: jnp.log(each) if name in rates else each - 1 for name, each in kept.items()}

    def judged(self, numbers: Mapping[str, float], pair: Summary | Outcome, grid_error: float = math.nan) -> Judged:
        """Judge numbers by what they deliver."""
        found = self.objective.merits_of(pair, self.where(numbers))
        merits = {name: float(value[0]) for name, value in found.items()}
        score, violation = float(self.objective.scores(found)[0]), float(self.objective.violation(found)[0])
        if self.cost is None:
            return Judged(merits[self.objective.maximise], merits, score, violation, grid_error)
        cost = float(self.cost(numbers))
        return Judged(cost, merits, self.objective.cost_score(cost, violation), violation, grid_error)

    def evaluated(self, numbers: Mapping[str, float]) -> Judged:
        """Judge numbers at full resolution."""
        pair = self.objective.evaluated(self.evaluator, *self.system(numbers))
        return self.judged(numbers, pair, float(pair.info.grid_error))
