"""Choose the grids of one problem: estimate its time scales, probe them, refine until the error is small enough."""

import dataclasses
import math
from collections.abc import Iterator

import jax
import numpy as np

from qtn import _checks
from qtn.evaluators.extrapolate import root, summarise_on
from qtn.evaluators.fold import Fold, heralded_links
from qtn.evaluators.grid import TimeGrid, common_spacing
from qtn.evaluators.plan import LADDER, NUM_LIFETIMES, GridPlan, memory_needed
from qtn.links.chain import Chain
from qtn.schedules.tree import Distill, Elementary, Schedule, Swap, Tree, Wait, durations, subtrees
from qtn.steps.level import Level
from qtn.steps.swap import swap_success

PROBE_STEPS = 4096
MAX_PROBES = 40
PROBES_PER_CUTOFF = 4
"""Steps in the shortest cut-off while the horizon is measured: a coarser grid would see attempts fail that do not."""

LONGEST_EXTRAPOLATED = 262144
SMALL_ERROR = 1e-4
"""Below this error a grid that does not get better is not refined any further."""

WORST_ERROR = 1e-2
"""A chosen grid with a larger error is refused."""


@dataclasses.dataclass(frozen=True)
class GridRequest:
    """What the user asks of the grid; None = choose."""

    step: float | None
    num_steps: int | None
    rtol: float


@dataclasses.dataclass(frozen=True)
class TimeScales:
    """The concrete times of one problem [s]."""

    attempts: tuple[float, ...]
    lifetimes: tuple[float, ...]
    """Mean time to success of each stored link."""
    cutoffs: tuple[float, ...]
    waits: tuple[float, ...]

    @property
    def reference(self) -> int | None:
        """Return the index of the link with the shortest attempt; None, the mean, where times have no spacing."""
        return int(np.argmin(self.attempts)) if self.spacing else None

    @property
    def spacing(self) -> float:
        """Return the common spacing of all delivery times, or 0."""
        return common_spacing([*self.attempts, *(wait for wait in self.waits if wait > 0)])

    def grid(self, step: float, num_steps: int) -> TimeGrid:
        """Return the grid of this step [s] and length."""
        reference = self.reference
        unit = float(np.mean(self.attempts)) if reference is None else self.attempts[reference]
        return TimeGrid(
            ratio=step / unit,
            num_steps=num_steps,
            reference=reference,
            attempts=tuple(attempt / unit for attempt in self.attempts),
            waits=tuple(wait / unit for wait in self.waits),
        )

    def extrapolation(self, horizon: float, num_steps: int) -> GridPlan:
        """Return three grids to extrapolate from, whose steps keep to the spacing of the attempts if there is one."""
        step, spacing = horizon / num_steps, self.spacing
        if spacing > 0:
            step = 2 * spacing * math.ceil(step / (2 * spacing) - 1e-9)
        grids = tuple(self.grid(factor * step, num_steps) for factor in (1.0, 1.5, 2.0))
        return GridPlan(grids=grids, extrapolated=True)

    def exact(self, step: float) -> bool:
        """Whether all delivery times are whole multiples of `step`."""
        parts = self.spacing / step
        return round(parts) >= 1 and abs(parts - round(parts)) < 1e-9 * parts


def time_scales(chain: Chain, schedule: Schedule) -> TimeScales:
    """Read the time scales of concrete numbers (also of those under `jax.grad`)."""
    numbers = [(h.attempt_time, h.p_success) for h in heralded_links(chain)]
    leaves = jax.lax.stop_gradient((numbers, schedule.cutoff_times, schedule.wait_times))
    if any(_checks.known(leaf) is None for leaf in jax.tree.leaves(leaves)):
        raise ValueError(
            "A time grid cannot be chosen from traced numbers: fix it outside jit and vmap with "
            "`evaluator = Renewal().planned(chain, schedule)`, and use that evaluator inside."
        )
    numbers, cutoffs, waits = jax.tree.map(float, (leaves[0], list(leaves[1]), list(leaves[2])))
    return TimeScales(
        attempts=tuple(attempt for attempt, _ in numbers),
        lifetimes=tuple(attempt / p for attempt, p in numbers),
        cutoffs=tuple(cutoffs),
        waits=tuple(waits),
    )


