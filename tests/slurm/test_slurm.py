"""A real SLURM runs the batch files: all points are computed, also when the time limit comes in between."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from qtn.sweeps.dataset import open_dataset
from tests.slurm.cluster import CannotStartError, Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

ROOT = Path(__file__).parents[2]

PROBLEM = """
schema = 1
[chain]
num_links = 2
link = { model = "abstract", p_success = 0.01, attempt_time_s = 1e-3, werner = 0.97 }
node = { memory = { model = "depolarising", time_constant_s = 0.5 }, swap = { p_success = 0.5 } }
[schedule]
tree = "swap(0, 1, cutoff_time=0.05)"
[sweep]
outputs = ["secret_key_rate_hz"]
[sweep.axes]
"chain.link.werner" = { start = 0.9, stop = 1.0, num = %d }
"""
SLOW = """
schema = 1
[chain]
num_links = 4
link = { model = "abstract", p_success = 0.01, attempt_time_s = 1e-3, werner = 0.97 }
node = { memory = { model = "depolarising", time_constant_s = 0.5 }, swap = { p_success = 0.5 } }
[schedule]
tree = "swap(swap(0, 1, cutoff_time=0.05), swap(2, 3, cutoff_time=0.05))"
[time]
step_s = 1e-3
num_steps = 65536
[sweep]
job = "gradient"
outputs = ["secret_key_rate_hz"]
[sweep.axes]
"chain.link.werner" = { start = 0.9, stop = 1.0, num = %d }
"""
NUM_SLOW = 240
"""Points of a quarter to half a second: together more than the 30 s before the warning, each far less."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    try:
        made = Cluster(tmp_path_factory.mktemp("slurm"))
    except CannotStartError as reason:
        pytest.skip(f"no SLURM: {reason}")
    yield made
    made.stop()


def written(folder, text, *arguments):
    """Write a problem and the batch file that the command prints for it."""
    (folder / "problem.toml").write_text(text)
    script = cluster_command(folder, "slurm", "problem.toml", "--cpus", "1", *arguments)
    (folder / "slurm.job").write_text(script)
    return script


def cluster_command(folder, *arguments, **environment):
    """Run qtn and return what it prints."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "qtn", *arguments],
        cwd=folder,
        env={**paths(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def paths(folder):
    """Return an environment in which this qtn is found, as after an installation."""
    found = os.pathsep.join([str(ROOT), str(ROOT / "kernels")])
    return {**os.environ, "PYTHONPATH": found, "QTN_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}


def ended(cluster, job, seconds):
    """Wait until a job has ended, and return the states that were seen."""
    seen, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = cluster.state(job)
        if state and seen[-1:] != [state]:
            seen.append(state)
        if state and state <= {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"}:
            return seen
        time.sleep(1)
    raise AssertionError(f"job {job} has not ended: {seen}")


def test_an_array_computes_all_points(cluster, tmp_path):
    written(tmp_path, PROBLEM % 24, "--array", "2", "--time", "0:10:00")
    job = cluster.call("sbatch", "--parsable", "slurm.job", cwd=tmp_path, env=paths(tmp_path)).strip()
    assert ended(cluster, job, 300)[-1] == {"COMPLETED"}
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == [f"{job}_0.log", f"{job}_1.log"]
    found = open_dataset(tmp_path / "RUN.zarr")
    assert int((found["done"] == 1).sum()) == 24
    assert np.all(np.isfinite(found["secret_key_rate_hz"]))


def test_a_task_that_meets_its_time_limit_is_requeued_and_goes_on(cluster, tmp_path):
    written(tmp_path, SLOW % NUM_SLOW, "--array", "1", "--time", "0:01:00", "--batch", "2")
    job = cluster.call("sbatch", "--parsable", "slurm.job", cwd=tmp_path, env=paths(tmp_path)).strip()
    seen = ended(cluster, job, 1500)
    log = "".join(path.read_text() for path in (tmp_path / "logs").glob("*.log"))
    assert "time is up, back into the queue" in log
    assert {"PENDING"} in seen[1:], "it went back into the queue"
    assert "points are stored already" in log, "and went on"
    assert seen[-1] == {"COMPLETED"}, log
    assert int((open_dataset(tmp_path / "RUN.zarr")["done"] == 1).sum()) == NUM_SLOW


def test_submit_sends_shards_through_submitit(cluster, tmp_path):
    (tmp_path / "problem.toml").write_text(PROBLEM % 24)
    environment = {"SLURM_CONF": cluster.environment["SLURM_CONF"]}
    arguments = ["--array", "2", "--time", "0:10:00", "--cpus", "1", "--cluster", "slurm", "--wait"]
    assert "submitted 24 points in 2 tasks" in cluster_command(
        tmp_path, "submit", "problem.toml", *arguments, **environment
    )
    assert int((open_dataset(tmp_path / "RUN.zarr")["done"] == 1).sum()) == 24
