"""Move the numbers of a tuning on one time grid: a climb by gradients, or a polish by values alone."""

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np

from qtn._array import Array
from qtn.optimisation.checkpoint import Checkpoint, recorded
from qtn.optimisation.constrained import ConstrainedFit, ConstrainedProgress, climb_subject_to
from qtn.optimisation.settings import ConstrainedSettings
from qtn.planning.lattice import polish_on_lattice
from qtn.planning.model import Model
from qtn.planning.objective import result_of
from qtn.planning.tuning import Judged, Tuning


@dataclasses.dataclass(frozen=True)
class Climber:
    """What all climbs of a tuning share."""

    tuning: Tuning
    model: Model
    report: Callable[[ConstrainedProgress], None]
    checkpoint: Checkpoint | None

    def climb(
        self,
        start: Mapping[str, float],
        free: Collection[str],
        bias: Mapping[str, float],
        settings: ConstrainedSettings,
        fine: bool,
    ) -> tuple[ConstrainedFit, Judged]:
        """Tune the free numbers on the grid that suits the start; judge the end on that grid too."""
        plan = self.model.plan(start, fine=fine)
        first = self.model.values(plan, start)
        constants = {"keyless_time": float(result_of(first).mean_time), "bias": dict(bias)}
        moved = {name: start[name] for name in start if name in free}

        def evaluate(x: Array) -> tuple[np.ndarray, np.ndarray]:
            numbers = dict(start) | dict(zip(moved, np.asarray(x).tolist(), strict=True))
            return self.model.gradients(plan, numbers, moved, constants)

        fit = climb_subject_to(
            self.model.slack_names(start, first, constants),
            evaluate,
            moved,
            {name: self.tuning.bounds[name] for name in moved},
            log=[name for name in moved if name in self.tuning.log],
            settings=settings,
            report=self.report,
            journal=self.checkpoint and self.checkpoint.next("climb").journal("evaluations"),
        )
        fit = dataclasses.replace(fit, parameters=dict(start) | fit.parameters)
        return fit, self.judged(plan, fit.parameters)

    def judged(self, plan: Any, numbers: Mapping[str, float]) -> Judged:
        """Judge numbers on one time grid, see `Model.plan`."""
        return self.tuning.judged(numbers, result_of(self.model.values(plan, numbers)))

    def polished(self, start: Mapping[str, float], lattice: Mapping[str, float]) -> tuple[dict[str, float], int]:
        """Round and polish the numbers on the lattice; return them and the number of evaluations."""
        with self.scores(start) as score:
            best, _, count = polish_on_lattice(score, start, lattice, self.tuning.bounds)
        return best, count

    @contextlib.contextmanager
    def scores(self, suited: Mapping[str, float]) -> Iterator[Callable[[Mapping[str, float]], float]]:
        """Return the score of numbers on the grid that suits some of them."""
        plan, names = self.model.plan(suited, fine=False), tuple(suited)

        def scored(point: np.ndarray) -> tuple[float]:
            return (self.judged(plan, dict(zip(names, point.tolist(), strict=True))).score,)

        journal = self.checkpoint and self.checkpoint.next("values").journal("evaluations")
        with recorded(scored, journal) as once:
            yield lambda numbers: float(once(np.array([numbers[name] for name in names]))[0])
