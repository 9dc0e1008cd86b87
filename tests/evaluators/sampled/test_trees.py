"""Sampling trees: against the pair engine, with every kind of step."""

import jax
import numpy as np
import pytest

from qtn import Correction, Renewal, Sampled, abstract_link, chain, depolarising_memory, elementary, gates, node, parse
from qtn.evaluators.sampled.pools import few_sizes
from qtn.hardware.memory import relaxing_memory
from tests.evaluators.sampled.test_policies import sigmas

LINKS = [abstract_link(p_success=p, attempt_time=1.0, werner=w) for p, w in ((0.5, 0.95), (0.3, 0.9), (0.4, 0.97))]
GATES = gates(two_qubit=0.98, readout=0.99)
DIAGONAL = chain(LINKS, node(depolarising_memory(60.0), GATES, p_swap=0.8))
RELAXING = chain(LINKS[:2], node(relaxing_memory(60.0, 40.0), GATES, p_swap=0.8))
NUM_SAMPLES = 4096

CASES = {
    "link": (DIAGONAL, "swap(swap(0, 1), 2)"),
    "cut-offs, distillation, waits": (
        DIAGONAL,
        "swap(swap(distill(0), wait(1, 2.0), cutoff_time=6), 2, cutoff_time=8.5)",
    ),
    "three pairs": (DIAGONAL, 'swap(0, swap(distill(1, protocol="double_selection"), 2))'),
    "relaxing": (RELAXING, "swap(distill(0, rounds=2), 1)"),
}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        pytest.param(*case, id=name, marks=pytest.mark.slow if name in ("link", "relaxing") else ())
        for name, case in CASES.items()
    ],
)
def test_agrees_with_the_pair_engine(line, text):
    schedule = parse(text)
    exact = Renewal(step=1.0 if "8.5" not in text else 0.5, num_steps=2048).summarise(line, schedule)
    found = Sampled(NUM_SAMPLES, seed=11).evaluate(line, schedule)
    assert found.samples.size == NUM_SAMPLES
    assert np.abs(sigmas(found, exact.mean_time, exact.state)).max() < 4


def test_one_link():
    line = chain(LINKS[:1])
    found = Sampled(NUM_SAMPLES).evaluate(line, elementary(0))
    assert np.abs(sigmas(found, 2.0, np.diag([1, 0.95, -0.95, 0.95]))).max() < 4


def test_planned_runs_under_jit():
    schedule = parse("swap(0, 1)")
    line = chain(LINKS[:2], node(depolarising_memory(60.0), p_swap=0.8))
    planned = Sampled(256).planned(line, schedule)
    inside = jax.jit(lambda each: planned.summarise(each, schedule).mean_time)(line)
    np.testing.assert_allclose(inside, planned.evaluate(line, schedule).mean_time, rtol=1e-12)


def test_hopeless_steps_are_refused():
    schedule = parse("swap(0, 1, cutoff_time=0.0)")
    line = chain([abstract_link(p_success=p, attempt_time=1.0, werner=0.9) for p in (1e-4, 1e-4)])
    with pytest.raises(ValueError, match=r"Only \d+ of 4096 attempts to join links 0..1 succeed: raise the cut-off"):
        Sampled(64).evaluate(line, schedule)
    with pytest.raises(ValueError, match=r"lower num_samples, or use Renewal"):
        Sampled(30_000_000).evaluate(line, parse("swap(0, 1)"))


def test_tracked_corrections_of_trees_are_refused_where_they_matter():
    with pytest.raises(ValueError, match=r"corrections of trees at each swap, which matters where a memory relaxes"):
        Sampled(64, correction=Correction.TRACKED).evaluate(RELAXING, parse("swap(0, 1)"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("swap(0, 1, latency=2.0)", "does not simulate latency"),
        ("swap(0, 1, cutoff_time=5, cutoff_width=1)", "does not simulate cutoff width"),
        ("swap(pump(0), 1)", r"sequential pumping \(in the step over links 0..0\): use Renewal"),
    ],
    ids=["latency", "soft", "pumping"],
)
def test_other_rules_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Sampled(64).evaluate(RELAXING, parse(text))


def test_sizes():
    assert [few_sizes(count) for count in (2, 3, 100, 4097)] == [2, 3, 128, 6144]
