"""Waits for pairs: parallel links, pairs made ahead, cut-offs, the slowest of several couples; against plain sums."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn.dqc.arrivals import first_of, steady_pairs
from qtn.dqc.waits import Supply, by_last, made_ahead, slowest_of
from qtn.evaluators.evaluate import evaluate
from qtn.evaluators.pairs import pairs_of
from qtn.evaluators.sampled import Sampled
from qtn.hardware.memory import relaxing_memory
from qtn.hardware.node import node
from qtn.links.abstract import abstract_link
from qtn.links.chain import chain
from qtn.schedules.text import parse

LENGTH = 160
RNG = np.random.default_rng(8)
LAW = RNG.random(LENGTH) * np.exp(-np.arange(LENGTH) / 9.0) * (np.arange(LENGTH) > 0)
LAW /= LAW.sum()
RATES = np.linspace(0.0, 0.1, 16)
SUPPLY = Supply(states=jnp.asarray(np.tile(LAW, (16, 1))), rates=jnp.asarray(RATES))


def held_for(cutoff):
    """Whole ages at which a pair is discarded, with their probabilities."""
    if np.isinf(cutoff):
        return [(10**6, 1.0)]
    whole = int(np.floor(cutoff))
    return [(whole, 1 - cutoff + whole), (whole + 1, cutoff - whole)]


def by_sums(lead, cutoff):
    """What a lane delivers, summed over all times at which it starts."""
    starts, out = np.zeros(LENGTH), np.zeros((16, LENGTH))
    starts[0] = 1.0
    for start in range(LENGTH):
        for need in range(LENGTH - start):
            for age, chance in held_for(cutoff):
                if start + need + age < LENGTH:
                    starts[start + need + age] += starts[start] * LAW[need] * chance
    for had, start in ((h, s) for h in np.flatnonzero(lead) for s in range(h + 1)):
        weight = lead[had] * starts[start]
        for need in range(LENGTH):
            wait = start + need - had
            if 0 < wait < LENGTH:
                out[:, wait] += weight * LAW[need]
            elif wait <= 0:
                kept = sum(chance for age, chance in held_for(cutoff) if -wait < age)
                out[:, 0] += weight * LAW[need] * kept * np.exp(RATES * wait)
    return out


@pytest.mark.parametrize("cutoff", [np.inf, 7.0, 7.3, 1.0])
def test_pairs_made_ahead(cutoff):
    lead = np.zeros(LENGTH)
    lead[[0, 10, 40]] = 0.2, 0.3, 0.5
    found = made_ahead(SUPPLY, jnp.asarray(lead), jnp.asarray(cutoff)).states
    np.testing.assert_allclose(found, by_sums(lead, cutoff), atol=1e-13)
    assert float(jnp.sum(found[0])) == pytest.approx(1.0, abs=1e-12)


def test_slope_by_the_cutoff():
    lead = jnp.zeros(LENGTH).at[30].set(1.0)

    def found(cutoff):
        return jnp.sum(made_ahead(SUPPLY, lead, cutoff).states[3] ** 2)

    assert float(jax.grad(found)(7.3)) == pytest.approx(float(found(7.4) - found(7.2)) / 0.2, rel=1e-2)
    assert float(jax.grad(found)(7.3)) == pytest.approx(float(found(7.3 + 1e-6) - found(7.3 - 1e-6)) / 2e-6, rel=1e-6)
    assert np.isfinite(jax.grad(found)(np.inf))


@pytest.mark.parametrize("num_links", [1, 2, 5, 3000])
def test_first_of_several_links(num_links):
    states = jnp.asarray(LAW)[:, None, None] * jnp.eye(4)
    found = first_of(states, num_links)[:, 0, 0]
    later = 1 - np.cumsum(LAW)
    np.testing.assert_allclose(1 - jnp.cumsum(found), np.maximum(later, 0.0) ** num_links, atol=1e-13)


def test_the_slowest_of_three_couples():
    """Arrival times one by one; pairs that came earlier have decayed."""
    couples = [SUPPLY, Supply(states=SUPPLY.states, rates=2 * SUPPLY.rates), SUPPLY]
    found = slowest_of(couples)
    cut = 25
    law, expected = LAW[:cut], np.zeros((3, 16, cut))
    for times in np.ndindex(cut, cut, cut):
        chance, end = np.prod(law[list(times)]), max(times)
        for couple, rates in enumerate((RATES, 2 * RATES, RATES)):
            expected[couple, :, end] += chance * np.exp(-rates * (end - times[couple]))
    np.testing.assert_allclose(found.pairs[:, :, :cut], expected, atol=1e-13)
    np.testing.assert_allclose(found.probability[:cut], expected[0, 0], atol=1e-13)
    parts = by_last(couples)
    np.testing.assert_allclose(sum(part.probability for part in parts), found.probability, atol=1e-13)
    np.testing.assert_allclose(sum(part.pairs for part in parts), found.pairs, atol=1e-13)


def test_pairs_of_a_chain():
    link = abstract_link(p_success=0.3, attempt_time=0.01, fidelity=0.9)
    line = chain(link, node(relaxing_memory(0.5, 0.3)), num_links=2)
    outcome = evaluate(line, parse("swap(0, 1)"))
    made = pairs_of(outcome, line)
    assert float(made.mean_time) == pytest.approx(float(outcome.mean_time), rel=1e-9)
    assert made.memories[0] is line.node(0).memory
    steady = steady_pairs([0.9, 0.1, 0.0, 0.0], 4.0, p_success=0.25)
    assert float(steady.mean_time) == pytest.approx(0.25, rel=1e-12)
    with pytest.raises(ValueError, match=r"one of samples: use `Renewal\(\)`"):
        pairs_of(evaluate(line, parse("swap(0, 1)"), evaluator=Sampled(num_samples=20)), line)
    with pytest.raises(ValueError, match=r"`p_success` must be a number in \[0.0001, 1\], but is 2"):
        steady_pairs([1.0, 0.0, 0.0, 0.0], 1.0, p_success=2)
