"""Derivatives with respect to every link and node, batches, and one compilation for many numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qtn import gates, node
from qtn import networks as qn
from qtn.networks.results import _answer
from tests.networks.cases import CASES, grid_links, random_tree_links, ring_links
from tests.oracles import density
from tests.oracles import network as oracle

NOISY = node(gate_set=gates(0.97, 0.98), p_swap=0.9)
STRUCTURES = {
    "star": (lambda states, at: qn.star(6, states, at), qn.ghz_fidelity),
    "ring": (lambda states, at: qn.ring(8, states, at, checked_links=(4,)), qn.ghz_fidelity),
    "grid": (lambda states, at: qn.grid(4, 4, states, at), qn.ghz_fidelity),
    "cluster": (lambda states, at: qn.grid(3, 3, states, at, graph_links=range(12)), qn.graph_fidelity),
    "line": (lambda states, at: qn.line(5, states, at), lambda net: qn.reduced_state(net, (0, 5))[1, 1]),
}


COMPILED = {name: jax.jit(jax.value_and_grad(merit)) for name, (_, merit) in STRUCTURES.items()}
"""One program for all numbers."""


def direction(network, seed=0):
    """A change of all numbers."""
    leaves, structure = jax.tree.flatten(network)
    keys = jax.random.split(jax.random.key(seed), len(leaves))
    change = [jax.random.normal(key, leaf.shape) for key, leaf in zip(keys, leaves, strict=True)]
    return jax.tree.unflatten(structure, change)


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("w", [0.9, 1.0, 0.0], ids=["noisy", "perfect", "noise"])
def test_derivatives_equal_differences_also_at_perfect_links_and_at_none(name, w):
    build, compiled = STRUCTURES[name][0], COMPILED[name]
    net = build(qn.werner_links(w), NOISY if w == 0.9 else node())
    change = direction(net)
    shifted = lambda h: compiled(jax.tree.map(lambda x, d: x + h * d, net, change))[0]  # noqa: E731
    differences = (8 * (shifted(1e-3) - shifted(-1e-3)) - (shifted(2e-3) - shifted(-2e-3))) / 12e-3
    _, found = compiled(net)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))
    product = sum(jax.tree.leaves(jax.tree.map(jnp.vdot, found, change)))
    np.testing.assert_allclose(product, differences, rtol=1e-6, atol=1e-9)  # fourth order: (2e-3)^4 times a derivative


def slopes(links, expected, w, nodes=None, **options):
    """Derivatives by every Werner parameter: ours, and those of an oracle by differences."""
    build = lambda w: qn.network(links, qn.werner_links(w), nodes, **options)  # noqa: E731
    target = qn.graph_fidelity if options else qn.ghz_fidelity
    found = jax.jit(jax.grad(lambda w: target(build(w))))(jnp.full(len(links), w))
    differences = [
        (expected(np.full(len(links), w) + step) - expected(np.full(len(links), w) - step)) / 2e-2
        for step in 1e-2 * np.eye(len(links))
    ]
    return found, differences  # fidelities are linear in each w: differences are exact


def werner_pairs(w):
    return [density.bell_diagonal([(1 + 3 * one) / 4, *[(1 - one) / 4] * 3]) for one in w]


@pytest.mark.parametrize("links", [CASES["star"].links, ring_links(8)], ids=["star", "ring"])
def test_link_derivatives_equal_those_of_stabilisers(links):
    strings, signs = oracle.ghz_stabilisers(range(1 + max(map(max, links))))
    expected = lambda w: np.mean(signs * oracle.string_means(strings, links, werner_pairs(w), [0.97] * 8, [0.98] * 8))  # noqa: E731
    found, differences = slopes(links, expected, 0.9, NOISY)
    np.testing.assert_allclose(found, differences, atol=1e-12)


@pytest.mark.parametrize("kind", ["GHZ", pytest.param("cluster", marks=pytest.mark.slow)])
def test_link_derivatives_of_the_grid_equal_those_of_stabilisers(kind):
    links, graph = grid_links(4, 4), range(24) if kind == "cluster" else ()
    strings, signs = oracle.graph_stabilisers(range(16), links) if graph else oracle.ghz_stabilisers(range(16))
    noise = ([0.97] * 16, [0.98] * 16)
    expected = lambda w: np.mean(signs * oracle.string_means(strings, links, werner_pairs(w), *noise, graph=graph))  # noqa: E731
    options = {"graph_links": graph} if graph else {}
    build = lambda w: qn.network(links, qn.werner_links(w), NOISY, **options)  # noqa: E731
    target = qn.graph_fidelity if graph else qn.ghz_fidelity
    found = jax.jit(jax.grad(lambda w: target(build(w))))(jnp.full(24, 0.9))
    for link in (0, 11, 23):
        step = 1e-2 * np.eye(24)[link]
        np.testing.assert_allclose(found[link], (expected(0.9 + step) - expected(0.9 - step)) / 2e-2, atol=1e-12)


@pytest.mark.slow
def test_link_derivatives_of_a_tree_of_hundred_equal_those_of_messages():
    links, noise = random_tree_links(100), ([0.999] * 100, [0.998] * 100)
    expected = lambda w: oracle.tree_ghz_fidelity(links, werner_pairs(w), *noise)  # noqa: E731
    found, differences = slopes(links, expected, 0.99, node(gate_set=gates(0.999, 0.998)))
    np.testing.assert_allclose(found, differences, atol=1e-12)


def test_batches_equal_loops():
    w = jnp.linspace(0.7, 1.0, 4)
    value = jax.jit(jax.value_and_grad(lambda w: qn.ghz_fidelity(qn.ring(5, qn.werner_links(w), NOISY))))
    batch = jax.jit(jax.vmap(value))(w)
    for number, one in enumerate(w):
        np.testing.assert_allclose([batch[0][number], batch[1][number]], value(one), rtol=1e-13)


def test_many_numbers_and_strings_are_one_program():
    means = lambda w, string: qn.expectation(qn.star(4, qn.werner_links(w), NOISY), string)  # noqa: E731
    means(0.9, {0: "X", 1: "X"})
    before = _answer._cache_size()
    for w, string in ((0.8, {0: "Z", 2: "Z"}), (0.7, {4: "Y"}), (1.0, {})):
        means(w, string)
    assert _answer._cache_size() == before


@pytest.mark.slow
def test_slices_change_neither_value_nor_derivative():
    net = qn.grid(3, 3, qn.werner_links(0.9), NOISY, graph_links=range(12))
    question = qn.GraphOverlap(tuple((net.structure.names[a], net.structure.names[b]) for a, b in net.structure.links))
    limit = 0.7 * qn.contraction_of(net, question).cost.peak_bytes
    assert qn.contraction_of(net, question, memory_limit=limit).cost.num_slices > 1
    whole, whole_slope = jax.jit(jax.value_and_grad(qn.graph_fidelity))(net)
    sliced, slope = jax.jit(jax.value_and_grad(lambda net: qn.graph_fidelity(net, memory_limit=limit)))(net)
    np.testing.assert_allclose(sliced, whole, rtol=1e-12)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-13), slope, whole_slope)
