"""Whole numbers of codes and stations that `[optimise]` chooses, against tables of all of them."""

import json
from typing import Any

import numpy as np
import pytest

from qtn import codes
from qtn.cli.optimise import optimise_and_report
from qtn.codes.parity import parity_success
from qtn.links.encoded import kept_sign
from qtn.links.one_way import one_way
from qtn.merit.key_rate import six_state_fraction
from qtn.problem.choice import chosen
from qtn.problem.evaluation import evaluated
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.planner import optimise
from qtn.problem.run import report_numbers
from qtn.problem.spread import spread_out
from qtn.problem.whole import whole_numbers

FILE = """schema = 1
[chain]
num_links = 1
[chain.link]
model = "one_way"
code = { model = "parity", num_blocks = 2, block_size = 2 }
length_km = 150.0
num_stations = 60
attenuation_length_km = 20.0
efficiency = 0.97
reencoding_error = 1e-3
emission_time_s = 1e-8
gate_time_s = 1e-7
[schedule]
tree = "0"
[merit]
protocol = "six_state"
[optimise]
choices = ["chain.link.code", "chain.link.num_stations"]
max_photons = 6
"""
STATIONS = FILE.replace('"chain.link.code", ', "").replace("max_photons = 6\n", "")


def key_rate(rows, length=150):
    """Secret key by time of parity chains (n, m, stations) over a length [km], from the formulas alone."""
    n, m, stations = np.asarray(rows, dtype=float).T
    arrive = parity_success(n, m, 1 - 0.97 * np.exp(-length / stations / 20)) ** stations
    fidelity = (1 + 3 * kept_sign(1e-3) ** stations) / 4
    rest = (1 - fidelity) / 3
    with np.errstate(divide="ignore", invalid="ignore"):
        key = 1 + fidelity * np.log2(fidelity) + 3 * np.where(rest > 0, rest * np.log2(rest), 0.0)
    return arrive * key / (n * m * 1e-8 + (n - 1) * 1e-7)


def check_against_table(text, stations):
    sizes = np.array([(n, m) for n in range(1, 7) for m in range(1, 7) if n * m <= 6])
    best = codes.best_of_table(key_rate, sizes, stations)
    found = optimise(loads(text))
    assert tuple(found.best.whole.values()) == best.entry[: len(found.best.whole)]
    assert found.value == pytest.approx(best.score, rel=1e-9)
    assert "no neighbour of the best is better" in found.status
    again = chosen(loads(text), found.best)
    assert report_numbers(evaluated(again))["secret_key_rate_hz"] == pytest.approx(found.value, rel=1e-9)


def test_codes_are_the_best_of_the_whole_table():
    check_against_table(FILE.replace(', "chain.link.num_stations"', ""), [60])


@pytest.mark.slow
def test_one_photon_from_end_to_end_does_not_hold_the_search_back():
    """It is better than all its neighbours over 250 km, and 32 times worse than nine photons on 164 stations."""
    text = FILE.replace("length_km = 150.0", "length_km = 250.0").replace("max_photons = 6", "max_photons = 9")
    text = text.replace("num_blocks = 2, block_size = 2", "num_blocks = 1, block_size = 1").replace("= 60", "= 1")
    sizes = np.array([(n, m) for n in range(1, 10) for m in range(1, 10) if n * m <= 9])
    best = codes.best_of_table(lambda rows: key_rate(rows, 250), sizes, range(1, 500))
    found = optimise(loads(text))
    assert tuple(found.best.whole.values()) == best.entry
    assert found.value == pytest.approx(best.score, rel=1e-9)
    assert best.score > 30 * key_rate([(1, 1, 1)], 250)[0]
    assert "others, farther away, may be" in found.status


def test_many_codes_are_spread_as_well():
    """Four codes of three levels are too many to list: they are drawn, the same each time."""
    numbers = {f"chain.links.{link}.code.branching.{level}": 2 for link in range(4) for level in range(3)}
    found = spread_out({}, numbers, 300)
    assert 0 < len(found) <= 2000 and found == spread_out({}, numbers, 300)
    assert all(np.prod(np.reshape(each, (4, 3)), axis=1).max() <= 300 for each in found)


@pytest.mark.slow
def test_large_trees_are_found_far_from_the_file():
    tree = '{ model = "tree", branching = [2, 2, 2] }'
    text = FILE.replace('{ model = "parity", num_blocks = 2, block_size = 2 }', tree).replace("max_photons = 6\n", "")
    for old, new in (("= 150.0", "= 500.0"), ("= 60", "= 10"), ("= 0.97", "= 0.95"), ("1e-8", "1e-9")):
        text = text.replace(old, new)
    assert optimise(loads(text)).value > 8800


@pytest.mark.slow
def test_codes_and_stations_are_the_best_of_the_whole_table():
    check_against_table(FILE, range(1, 400))


OTHERS = '[{ model = "tree", branching = [1, 2], choice = "adaptive" }, { model = "plain" }, { model = "five_qubit" }]'


