"""Ctrl-C: one closing line says what is kept and how to go on, and the process ends without an abort."""

import contextlib
import gc
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from qtn.cli.app import run
from qtn.problem.sweep import SweepTask
from qtn.sweeps.dataset import open_dataset
from qtn.sweeps.run import FIRST, stop_on_signals
from tests.problems import SWEPT

PROBLEM = SWEPT % 100 + '[optimise]\nparameters = ["chain.link.werner"]\n'


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(PROBLEM)
    return "p.toml"


@pytest.fixture(autouse=True)
def _as_in_the_foreground():
    """Shells ignore Ctrl-C for what they start in the background, these tests too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def last_line(capsys):
    return capsys.readouterr().err.splitlines()[-1]


def interrupted_at(monkeypatch, point):
    """Let Ctrl-C come when a point is computed; the others take no time."""

    def compute(self, index):
        if point in index:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        columns = {column.name: np.asarray(index, float) for column in self.job.columns}
        return columns, [""] * index.size

    monkeypatch.setattr(SweepTask, "__call__", compute)


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (0, "R.zarr holds no points yet; the same command starts again"),
        (FIRST, f"R.zarr keeps {FIRST} of 100 points; the same command with --resume goes on"),
        (40, "R.zarr keeps 40 of 100 points; the same command with --resume goes on"),
    ],
)
def test_a_sweep_says_what_it_keeps(file, capsys, monkeypatch, point, words):
    interrupted_at(monkeypatch, point)
    arguments = ["sweep", file, "--out", "R.zarr", "--batch", "40"]
    assert run(arguments) == 130
    told = capsys.readouterr().err
    assert told.splitlines()[-1] == f"qtn: interrupted: {words}"
    assert told.count("interrupted") == 1
    assert "Traceback" not in told
    interrupted_at(monkeypatch, -1)
    assert run([*arguments, *(["--resume"] if point else [])]) == 0, "what the line says works"
    np.testing.assert_array_equal(open_dataset("R.zarr")["fidelity"].values, np.arange(100.0))


def interrupt_and_wait(*_):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1)


def caught_by_a_library():
    with contextlib.suppress(KeyboardInterrupt):
        interrupt_and_wait()


def dropped_by_the_garbage_collector():
    gc.callbacks.append(interrupt_and_wait)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(interrupt_and_wait)


@pytest.mark.parametrize("lose", [caught_by_a_library, dropped_by_the_garbage_collector])
def test_an_interrupt_that_is_lost_ends_the_run_after_the_chunk(file, capsys, monkeypatch, lose):
    def compute(self, index):
        lose()
        return {column.name: np.asarray(index, float) for column in self.job.columns}, [""] * index.size

    dropped = []
    monkeypatch.setattr(sys, "unraisablehook", dropped.append)
    monkeypatch.setattr(SweepTask, "__call__", compute)
    assert run(["sweep", file, "--out", "R.zarr", "--batch", "20"]) == 130
    assert (
        last_line(capsys) == "qtn: interrupted: R.zarr keeps 20 of 100 points; the same command with --resume goes on"
    )
    assert not dropped


def test_the_handler_is_given_back():
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals() as stop, pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    assert stop()
    assert signal.getsignal(signal.SIGINT) == before


def test_an_interrupt_after_the_last_point_changes_nothing(file, capsys, monkeypatch):
    def summary(*_):
        os.kill(os.getpid(), signal.SIGINT)
        return "all of them"

    interrupted_at(monkeypatch, -1)
    monkeypatch.setattr("qtn.cli.watch_sweep.WatchSweep.summary", summary)
    assert run(["sweep", file, "--out", "R.zarr", "--batch", "50"]) == 0
    assert capsys.readouterr().out == "all of them\n"


def test_an_interrupt_while_python_ends_changes_nothing(file):
    """After the command, Python waits for what was registered to run at its end, and takes modules apart."""
    late = "import atexit, os, signal, sys; sys.argv[0] = 'qtn'\n"
    late += "atexit.register(os.kill, os.getpid(), signal.SIGINT)\nfrom qtn.cli import main\nmain()"
    ended = subprocess.run([sys.executable, "-c", late, "check", "p.toml"], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert not ended.stderr


def test_a_job_in_the_background_is_not_interrupted():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_on_signals() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
        assert not stop()
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_word_compiling_comes_before_the_first_points_and_only_then(file, capsys, monkeypatch):
    interrupted_at(monkeypatch, -1)
    arguments = ["sweep", file, "--out", "R.zarr", "--batch", "50"]
    assert run(arguments) == 0
    told = capsys.readouterr().err.splitlines()
    place = told.index("qtn: compiling; the first points take longest")
    assert [line.split(" points")[0] for line in told[place + 1 :]] == [f"{FIRST} of 100", "50 of 100", "100 of 100"]
    assert run([*arguments, "--resume"]) == 0
    assert "compiling" not in capsys.readouterr().err


@pytest.mark.parametrize("checkpoint", [False, True], ids=["alone", "checkpoint"])
@pytest.mark.parametrize("best", [False, True], ids=["early", "best so far"])
def test_optimise_says_what_it_keeps(file, capsys, monkeypatch, checkpoint, best):
    def ended(*_, **__):
        if not best:
            raise KeyboardInterrupt
        return True

    monkeypatch.setattr("qtn.cli.optimise.optimise_and_report", ended)
    assert run(["optimise", file, "--out", "saved", *(["--checkpoint", "kept"] if checkpoint else [])]) == 130
    found = "kept keeps what was found" if checkpoint else "nothing is kept"
    kept = "saved holds the best so far" if best else found
    again = "the same command goes on" if checkpoint else "with --checkpoint FOLDER the same command could go on"
    assert last_line(capsys) == f"qtn: interrupted: {kept}; {again}"


@pytest.mark.parametrize(
    "command", [["evaluate", "p.toml"], ["merge", "a.zarr", "--out", "b.zarr"]], ids=lambda each: each[0]
)
def test_other_commands_close_with_one_line(file, capsys, monkeypatch, command):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("qtn.problem.evaluation.evaluated", interrupt)
    monkeypatch.setattr("qtn.sweeps.merge.merge_stores", interrupt)
    assert run(command) == 130
    assert last_line(capsys) == "qtn: interrupted"


BAD = (
    "Traceback",
    "pure virtual",
    "terminate called",
    "Aborted",
    "Segmentation",
    "Fatal Python error",
    "Exception ignored",
)


@pytest.mark.multiproc
@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_process_never_aborts(file, tmp_path, times):
    draw = random.Random(times)
    command = [sys.executable, "-m", "qtn", "sweep", "p.toml", "--out", "R.zarr", "--batch", "10", "--resume"]
    for turn in range(times):
        process = subprocess.Popen(
            [*command, "--set", f"chain.link.p_success={0.1 + 0.001 * turn}"],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        told = []
        for line in process.stderr:
            told.append(line)
            if "compiling" in line:
                break
        time.sleep(draw.uniform(0.0, 1.0))
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=120)[1]
        assert process.returncode in (0, 130), rest
        assert not any(word in rest for word in BAD), rest
        if process.returncode == 130:
            assert rest.splitlines()[-1].startswith("qtn: interrupted: R.zarr "), rest
        subprocess.run(["rm", "-rf", str(tmp_path / "R.zarr")], check=True)
