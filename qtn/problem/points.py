"""Compute many points of one structure: grids chosen for each, points with equal grids side by side.

The grids of a point are those that `choose_plan` would choose for it alone: the same horizon, the same rule when to go
finer. What is compiled depends on the number of grid steps only, so a sweep compiles a handful of programs.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

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
from qtn.problem.build import build_chain
from qtn.problem.jobs import Job, point_function
from qtn.problem.names import chain_table, with_values
from qtn.problem.problem import Problem
from qtn.sweeps.batch import Batched

DIRECT_BELOW = 12
"""Among many kinds of grids, those of fewer points than this are computed one by one: compiling would take longer."""

MANY_KINDS = 3

Numbers = dict[str, np.ndarray]


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
            announce: called with the compiled function before it runs for the first time.
        """
        self.problem, self.announce, self._announced = problem, announce, False
        evaluator = problem.evaluator
        self.renewal = evaluator if isinstance(evaluator, Renewal) else None
        self.function = point_function(problem, job)
        self._run = Batched(self.function, block=block)
        self._describe = Batched(self._description, block=block)
        self._probe = Batched(self._probed, block=block)

    def __call__(self, numbers: Numbers, count: int) -> tuple[Numbers, list[str]]:
        """Return columns (count,) by name and the reason of each failure, for numbers (count,) by dotted name."""
        found: list[dict[str, float] | None] = [None] * count
        reasons = [""] * count
        if self.renewal is None:
            for i in range(count):
                found[i], reasons[i] = self._alone({name: float(v[i]) for name, v in numbers.items()}, None)
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
        scales, horizons = self._horizons(numbers, reasons)
        ladders: dict[int, Iterator[tuple[GridPlan, bool]]] = {}
        for i, horizon in horizons.items():
            try:
                ladders[i] = self._plans(scales[i], horizon)
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
                    found[i], reasons[i] = None, unaffordable(horizons[i], scales[i])
            for i, result in self._computed(numbers, {i: plan for i, (plan, _) in tried.items()}):
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

    def _computed(self, numbers: Numbers, plans: dict[int, GridPlan]) -> Iterable[tuple[int, dict[str, float]]]:
        """Return the results of points on given grids; points with equal kinds of grids run side by side."""
        kinds: dict[Any, list[int]] = {}
        for i, plan in plans.items():
            kinds.setdefault(jax.tree.structure(plan), []).append(i)
        for members in kinds.values():
            if len(kinds) > MANY_KINDS and len(members) < DIRECT_BELOW:
                for i in members:
                    yield i, self._eager({name: float(v[i]) for name, v in numbers.items()}, plans[i])
                continue
            stacked = jax.tree.map(lambda *leaves: np.array(leaves, float), *(plans[i] for i in members))
            points = {"numbers": {name: v[members] for name, v in numbers.items()}, "plan": stacked}
            self._run.compile(points)
            if not self._announced:
                self._announced = True
                self.announce(self._run)
            results = self._run(points)
            for place, i in enumerate(members):
                yield i, {name: float(v[place]) for name, v in results.items()}

    def _eager(self, values: dict[str, float], plan: GridPlan | None) -> dict[str, float]:
        return {name: float(v) for name, v in self.function({"numbers": values, "plan": plan}).items()}

    def _alone(self, values: dict[str, float], plan: GridPlan | None) -> tuple[dict[str, float] | None, str]:
        try:
            build_chain(chain_table(self.problem, values))
            return self._eager(values, plan), ""
        except ValueError as error:
            return None, str(error)

    def _horizons(self, numbers: Numbers, reasons: list[str]) -> tuple[dict[int, TimeScales], dict[int, float]]:
        """Return the time scales of each point, and how long its grid must be [s], as `find_horizon` does."""
        described = self._describe({"numbers": numbers, "place": np.arange(len(reasons))})
        scales: dict[int, TimeScales] = {}
        guesses: dict[int, float] = {}
        for i in range(len(reasons)):
            one = jax.tree.map(lambda a, i=i: a[i], described)
            p, attempts = one["p_success"], one["attempts"]
            if not (np.all(p > 0) and np.all(attempts > 0) and np.all(np.isfinite(attempts)) and np.all(p <= 1)):
                reasons[i] = self._why({name: float(v[i]) for name, v in numbers.items()})
                continue
            scales[i] = TimeScales(
                attempts=tuple(attempts.tolist()),
                lifetimes=tuple((attempts / p).tolist()),
                cutoffs=tuple(one["schedule"].cutoff_times.tolist()),
                waits=tuple(one["schedule"].wait_times.tolist()),
            )
            guesses[i] = NUM_LIFETIMES * estimate(self.problem.schedule.tree, one["chain"], scales[i])
        if self._request.step is not None and self._request.num_steps is not None:
            return scales, guesses  # nothing is left to choose
        return scales, self._measured(numbers, scales, guesses)

    def _measured(
        self, numbers: Numbers, scales: dict[int, TimeScales], guesses: dict[int, float]
    ) -> dict[int, float]:
        horizons, unsettled = dict(guesses), list(guesses)
        for _ in range(MAX_PROBES):
            steps = {i: probe_steps(horizons[i], scales[i]) for i in unsettled}
            grids = {i: scales[i].grid(*steps[i]) for i in unsettled}
            kinds: dict[Any, list[int]] = {}
            for i, grid in grids.items():
                kinds.setdefault(jax.tree.structure(grid), []).append(i)
            unsettled = []
            for members in kinds.values():
                direct = len(kinds) > MANY_KINDS and len(members) < DIRECT_BELOW
                probed = self._probes(numbers, members, [grids[i] for i in members], direct)
                for i, (slowest, mean) in zip(members, probed, strict=True):
                    horizons[i], settled = better_horizon(horizons[i], *steps[i], slowest, mean, scales[i])
                    unsettled += [] if settled else [i]
            if not unsettled:
                break
        return horizons

    def _probes(self, numbers: Numbers, members: list[int], grids: Sequence[Any], direct: bool) -> np.ndarray:
        if direct:
            alone = [
                self._probed({"numbers": {name: jnp.asarray(v[i], float) for name, v in numbers.items()}, "grid": grid})
                for i, grid in zip(members, grids, strict=True)
            ]
            return np.array(alone, float)
        stacked = jax.tree.map(lambda *leaves: np.array(leaves, float), *grids)
        return self._probe({"numbers": {name: v[members] for name, v in numbers.items()}, "grid": stacked})

    def _description(self, point: Any) -> Any:
        chain, schedule = with_values(self.problem, point["numbers"])
        heralded = heralded_links(chain)
        return {
            "p_success": jnp.stack([jnp.asarray(each.p_success, float) for each in heralded]),
            "attempts": jnp.stack([jnp.asarray(each.attempt_time, float) for each in heralded]),
            "chain": chain,
            "schedule": schedule,
        }

    def _probed(self, point: Any) -> Any:
        assert self.renewal is not None
        chain, schedule = with_values(self.problem, point["numbers"])
        found = root(Fold(chain, schedule, heralded_links(chain), point["grid"], self.renewal.level))
        return jnp.stack([found.lifetime, found.values[0]])

    def _why(self, values: dict[str, float]) -> str:
        """Return why a point is impossible, in the words of whoever would build it."""
        try:
            build_chain(chain_table(self.problem, values))
        except ValueError as error:
            return str(error)
        return "a link never heralds a pair, or its attempt takes no finite time"
