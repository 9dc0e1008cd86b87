"""Policies and evaluators in problem files."""

import numpy as np
import pytest

from qtn import Asap, Renewal, Sampled, fidelity, swap_asap
from qtn.problem.evaluation import evaluated, outcome
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import numeric_leaves
from qtn.problem.run import gradient, report_numbers

LINE = """
schema = 1
[chain]
num_links = 3
link = { model = "abstract", p_success = 0.4, attempt_time_s = 1.0, werner = 0.9 }
[chain.node]
memory = { model = "depolarising", time_constant_s = 100.0 }
[schedule]
"""
POLICY = LINE + 'policy = "swap_asap"\n'
TREE = LINE + 'tree = "swap(0, swap(1, 2))"\n'
SAMPLED = "[evaluate]\nevaluator = 'sampled'\nnum_samples = 500\nseed = 3\n"


def test_a_policy_is_evaluated_exactly():
    problem = loads(POLICY)
    assert isinstance(problem.evaluator, Asap)
    found = report_numbers(evaluated(problem))
    exact = Asap().summarise(problem.chain, swap_asap())
    np.testing.assert_allclose(found["mean_time_s"], exact.mean_time)
    assert set(found["info"]) == {"tail_mass", "grid_error", "step_s", "num_steps"}


@pytest.mark.parametrize("text", [POLICY, TREE], ids=["policy", "tree"])
def test_sampled_reports_errors(text):
    problem = loads(text + SAMPLED)
    assert problem.evaluator == Sampled(500, seed=3)
    found = report_numbers(evaluated(problem))
    exact = loads(text)
    expected = report_numbers(evaluated(exact))
    error = found["info"]["standard_errors"]
    for name in ("mean_time_s", "fidelity", "rate_hz"):
        assert 0 < error[name] < 0.1 * found[name]
        assert abs(found[name] - expected[name]) < 4 * error[name]
    assert list(found["waiting_time_quantiles_s"].values()) == sorted(found["waiting_time_quantiles_s"].values())


@pytest.mark.slow
def test_derivatives_of_a_policy():
    problem = loads(POLICY)
    found = gradient(problem, "fidelity")
    assert "chain.node.swap.p_success" not in found["gradient"]
    h = 1e-5
    moved = [loads(POLICY, [f"chain.link.p_success={0.4 + s * h}"]) for s in (1, -1)]
    ends = [report_numbers(evaluated(each))["fidelity"] for each in moved]
    np.testing.assert_allclose(found["gradient"]["chain.link.p_success"], (ends[0] - ends[1]) / (2 * h), rtol=1e-5)


def test_cutoffs_have_names():
    problem = loads(POLICY + "cutoff_times_s = [inf, 5.0, 5.0, inf]\nends = 'kept'\n" + SAMPLED)
    assert numeric_leaves(problem)["schedule.cutoff_times_s.1"] == 5.0
    slower = loads(POLICY + "cutoff_times_s = 2.0\n" + SAMPLED)
    assert numeric_leaves(slower)["schedule.cutoff_times_s"] == 2.0


@pytest.mark.slow
def test_cutoffs_take_time():
    slower = loads(POLICY + "cutoff_times_s = 2.0\n" + SAMPLED)
    assert float(outcome(slower).mean_time) > float(outcome(loads(POLICY)).mean_time)


def test_trees_keep_their_evaluator():
    assert isinstance(loads(TREE).evaluator, Renewal)
    assert loads(TREE).policy is None


OPTICS = LINE.replace(
    "[schedule]", 'swap = { model = "linear_optics", efficiency = 0.8, visibility = 0.7 }\n[schedule]'
)
T1 = (
    LINE.replace('model = "depolarising", time_constant_s = 100.0', 'model = "t1t2", t1_s = 50.0, t2_s = 40.0')
    + 'policy = "swap_asap"\n'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (POLICY + 'tree = "swap(0, swap(1, 2))"\n', "schedule.policy: both a tree and a policy are given"),
        (TREE + 'ends = "kept"\n', 'schedule.ends: is for policies; add `policy = "swap_asap"`, or remove it'),
        (POLICY + "[evaluate]\nevaluator = 'renewal'\n", 'evaluate.evaluator: "renewal" evaluates trees'),
        (TREE + "[evaluate]\nevaluator = 'asap'\n", 'evaluate.evaluator: "asap" evaluates `policy = "swap_asap"`'),
        (POLICY + "[evaluate]\nseed = 3\n", "evaluate.seed: is for `evaluator = \"sampled\"`"),
        (T1, 'evaluate.correction: must be "tracked", because memories relax'),
        (POLICY + "cutoff_times_s = [1.0, 2.0]\n", "schedule.cutoff_times_s: must hold one time or num_links \\+ 1 = 4"),
        (POLICY + "[optimise]\nparameters = ['chain.link.werner']\n", "optimise: finds the best tree and its numbers"),
        (POLICY + "cutoff_times_s = -1.0\n", "schedule.cutoff_times_s"),
        (POLICY + "[evaluate]\nevaluator = 'magic'\n", "evaluate.evaluator"),
        (OPTICS + 'policy = "swap_asap"\n', 'chain.node.swap.model: "linear_optics" needs a tree, because schedule.policy'),
        (POLICY + SAMPLED + "level = 'pauli'\n", 'evaluate.level: "sampled" holds every Pauli coefficient here; leave it out'),
        (POLICY + 'latency = "gates"\n', "schedule.latency: is for trees, but schedule.policy is given; leave it out"),
    ],
    ids=["both", "stray", "renewal", "asap", "seed", "t1", "count", "optimise", "negative", "unknown", "optics", "level", "latency"],
)  # fmt: skip
def test_bad_files(text, message):
    with pytest.raises(ProblemError, match=message):
        loads(text)


def test_tracked_corrections_are_evaluated():
    problem = loads(T1 + "[evaluate]\ncorrection = 'tracked'\n")
    assert 0.25 < report_numbers(evaluated(problem))["fidelity"] < 1


def test_the_full_state_knows_linear_optics():
    """Two links that never fail: every delivered pair is the same, and only the number of attempts is drawn."""
    text = OPTICS.replace("num_links = 3", "num_links = 2").replace("p_success = 0.4", "p_success = 1.0")
    problem = loads(text + "tree = 'swap(0, 1)'\n[evaluate]\nevaluator = 'full_state'\nnum_samples = 2\n")
    assert float(fidelity(outcome(problem).state)) == pytest.approx((1 + 0.9**2 * (1 + 2 * 0.7)) / 4, abs=1e-12)
