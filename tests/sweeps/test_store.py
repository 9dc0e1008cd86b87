"""Stores: what is written is read, in the right order; what is damaged, foreign or refused is said and not lost."""

import errno
import json
import os
import subprocess
import time

import numpy as np
import pytest
import xarray as xr

from qtn.sweeps import store as stores
from qtn.sweeps.dataset import open_dataset
from qtn.sweeps.export import export_store
from qtn.sweeps.layout import PENDING, canonical
from qtn.sweeps.merge import merge_stores
from qtn.sweeps.run import run_shard
from qtn.sweeps.status import status_of
from qtn.sweeps.store import StoreError, WriteError, create, open_or_create, open_store
from tests.sweeps.stores import TOTAL, answers, computed, layout


@pytest.fixture
def path(tmp_path):
    return tmp_path / "RUN.zarr"


def test_what_is_written_is_read_in_the_order_of_the_axes(path):
    backwards = tuple(range(TOTAL))[::-1]
    computed(path, index=backwards)
    found, right = open_dataset(path), answers(np.arange(TOTAL))[0]["square"]
    assert found["square"].dims == ("x", "name")
    np.testing.assert_array_equal(found["square"].values.ravel(), right)
    assert found["reason"].values.ravel()[5] == "it is the 11th"
    assert int((found["done"] == 2).sum()) == 5
    assert found["square"].attrs == {"units": "m^2", "long_name": "the square"}


def test_xarray_reads_it_without_this_library(path):
    computed(path)
    found = xr.open_zarr(path, consolidated=False)
    assert found["square"].dims == ("point",)
    assert found["square"].attrs["units"] == "m^2"
    assert found.attrs["qtn_store"] == 1


@pytest.mark.parametrize("num_shards", [1, 2, 5, 9, 20])
@pytest.mark.parametrize("batch", [1, 7, 60])
def test_shards_own_whole_chunks_each_once(num_shards, batch):
    planned = layout(batch=batch)
    owned = [chunk for i in range(num_shards) for chunk in planned.shard_chunks(i, num_shards)]
    assert owned == list(range(planned.num_chunks))


def test_an_impossible_shard():
    with pytest.raises(ValueError, match=r"needs 0 <= i < n, but is 4/4; shards are numbered from 0"):
        layout().shard_chunks(4, 4)


def test_the_mask_is_written_last(path, monkeypatch):
    store, written = create(path, layout()), []
    for name, array in store._arrays.items():
        monkeypatch.setattr(
            type(array), "__setitem__", lambda self, rows, values: written.append(self.name.strip("/")), raising=True
        )
        assert name
    store.write(0, *answers(np.arange(7)))
    assert written == ["square", "error", "reason", "done"]


def test_half_a_chunk_is_refused(path):
    store = create(path, layout())
    with pytest.raises(AssertionError, match="whole chunks"):
        store.write(0, *answers(np.arange(6)))


def test_another_configuration_is_refused(path):
    computed(path)
    with pytest.raises(StoreError, match=r"holds another configuration .* name another store, or restore the problem"):
        open_or_create(path, layout(config={"a": 2}))


def test_equal_configurations_are_equal_texts():
    assert canonical({"b": [1.0, float("inf")], "a": {"y": 1, "x": None}}) == '{"a":{"x":null,"y":1},"b":[1.0,"inf"]}'


@pytest.mark.parametrize("name", ["square", "done", "reason"])
def test_a_corrupted_chunk_is_named_and_computed_again(path, name):
    store = computed(path)
    file = store.chunk_file(name, 2)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(StoreError, match=rf"chunk 2 of `{name}` is corrupted .*--resume` computes it again"):
        open_dataset(path)
    assert status_of(path).corrupted == 1
    assert status_of(path).pending == 7
    progress = run_shard(open_store(path, write=True), answers)
    assert (progress.computed, progress.finished) == (7, True)
    np.testing.assert_array_equal(open_dataset(path)["square"].values.ravel(), answers(np.arange(TOTAL))[0]["square"])


def test_a_chunk_that_was_lost_is_computed_again(path):
    store = computed(path)
    store.chunk_file("square", 3).unlink()
    assert status_of(path).corrupted == 1
    assert run_shard(open_store(path, write=True), answers).computed == 7


def test_an_older_schema(path):
    computed(path)
    file = path / "zarr.json"
    file.write_text(file.read_text().replace('"qtn_store": 1', '"qtn_store": 0'))
    with pytest.raises(StoreError, match="has store schema 0, but this version of qtn reads schema 1"):
        open_store(path)


def no_store(path):
    return "there is no such store; `qtn sweep FILE --out"


def a_file(path):
    path.write_text("")
    return "is not a store of `qtn sweep`"


def another_group(path):
    xr.Dataset({"a": ("x", [1.0])}).to_zarr(path, zarr_format=3, consolidated=False)
    return "is a zarr group, but not a store of `qtn sweep`"


def damaged_metadata(path):
    computed(path)
    (path / "index" / "zarr.json").unlink()
    return "its metadata are damaged"


@pytest.mark.parametrize("prepare", [no_store, a_file, another_group, damaged_metadata])
def test_what_is_no_store(path, prepare):
    words = prepare(path)
    with pytest.raises(StoreError, match=words):
        open_store(path)


def test_an_existing_store_is_not_overwritten(path):
    create(path, layout())
    with pytest.raises(StoreError, match="exists already"):
        create(path, layout())
    assert [file.name for file in path.parent.iterdir()] == ["RUN.zarr"], "no draft is left"


