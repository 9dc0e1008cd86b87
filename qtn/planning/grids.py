"""Time grids for an optimisation: one compiled program serves all settings that are visited."""

import math
from collections.abc import Sequence

import jax

from qtn.evaluators.choose import WORST_ERROR, find_horizon, time_scales
from qtn.evaluators.extrapolate import summarise_on
from qtn.evaluators.plan import LADDER, GridPlan
from qtn.links.chain import Chain
from qtn.schedules.tree import Schedule
from qtn.steps.level import Level

EXACT_STEPS = 4096
"""Grids up to this length are used exactly during an optimisation."""

EXACT_STEPS_WITH_CUTOFFS = 65536
"""The same where a cut-off is so short that a coarser grid would not resolve it."""

SHORT_CUTOFF = 128
"""Spacings of the delivery times in a cut-off that counts as short."""

SEARCH_ERROR = 5e-3
"""Largest grid error during an optimisation; the winner is evaluated at full resolution."""


def search_plans(systems: Sequence[tuple[Chain, Schedule]], level: Level) -> list[GridPlan]:
    """Return a grid plan for each of several similar systems, all of one shape.

    Their error is below `SEARCH_ERROR`, which moves an optimum by its square.
    """
    scales = [time_scales(*system) for system in systems]
    horizons = [find_horizon(*system, level, scale) for system, scale in zip(systems, scales, strict=True)]
    spacing = min(scale.spacing for scale in scales)
    parts = (
        max(horizon / scale.spacing for horizon, scale in zip(horizons, scales, strict=True)) if spacing else math.inf
    )
    shortest = min((cutoff for scale in scales for cutoff in scale.cutoffs if cutoff > 0), default=math.inf)
    most = EXACT_STEPS_WITH_CUTOFFS if shortest < SHORT_CUTOFF * spacing else EXACT_STEPS
    if parts <= most:
        length = next(length for length in LADDER if length >= parts)
        return [GridPlan(grids=(scale.grid(scale.spacing, length),)) for scale in scales]
    error, best = math.inf, list[GridPlan]()
    for length in LADDER[:5]:
        plans = [scale.extrapolation(horizon, length) for horizon, scale in zip(horizons, scales, strict=True)]
        alike = [with_structure_of(plans[0], plan) for plan in plans]
        found = float(summarise_on(alike[0], *systems[0], level).info.grid_error)
        if best and found > error / 2 and error < WORST_ERROR:
            break  # what is left does not come from the step
        error, best = found, alike
        if error <= SEARCH_ERROR:
            break
    return best


def with_structure_of(first: GridPlan, plan: GridPlan) -> GridPlan:
    """Return a plan with the static numbers of another: during a search they only place edges of cut-offs."""
    return jax.tree.unflatten(jax.tree.structure(first), jax.tree.leaves(plan))
