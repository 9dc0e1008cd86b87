"""The root table of a file: exactly one, and whatever depends on its kind is asked of it."""

import json

import numpy as np
import pytest

from qtn.cli.app import run
from qtn.problem.evaluation import evaluated, merits
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.problem.names import bounds, expand, numeric_leaves
from qtn.problem.planner import optimise
from qtn.problem.run import differentiate
from qtn.problem.schema import Config
from qtn.problem.structures import unit_of
from qtn.problem.sweep import SweepTask
from tests.problem.larger import enlarge

LINE = 'schema = 1\n[line]\nmodel = "clicks"\np_success = 0.25\nperiod_ns = 40.0\nwerner = 0.9\n'


@pytest.fixture(autouse=True)
def larger(monkeypatch):
    enlarge(monkeypatch)


def test_its_numbers_have_names_units_and_ranges():
    problem = loads(LINE, ["line.werner=0.8"])
    assert numeric_leaves(problem) == {"line.p_success": 0.25, "line.period_ns": 40.0, "line.werner": 0.8} | {
        "line.double_pairs": 0.0
    }
    assert expand(problem, ["line.*"]) == [
        f"line.{name}" for name in ("p_success", "period_ns", "werner", "double_pairs")
    ]
    assert unit_of("line.period_ns") == "ns"
    assert (bounds(problem, "line.p_success").lower, bounds(problem, "line.p_success").upper) == (0.0, 1.0)
    with pytest.raises(ProblemError, match=r"line\.p_success: must lie in \(0, 1\], but is 2\.0"):
        loads(LINE, ["line.p_success=2.0"])


def test_it_is_evaluated_and_differentiated():
    problem = loads(LINE)
    found = {name: float(x) for name, x in merits(problem, evaluated(problem).result, clip=True).items()}
    assert found["rate_hz"] == pytest.approx(0.25 / 40e-9, rel=1e-12)
    assert found["fidelity"] == pytest.approx((1 + 3 * 0.9) / 4, rel=1e-12)
    slopes = differentiate(problem, "mean_time_s")[0]["gradient"]
    assert slopes["line.p_success"] == pytest.approx(-40e-9 / 0.25**2, rel=1e-12)
    assert slopes["line.period_ns"] == pytest.approx(1e-9 / 0.25, rel=1e-12)


