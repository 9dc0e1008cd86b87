"""The numbers of experiments/clock_network: what is cheap again, and what the comparison with peers must show."""

import importlib
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "experiments" / "clock_network"
RESULTS = json.loads((FOLDER / "results.json").read_text())


def test_time_transfer(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    found = importlib.import_module("two_clocks").transfer()
    assert found["largest_hidden_bias"] == pytest.approx(RESULTS["transfer"]["largest_hidden_bias"], rel=1e-12)
    for name, row in found["precision"].items():
        assert row == pytest.approx(RESULTS["transfer"]["precision"][name], rel=1e-12), name


def test_a_thousand_qubits_reach_what_the_peer_reaches():
    """Within a thousandth at the same bond, below what no state exceeds, and more with a larger bond."""
    large = RESULTS["peers"]["large"]
    ours, peer = large["qtn"], large["tnqmetro"]
    assert ours[str(peer["bond"])]["fisher"] >= 0.999 * peer["fisher"]
    values = [ours[bond]["fisher"] for bond in ("4", "6", "8")]
    assert large["product"] < values[0] < values[1] < values[2] < large["no_state_exceeds"]
    assert all(each["slope"] < 0 for each in ours.values())
