"""Further starts of a tuning: drawn round the first and judged together; whether all end at the same value."""

import math
from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from qtn.planning.climber import Climber
from qtn.planning.tuning import Tuning

NUM_DRAWN, SPREADS = 24, (1.0, 2.0)
"""Points that are drawn, and their standard deviations in turn, in the free coordinates of `Interval`."""

AGREEMENT = 1e-6
"""Relative difference of what the starts end at up to which they agree."""


def further_starts(
    climber: Climber, first: Mapping[str, float], suited: Mapping[str, float], seed: int | tuple[int, ...]
) -> list[dict[str, float]]:
    """Draw numbers round the first start and judge them on the grid that suits others; return them, the best first."""
    random = np.random.default_rng(seed)
    drawn = [_drawn(climber.tuning, first, SPREADS[index % len(SPREADS)], random) for index in range(NUM_DRAWN)]
    with climber.scores(suited) as score:
        judged = [(score(numbers), numbers) for numbers in drawn]
    judged = [each for each in judged if math.isfinite(each[0])]
    return [numbers for _, numbers in sorted(judged, key=lambda each: -each[0])]


def _drawn(tuning: Tuning, centre: Mapping[str, float], spread: float, random: np.random.Generator) -> dict[str, float]:
    """Draw numbers inside their bounds, those on the lattice on it."""
    found = {}
    for name, value in centre.items():
        interval, noise = tuning.bounds[name], spread * random.normal()
        found[name] = interval.inside(float(interval.bounded(interval.free(jnp.asarray(value)) + noise)))
        if name in tuning.lattice:
            found[name] = tuning.lattice[name] * max(round(found[name] / tuning.lattice[name]), 1)
    return found


def agreement(scores: Sequence[float]) -> str:
    """Say whether the starts end at the same score; nothing of one start, or where there is no key."""
    spread = float(np.ptp(scores) / max(abs(max(scores)), 1e-300))
    if len(scores) < 2 or spread == 0 == max(scores):
        return ""
    if spread <= AGREEMENT:
        return f"All {len(scores)} starts agree to {AGREEMENT:g}."
    return f"The {len(scores)} starts differ by up to {spread:.2g}: there may be several optima."
