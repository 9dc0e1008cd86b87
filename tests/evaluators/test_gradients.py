"""Derivatives of the pair engine: reverse = forward = finite differences, finite at every edge."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import (
    DEJMPS,
    Renewal,
    abstract_link,
    chain,
    dephasing_memory,
    depolarising_memory,
    distill,
    elementary,
    gates,
    gradient,
    nested,
    node,
    secret_key_rate,
    sequential,
    swap,
    wait,
)
from qtn.evaluators.arrival import arrival
from qtn.evaluators.cutoffs import window


def problem(x):
    """Three unequal links, both memories, distillation, two cut-offs and a wait, as a function of 11 numbers."""
    links = [abstract_link(p_success=p, attempt_time=1.0, werner=w) for p, w in zip(x[:3], x[3:6], strict=True)]
    nodes = [
        node(depolarising_memory(x[6]), gates(x[7], x[8])),
        node(dephasing_memory(x[6]), gates(x[7], x[8]), p_swap=x[9]),
        node(depolarising_memory(2 * x[6]), p_swap=0.8),
        node(),
    ]
    tree = swap(
        swap(distill(elementary(0), protocol=DEJMPS, cutoff_time=x[10]), elementary(1)),
        wait(elementary(2), 3.0),
        cutoff_time=2 * x[10],
    )
    return chain(links, nodes), tree


NUMBERS = jnp.array([0.2, 0.3, 0.15, 0.93, 0.97, 0.95, 80.0, 0.98, 0.97, 0.7, 7.4])


def test_reverse_forward_and_finite_differences_agree():
    planned = Renewal().planned(*problem(NUMBERS))

    def key_rate(x):
        return secret_key_rate(planned.summarise(*problem(x)), clip=False)

    both = jax.jit(jax.value_and_grad(key_rate))
    _, reverse = both(NUMBERS)
    along = jax.jit(lambda direction: jax.jvp(key_rate, (NUMBERS,), (direction,))[1])
    forward = jnp.stack([along(direction) for direction in jnp.eye(NUMBERS.size)])
    np.testing.assert_allclose(reverse, forward, rtol=1e-9, atol=1e-13)
    h = 1e-5 * NUMBERS
    finite = [
        (both(NUMBERS.at[i].add(h[i]))[0] - both(NUMBERS.at[i].add(-h[i]))[0]) / (2 * h[i]) for i in range(NUMBERS.size)
    ]
    np.testing.assert_allclose(reverse, jnp.stack(finite), rtol=1e-6, atol=1e-9)


def test_derivative_at_a_whole_cutoff_is_the_right_one():
    hardware = chain(abstract_link(p_success=0.2, attempt_time=1.0, werner=0.95), node(p_swap=0.5), num_links=2)

    def mean_time(tau):
        return Renewal().summarise(hardware, nested(1, cutoff_times=[tau])).mean_time

    right = (mean_time(6.0 + 1e-6) - mean_time(6.0)) / 1e-6
    left = (mean_time(6.0) - mean_time(6.0 - 1e-6)) / 1e-6
    np.testing.assert_allclose(jax.grad(mean_time)(6.0), right, rtol=1e-5)
    assert abs(float(left / right) - 1) > 0.05


@pytest.mark.parametrize("attempt_time", [1.0, 0.5], ids=["equal", "commensurate"])
def test_derivative_with_respect_to_attempt_times(attempt_time):
    """Scaling all times of a memoryless chain scales the mean time: sum a_i dE/da_i = E."""
    links = [abstract_link(p_success=0.3, attempt_time=t, werner=0.9) for t in (1.0, attempt_time)]
    hardware, schedule = chain(links), nested(1)
    found = gradient(hardware, schedule, of=lambda summary: summary.mean_time)
    total = sum(by.attempt_time * link.attempt_time for by, link in zip(found.chain.links, links, strict=True))
    np.testing.assert_allclose(total, found.value, rtol=1e-9)


@pytest.mark.slow
def test_coarse_grid_has_the_derivatives_of_the_exact_one():
    def derivatives(evaluator):
        link = abstract_link(p_success=0.01, attempt_time=1.0, werner=0.97)
        hardware = chain(link, node(depolarising_memory(5e3), p_swap=0.6), num_links=2)
        found = gradient(hardware, nested(1, rounds=[1, 0], cutoff_times=[170.5]), evaluator=evaluator)
        return (
            found.value,
            found.chain.links[0].p_success,
            found.chain.nodes[0].memory.time_constant,
            found.schedule.cutoff_times,
        )

    for exact, coarse in zip(derivatives(Renewal(step=1.0)), derivatives(Renewal(num_steps=1024)), strict=True):
        np.testing.assert_allclose(coarse, exact, rtol=2e-2)  # smooth where the exact one is a staircase


@pytest.mark.parametrize("p", [1.0, 0.5])
@pytest.mark.parametrize("w", [1.0, 0.0], ids=["F=1", "F=1/4"])
@pytest.mark.parametrize("tau", [0.0, 2.0])
def test_no_nan_at_the_edges(p, w, tau):
    def merit(p, w, tau, coherence):
        hardware = chain(
            abstract_link(p_success=p, attempt_time=1.0, werner=w), node(depolarising_memory(coherence)), num_links=2
        )
        return secret_key_rate(Renewal().summarise(hardware, nested(1, rounds=[1, 1], cutoff_times=[tau])), clip=False)

    for coherence in (50.0, jnp.inf):
        assert np.all(np.isfinite(jax.grad(merit, (0, 1, 2, 3))(p, w, tau, coherence)))


def test_gradient_has_the_types_of_its_arguments():
    hardware, schedule = problem(NUMBERS)
    found = gradient(hardware, schedule)
    assert jax.tree.structure(found.chain) == jax.tree.structure(hardware)
    assert jax.tree.structure(found.schedule) == jax.tree.structure(schedule)


@partial(jax.jit, static_argnums=2)
@partial(jax.value_and_grad, argnums=(0, 1), has_aux=True)
def mean_and_mass(p, attempt_steps, steps):
    mass = arrival(p, attempt_steps, steps)
    return jnp.dot(jnp.arange(steps), mass), mass


@pytest.mark.parametrize("p", [1.0, 0.6, 0.01])
@pytest.mark.parametrize("attempt_steps", [1.0, 3.0, 0.25, 0.37, 1.7])
def test_arrival_keeps_mass_mean_and_slope(p, attempt_steps):
    steps = int(40 * attempt_steps / p) + 8
    (mean, mass), slopes = mean_and_mass(p, attempt_steps, steps)
    assert float(mass.min()) >= 0
    np.testing.assert_allclose(mass.sum(), 1.0, atol=1e-12)
    np.testing.assert_allclose(mean, attempt_steps / p, rtol=1e-10)
    np.testing.assert_allclose(slopes, [-attempt_steps / p**2, 1 / p], rtol=1e-8)


@pytest.mark.parametrize("lattice", [1.0, 3.0, 0.25, 0.0])
@pytest.mark.parametrize("cutoff", [0.0, 4.0, 4.5, 17.2])
def test_window_is_a_mixture_with_the_right_mean(cutoff, lattice):
    mixture = window(jnp.asarray(cutoff), jnp.asarray(lattice), 64)
    np.testing.assert_allclose(mixture.weights.sum(), 1.0, atol=1e-14)
    np.testing.assert_allclose(mixture.weights @ mixture.steps + mixture.lateness, cutoff, atol=1e-12)
    assert int(mixture.steps.min()) >= -1


def test_grids_cannot_be_chosen_from_traced_numbers():
    hardware, schedule = problem(NUMBERS)
    with pytest.raises(ValueError, match=r"Renewal\(\).planned\(chain, schedule\)"):
        jax.jit(Renewal().summarise)(hardware, schedule)
    fixed = Renewal().planned(hardware, schedule)
    inside = jax.jit(fixed.summarise)(hardware, schedule)
    np.testing.assert_allclose(inside.mean_time, Renewal().summarise(hardware, schedule).mean_time, rtol=1e-12)


@pytest.mark.slow
def test_a_second_tree_compiles_nothing():
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if event.endswith("backend_compile_duration") else None
    )
    hardware = chain(
        [abstract_link(p_success=p, attempt_time=1.0, werner=0.95) for p in (0.3, 0.2, 0.4, 0.25)],
        [node(depolarising_memory(100.0), p_swap=0.8) for _ in range(5)],
    )
    evaluator = Renewal(step=1.0, num_steps=512)
    value = jax.value_and_grad(lambda c, s: secret_key_rate(evaluator.summarise(c, s), clip=False))
    uneven = swap(
        swap(swap(elementary(0), elementary(1)), distill(elementary(2), cutoff_time=6.0), cutoff_time=4.0),
        elementary(3),
        cutoff_time=8.0,
    )
    every_kind = swap(  # swaps and distillations, with and without a cut-off
        swap(distill(elementary(0), cutoff_time=5.0), distill(elementary(1))),
        swap(elementary(2), elementary(3), cutoff_time=7.0),
        cutoff_time=9.0,
    )
    value(hardware, every_kind)
    value(hardware, nested(2, rounds=[1, 0, 0], cutoff_times=[9.5, 20.0]))
    compiled.clear()
    value(hardware, nested(2, rounds=[1, 0, 0], cutoff_times=[3.0, 31.0]))
    value(hardware, uneven)  # of as many times
    assert compiled == []


def test_sequential_tree_of_64_links():
    hardware = chain(abstract_link(p_success=0.5, attempt_time=1.0, werner=1.0), num_links=64)
    found = gradient(hardware, sequential(64), of=lambda summary: summary.bell_diagonal[0])
    np.testing.assert_allclose(found.chain.nodes[0].gates.two_qubit, 0.75 * 63, rtol=1e-9)


def test_an_infinite_cutoff_has_the_derivatives_of_none():
    hardware = chain(abstract_link(p_success=0.2, attempt_time=1.0, werner=0.95), node(p_swap=0.5), num_links=2)
    never, none = (gradient(hardware, tree) for tree in (nested(1, cutoff_times=[jnp.inf]), nested(1)))
    for with_inf, without in zip(jax.tree.leaves(never.chain), jax.tree.leaves(none.chain), strict=True):
        np.testing.assert_allclose(with_inf, without, rtol=1e-12)
    assert float(never.schedule.cutoff_times[0]) == 0.0
