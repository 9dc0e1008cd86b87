"""Compute many points of one structure: grids chosen for each, points with equal grids side by side.

The grids of a point are those that `choose_plan` would choose for it alone: the same horizon, the same rule when to go
finer. What is compiled depends on the number of grid steps only, so a sweep compiles a handful of programs.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qtn._pytree import pytree
from qtn.evaluators.choose import (
    MAX_PROBES,
    WORST_ERROR,
    GridRequest,
    TimeScales,
    better_horizon,
    candidate_plans,
    estimate,
    no_better,
    plan_with_step,
    probe_steps,
    steps_for,
    unaffordable,
)
from qtn.evaluators.extrapolate import root
from qtn.evaluators.fold import Fold, heralded_links
from qtn.evaluators.plan import NUM_LIFETIMES, GridPlan
from qtn.evaluators.renewal import Renewal
from qtn.links.link import Heralded
from qtn.problem.jobs import Job, point_function
from qtn.problem.names import with_values
from qtn.problem.problem import Problem
from qtn.problem.validity import Validity
from qtn.steps.level import Level
from qtn.sweeps.batch import Batched

DIRECT_BELOW = 12
"""Among many kinds of grids, those of fewer points than this are computed one by one: compiling would take longer."""

MANY_KINDS = 3

Numbers = dict[str, np.ndarray]


Ladder = Iterator[tuple[GridPlan, bool]]
"""Grids to try, each with whether it is final."""


@dataclasses.dataclass(frozen=True)
class Scouted:
    """What is known of a point before it is computed."""

    scales: TimeScales
    level: Level


@pytree
class KnownLink:
    """A link whose heralded pair is known already."""

    known: Heralded

    def heralded(self) -> Heralded:
        """Return it."""
        return self.known


class Points:
    """All points of one structure."""

    def __init__(
        self, problem: Problem, job: Job, *, block: int, announce: Callable[[Batched], None] = lambda batched: None
    ) -> None:
        """Prepare a structure.

        Args:
            problem: of the structure.
            job: what to compute.
            block: most points of one call.
            announce: called with a compiled function before it runs for the first time.
        """
        self.problem, self.job, self.block, self.announce = problem, job, block, announce
        evaluator = problem.evaluator
        self.renewal = evaluator if isinstance(evaluator, Renewal) else None
        self._validity = Validity(problem)
        self._describe = Batched(self._description, block=block)
        self._runs: dict[Level, Batched] = {}
        self._probes: dict[Level, Batched] = {}

    def __call__(self, numbers: Numbers, count: int) -> tuple[Numbers, list[str]]:
        """Return columns (count,) by name and the reason of each failure, for numbers (count,) by dotted name."""
        found: list[dict[str, float] | None] = [None] * count
        reasons = [""] * count
        if self.renewal is None:
            for i in range(count):
                found[i], reasons[i] = self._alone(one_of(numbers, i))
        else:
            self._with_grids(numbers, found, reasons)
        names = {name for each in found if each for name in each}
        columns = {name: np.array([each[name] if each else np.nan for each in found]) for name in names}
        for i in range(count):
            wrong = [name for name in sorted(columns) if not np.isfinite(columns[name][i])]
            if wrong and not reasons[i]:
                reasons[i] = f"{', '.join(wrong)}: not a finite number at this point"
        return columns, reasons

    def _with_grids(self, numbers: Numbers, found: list[Any], reasons: list[str]) -> None:
        scouted, horizons = self._horizons(numbers, reasons)
        ladders: dict[int, Ladder] = {}
        for i, horizon in horizons.items():
            try:
                ladders[i] = self._plans(scouted[i].scales, horizon)
            except ValueError as error:
                reasons[i] = str(error)
        errors = dict.fromkeys(ladders, math.inf)
        while ladders:
            tried: dict[int, tuple[GridPlan, bool]] = {}
            for i in list(ladders):
                plan = next(ladders[i], None)
                if plan is not None:
                    tried[i] = plan
                    continue
                del ladders[i]
                if not errors[i] <= WORST_ERROR:
                    found[i], reasons[i] = None, unaffordable(horizons[i], scouted[i].scales)
            for i, result in self._computed(numbers, {i: (plan, scouted[i].level) for i, (plan, _) in tried.items()}):
                error = result["grid_error"]
                if not tried[i][1] and found[i] is not None and no_better(error, errors[i]):
                    del ladders[i]
                    continue
                found[i], errors[i] = result, error
                if tried[i][1] or error <= self._request.rtol:
                    del ladders[i]

    @property
    def _request(self) -> GridRequest:
        assert self.renewal is not None
        return GridRequest(step=self.renewal.step, num_steps=self.renewal.num_steps, rtol=self.renewal.rtol)

    def _plans(self, scales: TimeScales, horizon: float) -> Iterator[tuple[GridPlan, bool]]:
        request = self._request
        if request.step is None:
            return candidate_plans(scales, horizon, request)
        num_steps = steps_for(horizon, request.step) if request.num_steps is None else request.num_steps
        return iter([(plan_with_step(scales, request.step, num_steps), True)])

    def _computed(
        self, numbers: Numbers, plans: dict[int, tuple[GridPlan, Level]]
    ) -> Iterable[tuple[int, dict[str, float]]]:
        """Return the results of points on given grids; points with equal kinds of grids run side by side."""
        kinds: dict[Any, list[int]] = {}
        for i, (plan, level) in plans.items():
            kinds.setdefault((jax.tree.structure(plan), level), []).append(i)
        for (_, level), members in kinds.items():
            if len(kinds) > MANY_KINDS and len(members) < DIRECT_BELOW:
                function = point_function(self.problem, self.job, level)
                for i in members:
                    yield i, as_floats(function({"numbers": one_of(numbers, i), "plan": plans[i][0]}))
                continue
            stacked = jax.tree.map(lambda *leaves: np.array(leaves, float), *(plans[i][0] for i in members))
            points = {"numbers": {name: v[members] for name, v in numbers.items()}, "plan": stacked}
            if level not in self._runs:
                self._runs[level] = Batched(point_function(self.problem, self.job, level), block=self.block)
                self._runs[level].compile(points)
                self.announce(self._runs[level])
            results = self._runs[level](points)
            for place, i in enumerate(members):
                yield i, {name: float(v[place]) for name, v in results.items()}

    def _alone(self, values: dict[str, float]) -> tuple[dict[str, float] | None, str]:
        """Compute one point with an evaluator that has no time grid."""
        reason = self._validity(values)
        if reason:
            return None, reason
        try:
            return as_floats(point_function(self.problem, self.job, None)({"numbers": values, "plan": None})), ""
        except ValueError as error:
            return None, str(error)

    def _horizons(self, numbers: Numbers, reasons: list[str]) -> tuple[dict[int, Scouted], dict[int, float]]:
        """Return time scales and level of each point, and how long its grid must be [s], as `find_horizon` does."""
        described = self._describe({"numbers": numbers, "place": np.arange(len(reasons))})
        scouted: dict[int, Scouted] = {}
        guesses: dict[int, float] = {}
        leaves, structure = jax.tree.flatten(described)
        for i in range(len(reasons)):
            reasons[i] = self._validity(one_of(numbers, i))
            if reasons[i]:
                continue
            one = jax.tree.unflatten(structure, [leaf[i] for leaf in leaves])
            p, attempts = one["p_success"], one["attempts"]
            if not (np.all(p > 0) and np.all(attempts > 0) and np.all(np.isfinite(attempts)) and np.all(p <= 1)):
                reasons[i] = "a link never heralds a pair, or its attempt takes no finite time"
                continue
            scales = TimeScales(
                attempts=tuple(attempts.tolist()),
                lifetimes=tuple((attempts / p).tolist()),
                cutoffs=tuple(one["schedule"].cutoff_times.tolist()),
                waits=tuple(one["schedule"].wait_times.tolist()),
            )
            try:
                scouted[i] = Scouted(scales, self._level(one))
            except ValueError as error:
                reasons[i] = str(error)
                continue
            guesses[i] = NUM_LIFETIMES * estimate(self.problem.schedule.tree, one["chain"], scales)
        if self._request.step is not None and self._request.num_steps is not None:
            return scouted, guesses  # nothing is left to choose
        return scouted, self._measured(numbers, scouted, guesses)

    def _level(self, one: Any) -> Level:
        """Return the level of a point, as an evaluation of this point alone chooses it."""
        assert self.renewal is not None
        links = tuple(KnownLink(known=each) for each in one["heralded"])
        chain, schedule = dataclasses.replace(one["chain"], links=links), one["schedule"]
        return self.renewal._level(chain, schedule)

    def _measured(self, numbers: Numbers, scouted: dict[int, Scouted], guesses: dict[int, float]) -> dict[int, float]:
        horizons, unsettled = dict(guesses), list(guesses)
        for _ in range(MAX_PROBES):
            steps = {i: probe_steps(horizons[i], scouted[i].scales) for i in unsettled}
            grids = {i: scouted[i].scales.grid(*steps[i]) for i in unsettled}
            kinds: dict[Any, list[int]] = {}
            for i, grid in grids.items():
                kinds.setdefault((jax.tree.structure(grid), scouted[i].level), []).append(i)
            unsettled = []
            for (_, level), members in kinds.items():
                direct = len(kinds) > MANY_KINDS and len(members) < DIRECT_BELOW
                probed = self._probed_on(numbers, members, [grids[i] for i in members], level, direct)
                for i, (slowest, mean) in zip(members, probed, strict=True):
                    horizons[i], settled = better_horizon(
                        horizons[i], *steps[i], float(slowest), float(mean), scouted[i].scales
                    )
                    unsettled += [] if settled else [i]
            if not unsettled:
                break
        return horizons

    def _probed_on(
        self, numbers: Numbers, members: list[int], grids: Sequence[Any], level: Level, direct: bool
    ) -> np.ndarray:
        """Return (mean time of the slowest step, of the whole) [s] of points on their grids, (n, 2)."""
        function = self._probing(level)
        if direct:
            alone = [
                function({"numbers": jax.tree.map(lambda v: jnp.asarray(v, float), one_of(numbers, i)), "grid": grid})
                for i, grid in zip(members, grids, strict=True)
            ]
            return np.array(alone, float)
        if level not in self._probes:
            self._probes[level] = Batched(function, block=self.block)
        stacked = jax.tree.map(lambda *leaves: np.array(leaves, float), *grids)
        return self._probes[level]({"numbers": {name: v[members] for name, v in numbers.items()}, "grid": stacked})

    def _description(self, point: Any) -> Any:
        chain, schedule = with_values(self.problem, point["numbers"])
        heralded = heralded_links(chain)
        return {
            "p_success": jnp.stack([jnp.asarray(each.p_success, float) for each in heralded]),
            "attempts": jnp.stack([jnp.asarray(each.attempt_time, float) for each in heralded]),
            "heralded": heralded,
            "chain": chain,
            "schedule": schedule,
        }

    def _probing(self, level: Level) -> Callable[[Any], Any]:
        def probed(point: Any) -> Any:
            chain, schedule = with_values(self.problem, point["numbers"])
            found = root(Fold(chain, schedule, heralded_links(chain), point["grid"], level))
            return jnp.stack([found.lifetime, found.values[0]])

        return probed


def one_of(numbers: Numbers, i: int) -> dict[str, float]:
    """Return the numbers of one point."""
    return {name: float(column[i]) for name, column in numbers.items()}


def as_floats(found: dict[str, Any]) -> dict[str, float]:
    """Return concrete numbers as floats."""
    return {name: float(value) for name, value in found.items()}
