"""Networks of any geometry against dense matrices, Pauli strings taken backwards, messages on a tree, and the line."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import gates, node, states
from qtn import networks as qn
from qtn.states.basis import from_pauli_vector
from qtn.states.two_qubits import pair_of
from qtn.steps.fusion import fuse, measure_out
from qtn.steps.fusion import ghz_fidelity as dense_ghz_fidelity
from qtn.steps.swap import swap_map
from tests.networks.cases import CASES, STAR, Case, grid_links, measure, random_tree_links, ring_links
from tests.oracles import density
from tests.oracles import network as oracle


@functools.lru_cache
def dense(name):
    return oracle.dense(CASES[name].links, *CASES[name].numbers(), **CASES[name].oracle())


REPEATED = ("star from a leaf", "line", "tree", "ring", "ring, measured", "2 x 3", "graph ring", "graph star")
"""Every operation stands in another case: these are slow tests."""


def marked(names):
    return [pytest.param(name, marks=pytest.mark.slow if name in REPEATED else ()) for name in names]


every_case = pytest.mark.parametrize("name", marked(CASES))
GRID = Case(grid_links(4, 4))
CLUSTER = Case(grid_links(4, 4), {"graph_links": range(24)})


@every_case
def test_every_state_equals_density_matrices(name):
    case = CASES[name]
    net = case.network(*case.numbers())
    np.testing.assert_allclose(qn.reduced_state(net, qn.qubits(net)), dense(name), atol=1e-12)


@pytest.mark.slow
def test_many_strings_keep_the_memory_limit():
    net = CLUSTER.network(*CLUSTER.numbers())
    strings = [{label: letter} for label in qn.qubits(net) for letter in "XYZ"] * 4
    limit = 64.0 * 1024

    def temporary(memory_limit):
        run = jax.jit(lambda given: qn.expectation(given, strings, memory_limit=memory_limit))
        return run.lower(net).compile().memory_analysis().temp_size_in_bytes, run(net)

    (few, short), (many, right) = temporary(limit), temporary(1e9)
    np.testing.assert_allclose(short, right, atol=1e-13)
    assert few < 4 * limit < many


@every_case
def test_what_is_delivered_is_a_state(name):
    net = CASES[name].network(*CASES[name].numbers(seed=3))
    state = qn.reduced_state(net, qn.qubits(net))
    assert np.linalg.eigvalsh(from_pauli_vector(state))[0] > -1e-14
    np.testing.assert_allclose(state[(0,) * state.ndim], qn.success_probability(net), atol=1e-14)


@pytest.mark.parametrize("name", marked(["star, hub measured", "tree", "ring, checked", "2 x 3", "parallel links"]))
def test_ghz_fidelity_is_that_of_the_whole_state(name):
    net = CASES[name].network(*CASES[name].numbers())
    state = qn.reduced_state(net, qn.qubits(net))
    np.testing.assert_allclose(qn.ghz_fidelity(net), dense_ghz_fidelity(state), atol=1e-13)
    part = qn.qubits(net)[1:3]
    np.testing.assert_allclose(qn.ghz_fidelity(net, part), dense_ghz_fidelity(qn.reduced_state(net, part)), atol=1e-13)


@pytest.mark.parametrize("name", marked(name for name in CASES if "graph " in name and "GHZ" not in name))
def test_graph_fidelity_is_the_mean_of_all_stabilisers(name):
    case = CASES[name]
    numbers = case.numbers()
    strings, signs = oracle.graph_stabilisers(range(case.num_nodes), case.links)
    means = dense(name)[tuple(strings.values())]
    np.testing.assert_allclose(qn.graph_fidelity(case.network(*numbers)), np.mean(signs * means), atol=1e-12)


@pytest.mark.parametrize(
    "case", [pytest.param(GRID, id="GHZ"), pytest.param(CLUSTER, id="cluster", marks=pytest.mark.slow)]
)
def test_grid_of_sixteen_equals_all_its_stabilisers(case):
    """65,536 stabilisers, each taken backwards through 32 gates: links in any state, noisy nodes."""
    numbers, given = case.numbers(), case.oracle()
    del given["checked"]
    if given["graph"]:
        strings, signs = oracle.graph_stabilisers(range(16), case.links)
        found = qn.graph_fidelity(case.network(*numbers))
    else:
        strings, signs = oracle.ghz_stabilisers(range(16))
        found = qn.ghz_fidelity(case.network(*numbers))
    means = oracle.string_means(strings, case.links, *numbers, **given)
    np.testing.assert_allclose(found, np.mean(signs * means), rtol=1e-12)


@pytest.mark.parametrize("name", marked(name for name in CASES if "checked_links" not in CASES[name].options))
def test_backward_strings_equal_density_matrices(name):
    """The oracle of the grid against that of small networks, all strings."""
    case, given = CASES[name], CASES[name].oracle()
    del given["checked"]
    expected = dense(name)
    kept = [node for node in range(case.num_nodes) if node not in case.measured]
    strings = dict(zip(kept, np.indices(expected.shape).reshape(len(kept), -1), strict=True))
    found = oracle.string_means(strings, case.links, *case.numbers(), **given)
    np.testing.assert_allclose(found, expected.ravel(), atol=1e-12)


def test_random_tree_of_hundred_equals_messages():
    case = Case(random_tree_links(100))
    pairs, p2, eta = case.numbers()
    pairs = [0.1 * pair + 0.9 * density.bell_diagonal([1, 0, 0, 0]) for pair in pairs]
    numbers = (pairs, 1 - 0.01 * p2, 1 - 0.01 * eta)
    found = qn.ghz_fidelity(case.network(*numbers))
    np.testing.assert_allclose(found, oracle.tree_ghz_fidelity(case.links, *numbers), rtol=1e-12)


def test_star_is_fusion_link_by_link():
    numbers = CASES["star"].numbers()
    net = CASES["star"].network(*numbers)
    hub = gates(numbers[1][0], numbers[2][0])
    state = jnp.swapaxes(net.states[0], 0, 1)
    for pair in net.states[1:]:
        state = fuse(state, pair, hub)
    np.testing.assert_allclose(qn.reduced_state(net, (*range(1, 7), 0)), state, atol=1e-14)
    without = CASES["star, hub measured"].network(*numbers)
    np.testing.assert_allclose(qn.reduced_state(without, range(1, 7)), measure_out(state, hub), atol=1e-14)


@pytest.mark.parametrize("num_links", [1, 2, 3, 9])
def test_line_is_the_swap_map(num_links):
    case = Case(tuple((k, k + 1) for k in range(num_links)))
    pairs, p2, eta = case.numbers()
    nodes = [node(gate_set=gates(*each), p_swap=0.8) for each in zip(p2, eta, strict=True)]
    links = np.array([density.coefficients(pair) for pair in pairs])
    net, state = qn.line(num_links, links, nodes), links[0]
    for middle, pair in zip(nodes[1:], links[1:], strict=False):
        state = jnp.einsum("ikabcd,ab,cd->ik", swap_map(middle), state, pair)
    np.testing.assert_allclose(qn.reduced_state(net, (0, num_links)), state, atol=1e-14)
    np.testing.assert_allclose(qn.success_probability(net), 0.8 ** (num_links - 1), rtol=1e-14)


def test_line_is_the_train_with_all_pairs_swapped():
    chain = states.pairs(states.werner_pair(0.95), 6)
    expected = pair_of(states.swap_all(chain, readout=(0.98, 0.98)), 0, 1).correlations
    net = qn.line(6, qn.werner_links(0.95), node(gate_set=gates(readout=0.98)))
    np.testing.assert_allclose(qn.reduced_state(net, (0, 6)), expected, atol=1e-14)


def test_swaps_may_stand_in_any_network():
    """A star whose arms are lines of swaps is the star of what the arms deliver; links may be named either way."""
    arms = [(0, 1), (2, 1), (0, 3), (0, 4), (5, 4), (5, 6)]
    pairs, p2, eta = Case(tuple(arms)).numbers()
    links = jnp.array([density.coefficients(pair) for pair in pairs])
    nodes = [node(gate_set=gates(*each), p_swap=0.9) for each in zip(p2, eta, strict=True)]
    net = qn.network(arms, links, nodes, operations=dict.fromkeys((1, 4, 5), qn.SWAP))
    join = lambda at, left, right: jnp.einsum("ikabcd,ab,cd->ik", swap_map(nodes[at]), left, right)  # noqa: E731
    first, second = join(1, links[0], links[1].T), join(5, join(4, links[3], links[4].T), links[5])
    state = fuse(fuse(first.T, links[2], nodes[0].gates), second, nodes[0].gates)
    np.testing.assert_allclose(qn.reduced_state(net, (2, 3, 6, 0)), state, atol=1e-14)


def test_nodes_that_keep_all_hold_pairs():
    links = np.array([density.coefficients(pair) for pair in Case(ring_links(6)).numbers()[0]])
    operations = dict.fromkeys((1, 2, 4, 5), qn.SWAP) | dict.fromkeys((0, 3), qn.KEEP)
    net = qn.ring(6, links, operations=operations)
    assert set(qn.qubits(net)) == {(0, 0), (0, 5), (3, 2), (3, 3)}
    upper = qn.reduced_state(qn.line(3, links[:3]), (0, 3))
    lower = qn.reduced_state(qn.line(3, np.swapaxes(links[:2:-1], 1, 2)), (0, 3))
    found = qn.reduced_state(net, ((0, 0), (3, 2), (0, 5), (3, 3)))
    np.testing.assert_allclose(found, np.multiply.outer(upper, lower), atol=1e-14)


def test_grid_delivers_a_pair_between_corners():
    """All other nodes measured out: with perfect nodes only the tree and the phases of the loops count."""
    weights = np.array([0.9, 0.03, 0.02, 0.05])
    corners = ((0, 0), (3, 3))
    names = [(r, c) for r in range(4) for c in range(4) if (r, c) not in corners]
    net = qn.grid(4, 4, qn.bell_diagonal_links(weights), operations=measure(*names))
    between = (weights @ [1, -1, -1, 1]) ** 6  # six links of the tree lie between: parity of their X
    phases = (weights @ [1, 1, -1, -1]) ** 24
    both = (weights @ [1, -1, 1, -1]) ** 6 * (weights @ [1, 1, -1, -1]) ** 18
    expected = np.diag([1, phases, -both, between])
    np.testing.assert_allclose(qn.reduced_state(net, corners), expected, atol=1e-13)


@pytest.mark.parametrize("weights", [[0.9, 0.04, 0.01, 0.05], [0.7, 0.1, 0.1, 0.1]])
def test_ghz_of_a_grid_with_perfect_nodes_in_closed_form(weights):
    """No X or Y error on the 15 links of the tree, an even number of phases on all 24."""
    one, x, y, z = weights
    net = qn.grid(4, 4, qn.bell_diagonal_links(np.array(weights)))
    expected = ((one + z) ** 15 + (one - z) ** 15 * (one + x - y - z) ** 9) / 2
    np.testing.assert_allclose(qn.ghz_fidelity(net), expected, rtol=1e-12)


def test_checking_a_loop_in_closed_form():
    """A ring of perfect nodes accepts an even number of X and Y errors, and delivers GHZ if there are none."""
    one, x, y, z = weights = np.array([0.9, 0.04, 0.01, 0.05])
    net = qn.ring(8, qn.bell_diagonal_links(weights), checked_links=(4,))
    accepted = (1 + (one + z - x - y) ** 8) / 2
    np.testing.assert_allclose(qn.success_probability(net), accepted, rtol=1e-13)
    kept = ((one + z) ** 8 + (one - z) ** 8) / 2
    np.testing.assert_allclose(qn.ghz_fidelity(net), kept / accepted, rtol=1e-13)


@pytest.mark.parametrize("name", ["star", "ring, checked", "graph 2 x 3", "tree, two measured"])
def test_expectations_are_entries_of_the_state(name):
    net = CASES[name].network(*CASES[name].numbers())
    labels = qn.qubits(net)
    state = qn.reduced_state(net, labels)
    strings = ["X" * len(labels), "Z" * len(labels), ("YXZI" * 3)[: len(labels)], ("IZ" * 5)[: len(labels)]]
    found = qn.expectation(net, [dict(zip(labels, string, strict=True)) for string in strings])
    entries = jnp.array([state[tuple("IXYZ".index(letter) for letter in string)] for string in strings])
    np.testing.assert_allclose(found, entries / state[(0,) * state.ndim], atol=1e-14)


def test_the_order_of_measured_axes_is_that_of_the_question():
    net = CASES["tree"].network(*CASES["tree"].numbers())
    np.testing.assert_allclose(qn.reduced_state(net, (5, 2)), qn.reduced_state(net, (2, 5)).T, atol=1e-15)


def test_builders_name_what_they_build():
    for built, nodes, links in (
        (qn.star(6, qn.werner_links(0.9)), 7, STAR),
        (qn.ring(8, qn.werner_links(0.9)), 8, ring_links(8)),
        (qn.tree([0, 0, 1], qn.werner_links(0.9)), 4, ((0, 1), (0, 2), (1, 3))),
        (qn.grid(4, 4, qn.werner_links(0.9)), 16, grid_links(4, 4)),
        (qn.random_tree(100, qn.werner_links(0.9), key=jax.random.key(1)), 100, random_tree_links(100, 1)),
    ):
        assert (len(built.structure.names), built.structure.links) == (nodes, tuple(links))
