"""Quantities that depend on more of a pair than its Bell weights are exact, or left out with a sentence."""

import json

import numpy as np
import pytest

import qtn
from qtn.cli.app import run
from qtn.evaluators.levels import choose_level
from qtn.problem.evaluation import evaluated, merits
from qtn.problem.load import loads
from qtn.problem.run import differentiate, report_numbers
from qtn.problem.sweep import SweepTask
from qtn.steps.level import BELL_DIAGONAL, PAULI, X_TYPE

LINK = 'model = "single_click", length_km = 20.0, loss_left_db = 10.0, loss_right_db = 10.0, attempt_time_s = 1e-4'
ONE = 'schema = 1\n[chain]\nnum_links = 1\nlink = {{ {}, bright_state = {} }}\n[schedule]\ntree = "0"\n'
BRIGHT = ONE.format(LINK, 0.1)
MANY = f"schema = 1\n[chain]\nnum_links = 33\nlink = {{ {LINK}, bright_state = 1e-3 }}\n[time]\nnum_steps = 64\n"
BEYOND = ["log_negativity", "coherent_information", "chsh"]


def exact(text, names):
    """Return quantities at the level of all Pauli coefficients."""
    problem = loads(text, ['evaluate.level="pauli"'])
    return {name: float(x) for name, x in merits(problem, evaluated(problem).result, names=names, clip=False).items()}


def test_known_values():
    found = report_numbers(evaluated(loads(BRIGHT)))
    assert found["log_negativity"] == pytest.approx(0.85923, abs=5e-6)
    assert found["coherent_information"] == pytest.approx(0.5389, abs=5e-5)
    turned = loads(BRIGHT, ["chain.link.bright_state=0.02", "chain.link.phase_offset_rad=0.6"])
    assert report_numbers(evaluated(turned))["chsh"] == pytest.approx(2.7746, abs=5e-5)


def test_all_quantities_are_those_of_all_coefficients():
    found = report_numbers(evaluated(loads(BRIGHT)))
    assert {name: found[name] for name in BEYOND} == pytest.approx(exact(BRIGHT, BEYOND), rel=1e-12)
    assert "left_out" not in found


def test_a_gradient_is_that_of_the_whole_state():
    def value(bright):
        return exact(ONE.format(LINK, bright), ["log_negativity"])["log_negativity"]

    found = differentiate(loads(BRIGHT), "log_negativity")[0]
    assert found["value"] == pytest.approx(value(0.1), rel=1e-12)
    slope = (value(0.1 + 1e-5) - value(0.1 - 1e-5)) / 2e-5
    assert found["gradient"]["chain.link.bright_state"] == pytest.approx(slope, rel=1e-6)


def test_an_optimum_is_that_of_the_whole_state():
    text = BRIGHT + '[optimise]\nmaximise = "coherent_information"\nparameters = ["chain.link.bright_state"]\n'
    found = qtn.optimise(loads(text + "minimum = { rate_hz = 150.0 }\n"))
    there = exact(ONE.format(LINK, found.parameters["chain.link.bright_state"]), ["coherent_information", "rate_hz"])
    assert found.value == pytest.approx(there["coherent_information"], rel=1e-9)
    assert there["rate_hz"] == pytest.approx(150.0, rel=1e-6)


def test_a_search_ranks_by_the_whole_state():
    text = BRIGHT.replace("num_links = 1", "num_links = 2").replace('[schedule]\ntree = "0"\n', "")
    found = qtn.optimise(loads(text + '[optimise]\nmaximise = "log_negativity"\nsearch = { max_rounds = 1 }\n'))
    tree = found.best.schedule
    problem = loads(text + f"[schedule]\ntree = {json.dumps(qtn.to_text(tree))}\n")
    there = differentiate(problem, "log_negativity")[0]["value"]
    assert found.value == pytest.approx(there, rel=1e-6)


def test_a_sweep_stores_what_is_exact():
    axes = '[sweep]\noutputs = ["log_negativity", "fidelity"]\naxes = { "chain.link.bright_state" = [0.05, 0.1] }\n'
    values, reasons = SweepTask(loads(BRIGHT + axes))(np.arange(2))
    wanted = [exact(ONE.format(LINK, bright), ["log_negativity"])["log_negativity"] for bright in (0.05, 0.1)]
    assert reasons == ["", ""]
    np.testing.assert_allclose(values["log_negativity"], wanted, rtol=1e-9)


def test_samples_hold_the_whole_state():
    problem = loads(BRIGHT, ['evaluate.evaluator="sampled"', "evaluate.num_samples=64"])
    found = report_numbers(evaluated(problem))
    assert found["log_negativity"] == pytest.approx(0.85923, abs=5e-6)


