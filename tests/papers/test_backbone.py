"""The numbers of experiments/backbone, computed again for its star and for a few pairs of its network."""

import importlib.util
import json
from pathlib import Path

import pytest

import qtn

FOLDER = Path(__file__).parents[2] / "experiments" / "backbone"
RESULTS = json.loads((FOLDER / "results.json").read_text())


def module(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_star_lies_within_the_errors_of_its_peer():
    """Twelve numbers: three standard errors are passed by chance in one of thirty runs."""
    star = module("star")
    for pair, found in star.exact(star.STAR).items():
        stored = RESULTS["star"]["pairs"][pair]
        assert found == pytest.approx(stored["qtn"], rel=1e-9)
        peer = stored["requsim"]
        assert abs(peer["rate_hz"] - found["rate_hz"]) < 3 * peer["rate_error"]
        assert abs(peer["fidelity"] - found["fidelity"]) < 3 * peer["fidelity_error"]


def test_pairs_of_the_table():
    run = module("run")
    network = run.backbone(qtn.read_topology("germany50.json", FOLDER))
    for pair in (("Aachen", "Koeln"), ("Berlin", "Hamburg")):
        route = qtn.evaluate_pairs(network, pair)[pair]
        assert run.row(network, route) == pytest.approx(RESULTS["named"][" - ".join(pair)], rel=1e-8, abs=1e-9)


def test_the_file_is_the_same_network():
    from qtn.problem.load import load

    table = load(FOLDER / "network.toml").document["network"]
    graph = module("run").backbone(qtn.read_topology("germany50.json", FOLDER))
    assert [each["length_km"] * 1e3 for each in table["links"].values()] == pytest.approx(graph.structure.lengths)
