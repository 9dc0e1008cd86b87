"""Tune the numbers of a chain and a schedule by gradients: cut-offs, sources, positions, hardware."""

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable, Mapping

from qtn.evaluators.plan import TooLongError
from qtn.optimisation.checkpoint import Checkpoint
from qtn.optimisation.constrained import ConstrainedFit, ConstrainedProgress
from qtn.optimisation.settings import ConstrainedSettings
from qtn.planning.climber import Climber
from qtn.planning.objective import TOLERANCE
from qtn.planning.starts import agreement, further_starts
from qtn.planning.tuning import Judged, Tuned, Tuning, better

TUNING = ConstrainedSettings(first_step=0.1, max_evaluations=60, max_runs=2, patience=12)
"""Default settings of one run on one grid."""

TUNING_ON_LATTICE = ConstrainedSettings(first_step=0.1, max_evaluations=45, max_runs=1)
"""The same where numbers are rounded afterwards: kinks at the multiples spoil the last digits anyway."""

MAX_GRIDS, MAX_GRIDS_ON_LATTICE = 6, 2
"""How often the time grid is chosen anew as the numbers move."""

ENOUGH, ENOUGH_ON_LATTICE = 1e-6, 1e-2
"""Relative improvement below which no new grid is tried."""

PARTS_OF_THE_WAY = (0.5, 0.25, 0.1)
"""Where it is judged instead, when no time grid holds the end of a climb."""

CLOSE = 1e-2
"""Relative change below which full resolution is worth its time."""

