"""What may be lost while stores are made, merged and exported: nothing that was there, and no halves are left."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qtn.sweeps.export import export_store
from qtn.sweeps.merge import merge_stores
from qtn.sweeps.store import StoreError, WriteError, create, open_store
from tests.sweeps.stores import TOTAL, computed, layout

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "RUN.zarr"


def files(path):
    """Return every file below a folder, byte by byte."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder that holds 512 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    arguments = ["mount", "-o", "size=512k", "-t", "tmpfs", "tmpfs", str(folder)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"file systems cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


CREATE = """
import sys
from qtn.sweeps.store import WriteError, create
from tests.sweeps.stores import layout
try:
    create(sys.argv[1], layout(batch=1, axes={"x": {"start": 0.0, "stop": 1.0, "num": 300}}))
except WriteError as error:
    print(error)
"""


@pytest.mark.multiproc
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a file system")
def test_a_disk_that_fills_while_a_store_is_made_leaves_nothing(small_disk):
    arguments = [sys.executable, "-c", CREATE, str(small_disk / "RUN.zarr")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=ROOT)
    assert (
        done.stdout
        == f"{small_disk}/RUN.zarr: cannot be written: the disk is full; free some space, then go on with --resume\n"
    )
    assert done.stderr == "", "no traceback of another thread"
    assert list(small_disk.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize("kind", ["merge", "csv", "nc"])
def test_a_disk_that_fills_during_a_merge_or_an_export(small_disk, path, kind):
    store = computed(path, batch=1, index=tuple(range(TOTAL))[::-1])
    before, full = files(path), 500_000 if kind != "merge" else 200_000
    (small_disk / "filler").write_bytes(bytes(full))
    (small_disk / "out.csv").write_text("old")
    if kind == "merge":
        with pytest.raises(
            WriteError, match=r"M\.zarr: cannot be written: the disk is full; free some space, then merge again$"
        ):
            merge_stores([path], small_disk / "M.zarr")
    else:
        (small_disk / "rest").write_bytes(bytes(small_disk_left(small_disk)))
        with pytest.raises(ValueError, match="cannot be written: No space left"):
            export_store(path, small_disk / f"out.{kind}")
    assert (small_disk / "out.csv").read_text() == "old"
    assert {file.name for file in small_disk.iterdir()} <= {"filler", "out.csv", "rest"}
    assert files(path) == before
    assert store.done().all()


def small_disk_left(folder):
    """Return how many bytes a file may have there."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def test_a_merge_that_fails_leaves_no_store(path, tmp_path, monkeypatch):
    computed(tmp_path / "a.zarr", shard=(0, 2))
    store = computed(tmp_path / "b.zarr", shard=(1, 2))
    file = store.chunk_file("square", 7)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"b\.zarr: chunk 7 of `square` is corrupted"):
        merge_stores([tmp_path / "a.zarr", tmp_path / "b.zarr"], path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.zarr", "b.zarr"]


def test_a_merge_never_advises_to_resume(path, tmp_path):
    computed(tmp_path / "a.zarr")
    path.symlink_to(tmp_path / "nowhere")
    for out in (tmp_path / "a.zarr", path):
        with pytest.raises(StoreError, match=r"exists already; name another store$"):
            merge_stores([tmp_path / "a.zarr"], out)


def test_an_export_follows_no_link(path, tmp_path):
    computed(path)
    (tmp_path / "victim").write_text("precious")
    for name in ("out.csv", "out.csv.partial"):
        (tmp_path / name).symlink_to(tmp_path / "victim")
    export_store(path, tmp_path / "out.csv")
    assert (tmp_path / "victim").read_text() == "precious"
    assert (tmp_path / "out.csv").read_text().startswith("index,x,name")


def test_a_new_store_holds_what_zarr_writes_on_a_disk(path, tmp_path):
    """Made in memory first, byte by byte the same."""
    import zarr

    from qtn.sweeps.store import _make_arrays

    planned = layout(batch=7, index=tuple(range(TOTAL))[::-1])
    create(path, planned)
    group = zarr.create_group(tmp_path / "plain.zarr", zarr_format=3, attributes=planned.attributes())
    _make_arrays(group, planned)
    assert files(path) == files(tmp_path / "plain.zarr")
    np.testing.assert_array_equal(open_store(path).read("index", 0), [59, 58, 57, 56, 55, 54, 53])
