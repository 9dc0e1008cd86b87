"""Links of codes from a problem file: what they build, what reports say, and what is said where they do not fit."""

import jax
import numpy as np
import pytest

from qtn import codes
from qtn.cli.text import evaluation_text
from qtn.links.graph_state import graph_state
from qtn.links.one_way import one_way
from qtn.merit.bounds import repeater_rate
from qtn.merit.quantities import QUANTITIES
from qtn.problem.evaluation import evaluated
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import bounds, chain_with, numeric_leaves
from qtn.problem.planner import optimise
from qtn.problem.run import report_numbers
from qtn.report.codes import codes_part, draw_code

FILE = """schema = 1
[chain]
num_links = 1
[chain.link]
model = "one_way"
code = %s
length_km = 100.0
num_stations = 40
attenuation_length_km = 20.0
efficiency = 0.95
photon_error = 1e-4
reencoding_error = 1e-3
emission_time_s = 1e-9
gate_time_s = 1e-7
[schedule]
tree = "0"
"""
TREE = '{ model = "tree", branching = [4, 14, 4], choice = "adaptive" }'
ONE_WAY = FILE % TREE
GRAPH = (FILE % '{ model = "repeater_graph_state", num_arms = 5, branching = [3, 2] }').replace(
    "one_way", "graph_state"
)
IN_SI = {
    "length": 100e3,
    "num_stations": 40,
    "attenuation_length": 20e3,
    "efficiency": 0.95,
    "photon_error": 1e-4,
    "reencoding_error": 1e-3,
    "emission_time": 1e-9,
    "gate_time": 1e-7,
}
TWELVE = ["I" * i + "ZZ" + "I" * (10 - i) for i in range(11)]
CODES = {
    "tree": (TREE, codes.tree_code([4, 14, 4], choice="adaptive")),
    "parity": ('{ model = "parity", num_blocks = 3, block_size = 4 }', codes.parity_code(3, 4)),
    "named": ('{ model = "five_qubit" }', codes.FIVE_QUBIT),
    "plain": ('{ model = "plain" }', codes.PLAIN),
    "stabiliser": ('{ model = "stabiliser", generators = ["ZZI", "IZZ"] }', codes.stabiliser_code(["ZZI", "IZZ"])),
}


def test_a_file_builds_what_python_builds():
    cases = [(FILE % text, one_way(code=code, **IN_SI)) for text, code in CODES.values()]
    placed = ONE_WAY.replace("num_stations = 40", "station_positions_km = [30.0, 70.0]")
    places = {key: value for key, value in IN_SI.items() if key != "num_stations"}
    cases.append((placed, one_way(code=CODES["tree"][1], station_positions=[30e3, 70e3], **places)))
    cases.append((GRAPH, graph_state(code=codes.repeater_graph_state(5, [3, 2]), **IN_SI)))
    for text, wanted in cases:
        own = loads(text).chain.links[0]
        assert jax.tree.structure(own) == jax.tree.structure(wanted)
        for a, b in zip(jax.tree.leaves(own), jax.tree.leaves(wanted), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14)


def test_every_number_of_a_link_has_a_name_and_codes_have_none():
    names = {name.removeprefix("chain.link.") for name in numeric_leaves(loads(ONE_WAY)) if "link" in name}
    wanted = {"length_km", "num_stations", "attenuation_length_km", "efficiency", "photon_error", "reencoding_error"}
    assert names == wanted | {"emission_time_s", "gate_time_s", "refractive_index"}
    assert "chain.link.p_bell" in numeric_leaves(loads(GRAPH))


def test_reports_say_what_is_lost_by_which_cause():
    found = report_numbers(evaluated(loads(ONE_WAY)))
    (row,) = found["links"]
    assert row["code"] == {"model": "tree", "branching": [4, 14, 4], "choice": "adaptive", "num_photons": 284}
    by_cause = {each["cause"]: each for each in row["causes"]}
    assert list(by_cause) == ["fibre", "devices", "photons", "re-encoding", "together"]
    assert by_cause["together"]["loss"] == pytest.approx(1 - row["p_success"])
    assert by_cause["together"]["error"] == pytest.approx(1 - row["fidelity"])
    assert by_cause["re-encoding"]["error"] == pytest.approx(0.75 * (1 - (1 - 4e-3 / 3) ** 40))
    assert by_cause["photons"]["loss"] == by_cause["fibre"]["error"] == 0 < by_cause["photons"]["error"]
    text = evaluation_text(found, QUANTITIES)
    assert "link 0: tree code [4, 14, 4], adaptive: 284 photons, 40 stations; each cause alone:" in text
    assert "re-encoding" in text
    page = codes_part(found["links"])
    assert page.count("<svg") == 1 and "<h2>Codes</h2>" in page and "attempts lost" in page


