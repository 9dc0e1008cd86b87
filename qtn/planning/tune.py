"""Tune the numbers of a chain and a schedule by gradients: cut-offs, sources, positions, hardware."""

import contextlib
import dataclasses
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from qtn.evaluators.levels import choose_level
from qtn.evaluators.outcome import Outcome, Summary
from qtn.evaluators.plan import GridPlan
from qtn.evaluators.renewal import Renewal
from qtn.merit.quantities import Setting
from qtn.optimisation.bounded import Interval
from qtn.optimisation.checkpoint import Checkpoint
from qtn.optimisation.constrained import ConstrainedFit, ConstrainedProgress, climb_subject_to
from qtn.optimisation.settings import ConstrainedSettings
from qtn.planning.grids import EXACT_LENGTHS, search_plans
from qtn.planning.lattice import polish_on_lattice
from qtn.planning.model import Model, System
from qtn.planning.objective import TOLERANCE, Objective, result_of
from qtn.steps.level import Level

Numbers = Mapping[str, Any]
Cost = Callable[[Numbers], Any]

TUNING = ConstrainedSettings(first_step=0.1, max_evaluations=60, max_runs=2, patience=12)
"""Default settings of one run on one grid."""

TUNING_ON_LATTICE = ConstrainedSettings(first_step=0.1, max_evaluations=45, max_runs=1)
"""The same where numbers are rounded afterwards: kinks at the multiples spoil the last digits anyway."""

MAX_GRIDS = 6
"""How often the time grid is chosen anew as the numbers move."""

ENOUGH, ENOUGH_ON_LATTICE = 1e-6, 1e-2
"""Relative improvement below which no new grid is tried."""


CLOSE = 1e-2
"""Relative change below which full resolution is worth its time."""

EXACT = 1e-7
"""Relative difference up to which the grid of the optimisation counts as full resolution."""

NUM_DRAWN, SPREADS = 24, (1.0, 2.0)
"""Points that are drawn for further starts, and their standard deviations, in the free coordinates of `Interval`."""

AGREEMENT = 1e-6
"""Relative difference of what the starts end at up to which they agree."""


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


Judgement = tuple[dict[str, float], float, float, float]
"""(merits, score, violation, grid error) at full resolution."""


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
    setting: Callable[[Numbers], Setting] | None = None
    """{name: number} -> where pairs are delivered and what for; None = the chain of `system`, and the application of
    `objective`, whose numbers then stay."""
    evaluator: Renewal = dataclasses.field(default_factory=Renewal)
    """Evaluates at full resolution; without a state level of its own takes the smallest that is exact."""

    def model(self, start: Mapping[str, float]) -> Model:
        """Return the system with its judge, as a function with gradients."""

        def judge(numbers: Numbers, values: Any, constants: Any) -> tuple[Any, dict[str, Any]]:
            pair = result_of(values)
            slacks = {**self.slacks(numbers, pair, constants["bias"]), **self.constraints(numbers)}
            return self.value(numbers, pair, constants["keyless_time"]), slacks

        level = self.evaluator.level or choose_level(*self.system(dict(start)))
        system = lambda numbers: self.system(dict(numbers))  # noqa: E731
        return Model(system, judge, level, start, in_time=self.objective.in_time)

    def where(self, numbers: Numbers) -> Setting:
        """Return where pairs are delivered and what for."""
        return self.setting(numbers) if self.setting else self.objective.on(self.system(numbers)[0])

    def merits(self, numbers: Numbers, summary: Summary | Outcome) -> dict[str, np.ndarray]:
        """Return all quantities of one delivered pair, concrete numbers: (1,) each."""
        return self.objective.merits_of(summary, self.where(numbers))

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

    def plan(self, numbers: Mapping[str, float], level: Level, fine: bool) -> GridPlan:
        """Return a time grid that suits some numbers: a short one, or that of full resolution if it is not long."""
        system = self.system(dict(numbers))
        if fine:
            full = dataclasses.replace(self.evaluator, level=level).planned(*system).plan
            if full is not None and full.finest.num_steps in EXACT_LENGTHS:
                return full
        return search_plans([system], level)[0]

    def evaluated(self, numbers: Mapping[str, float]) -> Judgement:
        """Return (merits, score, violation, grid error) at full resolution."""
        summary = self.objective.evaluated(self.evaluator, *self.system(dict(numbers)))
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
    num_starts: int = 1,
    seed: int | tuple[int, ...] = 0,
    report: Callable[[ConstrainedProgress], None] = lambda progress: None,
    checkpoint: Checkpoint | None = None,
) -> Tuned:
    """Tune numbers from one start or several.

    Cut-offs between links that deliver on common multiples of a time are relaxed to mixtures of the two neighbouring
    multiples, which is exact on the multiples and has a slope in between; sequential quadratic programming moves all
    numbers on that relaxation; numbers on a lattice are then rounded, moved by one spacing while that helps, and the
    others are tuned once more around them. Further starts are the best of points that are drawn round the given one
    and judged together, by values alone, on the grid that suits what the given one has led to.

    Args:
        tuning: system, bounds and objective.
        initial: the first start, inside the bounds.
        settings: of one run on one time grid; `TUNING` or `TUNING_ON_LATTICE` if None.
        num_starts: runs, of which the best counts.
        seed: of the points that are drawn.
        report: called after each evaluation with gradient; what it is told never falls.
        checkpoint: keeps every evaluation, so that a run that is started again repeats none.

    Returns:
        The best numbers found, never worse than the start, with merits at full resolution.

    Raises:
        ValueError: if `initial` does not fit the bounds.
    """
    model, told = tuning.model(initial), _rising(report)
    runs = [_tuned(tuning, model, initial, settings, told, checkpoint)]
    if num_starts > 1 and not runs[0].interrupted:
        for start in _promising(tuning, model, initial, runs[0], seed, checkpoint)[: num_starts - 1]:
            try:
                runs.append(_tuned(tuning, model, start, settings, told, checkpoint))
            except KeyboardInterrupt:  # before its first evaluation
                runs[0] = dataclasses.replace(runs[0], interrupted=True)
            if runs[0].interrupted or runs[-1].interrupted:
                break
    best = runs[0]
    for run in runs[1:]:
        best = run if _better((None, run.score, run.violation, 0.0), (None, best.score, best.violation, 0.0)) else best
    interrupted = any(run.interrupted for run in runs)
    ends = [name for name, value in best.parameters.items() if tuning.bounds[name].at_end(value)]
    sentences = ["Interrupted: this is the best so far." if interrupted else best.status, _agreement(runs)]
    sentences += [f"At the end of its range: {', '.join(ends)}."] if ends else []
    return dataclasses.replace(
        best,
        num_gradients=sum(run.num_gradients for run in runs),
        num_evaluations=sum(run.num_evaluations for run in runs),
        status=" ".join(filter(None, sentences)),
        start_scores=tuple(run.score for run in runs),
        interrupted=interrupted,
    )


