"""One shard after another, or at once, or killed: the store holds exactly what one quiet run holds."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from qtn.sweeps.run import run_shard, stop_on_signals
from qtn.sweeps.store import open_or_create, open_store
from tests.sweeps.stores import TOTAL, answers, layout

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys, time
from qtn.sweeps.run import run_shard, stop_on_signals
from qtn.sweeps.store import open_or_create
from tests.sweeps.stores import answers, layout
path, shard, pause = sys.argv[1], tuple(map(int, sys.argv[2].split("/"))), float(sys.argv[3])
def compute(index):
    time.sleep(pause)
    return answers(index)
with stop_on_signals() as stop:
    progress = run_shard(open_or_create(path, layout(batch=2)), compute, shard=shard, stop=stop)
sys.exit(99 if progress.stopped else 0)
"""


def started(path, shard="0/1", pause=0.02):
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(path), shard, str(pause)], cwd=ROOT)


def contents(path):
    """Return every file of a store below its arrays, byte by byte."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.glob("*/c/*"))}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    path = tmp_path_factory.mktemp("quiet") / "RUN.zarr"
    run_shard(open_or_create(path, layout(batch=2)), answers)
    return contents(path)


def test_a_shard_twice_changes_nothing(tmp_path, quiet):
    store = open_or_create(tmp_path / "R.zarr", layout(batch=2))
    run_shard(store, answers, shard=(1, 3))
    again = run_shard(store, answers, shard=(1, 3))
    assert (again.computed, again.finished) == (0, True)
    for shard in (0, 2):
        run_shard(store, answers, shard=(shard, 3))
    assert contents(tmp_path / "R.zarr") == quiet


def test_progress_counts_and_expects(tmp_path):
    store, seen = open_or_create(tmp_path / "R.zarr", layout(batch=20)), []
    run_shard(store, answers, report=seen.append)
    assert [p.done for p in seen] == [0, 20, 40, 60]
    assert [p.failed for p in seen] == [0, 2, 4, 5]
    assert np.isnan(seen[0].eta)
    assert seen[-1].eta == 0.0


def test_it_stops_when_asked(tmp_path):
    store, asked = open_or_create(tmp_path / "R.zarr", layout(batch=20)), []

    def stop():
        asked.append(1)
        return len(asked) > 2

    progress = run_shard(store, answers, stop=stop)
    assert (progress.stopped, progress.finished, progress.done) == (True, False, 40)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_signals_are_requests(number):
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
    assert signal.getsignal(number) == before


def killed(path, times, seed):
    """Kill a sweep at random instants until it has been killed so often or is done; then let it end."""
    draw = random.Random(seed)
    for _ in range(times):
        process = started(path)
        begun = len(list(path.glob("done/c/*")))
        deadline = time.monotonic() + 20  # wait for work, so that the kill is not wasted on the start of Python
        while process.poll() is None and len(list(path.glob("done/c/*"))) <= begun and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(draw.uniform(0.0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert started(path, pause=0.0).wait() == 0


@pytest.mark.multiproc
@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_lose_nothing(tmp_path, quiet, times):
    path = tmp_path / "R.zarr"
    killed(path, times, seed=times)
    left = list(path.glob("*/c/*.partial"))
    for file in left:  # younger than a minute, so the last run let them be
        file.unlink()
    assert contents(path) == quiet


@pytest.mark.multiproc
def test_two_shards_at_once_and_the_same_one_twice(tmp_path, quiet):
    path = tmp_path / "R.zarr"
    running = [started(path, shard, 0.0) for shard in ("0/2", "1/2", "1/2")]
    codes = [process.wait() for process in running]
    assert codes[0] == 0
    assert 0 in codes[1:], "the other one may have been told"
    assert contents(path) == quiet


@pytest.mark.multiproc
def test_a_signal_ends_it_after_the_chunk_with_99(tmp_path, quiet):
    path = tmp_path / "R.zarr"
    process = started(path, pause=0.1)
    while process.poll() is None and not list(path.glob("done/c/*")):
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    assert process.wait() == 99
    done = open_store(path).done()
    assert 0 < np.sum(done != 0) < TOTAL
    assert started(path, pause=0.0).wait() == 0
    assert contents(path) == quiet