def test_bounds_count_the_stations():
    found = report_numbers(evaluated(loads(ONE_WAY)))
    eta = np.exp(-100 / 20)
    assert found["plob_bits_per_use"] == pytest.approx(float(repeater_rate(eta, 0, 1.0)))
    assert found["repeater_bits_per_use"] == pytest.approx(float(repeater_rate(eta, 39, 1.0)))
    assert report_numbers(evaluated(loads(GRAPH)))["repeater_bits_per_use"] == pytest.approx(
        float(repeater_rate(eta, 79, 1.0))
    )


MIXED = """schema = 1
[[chain.links]]
model = "one_way"
code = { model = "tree", branching = [3, 8, 3] }
length_km = 50.0
num_stations = 20
attenuation_length_km = 20.0
gate_time_s = 1e-7
ends = "stored"
[[chain.links]]
model = "abstract"
p_success = 0.1
attempt_time_s = 1e-4
fidelity = 0.95
[chain.node]
memory = { model = "dephasing", t2_s = 0.1 }
[schedule]
tree = "swap(0, 1)"
"""


def test_a_chain_may_mix_one_way_segments_and_memories():
    found = report_numbers(evaluated(loads(MIXED)))
    assert [row["model"] for row in found["links"]] == ["one_way", "abstract"]
    assert found["links"][0]["attempt_time_s"] > 4.8e-4  # there and back
    assert 0.9 < found["fidelity"] < 0.95 and found["rate_hz"] > 100
    assert codes_part(found["links"]).count("<svg") == 1


def test_equal_links_are_drawn_once():
    row = report_numbers(evaluated(loads(ONE_WAY)))["links"][0]
    page = codes_part([row | {"link": i} for i in range(9)] + [row | {"link": 9, "num_stations": 2.0}])
    assert page.count("<svg") == 2 and "9 links from 0 to 8" in page and "link 9" in page


DRAWN = {
    "tree": (CODES["tree"][1], {"<circle": 61, "<path": 56}),
    "parity": (CODES["parity"][1], {"<circle": 12, "<rect": 3}),
    "stabiliser": (codes.FIVE_QUBIT, {"<text": 21}),
    "plain": (codes.PLAIN, {"<text": 3}),
    "graph_state": (codes.repeater_graph_state(3), {"<circle": 12, "<line": 15 + 6}),
    "many_arms": (codes.repeater_graph_state(60), {"<circle": 80}),
}


@pytest.mark.parametrize(("code", "counts"), DRAWN.values(), ids=DRAWN)
def test_drawings_show_every_photon_that_fits(code, counts):
    from qtn.problem.chain.code_rows import code_row

    drawing = draw_code(code_row(code))
    assert {shape: drawing.count(shape) for shape in counts} == counts


BAD = {
    "zero_inside": ("[4, 14, 4]", "[4, 0, 4]", "chain.link.code.branching.1: must be at least 1, but is 0"),
    "no_levels": ("[4, 14, 4]", "[]", "chain.link.code.branching: must hold 1 values, but holds 0"),
    "too_many": (
        "[4, 14, 4]",
        "[50, 50, 50]",
        "chain.link: A code word may have at most 10,000 photons, but has 127,550",
    ),
    "rule": ('"adaptive"', '"best"', "chain.link.code.choice: must be 'blind' or 'adaptive', but is 'best'"),
    "model": ('"tree"', '"three"', "chain.link.code.model: must be one of 'tree', 'parity', 'stabiliser', 'plain'"),
    "other_key": ("choice =", "choise =", "chain.link.code.choise: is an unknown key; did you mean `choice`?"),
    "no_code": (f"code = {TREE}\n", "", "chain.link.code: is missing; add the table [chain.link.code]"),
    "word": (TREE, '"tree"', "chain.link.code: must be a table, but is 'tree'"),
    "stations": ("num_stations = 40", "num_stations = 0", "chain.link.num_stations: must be at least 1, but is 0"),
    "half": (
        "num_stations = 40",
        "num_stations = 40.5",
        "chain.link.num_stations: must be a whole number, but is 40.5",
    ),
    "none": (
        "num_stations = 40\n",
        "",
        "chain.link: needs exactly one of num_stations, station_positions_km, but has none",
    ),
    "spacing": ("length_km = 100.0", "length_km = 0.0", "stations cannot have spacings of 0, but is 0.0"),
    "places": ("num_stations = 40", "station_positions_km = [3.0, 3.0]", "a spacing is 0 or less"),
    "commute": (
        TREE,
        '{ model = "stabiliser", generators = ["XZ", "ZI"] }',
        "`generators` must commute, but XZ and ZI",
    ),
    "two_qubits": (
        TREE,
        '{ model = "stabiliser", generators = ["XXXX", "ZZZZ"] }',
        "must encode one qubit, for which 4",
    ),
    "error": (
        "reencoding_error = 1e-3",
        "reencoding_error = 0.9",
        "reencoding_error: must lie in [0, 0.75], but is 0.9",
    ),
    "kept": (
        "gate_time_s",
        'ends = "kept"\ngate_time_s',
        "chain.link.ends: must be 'measured' or 'stored', but is 'kept'",
    ),
    "instant": ("1e-9\ngate_time_s = 1e-7", "0.0", "`attempt_time` must be positive, but comes out as 0"),
    "hopeless": ("efficiency = 0.95", "efficiency = 1e-6", "no attempt heralds a pair"),
}


