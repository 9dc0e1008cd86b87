"""`qtn sweep` and its companions as a user meets them: output, exit codes, signals, no traceback."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time

import pytest
import typer

from qtn.cli.app import app, run
from qtn.sweeps.dataset import open_dataset
from qtn.sweeps.store import WriteError

PROBLEM = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.1, attempt_time_s = 1e-3, werner = 0.97 }
node = { memory = { model = "t1t2", t1_s = 1.0, t2_s = 0.5 }, swap = { p_success = 0.5 } }
[schedule]
tree = "swap(0, 1, cutoff_time=0.02)"
[time]
step_s = 1e-3
num_steps = 1024
[sweep]
outputs = ["fidelity"]
[sweep.axes]
"chain.node.memory.t2_s" = [0.5, 1.0, 3.0]
"chain.link.werner" = [0.9, 1.0]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a store, and two points of six that failed."""
    made = tmp_path_factory.mktemp("sweep")
    (made / "p.toml").write_text(PROBLEM)
    here = os.getcwd()
    os.chdir(made)
    try:
        assert run(["sweep", "p.toml", "--out", "RUN.zarr", "--batch", "2"]) == 0
    finally:
        os.chdir(here)
    return made


@pytest.fixture
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def test_a_finished_sweep_has_nothing_to_do(inside, capsys):
    assert run(["sweep", "p.toml", "--out", "RUN.zarr", "--resume"]) == 0
    output = capsys.readouterr()
    assert output.out == "RUN.zarr: 6 of 6 points done, 2 failed\n"
    assert "qtn: 6 points in 3 chunks of 2; the store takes at most" in output.err
    assert "6 of 6 points are stored already" in output.err
    assert "warning: 2 points failed; `qtn status RUN.zarr` says why" in output.err


def test_a_shard_tells_memory_and_progress(inside, capsys):
    assert run(["sweep", "p.toml", "--out", "S.zarr", "--batch", "2", "--shard", "0/3", "--json"]) == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert (found["total"], found["done"], found["failed"], found["stopped"]) == (2, 2, 0, False)
    assert re.search(r"2 points side by side on each of 1 devices, [\d.]+ [MG]B of working memory on each", output.err)
    assert "2 of 2 points" in output.err


def test_status(inside, capsys):
    assert run(["status", "RUN.zarr"]) == 0
    told = capsys.readouterr().out
    assert "4 of 6 points done, 2 failed, 0 to go" in told
    assert re.search(r"2 x Argument `t2` must", told)
    assert run(["status", "RUN.zarr", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failed"] == 2


def test_export_and_merge(inside, capsys):
    assert run(["export", "RUN.zarr", "out.csv"]) == 0
    assert len((inside / "out.csv").read_text().splitlines()) == 7
    assert run(["export", "RUN.zarr", "out.nc"]) == 0
    assert run(["merge", "RUN.zarr", "--out", "M.zarr"]) == 0
    assert "wrote M.zarr: 6 of 6 points done" in capsys.readouterr().out


SWEEP = ["sweep", "p.toml", "--out"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*SWEEP, "RUN.zarr"], "holds 6 points already; go on with --resume, or name another store"),
        ([*SWEEP, "RUN.zarr", "--resume", "--set", "chain.link.p_success=0.2"], "holds another configuration"),
        ([*SWEEP, "N.zarr", "--shard", "4/4"], "--shard: must be i/n with 0 <= i < n, such as 0/4, but is '4/4'"),
        ([*SWEEP, "N.zarr", "--shard", "half"], "--shard: must be i/n"),
        ([*SWEEP, "N.zarr", "--batch", "0"], "--batch: must be at least 1, but is 0"),
        (["slurm", "p.toml", "--array", "2", "--batch", "0"], "--batch: must be at least 1, but is 0"),
        (["submit", "p.toml", "--array", "2", "--cluster", "pbs"], "--cluster: must be auto, slurm or local"),
        ([*SWEEP, "N.zarr", "--device", "gpu"], "--device: a GPU was asked for, but JAX finds only cpu"),
        ([*SWEEP, "p.toml/N.zarr"], "cannot be written"),
        (["sweep", "none.toml", "--out", "N.zarr"], "there is no such file"),
        (["status", "none.zarr"], "there is no such store"),
        (["export", "RUN.zarr", "out.xls"], "must end with .csv or .nc"),
        (["merge", "RUN.zarr", "--out", "RUN.zarr"], "exists already; name another store"),
    ],
)
def test_bad_input(inside, capsys, arguments, words):
    assert run(arguments) in (1, 2)
    output = capsys.readouterr()
    assert words in output.err
    assert "Traceback" not in output.err


