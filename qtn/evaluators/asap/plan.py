"""The time grids of a chain that swaps as soon as possible."""

import math

import numpy as np

from qtn import _checks
from qtn.evaluators.asap.line import Line
from qtn.evaluators.grid import TimeGrid
from qtn.evaluators.ladder import GridRequest, Search, Terms, ladder
from qtn.evaluators.plan import LADDER, NUM_LIFETIMES
from qtn.evaluators.scales import read_scales


def search_grids(line: Line, request: GridRequest, *, kept: bool) -> Search:
    """Search the grids that meet a request.

    Args:
        line: the chain, with concrete numbers.
        request: step, length and accuracy asked for.
        kept: whether time grows with the square of the grid length.

    Raises:
        ValueError: if numbers are traced, or no affordable grid resolves the problem.
    """
    scales = read_scales(line.p_success, line.attempt_time, planned="Asap().planned(chain, policy)")
    slowest = max(scales.lifetimes)
    terms = Terms(
        slowest=f"chain: the slowest link takes {slowest:.3g} s",
        cure="Raise the success probabilities, give time.step_s, or use Sampled().",
        coarse=LADDER[:2] if kept else LADDER[:5],
        exact=LADDER[:3] if kept else LADDER,
        sized=False,
    )
    return ladder(scales, (NUM_LIFETIMES + math.log(line.num_links)) * slowest, request, terms)


def one_attempt_a_step(grid: TimeGrid) -> bool:
    """Whether the step of a grid is the attempt time of every link."""
    ratio = _checks.known(grid.ratio)
    return ratio is not None and bool(np.all(np.abs(np.array(grid.attempts) / ratio - 1) < 1e-12))
