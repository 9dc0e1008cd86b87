"""What the command line says when a store vanishes or is in use, and when there is no room for a report."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from qtn.cli.app import run
from qtn.problem.load import load
from qtn.problem.sweep import SweepTask, open_sweep
from qtn.sweeps.claim import claimed
from tests.problems import SWEPT

PROBLEM = SWEPT % 12 + '[optimise]\nmaximise = "fidelity"\nparameters = ["chain.link.werner"]\n'


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(PROBLEM)
    return "p.toml"


def test_a_sweep_whose_store_vanishes_is_not_done(file, tmp_path, capsys, monkeypatch):
    def compute(self, index):
        if index[0] == 4:
            shutil.move("R.zarr", "S.zarr")
        return {column.name: np.asarray(index, float) for column in self.job.columns}, [""] * index.size

    monkeypatch.setattr(SweepTask, "__call__", compute)
    assert run(["sweep", file, "--out", "R.zarr", "--batch", "4"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines()[-1].startswith("qtn: R.zarr: was moved, deleted or replaced during the sweep;")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["S.zarr", "p.toml"]


def test_a_sweep_in_use_is_told(file, capsys):
    store = open_sweep(SweepTask(load(file)), "R.zarr")
    with claimed(store, range(1), "it"):
        assert run(["sweep", file, "--out", "R.zarr"]) == 2
    assert "R.zarr: this sweep is being computed by another process; wait for it" in capsys.readouterr().err


def test_an_answer_is_printed_though_its_report_finds_no_room(file, tmp_path, capsys, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    done = {"optimise": SimpleNamespace(interrupted=False), "content_of": None, "text": "fidelity = 1"}
    for name, answer in done.items():
        monkeypatch.setattr(f"qtn.cli.optimise.{name}", lambda *_, answer=answer, **__: answer)
    monkeypatch.setattr("qtn.cli.optimise.write", refuse)
    assert run(["optimise", file, "--out", "out"]) == 2
    output = capsys.readouterr()
    assert output.out == "fidelity = 1\n"
    assert output.err.splitlines()[-1] == "--out: out cannot be written: No space left on device"
