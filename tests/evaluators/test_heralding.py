"""Memories decay while their own pair is heralded: every link, level and evaluator against dense matrices."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qtn
from qtn.evaluators.delivery import delivered_together, delivering
from qtn.evaluators.full_state import timeline_of
from qtn.links.link import Heralded
from qtn.merit.age import storage_times
from qtn.planning.segments import Segments
from qtn.problem.evaluation import evaluated
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import derived
from qtn.problem.run import report_numbers
from qtn.problem.validity import Validity
from qtn.steps.level import BELL_DIAGONAL, PAULI, X_TYPE
from qtn.steps.nodes import stacked_nodes
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
    wrong = r"chain.link: Argument `attempt_time` of the link must be at least 0.00500346 s.* is 0.005 s.*herald_decay = false"
    with pytest.raises(ProblemError, match=wrong):
        loads(FILE, ["chain.link.attempt_time_s=0.005"])
    loads(FILE, ["chain.link.attempt_time_s=0.005", "evaluate.herald_decay=false"])
    line = qtn.chain(qtn.direct_transmission(length=80e3, loss=5.0, attempt_time=1e-4), num_links=1)
    with pytest.raises(ValueError, match=r"`attempt_time` of the link must be at least 0\.000783"):
        qtn.evaluate(line, qtn.nested(0))
    qtn.evaluate(dataclasses.replace(line, herald_decay=False), qtn.nested(0))


SHORT = qtn.direct_transmission(length=80e3, loss=5.0, attempt_time=1e-4)


@pytest.mark.parametrize(
    "evaluated",
    [
        lambda line: qtn.Renewal().summarise(line, qtn.nested(1)),
        lambda line: qtn.Asap().summarise(line, qtn.swap_asap()),
        lambda line: qtn.Sampled(num_samples=8).summarise(line, qtn.swap_asap()),
        lambda line: qtn.Sampled(num_samples=8).summarise(line, qtn.nested(1)),
        lambda line: qtn.FullState().run(line, timeline_of(qtn.nested(1), [1.0, 2.0])),
        lambda line: storage_times(line, qtn.nested(1)),
    ],
    ids=["renewal", "asap", "sampled policy", "sampled tree", "full state", "ages"],
)
def test_every_evaluator_refuses_attempts_that_are_too_short(evaluated):
    line = qtn.chain([LINKS["direct_transmission"][0], SHORT], qtn.node(qtn.dephasing_memory(0.01)))
    with pytest.raises(ValueError, match=r"`attempt_time` of link 1 must be at least 0\.000783"):
        evaluated(line)


def test_traced_attempts_that_are_too_short_give_nan():
    def fidelity(length):
        link = qtn.direct_transmission(length=length, loss=5.0, attempt_time=1e-4)
        line = qtn.chain(link, qtn.node(qtn.dephasing_memory(0.01)), num_links=1)
        return evaluator.summarise(line, qtn.nested(0)).bell_diagonal[0]

    link = qtn.direct_transmission(length=5e3, loss=5.0, attempt_time=1e-4)
    line = qtn.chain(link, qtn.node(qtn.dephasing_memory(0.01)), num_links=1)
    evaluator = qtn.Renewal().planned(line, qtn.nested(0))
    found = jax.jit(jax.vmap(fidelity))(jnp.array([5e3, 80e3]))
    assert np.isfinite(found[0]) and np.isnan(found[1])


def test_plans_of_like_nodes_serve_unlike_ones():
    unlike_ones, tree = unlike(2), qtn.nested(1)
    like = dataclasses.replace(unlike_ones, nodes=unlike_ones.nodes[:1])
    for of, on in ((like, unlike_ones), (unlike_ones, like)):
        planned = qtn.Renewal().planned(of, tree).summarise(on, tree)
        alone = qtn.Renewal().summarise(on, tree)
        np.testing.assert_allclose(planned.mean_time, alone.mean_time, rtol=1e-12)
        np.testing.assert_allclose(planned.state, alone.state, atol=1e-12)
    np.testing.assert_allclose(
        storage_times(like, tree, evaluator=qtn.Renewal().planned(like, tree)), storage_times(like, tree), rtol=1e-9
    )


def test_ages_of_a_chain_whose_links_are_evaluated_already():
    line = unlike(2)
    np.testing.assert_allclose(
        storage_times(delivering(line), qtn.nested(1)), storage_times(line, qtn.nested(1)), rtol=1e-12
    )


def test_one_memory_may_hold_alone():
    pair = Heralded(
        p_success=jnp.asarray(0.1),
        attempt_time=jnp.asarray(1e-2),
        state=jnp.diag(jnp.array([1.0, 1, -1, 1])),
        held_left=jnp.asarray(5e-3),
    )
    line = qtn.chain(pair, qtn.node(qtn.dephasing_memory(0.01)), num_links=1)
    np.testing.assert_allclose(delivering(line).links[0].bell_diagonal[0], (1 + np.exp(-0.5)) / 2, rtol=1e-14)


@pytest.mark.parametrize("link", ["single_click", "double_click"])
def test_searches_see_mirror_images_through_the_decay(link):
    nodes = [qtn.node(qtn.depolarising_memory(t)) for t in (0.1, 0.2, 0.3, 0.2, 0.1)]
    arms = {"length_left": 10e3, "length_right": 10e3, "loss_left": 2, "loss_right": 2}
    made = qtn.single_click(**arms, bright_state=0.1) if link == "single_click" else qtn.double_click(**arms)
    line = qtn.chain(made, nodes, 4)
    for decays in (True, False):
        assert len(Segments(dataclasses.replace(line, herald_decay=decays)).classes()) == 6


def test_links_of_all_kinds_are_delivered_together():
    kinds = [*(link for link, _ in LINKS.values()), qtn.abstract_link(p_success=0.1, attempt_time=1e-3, werner=0.9)]
    kinds.append(qtn.multiplexed_link(LINKS["single_click"][0], 3))
    line = qtn.chain(kinds, [qtn.node(qtn.relaxing_memory(2e-3, t2)) for t2 in np.linspace(1e-3, 3e-3, len(kinds) + 1)])
    p_success, attempt_time, state = delivered_together(line, stacked_nodes(line.nodes))
    for place, alone in enumerate(delivering(line).links):
        np.testing.assert_allclose(p_success[place], alone.p_success, rtol=1e-14)
        np.testing.assert_allclose(attempt_time[place], alone.attempt_time, rtol=1e-14)
        np.testing.assert_allclose(state[place], alone.state, atol=1e-14)
    assert delivering(line).links[-1].right_flipped and delivering(line).links[-1].holds


def test_a_link_written_out_keeps_its_derivatives():
    """Piece by piece (`qtn.gradient`) and in one program."""
    line, tree = unlike(2), qtn.nested(1)

    def of(summary):
        return summary.bell_diagonal[0] / summary.mean_time

    pieces = qtn.gradient(line, tree, of=of, evaluator=qtn.Renewal())
    whole = jax.grad(lambda line: of(qtn.Renewal().summarise(line, tree)))(line)
    for a, b in zip(jax.tree.leaves(pieces.chain), jax.tree.leaves(whole), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    assert len(pieces.chain.links) == 1 and abs(float(pieces.chain.links[0].length_left)) > 0


OPTIMISED = """
schema = 1
[chain]
links = [
  { model = "single_click", length_km = 20.0, attenuation_db_per_km = 0.2, attempt_time_s = 1.1e-4, bright_state = 0.1 },
  { model = "single_click", length_km = 20.0, attenuation_db_per_km = 0.2, bright_state = 0.1 },
]
node.memory = { model = "dephasing", t2_s = 0.1 }
[schedule]
tree = "swap(0, 1)"
[optimise]
parameters = ["chain.links.*.bright_state"]
"""


@pytest.mark.parametrize("name", ["chain.positions_km", "chain.links.0.attempt_time_s", "chain.links.0.length_km"])
def test_numbers_that_could_outlast_an_attempt_are_not_optimised(name):
    with pytest.raises(ProblemError, match=rf"optimise.parameters: {name}.*leave attempt_time_s out"):
        loads(OPTIMISED, [f'optimise.parameters=["{name}"]'])
    loads(OPTIMISED, [f'optimise.parameters=["{name}"]', "evaluate.herald_decay=false"])
    loads(OPTIMISED)


def test_points_of_a_sweep_know_it_too():
    problem = loads(OPTIMISED)
    validity, positions = Validity(problem), derived(problem)
    first = next(iter(positions))
    assert positions[first] == 20.0
    for number in ({"chain.links.0.length_km": 30.0}, positions | {first: 30.0}):
        assert "must be at least 0.000146902 s" in validity(number)
    assert validity({"chain.links.1.length_km": 30.0}) == ""


def test_reports_show_links_as_they_deliver():
    row = report_numbers(evaluated(loads(FILE)))["links"][0]
    np.testing.assert_allclose(row["fidelity"], 0.6838124, atol=5e-8)
