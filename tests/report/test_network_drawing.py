"""The drawing of a network: well formed, complete, escaped, the same each time."""

import collections
import xml.etree.ElementTree

import jax
import pytest

from qtn import draw_network
from qtn import networks as qn

W = qn.werner_links(0.9)
NETWORKS = {
    "star": (qn.star(6, W, operations={0: qn.MEASURE}), {"fuse": 6, "measure": 1, "link": 6, "arrow": 6}),
    "ring": (qn.ring(8, W), {"fuse": 8, "link": 8, "arrow": 7}),
    "line": (qn.line(4, W), {"fuse": 2, "swap": 3, "link": 4, "arrow": 4}),
    "grid": (qn.grid(4, 4, W, graph_links=[0]), {"fuse": 16, "link": 24, "arrow": 15}),
    "tree": (qn.random_tree(100, W, key=jax.random.key(0)), {"fuse": 100, "link": 99}),
    "springs": (
        qn.network([(0, 1), (0, 1), (1, 2), (2, 0), (2, 3)], W, operations={1: qn.KEEP}),
        {"keep": 1, "link": 5},
    ),
}


def classes(drawing):
    root = xml.etree.ElementTree.fromstring(drawing)
    legend = {id(part) for group in root if group.get("class") == "legend" for part in group.iter()}
    return collections.Counter(part.get("class") for part in root.iter() if id(part) not in legend)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_node_link_and_direction_is_there(name):
    network, expected = NETWORKS[name]
    found = classes(draw_network(network))
    assert {key: found[key] for key in expected} == expected
    assert found["name"] == len(network.structure.names)


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_lies_outside_and_nothing_on_top(name):
    root = xml.etree.ElementTree.fromstring(draw_network(NETWORKS[name][0]))
    width, height = float(root.get("width")), float(root.get("height"))
    places = [
        (float(c.get("cx")), float(c.get("cy")))
        for g in root
        if g.get("class") in ("fuse", "keep")
        for c in g
        if c.get("cx")
    ]
    assert all(0 < x < width and 0 < y < height for x, y in places)
    assert len({(round(x), round(y)) for x, y in places}) >= sum(
        classes(draw_network(NETWORKS[name][0]))[k] for k in ("fuse", "keep")
    )


def test_names_are_escaped_and_drawings_repeat():
    network = qn.network([("<A>", "B&C")], W)
    drawing = draw_network(network)
    assert "&lt;A&gt;" in drawing and "B&amp;C" in drawing and drawing == draw_network(network)


def test_tooltips_say_what_a_link_delivers():
    drawing = draw_network(qn.ring(3, W, checked_links=[1]))
    assert "link 0: 0 – 1, F = 0.925" in drawing and "link 1: 1 – 2, F = 0.925, closes a loop, checked" in drawing


def test_refusals():
    with pytest.raises(ValueError, match="must place every node, but not node 2"):
        draw_network(qn.star(2, W), {0: (0, 0), 1: (1, 0)})
    with pytest.raises(ValueError, match="its states are traced"):
        jax.jit(lambda w: draw_network(qn.star(2, qn.werner_links(w))))(0.9)
