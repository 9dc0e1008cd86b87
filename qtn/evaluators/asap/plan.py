"""Choose the time grids of a chain that swaps as soon as possible."""

import math
from collections.abc import Callable

import jax
import numpy as np

from qtn import _checks
from qtn.evaluators.asap.line import Line
from qtn.evaluators.choose import LONGEST_EXTRAPOLATED, SMALL_ERROR, WORST_ERROR, GridRequest, TimeScales
from qtn.evaluators.grid import TimeGrid
from qtn.evaluators.plan import LADDER, NUM_LIFETIMES, GridPlan

LONGEST_KEPT = 4096
"""Longest grid that is chosen where time grows with the square of its length."""


def scales_of(line: Line) -> TimeScales:
    """Read the time scales of concrete numbers (also of those under `jax.grad`).

    Raises:
        ValueError: if numbers are traced.
    """
    p, attempts = (_checks.known(each) for each in jax.lax.stop_gradient((line.p_success, line.attempt_time)))
    if p is None or attempts is None:
        raise ValueError(
            "A time grid cannot be chosen from traced numbers: fix it outside jit and vmap with "
            "`evaluator = Asap().planned(chain, policy)`, and use that evaluator inside."
        )
    return TimeScales(attempts=tuple(attempts.tolist()), lifetimes=tuple((attempts / p).tolist()), cutoffs=(), waits=())


def choose_plan(line: Line, request: GridRequest, *, kept: bool, error_of: Callable[[GridPlan], float]) -> GridPlan:
    """Return the grids that meet a request.

    Args:
        line: the chain, with concrete numbers.
        request: step, length and accuracy asked for.
        kept: whether time grows with the square of the grid length.
        error_of: error of an evaluation on some grids.

    Raises:
        ValueError: if numbers are traced, or no affordable grid resolves the problem.
    """
    scales = scales_of(line)
    horizon = (NUM_LIFETIMES + math.log(line.num_links)) * max(scales.lifetimes)
    if request.step is not None:
        return with_step(scales, horizon, request.step, request.num_steps)
    longest = LONGEST_KEPT if kept else LONGEST_EXTRAPOLATED
    error, best = math.inf, None
    for num_steps in LADDER if request.num_steps is None else (request.num_steps,):
        if scales.spacing > 0 and horizon <= num_steps * scales.spacing:
            return GridPlan(grids=(scales.grid(scales.spacing, num_steps),))
        plan = scales.extrapolation(horizon, num_steps)
        if request.num_steps is not None:
            return plan
        if num_steps > longest:
            break
        found = error_of(plan)
        if best is not None and found > error / 2 and error < SMALL_ERROR:
            return best  # what is left does not come from the step
        error, best = found, plan
        if error <= request.rtol:
            return best
    if best is not None and error <= WORST_ERROR:
        return best
    raise ValueError(
        f"No affordable time grid resolves this chain: the slowest link takes {max(scales.lifetimes):.3g} s, the "
        f"shortest attempt {min(scales.attempts):.3g} s. Raise the success probabilities, give time.step_s, or use "
        "Sampled()."
    )


def with_step(scales: TimeScales, horizon: float, step: float, num_steps: int | None) -> GridPlan:
    """Return the plan for a given step: one grid if it is exact, else a second one to bound the error."""
    if num_steps is None:
        needed = horizon / step
        if needed > LADDER[-1]:
            raise ValueError(
                f"A time grid with step_s = {step:g} needs {needed:.3g} steps to hold the distribution; at most "
                f"{LADDER[-1]} are chosen. Raise time.step_s, leave it out, or give time.num_steps."
            )
        num_steps = next(length for length in LADDER if length >= needed)
    factors = (1.0,) if scales.exact(step) else (1.0, 2.0)
    return GridPlan(grids=tuple(scales.grid(factor * step, num_steps) for factor in factors))


def one_attempt_a_step(grid: TimeGrid) -> bool:
    """Whether the step of a grid is the attempt time of every link."""
    ratio = _checks.known(grid.ratio)
    return ratio is not None and bool(np.all(np.abs(np.array(grid.attempts) / ratio - 1) < 1e-12))
