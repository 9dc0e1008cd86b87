"""Derivatives of sampled results: their mean over many keys is the exact derivative."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import Asap, Ends, Renewal, Restart, Sampled, abstract_link, chain, depolarising_memory, node, parse, swap_asap
from qtn.evaluators.sampled.evaluator import direct_samples, run_samples
from qtn.evaluators.sampled.outcome import estimate
from qtn.evaluators.sampled.pools import TreeSampler
from qtn.evaluators.sampled.record import tracked_state
from qtn.steps.level import BELL_DIAGONAL
from tests.evaluators.asap.test_asap import random_line

NUM_KEYS = 64


def merit(summary):
    """Something that depends on time and state."""
    return 0.1 * summary.mean_time + summary.state[1, 1] + 0.5 * summary.state[3, 3]


def require_unbiased(draw, system, exact, names):
    """Compare the mean gradient over keys with the exact one, in standard errors."""
    keys = jax.random.split(jax.random.key(4), NUM_KEYS)
    slopes = jax.jit(lambda keys: jax.lax.map(lambda key: jax.grad(partial(draw, key))(system), keys))(keys)
    for name in names:
        found, expected = (np.asarray(getattr(each, name)) for each in (slopes, exact))
        error = found.std(axis=0) / np.sqrt(NUM_KEYS)
        assert np.all(np.abs(found.mean(axis=0) - expected) <= 4 * error + 1e-12), (name, found.mean(axis=0), expected)
        assert np.all(np.isfinite(found)), name


@pytest.mark.parametrize("ends", [Ends.MEASURED, pytest.param(Ends.KEPT, marks=pytest.mark.slow)])
def test_swap_asap(ends):
    line = random_line(3, False)
    planned = Asap(step=1.0, num_steps=64).planned(line, swap_asap(ends=ends))
    exact = jax.jit(jax.grad(lambda each: merit(planned.summarise(each, swap_asap(ends=ends)))))(line)

    def draw(key, line):
        return merit(estimate(direct_samples(line, key, 256, ends, tracked_state)).summary)

    require_unbiased(draw, line, exact, ("p_success", "rates", "two_qubit", "readout", "state"))


@pytest.mark.slow
def test_tree_with_failures():
    links = [abstract_link(p_success=p, attempt_time=1.0, werner=0.95) for p in (0.5, 0.3)]
    line = chain(links, node(depolarising_memory(30.0), p_swap=0.7))
    schedule = parse("swap(distill(0), 1, cutoff_time=5.5)")
    sizes = TreeSampler(line, schedule, BELL_DIAGONAL).plan(128, jax.random.key(0))

    def draw(key, numbers):
        line, schedule = with_numbers(numbers)
        return merit(estimate(TreeSampler(line, schedule, BELL_DIAGONAL).samples(sizes, 128, key)).summary)

    def with_numbers(numbers):
        return rebuilt(line, numbers), dataclasses.replace(schedule, cutoff_times=numbers.cutoff)

    numbers = Numbers(jnp.array([0.5, 0.3]), jnp.asarray(0.7), jnp.asarray(30.0), jnp.array([5.5]))
    exact = jax.grad(lambda each: merit(Renewal(step=1.0, num_steps=1024).summarise(*with_numbers(each))))(numbers)
    require_unbiased(draw, numbers, exact, ("p", "p_swap", "time_constant", "cutoff"))


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Numbers:
    """What is differentiated."""

    p: jax.Array
    p_swap: jax.Array
    time_constant: jax.Array
    cutoff: jax.Array


def rebuilt(line, numbers):
    links = [dataclasses.replace(link, p_success=p) for link, p in zip(line.links, numbers.p, strict=True)]
    return chain(links, node(depolarising_memory(numbers.time_constant), p_swap=numbers.p_swap))


@pytest.mark.slow
def test_event_by_event():
    line = dataclasses.replace(random_line(2, False), p_swap=jnp.array([1.0, 0.7, 1.0]))
    pair = parse("swap(0, 1)")

    def exact(line):  # two links, ends kept: a tree
        links = [
            abstract_link(p_success=line.p_success[i], attempt_time=line.attempt_time[i], werner=0.9) for i in (0, 1)
        ]
        nodes = [node(depolarising_memory(1 / line.rates[i, 0]), p_swap=line.p_swap[i]) for i in (0, 1, 2)]
        return merit(Renewal(step=1.0, num_steps=512).summarise(chain(links, nodes), pair))

    state = jnp.asarray(np.diag([1, 0.9, -0.9, 0.9])) * jnp.ones((2, 1, 1))
    line = dataclasses.replace(
        line, rates=jnp.ones((3, 3)) * 0.05, state=state, two_qubit=jnp.ones(3), readout=jnp.ones(3)
    )

    def draw(key, line):
        policy = swap_asap(ends=Ends.KEPT)
        return merit(estimate(run_samples(line, policy, key, 128, tracked_state, True)).summary)

    slope = jax.grad(exact)(line)
    slope = dataclasses.replace(slope, p_swap=slope.p_swap.at[jnp.array([0, 2])].set(0.0))
    require_unbiased(draw, line, slope, ("p_success", "p_swap"))


def test_unknown_derivatives_are_marked():
    links = [abstract_link(p_success=p, attempt_time=1.0, werner=0.9) for p in (0.5, 0.4)]
    line = chain(links, node(depolarising_memory(30.0), p_swap=0.7))

    @jax.jit
    @partial(jax.grad, argnums=(0, 1))
    def by_chain_and_cutoff(line, cutoff):
        return Sampled(64).summarise(line, swap_asap(cutoff_times=cutoff)).mean_time

    assert np.isnan(by_chain_and_cutoff(line, 5.0)[1])
    slope, _ = by_chain_and_cutoff(line, np.inf)
    assert np.isnan(slope.links[0].attempt_time)
    assert np.isfinite(slope.links[0].p_success)
    schedule = parse("swap(0, 1, cutoff_time=5)")
    planned = Sampled(64).planned(line, schedule)

    @jax.jit
    @jax.grad
    def by_cutoff_of_tree(cutoff):
        return planned.summarise(line, dataclasses.replace(schedule, cutoff_times=cutoff[None])).mean_time

    assert np.isnan(by_cutoff_of_tree(jnp.asarray(5.0)))
    assert np.isfinite(by_cutoff_of_tree(jnp.asarray(5.5)))
    shared = chain(links[0], node(depolarising_memory(30.0), p_swap=0.7), num_links=2)
    policy = swap_asap(restart=Restart.CARRY_OVER)
    value, slope = jax.jit(jax.value_and_grad(lambda each: Sampled(64).summarise(each, policy).mean_time))(shared)
    np.testing.assert_allclose(slope.links[0].attempt_time, value, rtol=1e-12)  # all times scale with it


def test_finite_at_sure_links():
    line = dataclasses.replace(random_line(3, False), p_success=jnp.ones(3))
    slope = jax.grad(lambda each: merit(Sampled(16).summarise(each, swap_asap())))(line)
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(slope))
