"""Text from outside: no control character is printed or written into a script, and nothing is echoed at length."""

import contextlib
import io
import itertools
import re
import shutil
import subprocess
import sys

import pytest
import typer

from qtn import _text
from qtn.cli.app import app, run
from qtn.cli.sweep import status_text
from qtn.problem.load import loads
from qtn.problem.messages import ProblemError
from qtn.sweeps.export import export_store
from qtn.sweeps.layout import Column, Layout
from qtn.sweeps.run import run_shard
from qtn.sweeps.slurm import job_script
from qtn.sweeps.spec import grid
from qtn.sweeps.status import status_of
from qtn.sweeps.store import create
from tests.problems import SWEPT

PROBLEM = SWEPT % 12
CONTROLS = ["\n", "\r", "\t", "\x00", "\x1b", "\x7f", "\x9b", "\u2028", "\u202e", "\udcff"]


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(PROBLEM)
    return "p.toml"


def options():
    """Return every text that a command takes: (command, its other arguments, the option or None)."""
    with contextlib.redirect_stdout(io.StringIO()):
        run(["--help"])  # registers the commands
    for name, command in sorted(typer.main.get_command(app).commands.items()):  # pyright: ignore
        needed = [p for p in command.params if p.required]
        fill = {p.name: [] if p.param_type_name == "argument" else [p.opts[0]] for p in needed}
        for parameter in command.params:
            if getattr(parameter, "is_flag", False) or "--help" in parameter.opts:
                continue
            others = [[*fill[p.name], "2" if p.name == "array" else "p.toml"] for p in needed if p is not parameter]
            option = None if parameter.param_type_name == "argument" else parameter.opts[0]
            yield pytest.param(name, [*itertools.chain(*others)], option, id=f"{name} {option or parameter.name}")


OPTIONS = list(options())