def test_commands_know_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "line.toml").write_text(LINE + '[application]\nmodel = "punctuality"\ndeadline_s = 1e-7\n')
    assert run(["check", "line.toml"]) == 0
    assert capsys.readouterr().out == "line.toml: good: a source, 5 numbers\n"
    assert run(["evaluate", "line.toml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["clicks_hz"] == pytest.approx(25e6) and "links" not in found and 0 < found["in_time"] < 1
    assert run(["evaluate", "line.toml"]) == 0 and "in time" in capsys.readouterr().out
    assert run(["gradient", "line.toml", "--of", "in_time", "--json"]) == 0
    assert "application.deadline_s" in json.loads(capsys.readouterr().out)["gradient"]


def test_it_is_swept():
    made = SweepTask(
        loads(LINE + '[sweep]\njob = "gradient"\noutputs = ["rate_hz"]\naxes = { "line.p_success" = [0.1, 0.2] }\n')
    )
    values, reasons = made(np.arange(2))
    assert reasons == ["", ""]
    np.testing.assert_allclose(values["rate_hz"], np.array([0.1, 0.2]) / 40e-9, rtol=1e-12)
    np.testing.assert_allclose(values["d_rate_hz_d_line.p_success"], 1 / 40e-9, rtol=1e-12)


BRIGHT = LINE + 'double_pairs = 0.8\n[optimise]\nparameters = ["line.p_success"]\n'


def key_rate(p_success):
    """Return the key rate [bit/s] of the source in BRIGHT, from its definition."""
    error = (1 - 0.9 * (1 - 0.8 * p_success)) / 2
    entropy = -error * np.log2(error) - (1 - error) * np.log2(1 - error)
    return p_success / 40e-9 * (1 - 2 * entropy)


def test_its_numbers_are_optimised():
    grid = np.linspace(1e-3, 0.999, 200_001)
    best = float(np.max(key_rate(grid)))
    found = optimise(loads(BRIGHT))
    assert found.value == pytest.approx(best, rel=1e-9) and found.best.schedule is None
    assert found.best.tuned is not None and found.best.tuned.converged
    assert found.value == pytest.approx(key_rate(found.parameters["line.p_success"]), rel=1e-12)
    assert "All 3 starts agree" in found.status


def test_its_limits_are_kept():
    found = optimise(loads(BRIGHT + 'maximise = "rate_hz"\nminimum = { fidelity = 0.85 }\n'))
    brightest = (1 - (4 * 0.85 - 1) / 3 / 0.9) / 0.8  # where the fidelity is at its limit
    assert found.parameters["line.p_success"] == pytest.approx(brightest, rel=1e-5)
    slope = -0.9 * 0.8 * 3 / 4 * 40e-9  # of the fidelity by the rate
    assert found.best.tuned is not None
    assert found.best.tuned.multipliers["fidelity"] == pytest.approx(-1 / slope, rel=1e-4)


def test_an_optimum_of_it_is_reported(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "line.toml").write_text(BRIGHT)
    assert run(["optimise", "line.toml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["best"]["tree"] is None and found["num_trees"] is None and found["feasible"]
    page = next(tmp_path.rglob("report.html")).read_text()
    assert "line.p_success" in page and "Schedule:" not in page and "Best schedule" not in page
    assert "PLOB" not in page
    assert run(["optimise", "line.toml"]) == 0
    said = capsys.readouterr().out
    assert "best settings" in said and "schedule" not in said and "PLOB" not in said and "\n\n\n" not in said
    assert run(["optimise", "line.toml", "--front", "rate,fidelity", "--out", "front"]) == 0
    *rows, said = capsys.readouterr().out.splitlines()[1:]
    assert len(rows) > 4 and all(row.endswith("  -") for row in rows)
    assert said.startswith("Looked for: ") and "fidelity at least 0.5" in said and "rate_hz at least" in said


def test_its_optima_are_swept():
    axes = '[sweep]\njob = "optimise"\noutputs = ["secret_key_rate_hz"]\naxes = { "line.werner" = [0.9, 0.95] }\n'
    values, reasons = SweepTask(loads(BRIGHT + axes))(np.arange(2))
    assert reasons == ["", ""]
    best = float(np.max(key_rate(np.linspace(1e-3, 0.999, 200_001))))
    assert values["secret_key_rate_hz"][0] == pytest.approx(best, rel=1e-9)
    assert values["best_line.p_success"][1] > values["best_line.p_success"][0]


CHAIN = "[chain]\nnum_links = 1\nlink = { model = 'abstract', p_success = 0.5, attempt_time_s = 1.0, werner = 0.9 }\n"


NO_TREE = "schedule.tree: is missing; add `tree = ...`, or search for one with `[optimise] search = {}`"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("schema = 1\n", ["chain: is missing; add the table [chain] or [network] or [line] or [overpass]", NO_TREE]),
        (
            LINE + CHAIN,
            ["line: [chain] and [line] are given, but a file is about one of them; remove the other", NO_TREE],
        ),
        (
            LINE + "[schedule]\ntree = '0'\n",
            ["schedule: is for roots that are joined step by step, and [line] is not; remove it"],
        ),
        (
            LINE + "[application]\nmodel = 'teleportation'\n",
            ["application.model: uses pairs of [chain] or [network], but this file is about [line]"],
        ),
        (
            LINE + "[optimise]\nsearch = {}\n",
            ["optimise.search: is for schedules, and [line] has none; leave it out"],
        ),
    ],
    ids=["none", "two", "schedule", "application", "search"],
)
def test_wrong_roots_say_so(text, messages):
    with pytest.raises(ProblemError) as raised:
        loads(text)
    assert raised.value.errors == messages


def test_the_schema_asks_for_one_root():
    assert Config.model_json_schema(by_alias=True)["oneOf"] == [
        {"required": [key]} for key in ("chain", "network", "line", "overpass")
    ]