def test_the_batch_file_asks_for_the_chunks_that_the_user_wants(inside, capsys):
    assert run(["slurm", "p.toml", "--array", "2", "--batch", "3", "--out", "S.zarr"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if " sweep " in line)
    assert line.endswith('S.zarr --batch 3 --shard "$SLURM_ARRAY_TASK_ID/2" --resume &')


@pytest.mark.slow
def test_shards_are_submitted_to_this_machine(inside):
    arguments = ["--array", "2", "--batch", "2", "--cluster", "local", "--wait", "--out", "L.zarr"]
    done = subprocess.run([sys.executable, "-m", "qtn", "submit", "p.toml", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "submitted 6 points in 2 tasks" in done.stdout
    found = open_dataset("L.zarr")
    assert int((found["done"] == 1).sum()) == 4
    assert int((found["done"] == 2).sum()) == 2


@pytest.mark.parametrize(("number", "code"), [(28, 1), (30, 2)], ids=["full", "read-only"])
def test_what_the_disk_refuses_is_a_sentence(inside, capsys, monkeypatch, number, code):
    def refuse(*_, **__):
        raise WriteError(number, "RUN.zarr: cannot be written: because")

    monkeypatch.setattr("qtn.problem.sweep.open_sweep", refuse)
    assert run([*SWEEP, "N.zarr"]) == code
    assert capsys.readouterr().err.endswith("qtn: RUN.zarr: cannot be written: because\n")


def commands():
    return sorted(typer.main.get_command(app).commands)  # pyright: ignore


def test_every_command_has_help_with_an_example(capsys):
    run(["--help"])  # registers the commands
    for name in commands():
        assert run([name, "--help"]) == 0
        assert f"Example: qtn {name}" in " ".join(capsys.readouterr().out.split()), name
    assert len(commands()) >= 15


def test_help_is_quick():
    seconds = []
    for _ in range(3):
        before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        subprocess.run([sys.executable, "-m", "qtn", "--help"], check=True, capture_output=True)
        seconds.append(sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before)
    assert min(seconds) < 0.6, "processor time, which a busy machine does not lengthen"


def command(folder, *more):
    arguments = [sys.executable, "-m", "qtn", *SWEEP, "K.zarr", "--batch", "1", "--resume", *more]
    return subprocess.Popen(arguments, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


CORES = """
from qtn.cli.session import one_device_a_core, start
one_device_a_core()
start("cpu")
one_device_a_core()  # too late, and no harm
"""


@pytest.mark.multiproc
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not tell which cores may be used")
@pytest.mark.parametrize(("flags", "devices"), [("", None), ("--xla_force_host_platform_device_count=3", 3)])
def test_a_sweep_takes_the_cores_it_may_use(flags, devices):
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    environment.pop("JAX_NUM_CPU_DEVICES", None)
    told = subprocess.run([sys.executable, "-c", CORES], capture_output=True, text=True, check=True, env=environment)
    assert told.stderr.startswith(f"qtn: {devices or len(os.sched_getaffinity(0))} x ")


@pytest.mark.multiproc
@pytest.mark.slow
def test_a_signal_asks_for_a_requeue(inside):
    process = command(inside)
    while process.poll() is None and len(list((inside / "K.zarr" / "done" / "c").glob("*"))) < 1:
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    process.communicate()
    assert process.returncode in (0, 99), "0 if it was already at its end"
    again = command(inside)
    assert b"6 of 6 points" in again.communicate()[1]
    assert again.returncode == 0
