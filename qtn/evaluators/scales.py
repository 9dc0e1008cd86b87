"""The concrete times of one problem, and the grids that suit them."""

import dataclasses
import math
from typing import Any

import jax
import numpy as np

from qtn import _checks
from qtn.evaluators.delivery import delivered_links
from qtn.evaluators.grid import TimeGrid, common_spacing
from qtn.evaluators.plan import GridPlan
from qtn.links.chain import Chain
from qtn.schedules.tree import Schedule


@dataclasses.dataclass(frozen=True)
class TimeScales:
    """The concrete times of one problem [s]."""

    attempts: tuple[float, ...]
    lifetimes: tuple[float, ...]
    """Mean time to success of each link that `delivering` stores."""
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
            ratio=np.float64(step / unit),
            num_steps=num_steps,
            reference=reference,
            attempts=tuple(attempt / unit for attempt in self.attempts),
            waits=tuple(wait / unit for wait in self.waits),
        )

    def exact_plan(self, num_steps: int) -> GridPlan:
        """Return the one grid that holds all delivery times."""
        return GridPlan(grids=(self.grid(self.spacing, num_steps),))

    def extrapolation(self, horizon: float, num_steps: int) -> GridPlan:
        """Return three grids to extrapolate from, whose steps keep to the spacing of the attempts if there is one."""
        step, spacing = horizon / num_steps, self.spacing
        if spacing > 0:
            step = 2 * spacing * math.ceil(step / (2 * spacing) - 1e-9)
        grids = tuple(self.grid(factor * step, num_steps) for factor in (1.0, 1.5, 2.0))
        return GridPlan(grids=grids, extrapolated=True)

    def plan_with_step(self, step: float, num_steps: int) -> GridPlan:
        """Return the grid of this step [s] and length, with a second one to bound the error unless it is exact."""
        parts = self.spacing / step
        exact = round(parts) >= 1 and abs(parts - round(parts)) < 1e-9 * parts
        return GridPlan(
            grids=tuple(self.grid(factor * step, num_steps) for factor in ((1.0,) if exact else (1.0, 2.0)))
        )


def time_scales(chain: Chain, schedule: Schedule) -> TimeScales:
    """Read the time scales of a tree from concrete numbers (also from those under `jax.grad`)."""
    heralded = delivered_links(chain)
    return read_scales(
        [each.p_success for each in heralded],
        [each.attempt_time for each in heralded],
        schedule.cutoff_times,
        schedule.wait_times,
        planned="Renewal().planned(chain, schedule)",
    )


def read_scales(p_success: Any, attempt_times: Any, cutoffs: Any = (), waits: Any = (), *, planned: str) -> TimeScales:
    """Read time scales from concrete numbers (also from those under `jax.grad`).

    Args:
        p_success: success probabilities of one attempt of each link.
        attempt_times: duration of one attempt of each link [s].
        cutoffs: cut-off times [s].
        waits: waiting times [s].
        planned: expression of an evaluator whose grids are fixed, for the message.

    Raises:
        ValueError: if numbers are traced, or a link never delivers.
    """
    given = p_success, attempt_times, cutoffs, waits
    if not all(isinstance(leaf, np.ndarray | float) for leaf in jax.tree.leaves(given)):  # else it is at hand already
        given = _checks.constant(given)
    if any(_checks.known(leaf) is None for leaf in jax.tree.leaves(given)):
        raise ValueError(
            "A time grid cannot be chosen from traced numbers: fix it outside jit and vmap with "
            f"`evaluator = {planned}`, and use that evaluator inside."
        )
    p, attempts, cutoffs, waits = (np.array(part, float) for part in given)
    if not (np.all(p > 0) and np.all(p <= 1) and np.all(attempts > 0) and np.all(np.isfinite(attempts))):
        raise ValueError("A link never heralds a pair, or its attempt takes no finite time.")
    times = (attempts, attempts / p, cutoffs, waits)
    return TimeScales(*(tuple(each.tolist()) for each in times))