def estimate(tree: Tree, chain: Chain, scales: TimeScales) -> float:
    """Return roughly the largest mean delivery time [s] of any sub-tree, taking arrivals as exponential."""
    slowest, means = 0.0, {}
    for part in subtrees(tree):
        if isinstance(part, Elementary):
            mean = scales.lifetimes[chain.link_index(part.position)]
        elif isinstance(part, Wait):
            mean = means[part.child] + scales.waits[part.duration]
        else:
            first, second = (part.left, part.right) if isinstance(part, Swap) else (part.kept, part.consumed)
            p_success = 0.7 if isinstance(part, Distill) else float(swap_success(chain.node(part.right.first)))
            slots = [slot for slot in (part.cutoff, part.rules.run_time) if slot is not None]
            cutoff = min((scales.cutoffs[slot] for slot in slots), default=math.inf) + min(scales.attempts)
            mean = joined_mean(means[first], means[second], p_success, cutoff)
            if isinstance(part, Distill) and part.sequential:
                mean = max(mean, (means[first] + means[second]) / p_success)
            mean += sum(scales.waits[slot] for slot in durations(part)) / p_success
        means[part] = mean
        slowest = max(slowest, mean) if part != tree or isinstance(part, Elementary) else slowest
    return slowest


def joined_mean(first: float, second: float, p_success: float, cutoff: float) -> float:
    """Return the mean time to join two exponential arrivals of these means, restarts included."""
    a, b = 1 / first, 1 / second
    early_a, early_b = -math.expm1(-a * cutoff), -math.expm1(-b * cutoff)
    in_time = (b * early_a + a * early_b) / (a + b)
    attempt = (1 + b / a * early_a + a / b * early_b) / (a + b)
    return attempt / (in_time * p_success)


def find_horizon(chain: Chain, schedule: Schedule, level: Level, scales: TimeScales) -> float:
    """Return how long the grid must be [s]: so many lifetimes of the slowest sub-tree, measured."""
    heralded = jax.lax.stop_gradient(heralded_links(chain))
    chain, schedule = jax.lax.stop_gradient((chain, schedule))
    horizon = NUM_LIFETIMES * estimate(schedule.tree, chain, scales)
    for _ in range(MAX_PROBES):
        step, num_steps = probe_steps(horizon, scales)
        found = root(Fold(chain, schedule, heralded, scales.grid(step, num_steps), level))
        horizon, settled = better_horizon(
            horizon, step, num_steps, float(found.lifetime), float(found.values[0]), scales
        )
        if settled:
            break
    return horizon


def probe_steps(horizon: float, scales: TimeScales) -> tuple[float, int]:
    """Return step [s] and length of a grid on which a guess of the horizon [s] is tried."""
    shortest = min((cutoff for cutoff in scales.cutoffs if cutoff > 0), default=math.inf)
    wanted = min(PROBES_PER_CUTOFF * horizon / shortest, horizon / scales.spacing if scales.spacing else math.inf)
    num_steps = next((n for n in LADDER if n >= max(wanted, PROBE_STEPS)), LONGEST_EXTRAPOLATED)
    num_steps = min(num_steps, LONGEST_EXTRAPOLATED)
    return max(horizon / num_steps, scales.spacing), num_steps


def better_horizon(
    horizon: float, step: float, num_steps: int, slowest: float, mean: float, scales: TimeScales
) -> tuple[float, bool]:
    """Return the next guess of the horizon [s], and whether it is settled.

    Args:
        horizon: the guess that was tried [s].
        step: of the grid that tried it [s].
        num_steps: of that grid.
        slowest: mean time of the slowest step on it [s].
        mean: mean time of the whole on it [s].
        scales: of the problem.
    """
    needed = min(max(NUM_LIFETIMES * slowest, 10 * mean), 4 * NUM_LIFETIMES * slowest)
    if not math.isfinite(needed):
        return 4 * horizon, False
    if needed > step * num_steps:
        return max(2 * horizon, 1.1 * needed), False
    if needed < horizon / 8 and step > scales.spacing:
        return 1.1 * needed, False  # far too long, and so far too coarse to be believed
    return 1.05 * needed, True


