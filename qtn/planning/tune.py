"""Tune the numbers of a chain and a schedule by gradients: cut-offs, sources, positions, hardware."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qtn.evaluators.levels import choose_level
from qtn.evaluators.outcome import Summary
from qtn.evaluators.renewal import Renewal
from qtn.optimisation.bounded import Interval
from qtn.optimisation.checkpoint import Checkpoint
from qtn.optimisation.constrained import ConstrainedFit, ConstrainedProgress, climb_subject_to
from qtn.optimisation.sqp import ConstrainedSettings
from qtn.planning.grids import search_plans
from qtn.planning.lattice import polish_on_lattice
from qtn.planning.model import Model, System
from qtn.planning.objective import Objective, summary_of

Numbers = Mapping[str, Any]
Cost = Callable[[Numbers], Any]

TUNING = ConstrainedSettings(first_step=0.1, max_evaluations=60, max_runs=2, patience=12)
"""Default settings of one run on one grid."""

TUNING_ON_LATTICE = ConstrainedSettings(first_step=0.1, max_evaluations=45, max_runs=1)
"""The same where numbers are rounded afterwards: kinks at the multiples spoil the last digits anyway."""

MAX_GRIDS = 3
"""How often the time grid is chosen anew as the numbers move."""

ENOUGH, ENOUGH_ON_LATTICE = 1e-6, 1e-2
"""Relative improvement below which no new grid is tried."""


EXACT = 1e-9
"""Relative difference up to which the grid of the optimisation counts as full resolution."""


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
    interrupted: bool = False


@dataclasses.dataclass(frozen=True)
class Tuning:
    """What is tuned: a system that depends on named numbers, and what it is judged by."""

    system: System
    """{name: number} -> (chain, schedule); pure, called with traced numbers."""
    bounds: Mapping[str, Interval]
    objective: Objective
    cost: Cost | None = None
    """Differentiable; minimised, if given, in place of maximising the merit."""
    constraints: Callable[[Numbers], Mapping[str, Any]] = lambda numbers: {}
    """Further differentiable functions of the numbers that must stay above 0."""
    log: Collection[str] = ()
    """Numbers that vary on a logarithmic scale."""
    lattice: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Numbers that end on multiples of a spacing."""
    evaluator: Renewal = dataclasses.field(default_factory=Renewal)
    """Evaluates at full resolution; without a state level of its own takes the smallest that is exact."""

    def model(self, start: Mapping[str, float]) -> Model:
        """Return the system with its judge, as a function with gradients."""

        def judge(numbers: Numbers, values: Any, constants: Any) -> tuple[Any, dict[str, Any]]:
            pair = summary_of(values)
            slacks = {**self.slacks(numbers, pair, constants["bias"]), **self.constraints(numbers)}
            return self.value(numbers, pair, constants["keyless_time"]), slacks

        level = self.evaluator.level or choose_level(*self.system(dict(start)))
        return Model(lambda numbers: self.system(dict(numbers)), judge, level, start)

    def merits(self, numbers: Numbers, summary: Summary) -> dict[str, np.ndarray]:
        """Return all quantities of one delivered pair, concrete numbers: (1,) each."""
        time, state = np.asarray(summary.mean_time)[None], np.asarray(summary.state)[None]
        return self.objective.merits(time, state, lambda: self.system(numbers)[0])

    def value(self, numbers: Numbers, summary: Summary, keyless_time: Any) -> Any:
        """Return what is maximised. Where there is no key its rate is taken over a fixed time [s].

        Negative key over the mean time would rise by waiting for ever.
        """
        if self.cost is not None:
            return -self.cost(numbers)
        value = self.objective.values(summary, lambda: self.system(numbers)[0])[self.objective.maximise]
        if not self.objective.quantities[self.objective.maximise].rewards_waiting:
            return value
        return jnp.where(value > 0, value, value * summary.mean_time / keyless_time)

    def slacks(self, numbers: Numbers, summary: Summary, bias: Mapping[str, Any]) -> dict[str, Any]:
        """Return by how much each limit is kept, relative to it; `bias` is how much the time grid overestimates."""
        merits, rows = self.objective.values(summary, lambda: self.system(numbers)[0]), self.objective.quantities
        kept = {name: merits[name] / (limit * bias[name]) for name, limit in self.objective.minimum.items()}
        rates = {name for name in kept if rows[name].per_pair is not None and not rows[name].clipped}
        return {name: jnp.log(each) if name in rates else each - 1 for name, each in kept.items()}

    def evaluated(self, numbers: Mapping[str, float]) -> tuple[dict[str, float], float, float, float]:
        """Return (merits, score, violation, grid error) at full resolution."""
        summary = self.evaluator.summarise(*self.system(dict(numbers)))
        merits = self.merits(numbers, summary)
        score, violation = float(self.objective.scores(merits)[0]), float(self.objective.violation(merits)[0])
        if self.cost is not None:
            score = self.objective.cost_score(float(self.cost(dict(numbers))), violation)
        error = float(summary.info.grid_error)
        return {name: float(value[0]) for name, value in merits.items()}, score, violation, error