def test_codes_belong_to_their_links():
    with pytest.raises(ProblemError) as error:
        loads(ONE_WAY.replace('"one_way"', '"graph_state"'))
    assert error.value.errors == [
        "chain.link.code.model: must be 'repeater_graph_state', but is 'tree'",
        "chain.link.code.num_arms: is missing; add `num_arms = ...`",
        "chain.link.code.choice: belongs to a table of another model",
    ]


def test_nodes_between_links_store():
    with pytest.raises(ProblemError) as error:
        loads(MIXED.replace('ends = "stored"\n', ""))
    assert error.value.errors == [
        'chain.links.0.ends: must be "stored", because nodes between links hold qubits; add it'
    ]


def test_applications_that_use_both_qubits_store_them():
    text = ONE_WAY + '[application]\nmodel = "teleportation"\n'
    with pytest.raises(ProblemError, match=r'chain\.link\.ends: must be "stored", because application'):
        loads(text)


@pytest.mark.parametrize(("old", "new", "message"), BAD.values(), ids=BAD)
def test_bad_files(old, new, message):
    assert old in ONE_WAY
    with pytest.raises(ProblemError) as error:
        loads(ONE_WAY.replace(old, new))
    assert message in str(error.value)
    assert len(error.value.errors) == 1


PLACED = ONE_WAY.replace("num_stations = 40", "station_positions_km = [1.0, 2.5, 7.0]").replace("100.0", "8.0")


def test_stations_stay_on_the_way():
    problem = loads(PLACED)
    assert bounds(problem, "chain.link.station_positions_km.1").upper == 8.0
    listed = PLACED.replace("num_links = 1\n[chain.link]", "[[chain.links]]")
    assert bounds(loads(listed), "chain.links.0.station_positions_km.1").upper == 8.0

    @jax.jit
    def p_success(place):
        return chain_with(problem, {"chain.link.station_positions_km.2": place}).links[0].heralded().p_success

    assert p_success(9.0) == pytest.approx(float(p_success(8.0 - 1e-9)), rel=1e-6)


@pytest.mark.slow
def test_places_of_stations_are_found_by_gradient():
    found = optimise(loads(PLACED + '[optimise]\nparameters = ["chain.link.station_positions_km"]\n'))
    np.testing.assert_allclose(sorted(found.parameters.values()), [2.0, 4.0, 6.0], atol=1e-3)


def test_large_codes_are_for_photons_without_errors():
    """Errors and losses together are decoded up to 10 photons: 12 repeat each other in Z, and none may be lost in X."""
    code = f'{{ model = "stabiliser", generators = {TWELVE} }}'.replace("'", '"')
    text = (FILE % code).replace("length_km = 100.0", "length_km = 10.0")
    with pytest.raises(ProblemError) as error:
        loads(text)
    assert "`photon_error` must be 0 for this code of 12 photons, but is 0.0001: errors together" in str(error.value)
    found = evaluated(loads(text.replace("photon_error = 1e-4\n", "")))
    expected = (0.95 * np.exp(-10 / 40 / 20)) ** (12 * 40)
    assert report_numbers(found)["rate_hz"] == pytest.approx(expected / (12e-9 + 11e-7), rel=1e-9)


@pytest.mark.parametrize("stations", [3, 40])
def test_error_rates_of_links_are_no_rounding(stations):
    text = (FILE % '{ model = "parity", num_blocks = 3, block_size = 4 }').replace("100.0", "10.0")
    text = text.replace("photon_error = 1e-4\nreencoding_error = 1e-3\n", "").replace("= 40", f"= {stations}")
    (row,) = report_numbers(evaluated(loads(text)))["links"]
    assert row["qber_x"] == row["qber_z"] == 0.0