def _rising(report: Callable[[ConstrainedProgress], None]) -> Callable[[ConstrainedProgress], None]:
    """Return a report that tells the best of all starts and grids so far."""
    best: list[ConstrainedProgress] = []

    def told(progress: ConstrainedProgress) -> None:
        feasible = progress.violation <= TOLERANCE
        if best and not (feasible and progress.value > best[-1].value):
            progress = dataclasses.replace(best[-1], num_evaluations=progress.num_evaluations)
        elif feasible:
            best.append(progress)
        report(progress)

    return told


def _agreement(runs: list[Tuned]) -> str:
    """Say whether the starts end at the same value."""
    scores = np.array([run.score for run in runs])
    spread = float(np.ptp(scores) / max(abs(float(scores.max())), 1e-300))
    if len(runs) < 2 or spread == 0 == float(scores.max()):
        return ""
    if spread <= AGREEMENT:
        return f"All {len(runs)} starts agree to {AGREEMENT:g}."
    return f"The {len(runs)} starts differ by up to {spread:.2g}: there may be several optima."


def _tuned(
    tuning: Tuning,
    model: Model,
    initial: Mapping[str, float],
    settings: ConstrainedSettings | None,
    report: Callable[[ConstrainedProgress], None],
    checkpoint: Checkpoint | None,
) -> Tuned:
    """Tune numbers from one start."""
    best, here, fits, evaluations = dict(initial), dict(initial), list[ConstrainedFit](), 0
    first = judged = tuning.evaluated(best)
    free, lattice = set(initial), {name: spacing for name, spacing in tuning.lattice.items() if name in initial}
    bias = dict.fromkeys(tuning.objective.minimum, 1.0)
    kept: ConstrainedFit | None = None

    def climb(chosen: ConstrainedSettings, fine: bool) -> tuple[ConstrainedFit, dict[str, float]]:
        plan = tuning.plan(here, model.level, fine)
        return _climb(tuning, model, plan, here, free, bias, chosen, report, checkpoint)

    while free:
        chosen = TUNING_ON_LATTICE if lattice else TUNING
        bias, before, close = dict.fromkeys(bias, 1.0), judged, False
        for _ in range(2 if lattice else MAX_GRIDS):
            fine = close and not lattice
            fit, coarse = climb(settings or chosen, fine)
            fits.append(fit)
            here, found = fit.parameters, tuning.evaluated(fit.parameters)
            if _better(found, judged):
                best, judged, kept = here, found, fit
            change = abs(found[1] - before[1]) / max(abs(before[1]), 1e-300) if found[2] == 0 else math.inf
            named = [(coarse[each.name], found[0][each.name]) for each in tuning.objective.named]
            exact = all(abs(rough - value) <= EXACT * abs(value) for rough, value in named)
            settled = change <= (ENOUGH_ON_LATTICE if lattice else ENOUGH)
            if fit.interrupted or (settled and (exact or lattice or fine)) or (exact and fit.converged):
                break  # an extrapolated grid suits where it was chosen: it is chosen once more at the end
            close = fit.converged or change <= CLOSE
            before, bias = found, {n: coarse[n] / found[0][n] if found[0][n] > 0 else 1.0 for n in bias}
        here = best
        if not lattice or fits[-1].interrupted:
            break
        best, count = _polished(tuning, model, best, lattice, checkpoint)
        here, judged = best, tuning.evaluated(best)
        evaluations, free, lattice = evaluations + count, free - set(lattice), {}
    if _better(first, judged):
        best, judged, kept = dict(initial), first, None
        here = best
    interrupted = fits[-1].interrupted
    if kept is None and free and not interrupted:  # what is said of the end is said of the start then
        kept, _ = climb(dataclasses.replace(settings or TUNING, max_evaluations=1), fine=True)
        fits.append(kept)
    last = kept or fits[-1]
    merits, score, violation, error = judged
    return Tuned(
        parameters=best,
        value=float(tuning.cost(dict(best))) if tuning.cost is not None else merits[tuning.objective.maximise],
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
        interrupted=interrupted,
    )


