"""Further starts of a tuning: drawn round the first and judged together; whether all end at the same value."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from qtn._checks import real
from qtn.planning.climber import Climber
from qtn.planning.lattice import on_lattice
from qtn.planning.tuning import Tuned, Tuning

NUM_DRAWN, SPREADS = 24, (1.0, 2.0)
"""Points that are drawn, and their standard deviations in turn, in the free coordinates of `Interval`."""

AGREEMENT = 1e-6
"""Relative difference of what the starts end at up to which they agree."""


def further_starts(
    climber: Climber, first: Mapping[str, float], suited: Mapping[str, float], seed: int | tuple[int, ...]
) -> list[dict[str, float]]:
    """Draw numbers round the first start and judge them on the grid that suits others; return them, the best first.

    Those that break a constraint are left out: what they describe may not be possible.
    """
    random, tuning = np.random.default_rng(seed), climber.tuning
    drawn = [_drawn(tuning, first, SPREADS[index % len(SPREADS)], random) for index in range(NUM_DRAWN)]
    drawn = [numbers for numbers in drawn if all(float(slack) >= 0 for slack in tuning.constraints(numbers).values())]
    with climber.scores(suited) as score:
        judged = [(score(numbers), numbers) for numbers in drawn]
    judged = [each for each in judged if math.isfinite(each[0])]
    return [numbers for _, numbers in sorted(judged, key=lambda each: -each[0])]


def _drawn(tuning: Tuning, centre: Mapping[str, float], spread: float, random: np.random.Generator) -> dict[str, float]:
    """Draw numbers inside their bounds, those on the lattice on it."""
    found = {}
    for name, value in centre.items():
        interval, noise = tuning.bounds[name], spread * random.normal()
        found[name] = interval.inside(float(interval.bounded(interval.free(real(value)) + noise)))
        if name in tuning.lattice:
            found[name] = on_lattice(found[name], tuning.lattice[name], interval)
    return found


def agreement(runs: Sequence[Tuned]) -> str:
    """Say whether the starts end at the same score, and how many miss the limits; nothing of a single start."""
    scores = [run.score for run in runs if run.violation == 0]
    missed = len(runs) - len(scores)
    if len(runs) < 2 or not scores:
        return ""
    words = f"{missed} of {len(runs)} starts end where limits are missed." if missed else ""
    spread = float(np.ptp(scores) / max(abs(max(scores)), 1e-300))
    if len(scores) < 2 or spread == 0 == max(scores):
        return words
    which = f"The other {len(scores)}" if missed else f"All {len(scores)} starts"
    if spread <= AGREEMENT:
        return f"{which} agree to {AGREEMENT:g}. {words}".rstrip()
    which = f"The other {len(scores)}" if missed else f"The {len(scores)} starts"
    return f"{which} differ by up to {spread:.2g}: there may be several optima. {words}".rstrip()
