"""Graphs of links: paths through them, and the chains along these."""

import jax
import numpy as np
import pytest

from qtn import abstract_link, chain, dephasing_memory, evaluate, fidelity, graph, node, relaxing_memory, sequential
from qtn import single_click as click
from qtn.links.graph import Graph
from qtn.links.mirrored import Mirrored


def link(werner=0.9, p=0.5):
    return abstract_link(p_success=p, attempt_time=1e-3, werner=werner)


def square(**options) -> Graph:
    sides = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")]
    lengths = dict(zip(sides, (1.0, 1.0, 1.0, 5.0), strict=True))
    return graph({side: link(0.9 - 0.1 * k) for k, side in enumerate(sides)}, lengths=lengths, **options)


@pytest.mark.parametrize(
    ("ends", "path"),
    {
        "one link": (("a", "b"), "ab"),
        "the long way round is shorter": (("a", "d"), "abcd"),
        "back": (("d", "a"), "dcba"),
        "two links": (("d", "b"), "dcb"),
    }.values(),
    ids=str,
)
def test_the_shortest_path_goes_by_length(ends, path):
    assert square().path(*ends) == tuple(path)


def test_without_lengths_the_fewest_links_are_taken():
    sides = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")]
    assert graph({side: link() for side in sides}).path("a", "d") == ("a", "d")


def test_links_of_length_0_are_links():
    found = graph({("a", "b"): link(), ("b", "c"): link()}, lengths={("a", "b"): 0.0, ("b", "c"): 0.0})
    assert found.path("a", "c") == ("a", "b", "c")


def test_a_path_is_the_chain_of_its_links_and_nodes():
    nodes = {name: node(relaxing_memory(t1=1.0 + k, t2=0.5)) for k, name in enumerate("abcd")}
    found = square(nodes=nodes).chain("abcd")
    by_hand = chain([link(0.9), link(0.8), link(0.7)], [nodes[name] for name in "abcd"])
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(by_hand), strict=True):
        np.testing.assert_array_equal(one, other)


def test_links_are_mirrored_where_a_path_takes_them_backwards():
    backwards = square().chain("dc")
    assert isinstance(backwards.links[0], Mirrored)
    assert isinstance(square().link("b", "a"), Mirrored)
    assert not isinstance(square().link("a", "b"), Mirrored)


def test_both_directions_deliver_the_same():
    """Unlike nodes and links, a T1, and an X after every click: what is delivered does not depend on the direction."""
    arms = {"length_left": 5e3, "length_right": 9e3, "loss_left": 1.0, "loss_right": 1.8}
    links = {
        ("a", "b"): click(**arms, bright_state=[0.2, 0.1]),
        ("c", "b"): click(**arms, bright_state=[0.1, 0.3]),
    }
    nodes = {name: node(dephasing_memory(t2=0.02 + 0.01 * k)) for k, name in enumerate("abc")}
    found = graph(links, nodes)
    there, back = (evaluate(found.chain(path), sequential(2)) for path in ("abc", "cba"))
    np.testing.assert_allclose(back.mean_time, there.mean_time, rtol=1e-12)
    np.testing.assert_allclose(fidelity(back.state), fidelity(there.state), rtol=1e-12)


def test_gradients_go_back_to_the_graph():
    found = square(nodes=node(dephasing_memory(t2=0.05)))

    def rate(each: Graph):
        return evaluate(each.chain("abc"), sequential(2)).mean_time

    slopes, step = jax.grad(rate)(found), 1e-6
    assert isinstance(slopes, Graph)
    links = [link(0.9, 0.5 + side * step) for side in (1, -1)]
    moved = [rate(graph({("a", "b"): each, ("b", "c"): link(0.8)}, found.nodes[0])) for each in links]
    np.testing.assert_allclose(slopes.links[0].p_success, (moved[0] - moved[1]) / (2 * step), rtol=1e-6)
    assert slopes.links[3].p_success == 0.0  # no path takes it


WRONG = {
    "no link": (lambda: graph({}), "at least one link"),
    "a link to itself": (lambda: graph({("a", "a"): link()}), "two different nodes, but holds .*'a', 'a'"),
    "doubled links": (lambda: graph({("a", "b"): link(), ("b", "a"): link()}), "one link between two nodes.*multiplex"),
    "an isolated node": (lambda: graph({("a", "b"): link()}, {"c": node()}), "'c', which no link joins"),
    "a length of no link": (lambda: graph({("a", "b"): link()}, lengths={("b", "a"): 1.0}), "names the link"),
    "no length": (lambda: graph({("a", "b"): link()}, lengths={}), "lacks that of"),
    "a negative length": (lambda: graph({("a", "b"): link()}, lengths={("a", "b"): -1.0}), "from 0 on, but .* -1.0"),
    "an unknown node": (lambda: square().path("a", "x"), "no node 'x'; nodes are 'a', 'b', 'c', 'd'"),
    "a path to itself": (lambda: square().path("a", "a"), "two different nodes"),
    "a path by no link": (lambda: square().chain("ac"), "from 'a' to 'c', but no link joins them"),
    "a path of one node": (lambda: square().chain("a"), "two or more nodes"),
    "a path in a circle": (lambda: square().chain("abcda"), "each once"),
    "no path": (lambda: graph({("a", "b"): link(), ("c", "d"): link()}).path("a", "d"), "No path joins 'a' and 'd'"),
}


@pytest.mark.parametrize(("build", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_a_cure(build, message):
    with pytest.raises(ValueError, match=message):
        build()