@pytest.mark.parametrize(("command", "others", "option"), OPTIONS)
def test_control_characters_are_refused_wherever_a_text_is_given(file, capsys, command, others, option):
    for control in CONTROLS if command == "slurm" else CONTROLS[:1]:
        text = f"x{control}touch y"
        assert run([command, *others, *([option] if option else []), text]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        own = option or r"argument \d+"
        assert re.fullmatch(rf"{own}: must not hold control characters, but is ['\"].*['\"]\n", output.err)
        assert control not in output.err.strip("\n")
        if option:
            assert run([command, *others, f"{option}={text}"]) == 2
            assert capsys.readouterr().err.startswith(f"{option}: must not hold control characters")


LONG = ["x" * 5000, "x y " * 1250, "'" * 5000, "é" * 5000, "." * 5000, "1" * 5000, "a=" * 2500]


@pytest.mark.parametrize(("command", "others", "option"), OPTIONS)
def test_echoed_text_is_cut(file, capsys, monkeypatch, command, others, option):
    monkeypatch.setattr("qtn.cli.submit.submit_shards", lambda *_, **__: 1 / 0)
    for long in LONG if option not in PATHS else LONG[:1]:
        run([command, *others, *([option] if option else []), long])
        told = capsys.readouterr().err
        assert long[: _text.MOST + 10] not in told, (option, long[:10])


PATHS = (None, "--out", "--logs", "--checkpoint", "--noise")

FILES = {
    "key": f'"{LONG[0]}" = 1\n' + PROBLEM,
    "spaced key": f'"{LONG[1]}" = 1\n' + PROBLEM,
    "deep key": PROBLEM.replace("[schedule]", f'[chain."{LONG[1]}"]\n[schedule]'),
    "model": PROBLEM.replace('"abstract"', f'"{LONG[1]}"'),
    "number": PROBLEM.replace("0.97", f'"{LONG[1]}"'),
    "tree": PROBLEM.replace("swap(0, 1)", LONG[1]),
    "distill": PROBLEM.replace("[sweep]", f'distill = "{LONG[1]}"\n[sweep]'),
    "preset": PROBLEM.replace("werner = 0.97", f'preset = "{LONG[1]}"'),
    "output": PROBLEM.replace("fidelity", LONG[1]),
    "axis": PROBLEM.replace("chain.link.werner", LONG[1]),
    "value": PROBLEM.replace("{ start = 0.9, stop = 1.0, num = 12 }", f'["{LONG[1]}"]'),
    "limit": PROBLEM + f'[optimise]\nparameters = ["chain"]\nminimum = {{ "{LONG[1]}" = 1 }}\n',
    "unreadable axis": PROBLEM + f'"{LONG[1]}" = {{ start = 0, stop = 1, num = 2, scale = "log" }}\n',
    "argument of a step": PROBLEM.replace("swap(0, 1)", f"swap(0, 1, {LONG[0]}=1)"),
    "parameter": PROBLEM + f'[optimise]\nparameters = ["{LONG[1]}"]\n',
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_what_a_file_holds_is_cut(tmp_path, capsys, text):
    (tmp_path / "p.toml").write_text(text)
    assert run(["sweep", str(tmp_path / "p.toml"), "--out", str(tmp_path / "R.zarr")]) == 2
    told = capsys.readouterr().err
    assert told
    assert not any(long[: _text.MOST + 10] in told for long in LONG)


PROGRAM = 'OPENQASM 3; include "stdgates.inc"; input float a; qubit q; rx(a) q;'


@pytest.mark.parametrize(
    ("more", "noise"),
    [
        (["--input", f"{LONG[1]}=1", "--input", "a=1"], ""),
        (["--observable", LONG[1], "--input", "a=1"], ""),
        (["--noise", "n.toml", "--input", "a=1"], f'[gates]\n"{LONG[1]}" = {{ model = "depolarising", p = 0.1 }}\n'),
        (["--noise", "n.toml", "--input", "a=1"], f'[qubits]\n"{LONG[1]}" = {{ model = "depolarising", p = 0.1 }}\n'),
        (["--noise", "n.toml", "--input", "a=1"], f'"{LONG[1]}" = 1\n'),
    ],
    ids=["input", "observable", "gate", "qubit", "key"],
)
def test_what_a_program_is_given_is_cut(file, tmp_path, capsys, more, noise):
    pytest.importorskip("openqasm3")
    (tmp_path / "a.qasm").write_text(PROGRAM)
    (tmp_path / "n.toml").write_text(noise)
    assert run(["circuit", "a.qasm", *more]) == 2
    told = capsys.readouterr().err
    assert LONG[1][:100] in told
    assert LONG[1][: _text.MOST + 10] not in told


def test_what_a_file_holds_moves_no_terminal():
    key = '"\\u001b[2J" = 1\n"a\\nb" = 2\n' + PROBLEM
    with pytest.raises(ProblemError) as told:
        loads(key)
    assert str(told.value).splitlines() == [
        "problem: \\x1b[2J: is an unknown key; known here: " + str(told.value).splitlines()[0].split("known here: ")[1],
        "problem: a\\nb: is an unknown key; known here: " + str(told.value).splitlines()[0].split("known here: ")[1],
    ]


def test_what_a_store_holds_moves_no_terminal(tmp_path):
    facts = (("title", "\x1b[2Jfake\nRUN.zarr: done"), ("job", "\x07"))
    planned = Layout(grid({"x": [1.0, 2.0]}), (Column("y"),), 2, "{}", None, facts)
    run_shard(create(tmp_path / "R.zarr", planned), lambda i: ({"y": i + 0.5}, ["", "no \x1b[31mpair"]))
    told = status_text(status_of(tmp_path / "R.zarr"))
    assert not _text.CONTROL.search(told.replace("\n", ""))
    assert "\\x1b[2Jfake\\nRUN.zarr: done" in told
    assert "1 x no \\x1b[31mpair" in told


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (dict(out="R\ntouch y"), "--out"),
        (dict(partition="gpu\n#SBATCH --nodelist=a"), "--partition: must not hold"),
        (dict(account="me\ntouch y"), "--account: must not hold"),
        (dict(partition="gpu --nodelist=a"), "--partition: must be one word without quotes"),
        (dict(account="me'"), "--account: must be one word"),
        (dict(title="Sweep of p\ntouch y.toml"), "FILE"),
        (dict(logs="logs\ntouch y"), "--logs"),
        (dict(setup=["module load a\ntouch y"]), "--setup"),
        (dict(command=["qtn\n"]), "the command"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_no_text_breaks_out_of_a_script(more, words):
    chosen = dict(out="R.zarr", title="t", name="n", array=2, time="1:00:00") | more
    with pytest.raises(ValueError, match=words):
        job_script(["p.toml"], **chosen)


@pytest.mark.multiproc
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_script_makes_its_logs_and_runs_nothing_that_it_is_given(tmp_path):
    odd = "run; touch y $(touch y) `touch y` 'a\" .zarr"
    (tmp_path / "stub.py").write_text("import sys; print(sys.argv[1:])")
    text = job_script(
        ["p.toml", "--out", odd], odd, title=odd, name=odd, array=2, time="1:00:00", logs="my logs",
        command=[sys.executable, "stub.py"],
    )  # fmt: skip
    (tmp_path / "a.job").write_text(text)
    environment = {"PATH": "/usr/bin:/bin", "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_JOB_ID": "7"}
    for _ in range(2):  # back in the queue it goes on in the same log
        done = subprocess.run(["bash", "a.job"], cwd=tmp_path, env=environment, capture_output=True, check=True)
        assert (done.stdout, done.stderr) == (b"", b"")
    told = (tmp_path / "my logs" / "7_1.log").read_text().splitlines()
    assert told == [str(["sweep", "p.toml", "--out", odd, "--shard", "1/2", "--resume"])] * 2
    assert not (tmp_path / "y").exists()
    head = text.split("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in head)


@pytest.mark.parametrize("command", ["slurm", "submit"])
@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--array", "0"], "--array: must be from 1 to 1500 tasks, but is 0"),
        (["--array", "-1"], "--array: must be from 1 to 1500 tasks, but is -1"),
        (["--array", "1501"], "--array: must be from 1 to 1500 tasks, but is 1501"),
        (["--array", "13"], "13 tasks are more than the 12 points of the sweep; ask for fewer tasks"),
        (
            ["--array", "5", "--batch", "3"],
            "5 tasks are more than the 4 chunks of 3 points; ask for fewer tasks, or lower",
        ),
    ],
    ids=["none", "negative", "many", "points", "chunks"],
)
def test_the_limits_of_an_array_agree(file, capsys, command, more, words):
    assert run([command, file, *more]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("array", [5, 7, 12])
def test_every_task_has_a_chunk(file, capsys, array):
    from qtn.problem.sweep import SweepTask

    assert run(["slurm", file, "--array", str(array)]) == 0
    planned = SweepTask(loads(PROBLEM)).layout(num_shards=array)
    assert all(len(planned.shard_chunks(i, array)) > 0 for i in range(array))


def test_no_cell_of_an_export_is_executed(tmp_path):
    names = ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\uff1d1", "fine", "a=b"]
    planned = Layout(grid({"name": names, "x": [-1.5]}), (Column("=y"),), 9, "{}")
    run_shard(create(tmp_path / "R.zarr", planned), lambda i: ({"=y": -i - 0.5}, ["=cmd|' /C calc'!A0"] + [""] * 8))
    lines = export_store(tmp_path / "R.zarr", tmp_path / "R.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "index,name,x,'=y,done,reason"
    assert lines[1] == "0,'=1+1,-1.5,-0.5,2,'=cmd|' /C calc'!A0"
    told = [line.split(",")[1] for line in lines[1:]]
    assert told == ["'=1+1", "'+1", "'-1", "'@x", "'\t=1", "' =1", "'\uff1d1", "fine", "a=b"]