def choose_plan(chain: Chain, schedule: Schedule, level: Level, request: GridRequest) -> GridPlan:
    """Return the grids that meet a request, for concrete numbers.

    Raises:
        ValueError: if numbers are traced, or the grid does not fit in memory.
    """
    scales = time_scales(chain, schedule)
    if request.step is not None:
        return _plan_with_step(chain, schedule, level, scales, request)
    horizon = find_horizon(chain, schedule, level, scales)
    concrete = jax.lax.stop_gradient((chain, schedule))
    error, best = math.inf, None
    for plan, final in candidate_plans(scales, horizon, request):
        if final:
            return plan
        found = float(summarise_on(plan, *concrete, level).info.grid_error)
        if best is not None and no_better(found, error):
            return best
        error, best = found, plan
        if error <= request.rtol:
            return best
    if best is not None and error <= WORST_ERROR:
        return best
    raise ValueError(unaffordable(horizon, scales))


def candidate_plans(scales: TimeScales, horizon: float, request: GridRequest) -> Iterator[tuple[GridPlan, bool]]:
    """Return the grids to try from coarse to fine, each with whether it is final: to be taken without a trial."""
    for num_steps in LADDER if request.num_steps is None else (request.num_steps,):
        if scales.spacing > 0 and horizon <= num_steps * scales.spacing:
            yield GridPlan(grids=(scales.grid(scales.spacing, num_steps),)), True
            return
        if request.num_steps is not None or PROBE_STEPS <= num_steps <= LONGEST_EXTRAPOLATED:
            yield scales.extrapolation(horizon, num_steps), request.num_steps is not None


def no_better(found: float, before: float) -> bool:
    """Whether a finer grid gains nothing: what is left of the error does not come from the step."""
    return found > before / 2 and before < SMALL_ERROR


def unaffordable(horizon: float, scales: TimeScales) -> str:
    """Return why no grid is good enough, and the cure."""
    finest = min(*scales.attempts, *scales.cutoffs) if scales.cutoffs else min(scales.attempts)
    needed = horizon / finest
    return (
        f"No affordable time grid resolves this problem: the slowest step takes about {horizon / NUM_LIFETIMES:.3g} s, "
        f"and the shortest time scale is {finest:.3g} s. A full grid would need {needed:.3g} steps "
        f"({memory_needed(needed)}). Raise the success probabilities or the cut-off times, or give time.step_s."
    )


def _plan_with_step(
    chain: Chain, schedule: Schedule, level: Level, scales: TimeScales, request: GridRequest
) -> GridPlan:
    """Return the plan for a given step: one grid if it is exact, else a second one to bound the error."""
    step = request.step
    assert step is not None
    if request.num_steps is not None:
        return plan_with_step(scales, step, request.num_steps)
    return plan_with_step(scales, step, steps_for(find_horizon(chain, schedule, level, scales), step))


def steps_for(horizon: float, step: float) -> int:
    """Return the length of a grid of this step that reaches the horizon [s].

    Raises:
        ValueError: if no grid is that long.
    """
    needed = horizon / step
    if not needed <= LADDER[-1]:
        raise ValueError(
            f"A time grid with step_s = {step:g} needs {needed:.3g} steps ({memory_needed(needed)}) to hold the "
            f"distribution; at most {LADDER[-1]} are chosen. Raise time.step_s, leave it out, or give "
            "time.num_steps."
        )
    return next(length for length in LADDER if length >= needed)


def plan_with_step(scales: TimeScales, step: float, num_steps: int) -> GridPlan:
    """Return the grid of this step [s] and length, with a second one to bound the error unless it is exact."""
    factors = (1.0,) if scales.exact(step) else (1.0, 2.0)
    return GridPlan(grids=tuple(scales.grid(factor * step, num_steps) for factor in factors))