def tune(
    tuning: Tuning,
    initial: Mapping[str, float],
    *,
    settings: ConstrainedSettings | None = None,
    report: Callable[[ConstrainedProgress], None] = lambda progress: None,
    checkpoint: Checkpoint | None = None,
) -> Tuned:
    """Tune numbers from one start.

    Cut-offs between links that deliver on common multiples of a time are relaxed to mixtures of the two neighbouring
    multiples, which is exact on the multiples and has a slope in between; sequential quadratic programming moves all
    numbers on that relaxation; numbers on a lattice are then rounded, moved by one spacing while that helps, and the
    others are tuned once more around them.

    Args:
        tuning: system, bounds and objective.
        initial: start, inside the bounds.
        settings: of one run on one time grid; `TUNING` or `TUNING_ON_LATTICE` if None.
        report: called after each evaluation with gradient.
        checkpoint: keeps every evaluation, so that a run that is started again repeats none.

    Returns:
        The best numbers found, with merits at full resolution.

    Raises:
        ValueError: if `initial` does not fit the bounds.
    """
    best, fits, evaluations = dict(initial), list[ConstrainedFit](), 0
    model = tuning.model(best)
    merits, score, violation, error = tuning.evaluated(best)
    free, lattice = set(initial), {name: spacing for name, spacing in tuning.lattice.items() if name in initial}
    kept: ConstrainedFit | None = None
    while free:
        enough, chosen = (ENOUGH_ON_LATTICE, TUNING_ON_LATTICE) if lattice else (ENOUGH, TUNING)
        bias = dict.fromkeys(tuning.objective.minimum, 1.0)
        for _ in range(2 if lattice else MAX_GRIDS):
            fit, coarse = _climb(tuning, model, best, free, bias, settings or chosen, report, checkpoint)
            found, before = tuning.evaluated(fit.parameters), score
            fits.append(fit)
            if _better(found, (merits, score, violation, error)):
                best, (merits, score, violation, error), kept = fit.parameters, found, fit
            settled = found[2] == 0 and score - before <= enough * abs(before)
            named = [(coarse[each.name], found[0][each.name]) for each in tuning.objective.named]
            exact = all(abs(rough - value) <= EXACT * abs(value) for rough, value in named)
            if fit.interrupted or (settled and (exact or lattice or len(fits) > 1)):
                break  # an extrapolated grid suits where it was chosen: it is chosen once more at the end
            bias = {name: coarse[name] / found[0][name] if found[0][name] > 0 else 1.0 for name in bias}
        if not lattice or fits[-1].interrupted:
            break
        best, count = _polished(tuning, model, best, lattice, checkpoint)
        merits, score, violation, error = tuning.evaluated(best)
        evaluations, free, lattice = evaluations + count, free - set(lattice), {}
    last = kept or fits[-1]
    value = float(tuning.cost(dict(best))) if tuning.cost is not None else merits[tuning.objective.maximise]
    return Tuned(
        parameters=best,
        value=value,
        merits=merits,
        score=score,
        violation=violation,
        grid_error=error,
        multipliers={name: last.multipliers[name] / limit for name, limit in tuning.objective.minimum.items()},
        kkt_residual=last.kkt_residual,
        converged=last.converged,
        num_gradients=sum(fit.num_evaluations for fit in fits),
        num_evaluations=evaluations,
        status="No neighbouring cut-off is better." if evaluations and not free else last.status,
        interrupted=fits[-1].interrupted,
    )


