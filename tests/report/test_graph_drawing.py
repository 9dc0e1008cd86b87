"""Drawings of graphs: who is joined, every name whole, nothing outside of the frame."""

import re
from xml.etree import ElementTree

import pytest

from qtn import abstract_link, draw_graph, graph
from qtn.report.graph_drawing import draw_rows

LINK = abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9)
STAR = graph(
    {("ann", "hub"): LINK, ("bob", "hub"): LINK, ("<b>&", "hub"): LINK},
    lengths={("ann", "hub"): 1e3, ("bob", "hub"): 2e3, ("<b>&", "hub"): 2.5e3},
)
SVG = "{http://www.w3.org/2000/svg}"


def test_nodes_links_and_lengths_are_there():
    drawn = ElementTree.fromstring(draw_graph(STAR, users=["ann"]))
    texts = [each.text for each in drawn.iter(f"{SVG}text")]
    assert {"ann", "bob", "hub", "<b>&", "1 km", "2 km", "2.5 km"} == set(texts)
    circles = list(drawn.iter(f"{SVG}circle"))
    assert [each.get("fill") != "#FFFFFF" for each in circles] == [True, False, False, False]
    assert len(list(drawn.iter(f"{SVG}line"))) == 3
    assert drawn.find(f"{SVG}desc").text == "4 nodes, 3 links, 1 users"


def test_everything_lies_in_the_frame():
    far = {"ann": (-1e4, 0.0), "bob": (1e4, 1.0), "<b>&": (0.0, 5.0), "hub": (0.0, 0.0)}
    for positions in (None, far):
        text = draw_graph(STAR, positions)
        width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups())
        drawn = ElementTree.fromstring(text)
        assert all(0 <= float(each.get("cx")) <= width for each in drawn.iter(f"{SVG}circle"))
        assert all(0 <= float(each.get("y")) <= height for each in drawn.iter(f"{SVG}text"))


def test_links_that_more_pairs_take_are_wider():
    nodes = [{"name": name, "at": [k, 0.0], "user": True} for k, name in enumerate("abc")]
    links = [
        {"name": "ab", "between": ["a", "b"], "length_km": None, "num_pairs": 2},
        {"name": "bc", "between": ["b", "c"], "length_km": None, "num_pairs": 0},
    ]
    text = draw_rows({"nodes": nodes, "links": links})
    wide, narrow = (float(x) for x in re.findall(r'stroke-width="([\d.]+)"', text)[:2])
    assert wide > narrow and "ab, taken by 2 pairs" in text


def test_the_same_graph_gives_the_same_text():
    assert draw_graph(STAR) == draw_graph(STAR)


def test_a_node_without_a_place_is_named():
    with pytest.raises(ValueError, match="place every node, but not node 'hub'"):
        draw_graph(STAR, {"ann": (0.0, 0.0)})
