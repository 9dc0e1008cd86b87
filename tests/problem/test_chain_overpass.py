"""A satellite link of a [chain] with passes: rows, refusals, and what does not go together."""

import numpy as np
import pytest

from qtn.cli.text import evaluation_text
from qtn.evaluators.along import along
from qtn.orbits import orbit, passes, station
from qtn.problem.evaluation import evaluated
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.quantities import quantities_of
from qtn.problem.run import report_numbers
from qtn.report.tables import inside

FILE = """
schema = 1
[schedule]
tree = "0"
[chain.node]
[[chain.links]]
model = "satellite"
distance_km = 400
altitude_km = 500
divergence_urad = 10
pointing_jitter_urad = 1
receiver_radius_m = 0.5
wavelength_nm = 850
zenith_transmissivity = 0.6
minimum_elevation_deg = 10
p_source = 0.5
fidelity = 0.97
repetition_rate_hz = 1e7
[chain.links.overpass]
inclination_deg = 97.4
latitude_left_deg = 48.2
longitude_left_deg = 16.4
latitude_right_deg = 48.1
longitude_right_deg = 11.6
num_slices = 4
"""
LINK = "chain.links.0"


def numbers_of(*overrides):
    problem = loads(FILE, overrides)
    return problem, report_numbers(evaluated(problem))


def test_rows_are_those_of_the_library():
    problem, numbers = numbers_of()
    ends = station(np.radians(48.2), np.radians(16.4)), station(np.radians(48.1), np.radians(11.6))
    seen = passes(orbit(500e3, np.radians(97.4)), ends, 0.0, 86_400.0, np.radians(10.0), num_nodes=4)
    found = along(problem.chain, 0, seen, problem.given_schedule)
    rows = numbers["link_passes"]
    assert len(rows) == seen.num_passes == 2
    np.testing.assert_allclose([row["num_pairs"] for row in rows], found.num_pairs)
    np.testing.assert_allclose([row["largest_ratio"] for row in rows], np.max(found.ratio, -1))
    np.testing.assert_allclose([row["set_s"] for row in rows], seen.set)
    assert rows[0]["fidelity"] == pytest.approx(0.97)
    text = evaluation_text(numbers, quantities_of(problem.document))
    assert "waiting by slice" in text
    assert "<h2>Passes</h2>" in inside(numbers)


def test_no_pass_in_this_time():
    problem, numbers = numbers_of(f"{LINK}.overpass.duration_s=60")
    assert numbers["link_passes"] == []
    assert "no pass of the satellite" in evaluation_text(numbers, quantities_of(problem.document))


def test_a_satellite_that_moves_on_is_refused():
    with pytest.raises(ValueError, match=r"chain\.links\.0\.overpass: A pair takes .* moves on .*num_slices"):
        numbers_of(f"{LINK}.repetition_rate_hz=1000.0")


BAD = {
    "never": ([f"{LINK}.overpass.inclination_deg=20"], "by more than 34.14 degrees, raise altitude_km"),
    "mask": ([f"{LINK}.minimum_elevation_deg=90"], "must lie in [0, 90), but is 90"),
    "latitude": ([f"{LINK}.overpass.latitude_left_deg=91"], "latitude_left_deg: must lie in [-90, 90]"),
    "slices": ([f"{LINK}.overpass.num_slices=0"], "num_slices: must lie in [1, 1000]"),
    "both": ([f"{LINK}.beam_waist_m=0.1"], "beam_waist_m"),
    "time": ([f"{LINK}.overpass.duration_s=1e12"], "duration_s: must lie in [1, 1e+07]"),
}


@pytest.mark.parametrize(("overrides", "message"), BAD.values(), ids=BAD)
def test_errors(overrides, message):
    with pytest.raises(ProblemError) as error:
        loads(FILE, overrides)
    assert message in str(error.value)


def test_only_one_satellite_moves():
    twice = FILE + FILE[FILE.index("[[chain.links]]") :]
    with pytest.raises(ProblemError, match=r"links\.1\.overpass: link 0 has passes already"):
        loads(twice.replace('"0"', '"swap(0, 1)"'))
    shared = FILE.replace("[[chain.links]]", "[chain.link]").replace("[chain.links.", "[chain.link.")
    shared = shared.replace("[chain.node]", "[chain]\nnum_links = 2\n[chain.node]").replace('"0"', '"swap(0, 1)"')
    with pytest.raises(ProblemError, match=r"link\.overpass: is for a satellite of its own"):
        loads(shared)
