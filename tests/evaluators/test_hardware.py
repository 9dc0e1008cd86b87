"""Every evaluator with every feature of a node: it agrees with dense matrices, or it says that it does not know it.

The links never fail and take 1 s and 3 s: what is delivered is the same in every attempt, and only the number of
attempts is left to chance.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

import qtn
from qtn._pytree import pytree
from qtn.evaluators.full_state import sample_timelines, timeline_of
from qtn.links.link import Heralded
from qtn.merit.age import storage_times
from qtn.steps.level import PAULI
from tests.oracles import density, register

TREE, POLICY = qtn.nested(1), qtn.swap_asap(ends=qtn.Ends.KEPT)
OPTICS = qtn.linear_optics(0.8, 0.7, 1e-3)


@pytree
class Tilted:
    """A link that heralds w Phi+ + (1 - w) |11><11|, which is not Bell-diagonal."""

    attempt_time: Float[Array, ""]

    def heralded(self):
        mixture = 0.9 * np.diag([1.0, 1, -1, 1])
        mixture[0, 0], mixture[3, 3], mixture[0, 3], mixture[3, 0] = 1, 1, -0.1, -0.1
        return Heralded(p_success=jnp.asarray(1.0), attempt_time=self.attempt_time, state=jnp.asarray(mixture))


def werner(attempt_time):
    return qtn.abstract_link(p_success=1.0, attempt_time=attempt_time, werner=0.9)


def tilted(attempt_time):
    return Tilted(attempt_time=jnp.asarray(attempt_time))


RELAXING = qtn.relaxing_memory(9.0, 7.0)
FEATURES = {
    "perfect": (qtn.node(), werner),
    "depolarising": (qtn.node(qtn.depolarising_memory(10.0)), werner),
    "dephasing": (qtn.node(qtn.dephasing_memory(10.0)), werner),
    "relaxing": (qtn.node(RELAXING), werner),
    "gate": (qtn.node(gate_set=qtn.gates(two_qubit=0.9)), werner),
    "readout": (qtn.node(gate_set=qtn.gates(readout=0.9)), tilted),
    "failing swap": (qtn.node(p_swap=0.6), werner),
    "optics": (qtn.node(qtn.depolarising_memory(10.0), p_swap=0.9, optics=OPTICS), werner),
    "optics, tilted pairs": (qtn.node(optics=OPTICS), tilted),
    "optics, relaxing": (qtn.node(RELAXING, qtn.gates(0.5, 0.5), 1.0, OPTICS), tilted),
}
NO_OPTICS = "needs swaps by a gate and readouts, not by linear optics: use a tree and Renewal"
REFUSED = {
    ("asap", "failing swap"): r"needs swaps that never fail, but node 1 has p_swap = 0.6.*use Sampled",
    **{(name, f): NO_OPTICS for name in ("asap", "sampled, policy") for f in FEATURES if "optics" in f},
}


def line(feature, num_links=2):
    hardware, link = FEATURES[feature]
    return qtn.chain([link(1.0), link(3.0), link(3.0)][:num_links], hardware)


def dense(feature):
    """Return (success probability of the swap, Pauli coefficients of the delivered pair)."""
    chain = line(feature)
    hardware = chain.node(1)
    kept = np.diag([1, *np.exp(-2 * np.asarray(hardware.memory.pauli_rates()))])  # the left pair waits 2 s
    kept[3, 0] = hardware.memory.equilibrium() * (1 - kept[3, 3])
    left, right = (np.asarray(chain.link(k).heralded().state) for k in (0, 1))
    left, right = register.from_pauli(kept @ left @ kept.T), register.from_pauli(right)
    if hardware.optics is not None:
        out = density.optical_swap(left, right, np.asarray(hardware.optics.factors()))
    else:
        out = density.swap(left, right, float(hardware.gates.two_qubit), float(hardware.gates.readout))
    found = float(hardware.p_swap) * density.coefficients(out)
    return found[0, 0], found / found[0, 0]


def full_state(chain):
    """Return the state along two timelines, and the times of many."""
    times = [float(timeline.times[-1]) for timeline in sample_timelines(chain, TREE, 100, 3)]
    return qtn.FullState(num_samples=2).evaluate(chain, TREE).state, np.mean(times), np.std(times) / 10


def asked(evaluator, schedule):
    """Return what an evaluator says: state, mean time and its error."""

    def ask(chain):
        found = evaluator.evaluate(chain, schedule)
        return found.state, found.mean_time, found.standard_error(lambda each: each.mean_time) or 0.0

    return ask


EVALUATORS = {
    "renewal": asked(qtn.Renewal(step=1.0, num_steps=256, level=PAULI), TREE),
    "sampled": asked(qtn.Sampled(200, seed=1, level=PAULI), TREE),
    "full state": full_state,
    "asap": asked(qtn.Asap(step=1.0, num_steps=16), POLICY),
    "sampled, policy": asked(qtn.Sampled(200, seed=1), POLICY),
}


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("name", EVALUATORS)
def test_known_or_refused(name, feature):
    if (name, feature) in REFUSED:
        with pytest.raises(ValueError, match=REFUSED[name, feature]):
            EVALUATORS[name](line(feature))
        return
    state, mean_time, error = EVALUATORS[name](line(feature))
    success, expected = dense(feature)
    np.testing.assert_allclose(state, expected, atol=1e-9)
    np.testing.assert_allclose(mean_time, 3 / success, rtol=1e-9, atol=4 * error)


TRACKED = {
    "renewal": lambda chain, tree: qtn.Renewal(correction=qtn.Correction.TRACKED).summarise(chain, tree),
    "sampled": lambda chain, tree: qtn.Sampled(64, correction=qtn.Correction.TRACKED).summarise(chain, tree),
    "full state": lambda chain, tree: sample_timelines(chain, tree, 2, 0, tracked=True),
}


@pytest.mark.parametrize("name", TRACKED)
def test_pending_corrections_of_measured_qubits_are_refused(name):
    """Node 2 tells two Bell states of a qubit that node 1 left uncorrected."""
    tree = qtn.sequential(3)
    with pytest.raises(ValueError, match="linear optics measures qubits to be corrected, of pairs that are not Bell"):
        TRACKED[name](line("optics, tilted pairs", 3), tree)
    assert TRACKED[name](line("optics", 3), tree)


def test_a_level_that_is_not_exact_is_refused():
    evaluator = qtn.Sampled(64, level=qtn.steps.level.BELL_DIAGONAL)
    with pytest.raises(ValueError, match="'bell_diagonal' is not exact here: a memory relaxes"):
        evaluator.evaluate(line("relaxing"), TREE)


def test_ages_need_success_that_no_state_decides():
    with pytest.raises(ValueError, match="must swap pairs of links that are Bell-diagonal"):
        storage_times(line("optics, tilted pairs"), TREE)
    np.testing.assert_allclose(storage_times(line("optics"), TREE), [2, 2, 0], atol=1e-9)


@functools.cache
def along_a_timeline():
    """One program of the numbers of linear optics: value and gradient."""
    timeline = timeline_of(TREE, [1.0, 3.0])

    def value(numbers):
        hardware = qtn.node(RELAXING, optics=qtn.hardware.linear_optics.linear_optics(*numbers))
        found = qtn.FullState().run(qtn.chain([tilted(1.0), tilted(3.0)], hardware), timeline)
        return found.probability * jnp.sum(found.pair(0, 2) * jnp.arange(16.0).reshape(4, 4))

    return jax.jit(jax.value_and_grad(value))


@pytest.mark.parametrize("numbers", [(0.8, 0.7, 1e-2), (1.0, 1.0, 0.0)], ids=["inside", "perfect"])
def test_derivatives_of_optics_along_a_timeline(numbers):
    def value(numbers):
        return along_a_timeline()(numbers)[0]

    point, h = jnp.array(numbers), 1e-6
    sides = np.where(point >= 1, 0, 1), np.where(point <= 0, 0, 1)  # one-sided at the edges
    numeric = [
        (value(point.at[k].add(h * sides[0][k])) - value(point.at[k].add(-h * sides[1][k])))
        / (h * (sides[0][k] + sides[1][k]))
        for k in range(3)
    ]
    np.testing.assert_allclose(along_a_timeline()(point)[1], numeric, rtol=1e-4)
