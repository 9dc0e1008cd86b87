"""The batch file for SLURM: what is in it, what it does on a signal, what is refused."""

import shutil
import signal
import subprocess
import sys
import time

import pytest

from qtn.cli.app import run
from qtn.sweeps.slurm import job_script, limit_seconds
from tests.problems import SWEPT

PROBLEM = SWEPT % 12


def script(**more):
    chosen = dict(title="Sweep of p.toml", name="qtn p", array=64, time="2:00:00")
    return job_script(["p.toml", "--out", "my run.zarr"], "my run.zarr", **{**chosen, **more})


def test_the_file_can_be_read_and_edited():
    text = script(gpus=1, memory="16G", partition="gpu", account="me", setup=["module load cuda"])
    for line in (
        "#SBATCH --array=0-63",
        "#SBATCH --time=2:00:00",
        "#SBATCH --gpus=1",
        "#SBATCH --mem=16G",
        "#SBATCH --partition=gpu",
        "#SBATCH --account=me",
        "#SBATCH --signal=B:USR1@300",
        "#SBATCH --job-name=qtn-p",
        "module load cuda",
        """"${qtn[@]}" sweep p.toml --out 'my run.zarr' --shard "$SLURM_ARRAY_TASK_ID/64" --resume &""",
    ):
        assert line in text.splitlines(), line
    head = text.splitlines()[: text.splitlines().index("#SBATCH --signal=B:USR1@300")]
    assert all(line.startswith("#") for line in head), "SLURM stops to read at the first command"


def test_short_limits_have_short_warnings():
    assert "USR1@30\n" in script(time="0:01:00")


@pytest.mark.parametrize(
    ("time", "seconds"), [("2:00:00", 7200), ("1-00:00", 86400), ("2-1:30:05", 178205), ("0:05", 300)]
)
def test_times(time, seconds):
    assert limit_seconds(time) == seconds


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (dict(time="90"), "--time: must be hours:minutes:seconds.*but is '90'"),
        (dict(time="0:00:30"), "at least a minute"),
        (dict(array=0), "--array: must be from 1 to 1500 tasks, but is 0"),
        (dict(array=4000), "one task takes as many points as you like"),
        (dict(gpus=-1), "--gpus, --cpus"),
        (dict(memory="lots"), "--memory: must be a whole number with K, M, G or T, such as 16G, but is 'lots'"),
    ],
    ids=["time", "short", "none", "many", "gpus", "memory"],
)
def test_what_slurm_would_refuse(more, words):
    with pytest.raises(ValueError, match=words):
        script(**more)


STUB = """
import signal, sys, time
told = []
signal.signal(signal.SIGUSR1, lambda *_: told.append(1))
open("ready", "w").close()
for _ in range(600):
    time.sleep(0.1)
    if told:
        time.sleep(0.5)  # the chunk in flight
        open("chunk", "w").close()
        sys.exit(99)
"""


@pytest.mark.multiproc
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("ending", ["stopped", "finished", "failed"])
def test_the_file_requeues_only_what_was_stopped(tmp_path, ending):
    code = {"stopped": STUB, "finished": "", "failed": "import sys; sys.exit(2)"}[ending]
    (tmp_path / "stub.py").write_text(code)
    (tmp_path / "scontrol").write_text('#!/bin/sh\necho "$@" > requeued\n')
    (tmp_path / "scontrol").chmod(0o755)
    (tmp_path / "a.job").write_text(script(command=[sys.executable, "stub.py"]))
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_JOB_ID": "7"}
    process = subprocess.Popen(["bash", "a.job"], cwd=tmp_path, env=environment)
    if ending == "stopped":
        while not (tmp_path / "ready").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGUSR1)
    assert process.wait(30) == {"stopped": 99, "finished": 0, "failed": 2}[ending]
    assert (tmp_path / "chunk").exists() == (ending == "stopped")
    if ending == "stopped":
        assert (tmp_path / "requeued").read_text() == "requeue 7_3\n"
    else:
        assert not (tmp_path / "requeued").exists()


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(PROBLEM)
    assert run(["slurm", "p.toml", "--array", "4", "--time", "2:00:00", "--gpus", "1"]) == 0
    text = capsys.readouterr().out
    assert "# Sweep of p.toml, 12 points, in 4 independent tasks" in text
    assert "--device gpu" in text
    assert run(["slurm", "p.toml", "--array", "64"]) == 2
    assert "64 tasks are more than the 12 points" in capsys.readouterr().err
    assert run(["submit", "p.toml", "--array", "2", "--cluster", "moon"]) == 2
    assert "--cluster: must be auto, slurm or local, but is 'moon'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.multiproc
def test_submit_on_this_machine(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(PROBLEM)
    assert run(["submit", "p.toml", "--array", "2", "--cluster", "local", "--wait"]) == 0
    assert "submitted 12 points in 2 tasks" in capsys.readouterr().out
    from qtn.sweeps.dataset import open_dataset

    assert int((open_dataset("RUN.zarr")["done"] == 1).sum()) == 12