def test_codes_of_other_kinds_are_tried():
    """Best of all parity codes and trees of two levels with at most six photons, and of codes without numbers."""
    text = FILE.replace(', "chain.link.num_stations"', "").replace("max_photons", f"codes = {OTHERS}\nmax_photons")
    trees = [[a, b] for a in range(1, 7) for b in range(1, 7) if a * (1 + b) <= 6]
    every = [codes.tree_code(tree, choice="adaptive") for tree in trees] + [codes.PLAIN, codes.FIVE_QUBIT]
    every += [codes.parity_code(n, m) for n in range(1, 7) for m in range(1, 7) if n * m <= 6]

    def key(code):
        numbers = {"length": 150e3, "num_stations": 60, "attenuation_length": 20e3, "efficiency": 0.97}
        times = {"emission_time": 1e-8, "gate_time": 1e-7}
        pair = one_way(code=code, reencoding_error=1e-3, **numbers, **times).heralded()
        return float(six_state_fraction(pair.bell_diagonal) * pair.p_success / pair.attempt_time)

    problem = loads(text)
    found = optimise(problem)
    assert found.value == pytest.approx(max(map(key, every)), rel=1e-9)
    link: Any = chosen(problem, found.best).chain.links[0]
    assert link.code == max(every, key=key)


def test_answers_and_reports_hold_the_whole_numbers(tmp_path, capsys):
    best = codes.best_of_table(key_rate, np.array([[2, 2]]), range(1, 400))
    assert not optimise_and_report(loads(STATIONS), tmp_path, None, as_json=True)
    answer = json.loads(capsys.readouterr().out)["best"]
    assert answer["parameters"] == {"chain.link.num_stations": best.entry[2]}
    assert answer["value"] == pytest.approx(best.score, rel=1e-9)
    page = (tmp_path / "report.html").read_text()
    assert "chain.link.num_stations" in page and "parity code (2, 2)" in page


MIXED = """schema = 1
[[chain.links]]
model = "one_way"
code = { model = "parity", num_blocks = 3, block_size = 3 }
length_km = 40.0
num_stations = 4
attenuation_length_km = 20.0
efficiency = 0.98
reencoding_error = 1e-3
gate_time_s = 1e-7
ends = "stored"
[[chain.links]]
model = "single_click"
length_km = 20.0
attenuation_db_per_km = 0.2
efficiency = 0.3
bright_state = 0.3
[schedule]
tree = "swap(0, 1)"
[optimise]
choices = ["chain.links.0.num_stations"]
parameters = ["chain.links.1.bright_state"]
"""


@pytest.mark.slow
def test_real_numbers_are_tuned_in_between():
    found = optimise(loads(MIXED))

    def value(stations, bright):
        overrides = [f"chain.links.0.num_stations={stations}", f"chain.links.1.bright_state={bright}"]
        return report_numbers(evaluated(loads(MIXED, overrides)))["secret_key_rate_hz"]

    (stations,), (bright,) = found.best.whole.values(), found.parameters.values()
    assert found.value == pytest.approx(value(stations, bright), rel=1e-6)
    around = [value(stations + a, bright * b) for a, b in ((1, 1), (-1, 1), (0, 1.05), (0, 0.95))]
    assert max(around) < found.value


def test_names_of_whole_numbers():
    problem = loads(FILE)
    assert whole_numbers(problem, ["chain.link.code"]) == {
        "chain.link.code.num_blocks": 2,
        "chain.link.code.block_size": 2,
    }
    assert whole_numbers(problem, ["chain.links.*.num_stations"]) == {"chain.link.num_stations": 60}
    tree = FILE.replace('"parity", num_blocks = 2, block_size = 2', '"tree", branching = [3, 2]')
    assert whole_numbers(loads(tree), ["chain.link.code"]) == {
        "chain.link.code.branching.0": 3,
        "chain.link.code.branching.1": 2,
    }


BAD = {
    "unknown": ("chain.link.code", "chain.link.cod", "optimise.choices: `chain.link.cod` matches no whole number"),
    "real": ("chain.link.code", "chain.link.length_km", "`chain.link.length_km` matches no whole number"),
    "structure": ("chain.link.code", "chain.num_links", "`chain.num_links` matches no whole number"),
    "as_parameter": (
        "max_photons = 6",
        'parameters = ["chain.link.num_stations"]',
        "`chain.link.num_stations` is a whole number; name it in optimise.choices instead",
    ),
    "search": ("max_photons = 6", "search = {}", "optimise.choices: goes with a schedule.tree; leave optimise.search"),
    "no_tree": ('[schedule]\ntree = "0"\n', "", "optimise.choices: needs a schedule.tree; add it"),
    "photons": (
        'choices = ["chain.link.code", "chain.link.num_stations"]',
        'parameters = ["chain.link.length_km"]',
        "optimise.max_photons: is for codes that are chosen",
    ),
    "unfit_code": (
        "max_photons = 6",
        'codes = [{ model = "repeater_graph_state", num_arms = 3 }]',
        'optimise.codes.0: model "repeater_graph_state" does not fit chain.link.code',
    ),
    "wrong_code": (
        "max_photons = 6",
        'codes = [{ model = "stabiliser", generators = ["XZ", "ZI"] }]',
        "optimise.codes.0: Argument `generators` must commute",
    ),
    "code_not_named": (
        'choices = ["chain.link.code", "chain.link.num_stations"]',
        'choices = ["chain.link.num_stations"]\ncodes = [{ model = "plain" }]',
        "optimise.codes: no code is named in optimise.choices; add `chain.link.code`",
    ),
    "codes_alone": (
        'choices = ["chain.link.code", "chain.link.num_stations"]',
        'parameters = ["chain.link.length_km"]\ncodes = [{ model = "plain" }]',
        "optimise.codes: is for codes that are chosen",
    ),
    "minimise": (
        "max_photons = 6",
        'minimise = "hardware_cost"\nminimum = { rate_hz = 1.0 }\nparameters = ["chain.link.efficiency"]',
        "optimise.choices: goes with maximise",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), BAD.values(), ids=BAD)
def test_errors(old, new, message):
    with pytest.raises(ProblemError) as error:
        loads(FILE.replace(old, new))
    assert message in str(error.value)
