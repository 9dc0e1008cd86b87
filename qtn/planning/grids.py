"""Time grids for an optimisation: one compiled program serves all settings that are visited."""

import math
from collections.abc import Sequence

import jax

from qtn.evaluators.extrapolate import summarise_on
from qtn.evaluators.horizon import measured_horizon
from qtn.evaluators.ladder import WORST_ERROR, climb, settled
from qtn.evaluators.plan import LADDER, GridPlan
from qtn.evaluators.scales import time_scales
from qtn.links.chain import Chain
from qtn.schedules.tree import Schedule
from qtn.steps.level import Level

EXACT_LENGTHS = LADDER[:2]
"""Lengths of grids that are used exactly during an optimisation."""

EXACT_LENGTHS_WITH_CUTOFFS = LADDER[:4]
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
    horizons = [
        settled(measured_horizon(*system, level, scale), lambda probe, system=system: probe.answer(*system))
        for system, scale in zip(systems, scales, strict=True)
    ]
    spacing = min(scale.spacing for scale in scales)
    parts = max(
        horizon / scale.spacing if spacing else math.inf for horizon, scale in zip(horizons, scales, strict=True)
    )
    shortest = min((cutoff for scale in scales for cutoff in scale.cutoffs if cutoff > 0), default=math.inf)
    lengths = EXACT_LENGTHS_WITH_CUTOFFS if shortest < SHORT_CUTOFF * spacing else EXACT_LENGTHS
    length = next((length for length in lengths if length >= parts), None)
    if length is not None:
        return [scale.exact_plan(length) for scale in scales]

    def error_of(plans: list[GridPlan]) -> float:
        return float(summarise_on(plans[0], *systems[0], level).info.grid_error)

    tried = [alike([s.extrapolation(h, n) for h, s in zip(horizons, scales, strict=True)]) for n in LADDER[:5]]
    search = climb(tried, None, rtol=SEARCH_ERROR, small=WORST_ERROR, worst=math.inf)
    return settled(search, error_of) or tried[-1]


def alike(plans: Sequence[GridPlan]) -> list[GridPlan]:
    """Return plans with the static numbers of the first: during a search they only place edges of cut-offs."""
    structure = jax.tree.structure(plans[0])
    return [jax.tree.unflatten(structure, jax.tree.leaves(plan)) for plan in plans]
