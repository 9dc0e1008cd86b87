"""Sampling swap-asap: against the exact contraction, and against an attempt-by-attempt simulation of the other policies."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import (
    Asap,
    Correction,
    Ends,
    Restart,
    Sampled,
    abstract_link,
    chain,
    depolarising_memory,
    nested,
    node,
    stacked,
    swap_asap,
)
from qtn.evaluators.renewal import Renewal
from qtn.evaluators.sampled.outcome import SampledOutcome
from tests.evaluators.asap.test_asap import random_line
from tests.evaluators.asap.test_gradients import BOTH
from tests.oracles import policy as oracle

NUM_SAMPLES = 4096


def sigmas(found: SampledOutcome, mean_time, state):
    """Deviations in standard errors; what does not fluctuate must agree."""
    errors = np.sqrt(np.diagonal(np.asarray(found.info.covariance)))
    ours = np.concatenate([[found.mean_time], np.asarray(found.state).reshape(16)])
    theirs = np.concatenate([[mean_time], np.asarray(state).reshape(16)])
    fixed = errors < 1e-12
    np.testing.assert_allclose(ours[fixed], theirs[fixed], atol=1e-9)
    return (ours - theirs)[~fixed] / errors[~fixed]


@pytest.mark.parametrize(("relaxing", "ends"), BOTH)
def test_agrees_with_the_exact_contraction(relaxing, ends):
    line = random_line(3, relaxing)
    exact = Asap(step=1.0, num_steps=128).summarise(line, swap_asap(ends=ends))
    found = Sampled(NUM_SAMPLES, seed=3, correction=Correction.TRACKED).evaluate(line, swap_asap(ends=ends))
    assert np.abs(sigmas(found, exact.mean_time, exact.state)).max() < 4


def test_event_by_event_agrees_where_nothing_happens():
    line = random_line(3, True)
    policy = swap_asap(ends=Ends.KEPT, cutoff_times=np.inf)
    exact = Asap(step=1.0, num_steps=128).summarise(line, policy)
    found = Sampled(NUM_SAMPLES, seed=5, correction=Correction.TRACKED).evaluate(line, policy)
    assert np.abs(sigmas(found, exact.mean_time, exact.state)).max() < 4


def test_corrections_at_the_swap_are_those_of_trees():
    line = random_line(2, True)
    kept = swap_asap(ends=Ends.KEPT)
    at_swap, tracked = (Sampled(64, correction=each).evaluate(line, kept) for each in Correction)
    np.testing.assert_allclose(at_swap.state, tracked.state, atol=1e-12)  # two links: the swap is the delivery
    three = random_line(3, True)
    at_swap, tracked = (Sampled(64, correction=each).evaluate(three, kept) for each in Correction)
    assert np.abs(at_swap.state - tracked.state).max() > 1e-3
    diagonal = random_line(3, False)
    from qtn.evaluators.sampled.direct import draw_deliveries
    from qtn.evaluators.sampled.record import corrected_state, tracked_state

    draw = jax.jit(draw_deliveries, static_argnums=1)
    record = jax.tree.map(lambda each: each[0], draw(diagonal, 1, jax.random.key(0))[0])
    both = [jax.jit(of, static_argnums=2)(diagonal, record, Ends.KEPT) for of in (corrected_state, tracked_state)]
    np.testing.assert_allclose(np.diag(both[0]), np.diag(both[1]), atol=1e-14)


RATE = np.array([0.03, 0.05, 0.02, 0.04])
P = np.array([0.3, 0.5, 0.2])
CASES = {
    "failing swaps": dict(swap=[1.0, 0.6, 0.8, 1.0], cutoffs=[np.inf] * 4, together=True, kept=False),
    "cut-offs": dict(swap=[1.0, 1.0, 1.0, 1.0], cutoffs=[np.inf, 4.0, 3.0, np.inf], together=True, kept=False),
    "all, ends kept": dict(swap=[1.0, 0.7, 0.9, 1.0], cutoffs=[6.0, 4.0, 3.0, 8.0], together=True, kept=True),
    "carry over": dict(swap=[1.0] * 4, cutoffs=[np.inf] * 4, together=False, kept=False),
    "carry over, all": dict(swap=[1.0, 0.8, 0.9, 1.0], cutoffs=[9.0, 6.0, 5.0, 9.0], together=False, kept=True),
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=() if name == "all, ends kept" else pytest.mark.slow)
        for name, case in CASES.items()
    ],
)
def test_policies_attempt_by_attempt(case):
    coherent = [abstract_link(p_success=p, attempt_time=1.0, werner=1.0) for p in P]
    nodes = [node(depolarising_memory(1 / r), p_swap=a) for r, a in zip(RATE, case["swap"], strict=True)]
    policy = swap_asap(
        restart=Restart.TOGETHER if case["together"] else Restart.CARRY_OVER,
        ends=Ends.KEPT if case["kept"] else Ends.MEASURED,
        cutoff_times=case["cutoffs"],
    )
    found = Sampled(NUM_SAMPLES if case["together"] else 8 * NUM_SAMPLES, seed=2).evaluate(
        chain(coherent, nodes), policy
    )
    intervals, coherences = oracle.run(6000, skipped=50, n=3, p=P, rate=RATE, **case)
    blocks = np.stack([intervals, coherences])[:, : 6000 // 50 * 50].reshape(2, -1, 50).mean(axis=2)
    theirs, spread = blocks.mean(axis=1), blocks.std(axis=1) / np.sqrt(blocks.shape[1])
    ours = np.array([found.mean_time, found.state[1, 1]])
    own = np.sqrt(np.asarray(found.info.covariance)[[0, 6], [0, 6]])
    assert np.all(np.abs(ours - theirs) < 4 * np.hypot(own, spread)), (ours, theirs, own, spread)


def test_standard_errors_are_those_of_repetitions():
    line = random_line(3, False)
    once = Sampled(256)

    def rate(summary):
        return summary.state[1, 1] / summary.mean_time

    found = [dataclasses.replace(once, seed=seed).evaluate(line, swap_asap()) for seed in range(60)]
    values = [float(rate(each.summary)) for each in found]
    reported = np.mean([float(each.standard_error(rate)) for each in found])
    np.testing.assert_allclose(np.std(values), reported, rtol=0.35)  # 60 repetitions: 9 % is one sigma


def test_the_same_seed_gives_the_same_numbers():
    line = random_line(3, False)
    a, b, other = (Sampled(256, seed=seed).evaluate(line, swap_asap()) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.state, b.state)
    assert float(a.mean_time) != float(other.mean_time)


@pytest.mark.slow
def test_two_links_with_failing_swaps_are_a_tree():
    line = chain(
        abstract_link(p_success=0.3, attempt_time=1.0, werner=0.9), node(depolarising_memory(20.0), p_swap=0.6), 2
    )
    exact = Renewal(step=1.0, num_steps=512).summarise(line, nested(1))
    found = Sampled(NUM_SAMPLES, seed=1).evaluate(line, swap_asap(ends=Ends.KEPT))
    assert np.abs(sigmas(found, exact.mean_time, exact.state)).max() < 4


def test_chain_and_arrays_draw_the_same():
    line = chain([abstract_link(p_success=p, attempt_time=1.0, werner=0.9) for p in P], node(depolarising_memory(9.0)))
    a, b = (Sampled(64).evaluate(each, swap_asap()) for each in (line, stacked(line)))
    np.testing.assert_array_equal(a.samples, b.samples)
    assert float(a.quantiles(jnp.array([0.5]))[0]) == float(np.sort(a.samples)[31])
    assert a.info.warnings() == ["Only 64 samples: standard errors are rough; increase evaluate.num_samples."]


def test_too_few_samples():
    with pytest.raises(ValueError, match="`num_samples` must be at least 2, but is 1"):
        Sampled(1).evaluate(random_line(2, False), swap_asap())