@pytest.mark.parametrize(
    ("number", "words", "wrong_place"),
    [
        (errno.ENOSPC, "the disk is full; free some space, then go on with --resume", False),
        (errno.EROFS, "the file system is read-only; name another folder", True),
        (errno.EACCES, "permission is denied; name another folder", True),
    ],
)
def test_what_the_disk_refuses(path, monkeypatch, number, words, wrong_place):
    store = create(path, layout())

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(type(store._arrays["square"]), "__setitem__", refuse)
    with pytest.raises(WriteError, match=words) as caught:
        store.write(0, *answers(np.arange(7)))
    assert caught.value.wrong_place == wrong_place


@pytest.fixture
def small_disk(tmp_path):
    """Return a function that mounts a file system in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        done = subprocess.run(
            ["mount", *options, "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"file systems cannot be mounted here: {done.stderr.strip()}")
        return folder

    yield mount
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a file system")
def test_a_full_disk_loses_nothing(small_disk):
    path = small_disk("-o", "size=2m") / "RUN.zarr"
    store = create(path, layout(batch=2))
    filler = path.parent / "filler"
    stop = [False]

    def compute(index):
        if index[0] == 30:
            with open(filler, "wb") as stream, pytest.raises(OSError, match="No space left"):
                stream.write(bytes(10**7))
                stream.flush()
        return answers(index)

    with pytest.raises(WriteError, match="the disk is full; free some space"):
        run_shard(store, compute, stop=lambda: stop[0])
    assert int(np.sum(store.done() != PENDING)) == 30
    filler.unlink()
    assert run_shard(open_store(path, write=True), answers).computed == TOTAL - 30
    np.testing.assert_array_equal(open_dataset(path)["square"].values.ravel(), answers(np.arange(TOTAL))[0]["square"])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a file system")
def test_a_read_only_folder(small_disk):
    with pytest.raises(WriteError, match="the file system is read-only; name another folder"):
        create(small_disk("-o", "ro") / "RUN.zarr", layout())


def test_names_that_collide(path):
    with pytest.raises(StoreError, match="`done` cannot be the name of a column: it is used twice"):
        create(path, layout(axes={"done": [1.0, 2.0]}))


def test_only_old_leavings_of_the_own_chunks_are_deleted(path):
    store = computed(path)
    old, fresh, foreign = (store.path / "square" / "c" / f"{name}.partial" for name in ("1.a", "1.b", "8.a"))
    for file in (old, fresh, foreign):
        file.write_text("")
    for file in (old, foreign):
        os.utime(file, (time.time() - 1000, time.time() - 1000))
    assert store.discard_partial(range(5)) == 1
    assert (old.exists(), fresh.exists(), foreign.exists()) == (False, True, True)


def test_status_counts_reasons_and_time(path):
    store = open_or_create(path, layout())
    count = [0]

    def three():
        count[0] += 1
        return count[0] > 3

    run_shard(store, answers, stop=three)
    for chunk in range(3):
        os.utime(store.chunk_file("done", chunk), (1e9 + 10 * chunk, 1e9 + 10 * chunk))
    found = status_of(path)
    assert (found.done, found.failed, found.pending, found.total) == (19, 2, 39, 60)
    assert found.reasons == (("it is the 11th", 2),)
    assert found.rate == pytest.approx(14 / 20)
    assert found.eta(1e9 + 25) == pytest.approx(39 / 0.7)
    assert np.isnan(found.eta(1e9 + 1e5)), "nothing was stored for long: nobody computes"


@pytest.mark.parametrize("kind", [".csv", ".nc"])
def test_export(path, tmp_path, kind):
    computed(path, index=tuple(range(TOTAL))[::-1])
    out = export_store(path, tmp_path / f"out{kind}")
    right = answers(np.arange(TOTAL))[0]["square"]
    if kind == ".csv":
        lines = out.read_text().splitlines()
        assert lines[0] == "index,x,name,square,error,done,reason"
        assert lines[6] == "5,0.5,c,nan,1e-09,2,it is the 11th"
        np.testing.assert_array_equal([float(line.split(",")[3]) for line in lines[1:]], right)
    else:
        with xr.open_dataset(out, engine="scipy") as found:
            np.testing.assert_array_equal(found["square"].values.ravel(), right)
            assert found["reason"].values.ravel()[5] == "it is the 11th"
            assert json.loads(found.attrs["config"]) == {"a": 1}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["RUN.zarr", f"out{kind}"], "no draft is left"


@pytest.mark.parametrize(("name", "words"), [("out.xls", "must end with .csv or .nc"), ("no/out.csv", "cannot be")])
def test_exports_that_cannot_be_written(path, tmp_path, name, words):
    computed(path)
    with pytest.raises(ValueError, match=words):
        export_store(path, tmp_path / name)


def test_merge_puts_shards_together(path, tmp_path):
    computed(tmp_path / "a.zarr", shard=(0, 2))
    computed(tmp_path / "b.zarr", shard=(1, 2), batch=10)
    merged = merge_stores([tmp_path / "a.zarr", tmp_path / "b.zarr"], path)
    assert merged == (58, 60), "chunks of different sizes leave a gap"
    assert run_shard(open_store(path, write=True), answers).computed == 7
    np.testing.assert_array_equal(open_dataset(path)["square"].values.ravel(), answers(np.arange(TOTAL))[0]["square"])


def test_merge_refuses_other_sweeps(path, tmp_path):
    computed(tmp_path / "a.zarr")
    computed(tmp_path / "b.zarr", config={"a": 2})
    with pytest.raises(StoreError, match=r"b\.zarr: holds another configuration .* than .*a\.zarr"):
        merge_stores([tmp_path / "a.zarr", tmp_path / "b.zarr"], path)
    with pytest.raises(StoreError, match=r"a\.zarr: exists already; name another store"):
        merge_stores([tmp_path / "a.zarr"], tmp_path / "a.zarr")


def test_stale_is_longer_than_any_write():
    assert stores.STALE_SECONDS >= 60
