"""One protocol: every evaluator answers the same questions about two links that both know in closed form."""

import functools

import jax
import numpy as np
import pytest

import qtn
from qtn.evaluators.evaluate import Evaluator
from qtn.evaluators.outcome import Result

P, W, LIFETIME = 0.5, 0.9, 20.0
LINE = qtn.chain(
    qtn.abstract_link(p_success=P, attempt_time=1.0, werner=W), qtn.node(qtn.depolarising_memory(LIFETIME)), 2
)
TREE, POLICY = qtn.nested(1), qtn.swap_asap(ends=qtn.Ends.KEPT)
EVALUATORS = {
    "renewal": (qtn.Renewal(step=1.0, num_steps=128), TREE),
    "asap": (qtn.Asap(step=1.0, num_steps=128), POLICY),
    "sampled, tree": (qtn.Sampled(4000, seed=1), TREE),
    "sampled, policy": (qtn.Sampled(4000, seed=1), POLICY),
    "full state": (qtn.FullState(num_samples=40, seed=1), TREE),
}
every = pytest.mark.parametrize("name", EVALUATORS)


@functools.cache
def evaluated(name):
    evaluator, schedule = EVALUATORS[name]
    return qtn.evaluate(LINE, schedule, evaluator=evaluator)


def expected():
    """Return E max(T1, T2), its derivative by p, and the Werner parameter after E exp(-2 |T1 - T2| / lifetime)."""
    kept = (1 - P) * np.exp(-2 / LIFETIME)
    werner = W**2 * P / (2 - P) * (1 + 2 * kept / (1 - kept))
    slope = (-2 * P * (2 - P) - (3 - 2 * P) * (2 - 2 * P)) / (P * (2 - P)) ** 2
    return (3 - 2 * P) / (P * (2 - P)), slope, werner


@every
def test_results_agree_with_the_closed_form(name):
    evaluator, found = EVALUATORS[name][0], evaluated(name)
    assert isinstance(evaluator, Evaluator) and isinstance(found, Result)
    mean_time, _, werner = expected()
    for of, value in (
        (lambda each: each.mean_time, mean_time),
        (lambda each: qtn.fidelity(each.state), (1 + 3 * werner) / 4),
    ):
        error = found.standard_error(of)
        assert (error is None) == (found.in_time is not None), "samples do not resolve time, grids do"
        np.testing.assert_allclose(of(found.summary), value, rtol=1e-9, atol=0 if error is None else 4 * error)
    np.testing.assert_allclose(found.quantiles(np.array([0.1, 0.4, 0.7])), [1, 2, 3])  # (1 - q^t)^2 = 1/4, 9/16, 49/64
    assert found.info.numbers() and isinstance(found.info.warnings(), list)


@every
def test_summary_is_what_summarise_returns(name):
    evaluator, schedule = EVALUATORS[name]
    both = evaluated(name).summary, evaluator.summarise(LINE, schedule)
    for ours, theirs in zip(*map(jax.tree.leaves, both), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "asap" else ()) for name in EVALUATORS]
)
def test_gradient_takes_every_evaluator(name):
    evaluator, schedule = EVALUATORS[name]
    if name == "full state":
        with pytest.raises(ValueError, match=r"no derivative: use Renewal\(\) or Sampled\(\)"):
            qtn.gradient(LINE, schedule, evaluator=evaluator)
        return
    found = qtn.gradient(LINE, schedule, of=lambda each: each.mean_time, evaluator=evaluator)
    slope = found.chain.links[0].p_success
    np.testing.assert_allclose(slope, expected()[1], rtol=0.1 if "sampled" in name else 1e-9)


@pytest.mark.parametrize(
    ("evaluator", "schedule", "message"),
    [
        (qtn.Renewal(), POLICY, r"Renewal\(\) evaluates trees, not the policy swap_asap\(\): use Asap\(\) or Sampled"),
        (qtn.FullState(), POLICY, r"FullState\(\) evaluates trees, not the policy swap_asap\(\): use Asap\(\)"),
        (qtn.Asap(), TREE, r"Asap\(\) evaluates the policy swap_asap\(\), not a Schedule: use Renewal\(\)"),
    ],
    ids=["renewal", "full state", "asap"],
)
def test_the_other_kind_of_schedule_is_refused(evaluator, schedule, message):
    for ask in (evaluator.evaluate, evaluator.summarise):
        with pytest.raises(TypeError, match=message):
            ask(LINE, schedule)


@pytest.mark.parametrize("evaluator", [qtn.Sampled(1), qtn.FullState(num_samples=1)], ids=["sampled", "full state"])
def test_one_sample_has_no_error(evaluator):
    with pytest.raises(ValueError, match="`num_samples` must be at least 2, but is 1"):
        qtn.evaluate(LINE, TREE, evaluator=evaluator)
