"""Reports, plots and tables that fail leave no halves, and what stood there before stays."""

import pytest

from qtn import _files
from qtn.report.front import write_front
from qtn.report.sweep_page import write_sweep_report
from qtn.report.sweep_paper import save_plot
from qtn.sweeps.dataset import open_dataset
from tests.report.stores import LENGTH, RATE, store

ROWS = [{"a": 1.0, "b": -2.0, "grid_error": 0.0, "tree": "=1+1", "parameters": {"x": 3.0}}]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return open_dataset(store(tmp_path_factory.mktemp("store") / "RUN.zarr", (LENGTH,)))


def report(found, folder):
    write_sweep_report(found, folder / "report.html")


def plot(found, folder):
    save_plot(found, folder / "report.pdf", x="length_km", y=RATE)


def front(found, folder):
    write_front("p", {"a": "a", "b": "b"}, ROWS, folder)


WRITERS = {"report": report, "plot": plot, "front": front}


@pytest.mark.parametrize("kind", WRITERS)
def test_what_fails_leaves_no_half(found, tmp_path, monkeypatch, kind):
    WRITERS[kind](found, tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    monkeypatch.setattr(_files.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises((ValueError, OSError), match="No space left"):
        WRITERS[kind](found, tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()}.keys() == before.keys()
    assert all(file.read_bytes() == before[file.name] for file in tmp_path.iterdir())


@pytest.mark.parametrize("kind", WRITERS)
def test_no_link_is_followed(found, tmp_path, kind):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "first").mkdir()
    WRITERS[kind](found, tmp_path / "first")
    for file in (tmp_path / "first").iterdir():
        for name in (file.name, f"{file.name}.partial"):
            (tmp_path / name).symlink_to(tmp_path / "victim")
    WRITERS[kind](found, tmp_path)
    assert (tmp_path / "victim").read_text() == "precious"


def test_the_table_of_a_front_executes_nothing(found, tmp_path):
    front(found, tmp_path)
    assert (tmp_path / "front.csv").read_text().splitlines() == ["a,b,grid_error,x,tree", "1.0,-2.0,0.0,3.0,'=1+1"]
