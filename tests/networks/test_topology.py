"""Topologies are read from GraphML, node-link JSON and TopoHub, and become network files."""

import importlib.util
import json

import networkx as nx
import numpy as np
import pytest

from qtn import read_topology
from qtn.networks.topology import from_node_link
from qtn.problem.load import load
from qtn.problem.messages import ProblemError

NODES = [
    {"id": 0, "name": "Berlin", "pos": [13.40, 52.52]},
    {"id": 1, "name": "Bad Hersfeld", "pos": [9.71, 50.87]},
    {"id": 2, "name": "Bonn", "pos": [7.10, 50.73]},
]
EDGES = [{"source": 0, "target": 1, "dist": 360.0}, {"source": 1, "target": 2}]
FILE = 'schema = 1\n[network]\ntopology = "{}"\n[network.link]\nmodel = "double_click"\nattenuation_db_per_km = 0.2\n'


def graphml(tmp_path):
    drawn = nx.Graph()
    for node in NODES:
        drawn.add_node(node["id"], label=node["name"], Longitude=node["pos"][0], Latitude=node["pos"][1])
    drawn.add_edge(0, 1, length=360.0)
    drawn.add_edge(1, 2)
    nx.write_graphml(drawn, tmp_path / "net.graphml")
    return "net.graphml"


def node_link(tmp_path, key="edges"):
    (tmp_path / "net.json").write_text(json.dumps({"nodes": NODES, key: EDGES}))
    return "net.json"


@pytest.mark.parametrize(
    "write", [graphml, node_link, lambda path: node_link(path, "links")], ids=["graphml", "edges", "links"]
)
def test_names_places_and_lengths_are_read(tmp_path, write):
    found = read_topology(write(tmp_path), tmp_path)
    assert found.names == ("Berlin", "Bad Hersfeld", "Bonn")
    assert found.places["Bonn"] == (7.10, 50.73)
    assert found.lengths["Berlin", "Bad Hersfeld"] == 360e3
    np.testing.assert_allclose(found.lengths["Bad Hersfeld", "Bonn"], 184.1e3, rtol=2e-3)  # of a map


def test_the_chord_of_a_sphere_gives_the_same_great_circle():
    found = from_node_link({"nodes": NODES, "edges": EDGES[1:]}).lengths["Bad Hersfeld", "Bonn"]
    lon, lat = np.radians([NODES[1]["pos"], NODES[2]["pos"]]).T
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    np.testing.assert_allclose(found, 6371e3 * np.arccos(x[0] * x[1] + y[0] * y[1] + z[0] * z[1]), rtol=1e-9)


def test_labels_that_are_alike_give_way_to_ids_and_parallel_links_to_the_shortest():
    rows = [{"id": k, "label": "x"} for k in "ab"]
    links = [{"source": "a", "target": "b", "dist": d} for d in (7.0, 3.0)] + [
        {"source": "b", "target": "a", "dist": 5.0}
    ]
    found = from_node_link({"nodes": rows, "links": links})
    assert found.names == ("a", "b") and found.lengths == {("a", "b"): 3000.0}


@pytest.mark.parametrize("write", [graphml, node_link], ids=["graphml", "json"])
def test_a_file_becomes_a_network(tmp_path, write):
    (tmp_path / "net.toml").write_text(FILE.format(write(tmp_path)))
    table = load(tmp_path / "net.toml", ["network.links.Berlin_Bad_Hersfeld.efficiency=0.5"]).document["network"]
    assert list(table["nodes"]) == ["Berlin", "Bad_Hersfeld", "Bonn"] and table["nodes"]["Bonn"]["at"] == [7.1, 50.73]
    assert table["links"]["Berlin_Bad_Hersfeld"]["length_km"] == 360.0
    assert table["links"]["Berlin_Bad_Hersfeld"]["efficiency"] == 0.5


@pytest.mark.skipif(importlib.util.find_spec("topohub") is None, reason="topohub is not installed")
def test_topohub_has_germany50():
    found = read_topology("topohub:sndlib/germany50")
    assert len(found.names) == 50 and len(found.lengths) == 88 and found.lengths["Aachen", "Koeln"] == 61630.0


WRONG = {
    "no file": ("none.json", None, "there is no file"),
    "another kind": ("net.txt", "x", "must end in .graphml or .json"),
    "no JSON": ("net.json", "{", "is not valid JSON"),
    "no nodes": ("net.json", "{}", 'must hold a list "nodes"'),
    "no GraphML": ("net.graphml", "<a", "is no GraphML"),
    "a link to itself": (
        "net.json",
        json.dumps({"nodes": NODES, "edges": [{"source": 0, "target": 0}]}),
        "a link between (0, 0), which are not two of its nodes",
    ),
    "a link to nothing": (
        "net.json",
        json.dumps({"nodes": NODES, "edges": [{"source": 0, "target": 9}]}),
        "a link between (0, 9), which are not",
    ),
    "a negative length": (
        "net.json",
        json.dumps({"nodes": NODES, "edges": [{"source": 0, "target": 1, "dist": -1.0}]}),
        "a link of -1 km between Berlin and Bad Hersfeld",
    ),
    "two of one id": ("net.json", json.dumps({"nodes": [NODES[0]] * 2, "edges": EDGES}), "two nodes of the same id"),
    "an array": ("net.json", "[1]", 'must hold a list "nodes"'),
}


@pytest.mark.parametrize(("name", "text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    (tmp_path / "net.toml").write_text(FILE.format(name))
    with pytest.raises(ProblemError) as caught:
        load(tmp_path / "net.toml")
    assert any(error.startswith("network.topology: ") and message in error for error in caught.value.errors)


def test_too_much_is_refused_before_it_is_read(tmp_path):
    (tmp_path / "net.json").write_text(" " * 10_000_001)
    with pytest.raises(ValueError, match="needs 10,000,001 characters"):
        read_topology("net.json", tmp_path)


def test_packages_that_are_missing_are_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'needs the package topohub: pip install "qtn\[topology\]"'):
        read_topology("topohub:sndlib/germany50")
