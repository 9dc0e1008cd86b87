"""An optimum is checked by sampling: the check agrees where it should, notices where it should not, and can refuse."""

import dataclasses

import pytest

from qtn.problem.evaluation import outcome
from qtn.problem.load import loads
from qtn.problem.sampled_check import NUM_SAMPLES, sampled_check

FILE = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.3, attempt_time_s = 1.0, werner = 0.95 }
node = { memory = { model = "depolarising", time_constant_s = 30.0 } }
[schedule]
tree = "swap(distill(0), 1)"
"""


def test_check_agrees_and_notices():
    problem = loads(FILE)
    found = outcome(problem)
    check = sampled_check(problem, {}, found)
    assert check.num_samples == NUM_SAMPLES
    assert check.deviation < 4.5
    wrong = dataclasses.replace(found, mean_time=1.2 * found.mean_time)
    assert sampled_check(problem, {}, wrong).deviation > 5


def test_check_refuses():
    problem = loads(FILE.replace("), 1)", "), 1, cutoff_time=9.0, cutoff_width=1.0)"))
    assert "cut" in sampled_check(problem, {}, outcome(problem)).refused.lower()
    assert sampled_check(problem, {}, outcome(problem)).deviation != pytest.approx(0.0)
