"""The command line where schedules are searched, fronts drawn and problems compared."""

import csv
import json

import pytest

from qtn.cli.app import run

SEARCHED = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.1, attempt_time_s = 1e-3, werner = 0.93 }
node = { memory = { model = "depolarising", time_constant_s = 2.0 }, swap = { p_success = 0.5 } }
[optimise]
maximise = "rate_hz"
minimum = { fidelity = 0.9 }
parameters = ["chain.link.werner"]
search = { max_rounds = 1 }
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "searched.toml").write_text(SEARCHED)
    (tmp_path / "given.toml").write_text(SEARCHED.replace("[optimise]", '[schedule]\ntree = "swap(0, 1)"\n[optimise]'))
    return "searched.toml"


def test_optimise_searches_and_reports(file, tmp_path, capsys):
    assert run(["optimise", file, "--set", "optimise.parameters=[]", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["best"]["tree"].startswith("swap(") and "distill(" in found["best"]["tree"]
    assert found["num_trees"] == 6 and found["guarantee"].startswith("Optimal")
    assert found["limits"]["fidelity"]["value"] >= 0.9 and found["feasible"]
    distances = [leader["distance"] for leader in found["leaders"] if leader["feasible"]]
    assert distances[0] == 0 and distances == sorted(distances)
    page = (tmp_path / "searched-report" / "report.html").read_text()
    for words in ("Best schedule", "Limits", "6 distinct trees", "Guarantee", "full resolution"):
        assert words in page
    assert page.count("<svg") == 4  # drawing, waiting time, fidelity, sensitivities


def test_optimise_for_people_names_limits_and_multipliers(file, capsys):
    assert run(["optimise", file]) == 0
    output = capsys.readouterr()
    for words in ("rate_hz =", "at least 0.9, multiplier", "KKT residual", "what to improve first", "candidates"):
        assert words in output.out
    assert "quick look" in output.err and "report:" in output.err


def test_evaluate_refuses_a_missing_tree_and_check_accepts_it(file, capsys):
    assert run(["evaluate", file]) == 2
    assert "schedule.tree: is missing; `qtn optimise` searches" in capsys.readouterr().err
    assert run(["gradient", file]) == 2
    assert run(["check", file]) == 0
    assert "left to the search" in capsys.readouterr().out


def test_front_writes_table_and_plot(file, tmp_path, capsys):
    assert run(["optimise", file, "--front", "rate,fidelity", "--set", "optimise.parameters=[]", "--out", "out"]) == 0
    assert "swap" in capsys.readouterr().out
    with open(tmp_path / "out" / "front.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    rates = [float(row["rate_hz"]) for row in rows]
    assert rates == sorted(rates, reverse=True) and len(rates) > 1
    assert (tmp_path / "out" / "front.svg").read_text().count("<svg") == 1
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "front.csv",
        "front.html",
        "front.svg",
    ], "no draft is left"


def test_interrupted_search_exits_130_and_saves_a_report(file, tmp_path, monkeypatch, capsys):
    import qtn.planning.search as module

    monkeypatch.setattr(module, "evaluate_leaders", interrupted_once(module.evaluate_leaders))
    assert run(["optimise", file, "--set", "optimise.parameters=[]", "--out", "saved"]) == 130
    assert "Interrupted" in (tmp_path / "saved" / "report.html").read_text()


def interrupted_once(function):
    """Interrupt the first call."""
    calls = []

    def wrapped(*arguments, **options):
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return wrapped


def test_compare_shows_merits_ratios_and_differences(file, tmp_path, capsys):
    assert run(["compare", "given.toml", "given.toml", "--json"]) == 0
    same = json.loads(capsys.readouterr().out)
    assert same["differences"] == {} and same["ratio"]["rate_hz"] == 1.0
    other = tmp_path / "other.toml"
    other.write_text((tmp_path / "given.toml").read_text().replace("p_success = 0.1", "p_success = 0.2"))
    other = str(other)
    assert run(["compare", "given.toml", other, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["differences"] == {"chain.link.p_success": [0.1, 0.2]}
    assert found["ratio"]["rate_hz"] == pytest.approx(found["b"]["rate_hz"] / found["a"]["rate_hz"])
    assert run(["compare", "given.toml", other]) == 0
    text = capsys.readouterr().out
    assert "chain.link.p_success: 0.1 -> 0.2" in text and "waiting_time_quantiles_s.0.5" in text
    assert run(["compare", "given.toml", "missing.toml"]) == 2
    assert "missing.toml" in capsys.readouterr().err
