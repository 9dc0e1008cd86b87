"""Published numbers of one-way repeaters, from the formulas of their authors, with the codes of the library.

The two chains of trees stand in the public data of Wo et al. 2023; the parity chain has the numbers of Muralidharan et
al. 2014. Both add up errors, 1 - (1 - e)^N, where channels give 3/4 [1 - (1 - 4e/3)^N]: what that changes is asserted.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from qtn import codes
from qtn.links.one_way import one_way
from qtn.merit.key_rate import six_state_fraction

RESULTS = Path(__file__).parents[2] / "experiments" / "encoded_repeaters" / "results.json"

TREES = {
    "501 km": (501.18723362727246, 151, [4, 14, 4], 7862.61967873, 1.074),
    "955 km": (954.9925860214369, 199, [3, 19, 4], 1.43639897723, 1.656),
}


def six_state(error):
    return 1 + (1 - error) * np.log2(1 - error) + error * np.log2(error / 3)


@pytest.mark.parametrize(("length_km", "stations", "branching", "published", "gain"), TREES.values(), ids=TREES)
def test_tree_chains(length_km, stations, branching, published, gain):
    link = one_way(
        code=codes.tree_code(branching),
        length=length_km * 1e3,
        num_stations=stations,
        attenuation_length=20e3,
        efficiency=0.95,
        reencoding_error=1e-3,
        emission_time=1e-9,
        gate_time=1e-7,
    )
    pair = link.heralded()
    rate = pair.p_success / pair.attempt_time * six_state(1 - 0.999**stations)
    assert rate == pytest.approx(published, rel=1e-11)  # as many digits as are printed
    exact = pair.p_success / pair.attempt_time * six_state_fraction(pair.bell_diagonal)
    assert exact / rate == pytest.approx(gain, abs=5e-4)


def test_parity_chain():
    """Photons of both halves of a station by distance and key, times the time of one step."""
    code, spacing, length = codes.parity_code(13, 6), 1.5, 1000.0
    link = one_way(
        code=code,
        length=length * 1e3,
        num_stations=length / spacing,
        attenuation_length=20e3,
        efficiency=0.99,
        attempt_time=1.0,
    )
    cost = 2 * code.num_photons / (link.heralded().p_success * spacing)
    assert cost == pytest.approx(104.7278918, abs=5e-8)


def test_results_of_the_experiment():
    """What `experiments/encoded_repeaters/run.py` wrote down: published rows, and cheaper trees than published."""
    found = json.loads(RESULTS.read_text())
    for name in ("501 km", "955 km"):
        published = found["published"][name]["rate_hz"]
        assert found["blind"][name]["rate_hz"] == pytest.approx(published, rel=1e-11)
    limits = {
        "blind": {"100 km": 47_571, "1000 km": 199_821},
        "adaptive": {"501 km": 185_837, "955 km": 1_573_406, "1000 km": 88_497},
    }
    for rule, rows in limits.items():
        for name, most in rows.items():
            assert found[rule][name]["cost"] <= most
    assert found["parity"]["cost"] == pytest.approx(104.7278918, abs=5e-8)
    moves = found["crossovers"]["graph states and memories, best key"]["km_per_percent"]
    assert max(moves, key=lambda number: abs(moves[number])) == "efficiency"
