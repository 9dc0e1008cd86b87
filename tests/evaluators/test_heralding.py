"""Memories decay while their own pair is heralded: every link, level and evaluator against dense matrices."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qtn
from qtn.evaluators.delivery import delivering
from qtn.evaluators.full_state import timeline_of
from qtn.links.link import Heralded
from qtn.merit.age import storage_times
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.steps.level import BELL_DIAGONAL, PAULI, X_TYPE
from tests.oracles import density, fock

INDEX = 1.5
"""Of refraction."""

KM = 1e3 * INDEX / 299_792_458
"""How long light takes for 1 km of fibre [s]."""

ARMS = {"length_left": 30e3, "length_right": 50e3, "loss_left": 2.0, "loss_right": 3.0, "refractive_index": INDEX}
OPTICS = {"visibility": 0.9, "dark_count_probability": 1e-3}

LEFT, RIGHT = qtn.node(qtn.relaxing_memory(2e-3, 1.5e-3)), qtn.node(qtn.relaxing_memory(3e-3, 8e-4))
SOURCE = [0.85, 0.06, 0.02, 0.07]


def meet(left, right):
    """When the memories start to hold [km of light], if photons meet in the middle, and when both ends know."""
    meeting = max(left, right)
    return meeting - left, meeting - right, meeting + max(left, right)


def stored(left, right):
    """The same where photons travel from a source in between, and each end tells the other."""
    return left, right, max(left, right) + left + right


LINKS = {
    "single_click": (qtn.single_click(**ARMS, **OPTICS, bright_state=(0.2, 0.3), phase_offset=0.3), meet(30, 50)),
    "double_click": (qtn.double_click(**ARMS, **OPTICS), meet(30, 50)),
    "midpoint_source": (qtn.midpoint_source(**ARMS, bell_diagonal=SOURCE), stored(30, 50)),
    "direct_transmission": (
        qtn.direct_transmission(length=80e3, loss=5.0, refractive_index=INDEX, bell_diagonal=SOURCE),
        (0, 80, 160),
    ),
}
"""Link; when its memories start to hold their qubits, and when both ends know of the pair [km of light]."""


def holding(name, nodes, decays=True):
    """Return what happens to both memories of a link of these nodes, as a function of the density matrix."""
    *starts, end = LINKS[name][1]

    def held(rho):
        for site, (begin, node) in enumerate(zip(starts, nodes, strict=True)):
            time = (end - begin) * KM
            rate_x, _, rate_z = np.asarray(node.memory.pauli_rates())
            gamma = 1 - np.exp(-rate_z * time)
            rho = density.damp(rho, site, gamma, np.exp(-rate_x * time) / np.sqrt(1 - gamma))
        return rho

    return held if decays else lambda rho: rho


def dense(name, nodes, decays=True):
    """Return the Pauli coefficients that a link delivers, from dense matrices."""
    held = holding(name, nodes, decays)
    eta = {"eta_left": 10**-0.2, "eta_right": 10**-0.3}
    optics = eta | {"visibility": OPTICS["visibility"], "dark": OPTICS["dark_count_probability"]}
    if name == "single_click":
        rho = fock.single_click(bright_left=0.2, bright_right=0.3, phase_offset=0.3, held=held, **optics)[1]
    elif name == "double_click":
        rho = fock.double_click(held=held, **optics)[1]
    else:
        rho = held(density.bell_diagonal(SOURCE))
    return density.coefficients(rho)


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("nodes", [(LEFT, RIGHT), (RIGHT, LEFT), (qtn.node(), LEFT)], ids=["both", "turned", "right"])
def test_links_deliver_what_dense_matrices_say(name, nodes):
    line = qtn.chain([LINKS[name][0]], nodes)
    np.testing.assert_allclose(delivering(line).links[0].state, dense(name, nodes), atol=1e-12)
    plain = dataclasses.replace(line, herald_decay=False)
    np.testing.assert_allclose(delivering(plain).links[0].state, dense(name, nodes, decays=False), atol=1e-12)


def test_the_textbook_number():
    link = qtn.double_click(
        length_left=500e3, length_right=500e3, loss_left=10, loss_right=10, efficiency=0.9, refractive_index=1.5
    )
    line = qtn.chain(link, qtn.node(qtn.dephasing_memory(0.01)), num_links=1)
    fidelity = qtn.evaluate(line, qtn.nested(0)).bell_diagonal[0]
    np.testing.assert_allclose(fidelity, (1 + np.exp(-2 * 5.003461427972281 / 10)) / 2, rtol=1e-12)
    np.testing.assert_allclose(fidelity, 0.6838124, atol=5e-8)


@pytest.mark.parametrize(
    "link",
    [
        qtn.abstract_link(p_success=0.1, attempt_time=1e-3, werner=0.9),
        qtn.spdc_source(loss_left=2, loss_right=2, mean_pairs=0.1, attempt_time=1e-6),
        Heralded(p_success=jnp.asarray(0.1), attempt_time=jnp.asarray(1e-3), state=jnp.eye(4)),
    ],
    ids=["abstract", "spdc", "heralded"],
)
def test_links_without_memories_in_the_round_stay_as_they_are(link):
    line = qtn.chain(link, LEFT, num_links=1)
    np.testing.assert_allclose(delivering(line).links[0].state, link.heralded().state, atol=1e-15)


def unlike(num_links, memory=qtn.dephasing_memory, link="double_click"):
    """A chain of one shared link between unlike nodes."""
    nodes = [qtn.node(memory(t2), qtn.gates(0.98, 0.99)) for t2 in np.linspace(1e-2, 3e-2, num_links + 1)]
    return qtn.chain(LINKS[link][0], nodes, num_links)


def explicit(line):
    """The same chain, each link in place of which stands its pair from the oracle."""
    name = next(name for name, (link, _) in LINKS.items() if link is line.links[0])
    pair = line.links[0].heralded()
    states = [dense(name, (line.node(i), line.node(i + 1))) for i in range(line.num_links)]
    links = [Heralded(p_success=pair.p_success, attempt_time=pair.attempt_time, state=jnp.asarray(s)) for s in states]
    return dataclasses.replace(line, links=tuple(links))


@pytest.mark.parametrize("level", [BELL_DIAGONAL, X_TYPE, PAULI], ids=lambda each: each.name)
def test_trees_start_from_those_pairs_at_every_level(level):
    line, tree = unlike(3), qtn.parse("swap(swap(0, 1, cutoff_time = 0.02), 2)")
    found, expected = (qtn.Renewal(level=level).summarise(each, tree) for each in (line, explicit(line)))
    np.testing.assert_allclose(found.state, expected.state, atol=1e-12)
    np.testing.assert_allclose(found.mean_time, expected.mean_time, rtol=1e-12)


def test_trees_where_memories_relax():
    line = unlike(2, lambda t2: qtn.relaxing_memory(t2, t2), "single_click")
    tree = qtn.nested(1)
    found, expected = (qtn.Renewal(level=PAULI).summarise(each, tree) for each in (line, explicit(line)))
    np.testing.assert_allclose(found.state, expected.state, atol=1e-12)


def test_policies_start_from_those_pairs():
    line, policy = unlike(3), qtn.swap_asap()
    found, expected = (qtn.Asap().summarise(each, policy) for each in (line, explicit(line)))
    np.testing.assert_allclose(found.state, expected.state, atol=1e-12)


def test_samples_start_from_those_pairs():
    line, tree = unlike(2), qtn.nested(1)
    sampled = qtn.Sampled(num_samples=400, seed=1)
    found, expected = (sampled.summarise(each, tree) for each in (line, explicit(line)))
    np.testing.assert_allclose(found.state, expected.state, atol=1e-12)  # the same draws


@pytest.mark.parametrize("decays", [True, False])
def test_full_states_start_from_those_pairs(decays):
    line = dataclasses.replace(unlike(2, lambda t2: qtn.relaxing_memory(t2, t2)), herald_decay=decays)
    run = timeline_of(qtn.nested(1), [0.01, 0.03])
    expected = explicit(line) if decays else delivering(line)
    found, wanted = (qtn.FullState().run(each, run).pair(0, 2) for each in (line, expected))
    np.testing.assert_allclose(found, wanted, atol=1e-12)


NUMBERS = {"length": 40e3, "index": 1.5, "t1": 2e-3, "t2": 1.5e-3}


def delivered(numbers, evaluator, schedule):
    """Fidelity of what two single-click links deliver to relaxing memories."""
    arms = ARMS | {"length_left": numbers["length"], "refractive_index": numbers["index"]}
    link = qtn.single_click(**arms, bright_state=0.1)
    line = qtn.chain(link, qtn.node(qtn.relaxing_memory(numbers["t1"], numbers["t2"])), num_links=2)
    return evaluator.summarise(line, schedule).bell_diagonal[0]


@pytest.mark.parametrize("policy", [False, True], ids=["tree", "policy"])
def test_gradients_are_finite_differences(policy):
    evaluator, schedule = (qtn.Asap(), qtn.swap_asap()) if policy else (qtn.Renewal(), qtn.nested(1))
    slopes = jax.grad(delivered)(NUMBERS, evaluator, schedule)
    for name, value in NUMBERS.items():
        step = 1e-5 * value
        up, down = (float(delivered(NUMBERS | {name: value + sign * step}, evaluator, schedule)) for sign in (1, -1))
        np.testing.assert_allclose(slopes[name], (up - down) / (2 * step), rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("t2", [np.inf, 1e-12])
def test_gradients_at_the_edges(t2):
    def fidelity(length, time):
        link = qtn.double_click(**ARMS | {"length_left": length})
        line = qtn.chain(link, qtn.node(qtn.dephasing_memory(time)), num_links=1)
        return qtn.evaluate(line, qtn.nested(0)).bell_diagonal[0]

    assert np.all(np.isfinite(jax.grad(fidelity, (0, 1))(40e3, t2)))


def test_the_age_of_a_pair_has_its_heralding():
    line = qtn.chain([LINKS["double_click"][0]], qtn.node())
    begin_left, begin_right, end = LINKS["double_click"][1]
    held = np.array([end - begin_left, end - begin_right]) * KM
    np.testing.assert_allclose(storage_times(line, qtn.nested(0)), held, rtol=1e-9)
    plain = dataclasses.replace(line, herald_decay=False)
    np.testing.assert_allclose(storage_times(plain, qtn.nested(0)), 0, atol=1e-15)


FILE = """
schema = 1
[chain]
num_links = 1
link = { model = "double_click", length_km = 1000.0, attenuation_db_per_km = 0.02, refractive_index = 1.5 }
node.memory = { model = "dephasing", t2_s = 0.01 }
[schedule]
tree = "0"
"""


def test_files_turn_it_off():
    assert loads(FILE).chain.herald_decay
    plain = loads(FILE + "[evaluate]\nherald_decay = false\n")
    weights = qtn.evaluate(plain.chain, plain.schedule).bell_diagonal
    np.testing.assert_allclose(weights, [1, 0, 0, 0], atol=1e-12)


def test_an_attempt_shorter_than_its_holding_is_refused():
    wrong = r"chain.link: Argument `attempt_time` must be at least 0.00500346 s.* is 0.005 s.*herald_decay = false"
    with pytest.raises(ProblemError, match=wrong):
        loads(FILE, ["chain.link.attempt_time_s=0.005"])
    loads(FILE, ["chain.link.attempt_time_s=0.005", "evaluate.herald_decay=false"])
    line = qtn.chain(qtn.direct_transmission(length=80e3, loss=5.0, attempt_time=1e-4), num_links=1)
    with pytest.raises(ValueError, match=r"`attempt_time` must be at least 0\.000783"):
        qtn.evaluate(line, qtn.nested(0))
    qtn.evaluate(dataclasses.replace(line, herald_decay=False), qtn.nested(0))
