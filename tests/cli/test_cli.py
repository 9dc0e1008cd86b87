"""The command line as a user meets it: output, exit codes, no traceback."""

import json
import subprocess
import sys

import pytest

from qtn.cli.app import run
from tests.problem.files import FOUR_LINKS

TWO_LINKS = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.1, attempt_time_s = 1e-3, werner = 0.97 }
node = { memory = { model = "depolarising", time_constant_s = 0.5 }, swap = { p_success = 0.5 } }
[schedule]
tree = "swap(0, 1, cutoff_time=0.02)"
[optimise]
parameters = ["schedule.cutoff_times"]
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.toml").write_text(TWO_LINKS)
    (tmp_path / "four.toml").write_text(FOUR_LINKS)
    return "two.toml"


def test_evaluate_prints_one_json_object(file, capsys):
    assert run(["evaluate", file, "--json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["plob_rate_hz"] is None
    assert output.err.startswith("qtn: 1 x ")


def test_evaluate_for_people(file, capsys):
    assert run(["evaluate", file, "--set", "chain.link.p_success=0.2"]) == 0
    output = capsys.readouterr().out
    assert "mean waiting time" in output
    assert "bit/s" in output


def test_gradient(file, capsys):
    assert run(["gradient", file, "--of", "fidelity", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"value", "gradient", "elasticity", "gain", "edges", "ties", "multiples"}
    assert run(["gradient", file]) == 0
    assert "chain.link.p_success" in capsys.readouterr().out


def test_optimise_writes_a_report(file, tmp_path, capsys):
    assert run(["optimise", file, "--json"]) == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert set(found["best"]) == {"value", "tree", "parameters"}
    assert {"evaluations", "seconds", "status", "feasible", "limits", "sampled", "info"} <= set(found)
    page = (tmp_path / "two-report" / "report.html").read_text()
    assert page.count("<svg") == 5  # drawing, waiting time, fidelity, convergence, sensitivities
    assert "two-report" in output.err
    files = sorted(file.name for file in (tmp_path / "two-report").iterdir())
    assert files == ["best.toml", "report.html"], "no draft is left"
    assert run(["evaluate", str(tmp_path / "two-report" / "best.toml"), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["secret_key_rate_hz"] == pytest.approx(found["best"]["value"], rel=1e-9)
    assert (
        run(
            [
                "evaluate",
                file,
                "--json",
                "--set",
                f"schedule.cutoff_times.0={found['best']['parameters']['schedule.cutoff_times.0']}",
            ]
        )
        == 0
    )
    again = json.loads(capsys.readouterr().out)["secret_key_rate_hz"]
    assert again == pytest.approx(found["best"]["value"], rel=1e-9)
    assert again > 0


def test_interrupt_saves_the_best_so_far(file, tmp_path, capsys, monkeypatch):
    from qtn.planning.joined import JoinedModel

    real, calls = JoinedModel.gradients, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(JoinedModel, "gradients", interrupted)
    assert run(["optimise", file, "--out", "saved"]) == 130
    assert "Interrupted: this is the best so far" in (tmp_path / "saved" / "report.html").read_text()


def test_check_new_and_schema(file, capsys, tmp_path):
    assert run(["check", file]) == 0
    assert run(["new", "fresh.toml"]) == 0
    assert run(["check", "fresh.toml"]) == 0
    assert run(["new", "fresh.toml"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert run(["schema"]) == 0
    assert "chain" in json.loads(capsys.readouterr().out)["properties"]


def test_dry_run_prints_the_resolved_problem(file, capsys):
    assert run(["evaluate", file, "--dry-run", "--set", "merit.protocol=six_state"]) == 0
    assert json.loads(capsys.readouterr().out)["merit"]["protocol"] == "six_state"


def test_dry_run_is_json_also_with_infinite_numbers(file, capsys):
    endless = ["--set", "chain.node.memory.time_constant_s=inf"]
    assert run(["evaluate", file, "--dry-run", "--json", *endless]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    assert found["chain"]["node"]["memory"]["time_constant_s"] is None


def test_device_is_chosen_before_anything_is_computed(file, monkeypatch):
    import qtn.cli.commands as commands

    order = []
    monkeypatch.setattr(commands, "choose_device", lambda device: order.append(device))
    monkeypatch.setattr(commands, "loaded", lambda *_: order.append("loaded") or 1 / 0)
    assert run(["evaluate", file, "--device", "cpu"]) == 1
    assert order == ["cpu", "loaded"]


def test_no_home_folder_is_no_problem(file, capsys, monkeypatch):
    monkeypatch.delenv("QTN_CACHE")
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert run(["evaluate", file, "--json"]) == 0
    assert "no compilation cache" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: Out of memory")], ids=["host", "jax"]
)
def test_a_grid_beyond_memory_is_bad_input(file, capsys, monkeypatch, error):
    monkeypatch.setattr("qtn.problem.evaluation.evaluated", lambda problem: (_ for _ in ()).throw(error))
    assert run(["evaluate", file]) == 2
    assert "lower time.num_steps" in capsys.readouterr().err


def test_value_errors_of_other_packages_are_unexpected(file, capsys, monkeypatch):
    monkeypatch.setattr("qtn.problem.evaluation.evaluated", lambda problem: json.loads("{"))
    assert run(["evaluate", file]) == 1
    assert "unexpected JSONDecodeError" in capsys.readouterr().err


def test_gradient_says_when_there_is_no_key_and_warns(file, capsys):
    assert (
        run(
            [
                "gradient",
                file,
                "--set",
                "chain.link.werner=0.5",
                "--set",
                "chain.link.p_success=0.002",
                "--set",
                "time.num_steps=1024",
                "--set",
                "time.step_s=1e-3",
            ]
        )
        == 0
    )
    output = capsys.readouterr()
    assert "There is no key" in output.out
    assert "warning: The time grid" in output.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["evaluate", "missing.toml"], "there is no such file"),
        (["evaluate", "two.toml", "--set", "chain.link.p_success=1.3"], "must lie in (0, 1], but is 1.3"),
        (["evaluate", "two.toml", "--device", "tpu"], "must be auto, cpu or gpu, but is 'tpu'"),
        (["gradient", "two.toml", "--of", "luck"], "must be one of mean_time_s"),
        (["evaluate", "two.toml", "--sett", "x=1"], "--sett"),
        (["evaluate"], "FILE"),
        (["evaluate", "four.toml", "--set", "time.step_s=1.0", "--set", "chain.link.p_success=1e-9"], "TiB"),
    ],
    ids=["missing", "probability", "device", "merit", "option", "no file", "grid"],
)
def test_bad_input_exits_2_with_one_sentence(file, capsys, arguments, expected):
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert "Traceback" not in error
    assert "│" not in error


def test_tiny_success_probability_is_no_problem_without_a_step(file, capsys):
    perfect = ["--set", "chain.node.memory.time_constant_s=inf"]
    assert run(["evaluate", "four.toml", "--set", "chain.link.p_success=1e-9", "--json", *perfect]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["mean_time_s"] == pytest.approx(4431.0 * 9.2e-4 / 1e-9, rel=1e-2)


def test_short_grid_warns(file, capsys):
    assert run(["evaluate", file, "--json", "--set", "time.step_s=1e-3", "--set", "time.num_steps=40"]) == 0
    output = capsys.readouterr()
    assert "warning: The time grid" in output.err
    assert json.loads(output.out)["info"]["tail_mass"] > 1e-6


def test_unexpected_errors_exit_1_in_one_line(file, capsys, monkeypatch):
    monkeypatch.setattr("qtn.problem.evaluation.evaluated", lambda problem: 1 / 0)
    assert run(["evaluate", file]) == 1
    assert "unexpected ZeroDivisionError" in capsys.readouterr().err


def test_help_is_light():
    code = "import sys; from qtn.cli.app import run; run(['--help']); assert 'jax' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.count(b"\n") > 10


def test_out_that_is_a_file_is_refused_before_the_search(file, capsys, monkeypatch):
    monkeypatch.setattr("qtn.cli.optimise.optimise", lambda *_: pytest.fail("searched first"))
    assert run(["optimise", file, "--out", file]) == 2
    assert "--out: two.toml cannot be a folder" in capsys.readouterr().err


def test_the_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("qtn ")