EXACT = 1e-7
"""Relative difference up to which the grid of the optimisation counts as full resolution."""


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
        KeyboardInterrupt: if it comes before the first start has ended; later the best so far is returned.
    """
    climber = Climber(tuning, tuning.model(initial), _rising(report), checkpoint)
    runs = [_Run(climber, initial, settings).tuned()]
    interrupted = runs[0].interrupted
    try:
        further = (
            further_starts(climber, initial, runs[0].parameters, seed) if num_starts > 1 and not interrupted else []
        )
        for start in further[: num_starts - 1]:
            if not interrupted:
                with contextlib.suppress(TooLongError):  # (it was judged on a short grid)
                    runs.append(_Run(climber, start, settings).tuned())
                interrupted = runs[-1].interrupted
    except KeyboardInterrupt:  # before the first evaluation of a start
        interrupted = True
    best = functools.reduce(lambda best, run: run if better(run, best) else best, runs)
    scores = tuple(run.score for run in runs)
    ends = [name for name, value in best.parameters.items() if tuning.bounds[name].at_end(value)]
    sentences = ["Interrupted: this is the best so far." if interrupted else best.status, agreement(runs)]
    sentences += [f"At the end of its range: {', '.join(ends)}."] if ends else []
    return dataclasses.replace(
        best,
        num_gradients=sum(run.num_gradients for run in runs),
        num_evaluations=sum(run.num_evaluations for run in runs),
        status=" ".join(filter(None, sentences)),
        start_scores=scores,
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


class _Run:
    """The tuning of one start: the best so far, and the fits that led to it."""

    def __init__(self, climber: Climber, initial: Mapping[str, float], settings: ConstrainedSettings | None) -> None:
        self.climber, self.tuning, self.settings = climber, climber.tuning, settings
        self.free = set(initial)
        self.best, self.judged = dict(initial), climber.tuning.evaluated(initial)
        self.kept: ConstrainedFit | None = None
        """The last fit that led to something better; None = there is none."""
        self.fits: list[ConstrainedFit] = []
        self.num_evaluations = 0
        self.bias: dict[str, float] = {}
        """How much the last grid overestimates the quantities that have limits."""
        self.beyond = ""
        """Why the climb did not go on to where it led, if no time grid holds that."""

    def tuned(self) -> Tuned:
        """Climb, on the lattice first; where nothing is better than the start, say what holds there."""
        initial, first = self.best, self.judged
        lattice = {name: spacing for name, spacing in self.tuning.lattice.items() if name in self.free}
        self.settle(on_lattice=bool(lattice))
        if lattice and not self.fits[-1].interrupted:
            moved, self.num_evaluations = self.climber.polished(self.best, lattice)
            self.best, polished = self.affordable(self.best, moved, parts=())
            self.judged, self.kept = polished or self.judged, None
            self.free = self.free - lattice.keys()
            if self.free:
                self.settle(on_lattice=False)
        if better(first, self.judged):
            self.best, self.judged, self.kept = initial, first, None
        interrupted = self.fits[-1].interrupted
        if self.kept is None and self.free and not interrupted:
            once = dataclasses.replace(self.settings or TUNING, max_evaluations=1)
            self.kept, _ = self.climber.climb(self.best, self.free, self.bias, once, fine=True)
            self.fits.append(self.kept)
        last, rounded = self.kept or self.fits[-1], bool(self.num_evaluations and not self.free)
        return Tuned(
            parameters=self.best,
            **vars(self.judged),
            multipliers={name: last.multipliers[name] / limit for name, limit in self.tuning.objective.minimum.items()},
            kkt_residual=last.kkt_residual,
            converged=last.converged,
            num_gradients=sum(fit.num_evaluations for fit in self.fits),
            num_evaluations=self.num_evaluations,
            status=f"{'No neighbouring cut-off is better.' if rounded else last.status}{self.beyond}",
            interrupted=interrupted,
        )

    def settle(self, *, on_lattice: bool) -> None:
        """Climb on one time grid after another until the value stays."""
        settings = self.settings or (TUNING_ON_LATTICE if on_lattice else TUNING)
        enough = ENOUGH_ON_LATTICE if on_lattice else ENOUGH
        here, before, fine = self.best, self.judged, False
        self.bias = dict.fromkeys(self.tuning.objective.minimum, 1.0)
        for _ in range(MAX_GRIDS_ON_LATTICE if on_lattice else MAX_GRIDS):
            fit, coarse = self.climber.climb(here, self.free, self.bias, settings, fine)
            self.fits.append(fit)
            here, found = self.affordable(here, fit.parameters)
            if found is None:
                break
            if better(found, self.judged):
                self.best, self.judged, self.kept = here, found, fit
            change, exact = _change(before, found), self.exact(coarse, found)
            settled = (change <= enough and (exact or on_lattice or fine)) or (exact and fit.converged)
            if self.beyond or fit.interrupted or settled:
                break  # an extrapolated grid suits where it was chosen: it is chosen once more at the end
            fine = not on_lattice and (fit.converged or change <= CLOSE)
            before, true = found, found.merits
            self.bias = {name: coarse.merits[name] / true[name] if true[name] > 0 else 1.0 for name in self.bias}

    def affordable(
        self, here: Mapping[str, float], there: Mapping[str, float], parts: tuple[float, ...] = PARTS_OF_THE_WAY
    ) -> tuple[dict[str, float], Judged | None]:
        """Judge numbers at full resolution; where no time grid holds them, the first on the way that one holds."""
        for part in (1.0, *parts):
            between = dict(there) if part == 1.0 else {name: self.between(name, here, there, part) for name in there}
            try:
                return between, self.tuning.evaluated(between)
            except TooLongError as error:
                self.beyond = f" It led on to where no time grid is affordable: {error}"
        return dict(here), None

    def between(self, name: str, here: Mapping[str, float], there: Mapping[str, float], part: float) -> float:
        """Return a number after a part of its way, on a logarithmic scale where it varies on one."""
        if name in self.tuning.log:
            return here[name] * (there[name] / here[name]) ** part
        return here[name] + part * (there[name] - here[name])

    def exact(self, coarse: Judged, found: Judged) -> bool:
        """Whether a time grid gives what full resolution gives."""
        pairs = [(coarse.merits[each.name], found.merits[each.name]) for each in self.tuning.objective.named]
        return all(abs(rough - value) <= EXACT * abs(value) for rough, value in pairs)


def _change(before: Judged, found: Judged) -> float:
    """Return the relative change of the score; infinite where limits are missed."""
    return abs(found.score - before.score) / max(abs(before.score), 1e-300) if found.violation == 0 else math.inf
