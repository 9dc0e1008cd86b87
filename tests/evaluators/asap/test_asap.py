"""Swap as soon as possible: brute force, dense matrices, a closed form, the pair engine, and thousands of links."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import (
    Asap,
    Ends,
    Line,
    Renewal,
    abstract_link,
    chain,
    depolarising_memory,
    gates,
    nested,
    node,
    stacked,
    swap_asap,
    waiting_time_quantiles,
)
from qtn.hardware.memory import relaxing_memory
from qtn.states.basis import from_pauli_vector
from qtn.steps.level import BELL_DIAGONAL
from tests.oracles import asap as oracle
from tests.oracles import waiting

KINDS = {"measured": Ends.MEASURED, "kept": Ends.KEPT}


def any_state(rng):
    """Pauli coefficients of a random two-qubit state, near a Bell pair so that chains keep something."""
    phi = np.array([1, 0, 0, 1]) / np.sqrt(2)
    factor = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    noise = factor @ factor.conj().T
    rho = 0.7 * np.outer(phi, phi) + 0.3 * noise / np.trace(noise).real
    paulis = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0])]
    return np.array([[np.trace(rho @ np.kron(a, b)).real for b in paulis] for a in paulis])


def random_line(n, relaxing, attempts=None, p=None):
    """Links and nodes that have nothing in common."""
    rng = np.random.default_rng(n)
    rates = rng.uniform(0.02, 0.2, (n + 1, 3))
    rates[:, 1] = rates[:, 0] if relaxing else rates[:, 1]
    return Line(
        p_success=jnp.asarray(rng.uniform(0.2, 0.7, n) if p is None else p),
        attempt_time=jnp.asarray(np.ones(n) if attempts is None else np.asarray(attempts, dtype=float)),
        state=jnp.asarray(np.stack([any_state(rng) for _ in range(n)])),
        rates=jnp.asarray(rates),
        two_qubit=jnp.asarray(rng.uniform(0.8, 1.0, n + 1)),
        readout=jnp.asarray(rng.uniform(0.8, 1.0, n + 1)),
        p_swap=jnp.ones(n + 1),
        equilibrium=tuple(np.where(np.arange(n + 1) % 2 == 0, 1.0, 0.0)) if relaxing else (0.0,) * (n + 1),
    )


def summed(line, num_steps, kept):
    numbers = jax.tree.map(np.asarray, line)
    attempts = numbers.attempt_time.astype(int)
    return oracle.by_sums(
        numbers.p_success, attempts, num_steps, numbers.state, numbers.rates, line.equilibrium, numbers.two_qubit,
        numbers.readout, kept,
    )  # fmt: skip


@pytest.mark.parametrize("ends", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("relaxing", [False, True], ids=["diagonal", "relaxing"])
@pytest.mark.parametrize(
    ("n", "attempts"),
    [
        pytest.param(1, None, id="one"),
        pytest.param(2, None, id="two", marks=pytest.mark.slow),
        pytest.param(3, [2, 1, 3], id="three"),
        pytest.param(4, None, id="four", marks=pytest.mark.slow),
    ],
)
def test_brute_force_sums(n, attempts, relaxing, ends):
    line, num_steps = random_line(n, relaxing, attempts), 9
    outcome = Asap(step=1.0, num_steps=num_steps).resolve(line, swap_asap(ends=ends))
    probability, states = summed(line, num_steps, ends is Ends.KEPT)
    np.testing.assert_allclose(outcome.probability, probability, atol=1e-14)
    np.testing.assert_allclose(outcome.states, states, atol=1e-14)
    np.testing.assert_allclose(outcome.mean_time, np.arange(num_steps) @ probability / probability.sum(), rtol=1e-12)
    np.testing.assert_allclose(outcome.state, states.sum(0) / probability.sum(), atol=1e-13)


@pytest.mark.parametrize("ends", KINDS.values(), ids=KINDS)
def test_one_timeline_gate_by_gate(ends):
    times, rates_x, rates_z = [1, 4, 2], np.array([0.1, 0.2, 0.15, 0.1]), np.array([0.1, 0.15, 0.0, 0.2])
    line = random_line(3, True, times, p=np.ones(3))  # every link succeeds at once: one timeline
    line = dataclasses.replace(
        line, equilibrium=(1.0, 1.0, 0.0, 1.0), rates=jnp.asarray(np.stack([rates_x, rates_x, rates_z], axis=1))
    )
    outcome = Asap(step=1.0, num_steps=9).summarise(line, swap_asap(ends=ends))
    pairs = [np.asarray(from_pauli_vector(state)) for state in np.asarray(line.state)]
    dense = oracle.gate_by_gate(
        times, pairs, rates_x, rates_z, np.asarray(line.two_qubit), np.asarray(line.readout), ends is Ends.KEPT
    )
    np.testing.assert_allclose(from_pauli_vector(np.asarray(outcome.state)), dense, atol=1e-14)
    assert float(outcome.mean_time) == 4.0


@pytest.mark.parametrize(("p", "z"), [(0.3, 0.9), (0.05, 0.99), (1.0, 0.5)])
def test_three_equal_links(p, z):
    memory = depolarising_memory(-1 / np.log(z))
    line = chain(abstract_link(p_success=p, attempt_time=1.0, werner=1.0), node(memory), num_links=3)
    outcome = Asap().summarise(line, swap_asap())
    expected = 1.0 if p == 1 else oracle.three_equal_links(p, z)
    np.testing.assert_allclose(outcome.state[1, 1], expected, rtol=1e-12)
    np.testing.assert_allclose(outcome.mean_time, waiting.mean_of_slowest(3, p), rtol=1e-12)


TWO_LINKS = chain(
    [abstract_link(p_success=p, attempt_time=1.0, werner=0.95) for p in (0.3, 0.5)],
    node(relaxing_memory(20.0, 15.0), gates(0.98, 0.97)),
)


def test_two_links_are_a_tree():
    kept = Asap(step=1.0, num_steps=128).evaluate(TWO_LINKS, swap_asap(ends=Ends.KEPT))
    tree = Renewal(step=1.0, num_steps=128).evaluate(TWO_LINKS, nested(1))
    for name in ("mean_time", "state", "states", "probability"):
        np.testing.assert_allclose(getattr(kept, name), getattr(tree, name), atol=1e-13, err_msg=name)


def test_bell_diagonal_level_drops_what_it_does_not_hold():
    line = random_line(3, False)
    whole, part = (
        Asap(step=1.0, num_steps=64, level=level).summarise(line, swap_asap()) for level in (None, BELL_DIAGONAL)
    )
    np.testing.assert_array_equal(part.state, np.diag(np.diag(whole.state)))
    with pytest.raises(ValueError, match=r"level 'bell_diagonal' is not exact here: a memory relaxes \(finite T1\)"):
        Asap(level=BELL_DIAGONAL).summarise(TWO_LINKS, swap_asap())


def test_a_chain_is_its_arrays():
    links = [abstract_link(p_success=p, attempt_time=1.0, werner=0.9) for p in (0.2, 0.4, 0.6)]
    line = chain(links, node(depolarising_memory(30.0)))
    arrays = stacked(line)
    assert arrays.p_success.tolist() == [0.2, 0.4, 0.6]
    assert arrays.rates.shape == (4, 3)
    a, b = (Asap(step=1.0, num_steps=64).summarise(each, swap_asap()) for each in (line, arrays))
    np.testing.assert_array_equal(a.state, b.state)


def test_mean_states_only_say_so():
    outcome = Asap(step=1.0, num_steps=9).evaluate(random_line(3, False), swap_asap())
    assert outcome.states is None
    with pytest.raises(ValueError, match=r"holds the mean state only: use `Asap\(\).resolve`"):
        _ = outcome.bell_weights


def test_quantiles_of_the_completion_time():
    p = 0.2
    line = chain(abstract_link(p_success=p, attempt_time=2.0, werner=0.9), num_links=5)
    found = waiting_time_quantiles(Asap().evaluate(line, swap_asap()), jnp.array([0.5]))
    t = np.arange(1, 200)
    expected = 2 * t[np.searchsorted((1 - (1 - p) ** t) ** 5, 0.5)]
    np.testing.assert_allclose(found, [expected])


@pytest.mark.parametrize("attempts", [(1.0, 1.0, 1.0), pytest.param((1.0, 1.5, 2.0), marks=pytest.mark.slow)])
def test_extrapolated_grids_bound_their_error(attempts):
    links = [abstract_link(p_success=2e-3 * (1 + i), attempt_time=t, werner=0.97) for i, t in enumerate(attempts)]
    line = chain(links, node(depolarising_memory(2e3)))
    exact = Asap(step=0.5, num_steps=32768).summarise(line, swap_asap())
    found = Asap(num_steps=1024).summarise(line, swap_asap())
    error = float(found.info.grid_error)
    assert found.info.num_grids == 3
    assert error < 1e-5
    np.testing.assert_allclose(found.mean_time, exact.mean_time, rtol=error)
    np.testing.assert_allclose(found.state, exact.state, atol=error)
