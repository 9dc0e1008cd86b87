"""Kills at random instants of creation, sweep, merge, export and report: afterwards everything is as after quiet runs."""

import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qtn.sweeps.run import run_shard
from qtn.sweeps.store import create
from tests.sweeps.stores import answers, layout

ROOT = Path(__file__).parents[2]

FORKS = """
import os, signal, sys, time
from pathlib import Path
from qtn.report.sweep_page import write_sweep_report
from qtn.sweeps.dataset import open_dataset
from qtn.sweeps.export import export_store
from qtn.sweeps.merge import merge_stores
from qtn.sweeps.run import run_shard
from qtn.sweeps.store import create, open_or_create
from tests.sweeps.stores import answers, layout
import matplotlib.pyplot

def creation(folder): create(folder / "out.zarr", layout(batch=1))
def sweep(folder): run_shard(open_or_create(folder / "out.zarr", layout(batch=2)), answers)
def merge(folder): merge_stores([folder / "a.zarr", folder / "b.zarr"], folder / "out.zarr")
def export(folder): export_store(folder / "a.zarr", folder / "out.csv")
def netcdf(folder): export_store(folder / "a.zarr", folder / "out.nc")
def report(folder): write_sweep_report(open_dataset(folder / "a.zarr"), folder / "out.html")

for line in sys.stdin:
    kind, folder, seconds = line.rstrip("\\n").split("\\t")
    began, child = time.monotonic(), os.fork()
    if not child:
        try:
            globals()[kind](Path(folder))
            os._exit(0)
        finally:
            os._exit(1)
    if float(seconds) >= 0:
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), time.monotonic() - began, flush=True)
"""
KINDS = {
    "creation": "out.zarr",
    "sweep": "out.zarr",
    "merge": "out.zarr",
    "export": "out.csv",
    "netcdf": "out.nc",
    "report": "out.html",
}


@pytest.fixture(scope="module")
def forks():
    """A process that has imported all it needs; each line starts a child of it, which is killed after a while."""
    process = subprocess.Popen(
        [sys.executable, "-c", FORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdin is not None and process.stdout is not None

    def run(kind, folder, seconds=-1.0):
        process.stdin.write(f"{kind}\t{folder}\t{seconds}\n")
        process.stdin.flush()
        code, took = process.stdout.readline().split()
        return int(code), float(took)

    yield run
    process.communicate()


def contents(path):
    """Return every file below a folder, byte by byte."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def prepared(folder):
    """Return a folder with two stores of one sweep, and what is in it."""
    folder.mkdir()
    for name, shard in (("a.zarr", (0, 2)), ("b.zarr", (1, 2))):
        run_shard(create(folder / name, layout(batch=2)), answers, shard=shard)
    return contents(folder)


@pytest.mark.multiproc
@pytest.mark.parametrize("times", [3, pytest.param(30, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_kills_lose_nothing_and_leave_nothing(forks, tmp_path, kind, times):
    draw, name = random.Random(times), KINDS[kind]
    sources = prepared(tmp_path / "quiet")
    code, seconds = forks(kind, tmp_path / "quiet")
    assert code == 0
    right = contents(tmp_path / "quiet")
    folder, killed = tmp_path / "loud", 0
    prepared(folder)
    while killed < times:
        code, _ = forks(kind, folder, draw.uniform(0.0, seconds))
        assert code in (0, -signal.SIGKILL)
        killed += code == -signal.SIGKILL
        seconds *= 1.0 if code else 0.9  # it ended before the kill
        found, out = contents(folder), folder / name
        assert {key: found.get(key) for key in sources} == sources, "what was there before"
        if kind == "creation" or kind == "merge":
            assert not out.exists() or contents(out) == contents(tmp_path / "quiet" / name), "whole or not there"
            shutil.rmtree(out, ignore_errors=True)
        elif kind != "sweep":
            assert not out.exists() or out.read_bytes() == (tmp_path / "quiet" / name).read_bytes()
    assert forks(kind, folder)[0] == 0
    assert contents(folder) == right
    assert sorted(each.name for each in folder.iterdir()) == ["a.zarr", "b.zarr", name]
