"""The seam of the state levels: a Werner level of two numbers gives what the Bell-diagonal level gives."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

import qtn
from qtn import (
    BBPSSW,
    Renewal,
    abstract_link,
    chain,
    depolarising_memory,
    fidelity,
    linear_optics,
    nested,
    node,
    relaxing_memory,
)
from qtn._pytree import pytree
from qtn.evaluators.evaluate import usual_evaluator
from qtn.links.link import Heralded
from qtn.steps.level import BELL_DIAGONAL, PAULI, X_TYPE, Level
from qtn.steps.step_map import map_of


@dataclasses.dataclass(frozen=True)
class Werner:
    """Two numbers: probability, and probability times Werner parameter."""

    num_components: int = 2

    def from_pauli(self, state, left, right):
        return jnp.stack([state[0, 0], state[1, 1]])

    def to_pauli(self, vectors, left, right):
        index = jnp.arange(4)
        filled = jnp.stack([vectors[0], vectors[1], -vectors[1], vectors[1]])
        return jnp.zeros((4, 4, *vectors.shape[1:])).at[index, index].set(filled)

    def decay_rates(self, left, right):
        return jnp.stack([0.0, 1 / left.memory.time_constant + 1 / right.memory.time_constant])

    def swap(self, left, middle, right):
        p = middle.p_swap
        return jnp.zeros((2, 2, 2)).at[0, 0, 0].set(p).at[1, 1, 1].set(p)  # perfect gates

    def distill(self, protocol, left, right):
        assert protocol is BBPSSW
        table = [[[1 / 2, 0], [0, 1 / 2]], [[0, 1 / 6], [1 / 6, 4 / 6]]]
        return jnp.array(table)


@pytest.mark.parametrize("cutoff", [None, [12.5, 40.0]], ids=["no cut-off", "cut-offs"])
def test_werner_level_equals_bell_diagonal_level(cutoff):
    assert isinstance(Werner(), Level)
    plain = node(depolarising_memory(90.0), p_swap=0.7)
    hardware = chain(abstract_link(p_success=0.2, attempt_time=1.0, werner=0.95), plain, 4)
    schedule = nested(2, rounds=[1, 0, 0], cutoff_times=cutoff)
    bell, werner = (Renewal(level=level).evaluate(hardware, schedule) for level in (BELL_DIAGONAL, Werner()))
    np.testing.assert_allclose(werner.mean_time, bell.mean_time, rtol=1e-12)
    np.testing.assert_allclose(werner.bell_diagonal, bell.bell_diagonal, rtol=1e-12)
    np.testing.assert_allclose(werner.states, bell.states, atol=1e-14)


@pytest.mark.parametrize("level", [None, PAULI], ids=["chosen", "given"])
def test_a_planned_evaluator_keeps_its_level_under_jit(level):
    relaxing = chain(abstract_link(p_success=0.2, attempt_time=1.0, werner=0.95), node(relaxing_memory(90.0, 80.0)), 2)
    evaluator = Renewal(level=level, step=1.0, num_steps=200).planned(relaxing, nested(1))

    def value(hardware):
        return fidelity(evaluator.summarise(hardware, nested(1)).bell_diagonal)

    assert evaluator.level in (X_TYPE, PAULI)
    np.testing.assert_allclose(jax.jit(value)(relaxing), value(relaxing), rtol=1e-13)


@pytree
class Tilted:
    """A link that heralds <Z> of both qubits beside a Werner state."""

    tilt: Float[Array, ""]

    def heralded(self):
        state = jnp.diag(jnp.array([1.0, 0.9, -0.9, 0.9])).at[0, 3].set(self.tilt).at[3, 0].set(self.tilt)
        return Heralded(p_success=jnp.asarray(0.2), attempt_time=jnp.asarray(1.0), state=state)


def test_states_that_a_planned_level_does_not_hold_are_never_dropped_in_silence():
    def tilted(tilt):
        return chain(Tilted(tilt=jnp.asarray(tilt)), node(optics=linear_optics()), 2)

    evaluator = Renewal(step=1.0, num_steps=400).planned(tilted(0.0), nested(1))
    assert evaluator.level == BELL_DIAGONAL

    def value(tilt):
        return fidelity(evaluator.summarise(tilted(tilt), nested(1)).bell_diagonal)

    traced = jax.jit(jax.value_and_grad(value))
    np.testing.assert_allclose(traced(0.0)[0], value(0.0), rtol=1e-13)
    assert np.isnan(traced(0.05)[0]), "an optical swap mixes them into the Bell weights"
    with pytest.raises(ValueError, match="linear optics mixes"):
        value(0.05)


def test_maps_of_other_levels_are_taken_as_they_are():
    plain = node(depolarising_memory(90.0))
    assert map_of(jax.jit(Werner.swap, static_argnums=0), (Werner(),), (plain,) * 3).places is None


def one_pair(**settings):
    arms = {"length_left": 1e3, "length_right": 1e3, "loss_left": 10, "loss_right": 10}
    return qtn.chain(qtn.single_click(**arms, **settings), num_links=1), qtn.nested(0)


def test_what_nobody_chose_an_evaluator_for_is_exact_beyond_bell_weights():
    line, tree = one_pair(bright_state=0.1)
    state = qtn.evaluate(line, tree).state
    np.testing.assert_allclose(qtn.log_negativity(state), 0.85923, atol=5e-6)
    np.testing.assert_allclose(qtn.coherent_information(state), 0.5389, atol=5e-5)
    twirled = qtn.evaluate(line, tree, evaluator=qtn.Renewal()).state
    np.testing.assert_allclose(qtn.log_negativity(twirled), 0.85523, atol=5e-6)
    slopes = qtn.gradient(line, tree, of=lambda summary: qtn.log_negativity(summary.state))
    np.testing.assert_allclose(slopes.value, 0.85923, atol=5e-6)
    line, tree = one_pair(bright_state=0.02, phase_offset=0.6)
    np.testing.assert_allclose(qtn.chsh_value(qtn.evaluate(line, tree).state), 2.7746, atol=5e-5)


def test_long_chains_ask_for_the_whole_state():
    link = qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.99)
    for num_links, whole in ((32, True), (33, False)):
        line = qtn.chain(link, num_links=num_links)
        assert usual_evaluator(line, qtn.sequential(num_links)).whole_state is whole
