"""The ladder of grids: which plan a search proposes, and where it stops, for given errors."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter

import qtn
from qtn.evaluators.ladder import Terms, climb, ladder, settled
from qtn.evaluators.plan import COARSE
from qtn.evaluators.scales import TimeScales


@pytest.mark.parametrize(
    ("errors", "exact", "best", "num_tried"),
    [
        ([1e-3, 1e-8], None, 1, 2),
        ([1e-8], None, 0, 1),
        ([1e-3, 1e-5, 0.9e-5, 0.0], None, 1, 3),
        ([1e-3, 0.9e-3, 0.8e-3], None, 2, 3),
        ([1.0, 0.5, 0.02], None, None, 3),
        ([1.0, math.nan], None, None, 2),
        ([1.0, 0.5, 0.02], "exact", "exact", 3),
        ([], "exact", "exact", 0),
        ([1e-5, 1e-5], "exact", 0, 2),
    ],
    ids=["finer", "at once", "no better", "not small", "too coarse", "nan", "exact", "nothing to try", "before exact"],
)
def test_climb(errors, exact, best, num_tried):
    tried = []

    def error_of(rung):
        tried.append(rung)
        return errors[rung]

    assert settled(climb(range(len(errors)), exact, rtol=1e-7), error_of) == best
    assert tried == list(range(num_tried))


def plan_of(attempts, horizon, error, **request):
    """Return the plan that a search ends with, and the lengths that it tried."""
    scales = TimeScales(attempts=attempts, lifetimes=attempts, cutoffs=(), waits=())
    asked = {"step": None, "num_steps": None, "rtol": 1e-7} | request
    terms = Terms(**asked, slowest="problem: the slowest step takes 1 s", cure="Wait.")
    lengths = []

    def error_of(plan):
        assert plan.extrapolated and len(plan.grids) == 3
        lengths.append(plan.finest.num_steps)
        return error

    return settled(ladder(scales, horizon, terms), error_of), lengths


def test_an_exact_grid_is_taken_where_it_is_not_longer_than_what_would_be_tried():
    plan, tried = plan_of((1.0, 0.75), 900.0, 0.0)
    assert [grid.num_steps for grid in plan.grids] == [4096]
    assert (plan.finest.ratio, plan.extrapolated, tried) == (1 / 3, False, [])


def test_coarse_grids_are_tried_before_a_long_exact_one():
    plan, tried = plan_of((1.0,), 5e5, 1e-3)
    assert (len(plan.grids), plan.finest.num_steps, tried) == (1, 1048576, [4096, 16384, 65536])
    plan, tried = plan_of((1.0,), 5e5, 1e-8)
    assert (plan.extrapolated, plan.finest.num_steps, tried) == (True, 4096, [4096])
    assert plan.finest.ratio >= 5e5 / 4096
    plan, tried = plan_of((1.0,), 2e6, 1.0)
    assert (len(plan.grids), plan.finest.num_steps, tried) == (1, 2097152, list(COARSE))
    plan, tried = plan_of((1.0,), 1.5e4, 1.0)  # an exact grid of four times the length is tried first
    assert (len(plan.grids), plan.finest.num_steps, tried) == (1, 16384, [])


@pytest.mark.slow
def test_rare_joins_with_cut_offs_of_one_attempt_are_exact():
    """A cycle ends with the first pair and one more attempt of the other: mean time of a cycle over its success."""
    p, q = 0.005, 1 - 0.005
    line = qtn.chain(qtn.abstract_link(p_success=p, attempt_time=1.0, werner=0.99), num_links=4)
    found = qtn.evaluate(line, qtn.nested(2, cutoff_times=[1.0, 1.0]))
    start = np.eye(1, 2097152)[0]
    half = lfilter([0, p**2, 2 * p**2 * q], [1, -(q**2), -2 * p * q**2], start)  # renewals of cycles of two links
    late = 1 - np.cumsum(half)
    success = half @ half + 2 * half[1:] @ half[:-1]
    assert found.info.num_steps == len(start)
    assert float(found.mean_time) == pytest.approx((late @ late + 1 - half @ half) / success, rel=1e-8)


@pytest.mark.parametrize(
    ("asked", "num_steps", "ratios", "extrapolated"),
    [
        ({"step": 0.5}, 4096, [0.5], False),
        ({"step": 0.3}, 16384, [0.3, 0.6], False),
        ({"num_steps": 2000}, 2000, [1.0], False),
        ({"num_steps": 500}, 500, [4.0, 6.0, 8.0], True),
        ({"step": 2.0, "num_steps": 7}, 7, [2.0, 4.0], False),
    ],
    ids=["exact step", "step", "exact length", "length", "both"],
)
def test_what_is_asked_for_is_not_tried(asked, num_steps, ratios, extrapolated):
    plan, tried = plan_of((1.0,), 1999.0, 0.0, **asked)
    assert [grid.ratio for grid in plan.grids] == pytest.approx(ratios)
    assert (plan.extrapolated, plan.finest.num_steps, tried) == (extrapolated, num_steps, [])


def test_refusals_name_times_steps_memory_and_cure():
    with pytest.raises(
        ValueError, match=r"slowest step takes 1 s, and .* is 1 s. A full .* 1e\+12 steps \(.*PiB\). Wait"
    ):
        plan_of((1.0, 2**0.5), 1e12, 1.0)
    with pytest.raises(ValueError, match=r"step_s = 0.001 needs 1e\+15 steps .* at most 2097152 are chosen"):
        plan_of((1.0,), 1e12, 1.0, step=1e-3)