def _better(new: tuple[Any, float, float, float], old: tuple[Any, float, float, float]) -> bool:
    """Whether a feasible point gains, or an infeasible one misses less."""
    return new[2] < old[2] if old[2] > 0 or new[2] > 0 else new[1] > old[1]


def _climb(
    tuning: Tuning,
    model: Model,
    plan: GridPlan,
    start: Mapping[str, float],
    free: Collection[str],
    bias: Mapping[str, float],
    settings: ConstrainedSettings,
    report: Callable[[ConstrainedProgress], None],
    checkpoint: Checkpoint | None,
) -> tuple[ConstrainedFit, dict[str, float]]:
    """Tune the free numbers on one time grid; return the merits of the end on that grid too."""
    first = model.values(plan, start)
    constants = {"keyless_time": float(result_of(first).mean_time), "bias": dict(bias)}
    moved = {name: start[name] for name in start if name in free}

    def evaluate(x: Array) -> tuple[np.ndarray, np.ndarray]:
        numbers = dict(start) | dict(zip(moved, np.asarray(x).tolist(), strict=True))
        return model.gradients(plan, numbers, moved, constants)

    fit = climb_subject_to(
        model.slack_names(start, first, constants),
        evaluate,
        moved,
        {name: tuning.bounds[name] for name in moved},
        log=[name for name in moved if name in tuning.log],
        settings=settings,
        report=report,
        journal=checkpoint.next("climb").journal("evaluations") if checkpoint else None,
    )
    end = dict(start) | fit.parameters
    coarse = tuning.merits(end, result_of(model.values(plan, end)))
    return dataclasses.replace(fit, parameters=end), {name: float(value[0]) for name, value in coarse.items()}


def _promising(
    tuning: Tuning,
    model: Model,
    initial: Mapping[str, float],
    found: Tuned,
    seed: int | tuple[int, ...],
    checkpoint: Checkpoint | None,
) -> list[dict[str, float]]:
    """Draw numbers round a start and judge them together; return them, the best first."""
    random = np.random.default_rng(seed)
    drawn = []
    for index in range(NUM_DRAWN):
        moved = {}
        for name, value in initial.items():
            interval, noise = tuning.bounds[name], SPREADS[index % len(SPREADS)] * random.normal()
            moved[name] = interval.inside(float(interval.bounded(interval.free(jnp.asarray(value)) + noise)))
            if name in tuning.lattice:
                moved[name] = tuning.lattice[name] * max(round(moved[name] / tuning.lattice[name]), 1)
        drawn.append(moved)
    with _scores(tuning, model, found.parameters, checkpoint) as score:
        scores = [score(numbers) for numbers in drawn]
    order = np.argsort([-each if math.isfinite(each) else math.inf for each in scores], kind="stable")
    return [drawn[index] for index in order if math.isfinite(scores[index])]


@contextlib.contextmanager
def _scores(
    tuning: Tuning, model: Model, suited: Mapping[str, float], checkpoint: Checkpoint | None
) -> Iterator[Callable[[Mapping[str, float]], float]]:
    """Return the score of numbers on the grid that suits some of them, by values alone."""
    plan, names = tuning.plan(suited, model.level, fine=False), tuple(suited)

    def judged(point: np.ndarray) -> tuple[float]:
        numbers = dict(zip(names, point.tolist(), strict=True))
        merits = tuning.merits(numbers, result_of(model.values(plan, numbers)))
        if tuning.cost is not None:
            missed = float(tuning.objective.violation(merits)[0])
            return (tuning.objective.cost_score(float(tuning.cost(numbers)), missed),)
        return (float(tuning.objective.scores(merits)[0]),)

    journal = checkpoint and checkpoint.next("values").journal("evaluations")
    recorded: Callable[[np.ndarray], Any] = journal.recorded(judged) if journal else judged
    try:
        yield lambda numbers: float(recorded(np.array([numbers[name] for name in names]))[0])
    finally:
        if journal:
            journal.flush()


def _polished(
    tuning: Tuning,
    model: Model,
    start: Mapping[str, float],
    lattice: Mapping[str, float],
    checkpoint: Checkpoint | None,
) -> tuple[dict[str, float], int]:
    """Round and polish the numbers on the lattice; return them and the number of evaluations."""
    with _scores(tuning, model, start, checkpoint) as score:
        best, _, count = polish_on_lattice(score, start, lattice)
    return best, count