def _better(new: tuple[Any, float, float, float], old: tuple[Any, float, float, float]) -> bool:
    """Whether a feasible point gains, or an infeasible one misses less."""
    return new[2] < old[2] if old[2] > 0 or new[2] > 0 else new[1] > old[1]


def _climb(
    tuning: Tuning,
    model: Model,
    start: Mapping[str, float],
    free: Collection[str],
    bias: Mapping[str, float],
    settings: ConstrainedSettings,
    report: Callable[[ConstrainedProgress], None],
    checkpoint: Checkpoint | None,
) -> tuple[ConstrainedFit, dict[str, float]]:
    """Tune the free numbers on one time grid, which suits the start; return the merits of the end on that grid too."""
    plan = search_plans([tuning.system(dict(start))], model.level)[0]
    keyless_time = float(model.values(plan, start)[0])
    constants = {"keyless_time": keyless_time, "bias": dict(bias)}
    moved = {name: start[name] for name in start if name in free}

    def evaluate(x: Array) -> tuple[np.ndarray, np.ndarray]:
        numbers = dict(start) | dict(zip(moved, np.asarray(x).tolist(), strict=True))
        return model.gradients(plan, numbers, moved, constants)

    fit = climb_subject_to(
        model.slack_names(constants),
        evaluate,
        moved,
        {name: tuning.bounds[name] for name in moved},
        log=[name for name in moved if name in tuning.log],
        settings=settings,
        report=report,
        journal=checkpoint.next("climb").journal("evaluations") if checkpoint else None,
    )
    end = dict(start) | fit.parameters
    coarse = tuning.merits(end, summary_of(jnp.asarray(model.values(plan, end))))
    return dataclasses.replace(fit, parameters=end), {name: float(value[0]) for name, value in coarse.items()}


def _polished(
    tuning: Tuning,
    model: Model,
    start: Mapping[str, float],
    lattice: Mapping[str, float],
    checkpoint: Checkpoint | None,
) -> tuple[dict[str, float], int]:
    """Round and polish the numbers on the lattice; return them and the number of evaluations."""
    plan = search_plans([tuning.system(dict(start))], model.level)[0]

    def score(numbers: Mapping[str, float]) -> float:
        merits = tuning.merits(numbers, summary_of(jnp.asarray(model.values(plan, numbers))))
        if tuning.cost is not None:
            missed = float(tuning.objective.violation(merits)[0])
            return tuning.objective.cost_score(float(tuning.cost(dict(numbers))), missed)
        return float(tuning.objective.scores(merits)[0])

    if checkpoint is None:
        best, _, count = polish_on_lattice(score, start, lattice)
        return best, count
    journal = checkpoint.next("polish").journal("evaluations")
    names = tuple(start)
    recorded = journal.recorded(lambda point: (score(dict(zip(names, point.tolist(), strict=True))),))
    try:
        best, _, count = polish_on_lattice(
            lambda numbers: float(recorded(np.array([numbers[name] for name in names]))[0]), start, lattice
        )
    finally:
        journal.flush()
    return best, count