def test_a_level_that_is_asked_for_leaves_out_what_it_does_not_hold(tmp_path, capsys):
    path = tmp_path / "small.toml"
    path.write_text(BRIGHT + '[evaluate]\nlevel = "bell_diagonal"\n')
    sentence = (
        "Left out: log-negativity, coherent information and largest CHSH value, as they depend on more of the state "
        "than its Bell weights; leave evaluate.level out, or set it to 'x_type'."
    )
    assert run(["evaluate", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [found[name] for name in BEYOND] == [None] * 3 and found["left_out"] == sentence
    assert run(["evaluate", str(path)]) == 0
    said = capsys.readouterr().out
    assert sentence in said and "ebit" in said and "\nlog-negativity" not in said
    assert run(["gradient", str(path), "--of", "chsh"]) == 2
    assert "'bell_diagonal' is not exact here" in capsys.readouterr().err
    assert run(["gradient", str(path), "--of", "fidelity"]) == 0


FIBRE = 'model = "single_click", length_km = 20.0, attenuation_db_per_km = 0.2, bright_state = 0.1'
TWO = f"schema = 1\n[chain]\nnum_links = 2\nlink = {{ {FIBRE} }}\n"


def test_protocols_that_no_larger_level_holds_leave_it_out(tmp_path, capsys):
    path = tmp_path / "code.toml"
    path.write_text(TWO + "[schedule]\ntree = \"swap(distill(0, protocol='code5'), 1)\"\n")
    for options in ([], ["--set", 'evaluate.level="bell_diagonal"']):
        assert run(["evaluate", str(path), "--json", *options]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["chsh"] is None and found["fidelity"] == pytest.approx(0.9288716933, rel=1e-9)
        assert found["left_out"].endswith("Bell weights; no state level holds them with these protocols.")


@pytest.mark.slow
def test_what_is_optimised_is_reported_however_long_the_chain(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("qtn.problem.evaluation.MOST_WHOLE_LINKS", 0)
    path = tmp_path / "long.toml"
    asked = '[optimise]\nmaximise = "log_negativity"\nparameters = ["chain.link.bright_state"]\n'
    path.write_text(BRIGHT + asked)
    assert run(["optimise", str(path), "--json", "--out", str(tmp_path / "out")]) == 0
    found = json.loads(capsys.readouterr().out)["best"]
    there = exact(ONE.format(LINK, found["parameters"]["chain.link.bright_state"]), ["log_negativity"])
    assert found["value"] == pytest.approx(there["log_negativity"], rel=1e-9)


@pytest.mark.slow
def test_both_ends_of_a_front_are_exact(tmp_path, capsys):
    path = tmp_path / "front.toml"
    path.write_text(TWO + "[optimise]\nsearch = { max_rounds = 0 }\n")
    front = ["--front", "fidelity,log_negativity", "--out", str(tmp_path / "out")]
    assert run(["optimise", str(path), "--json", *front]) == 0
    row = json.loads(capsys.readouterr().out)["front"][0]
    there = exact(TWO + f"[schedule]\ntree = {json.dumps(row['tree'])}\n", ["log_negativity"])
    assert row["log_negativity"] == pytest.approx(there["log_negativity"], rel=1e-6)


@pytest.mark.slow
def test_long_chains_leave_out_what_nobody_asked_for():
    tree = "0"
    for link in range(1, 33):
        tree = f"swap({tree}, {link})"
    problem = loads(MANY + f'[schedule]\ntree = "{tree}"\n')
    found = report_numbers(evaluated(problem))
    assert found["chsh"] is None and found["left_out"].endswith("ask for them with evaluate.level = 'x_type'.")


@pytest.mark.parametrize(
    ("link", "whole"),
    [
        (qtn.abstract_link(p_success=0.5, attempt_time=1.0, werner=0.9), BELL_DIAGONAL),
        (qtn.single_click(length_left=1e3, length_right=1e3, loss_left=1, loss_right=1, bright_state=0.1), X_TYPE),
    ],
)
def test_the_smallest_level_that_holds_the_whole_state(link, whole):
    line = qtn.chain(link, num_links=2)
    assert choose_level(line, qtn.nested(1)) == BELL_DIAGONAL
    assert choose_level(line, qtn.nested(1), whole=True) == whole
    found, every = (qtn.Renewal(**options).summarise(line, qtn.nested(1)).state for options in (
        {"whole_state": True}, {"level": PAULI}
    ))  # fmt: skip
    np.testing.assert_allclose(found, every, atol=1e-14)
