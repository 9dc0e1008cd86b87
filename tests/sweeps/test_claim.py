"""A store that is moved, deleted or replaced while a sweep runs, and chunks that two processes want."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qtn.sweeps import claim as claims
from qtn.sweeps.claim import claimed
from qtn.sweeps.layout import PENDING
from qtn.sweeps.run import FIRST, run_shard
from qtn.sweeps.store import StoreError, WriteError, create, open_or_create, open_store
from tests.sweeps.stores import TOTAL, answers, layout

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "RUN.zarr"


def moved(path):
    path.rename(path.with_name("ELSEWHERE.zarr"))


def deleted(path):
    shutil.rmtree(path)


def replaced(path):
    shutil.rmtree(path)
    create(path, layout())


def emptied(path):
    shutil.rmtree(path)
    path.mkdir()


CASES = [moved, deleted, replaced, emptied]


@pytest.mark.parametrize("when", [0, 3, 8], ids=["first", "middle", "last"])
@pytest.mark.parametrize("happen", CASES)
def test_a_store_that_is_gone_ends_the_sweep(path, happen, when):
    store = create(path, layout())

    def compute(index):
        if index[0] == when * 7:
            happen(path)
        return answers(index)

    with pytest.raises(
        WriteError, match=r"was moved, deleted or replaced .* put it back and go on with --resume"
    ) as told:
        run_shard(store, compute)
    assert not told.value.wrong_place
    left = path.with_name("ELSEWHERE.zarr") if happen is moved else path
    if happen is moved:
        assert not path.exists(), "nothing is written at the old place"
        assert int(np.sum(open_store(left).done() != PENDING)) == when * 7
        left.rename(path)
        assert run_shard(open_store(path, write=True), answers).computed == TOTAL - when * 7
    if happen is replaced:
        assert not open_store(path).done().any(), "nothing is written into another store"
    if happen in (deleted, emptied):
        assert not list(path.glob("*")), "no halves at the old place"


@pytest.mark.parametrize("happen", CASES)
def test_a_store_that_is_gone_before_it_begins(path, happen):
    store = create(path, layout())
    happen(path)
    if happen is replaced:
        assert run_shard(store, answers).finished, "the name is that of the same sweep"
        return
    with pytest.raises(WriteError, match="cannot be written"):
        run_shard(store, answers)


@pytest.mark.parametrize(
    ("shard", "words"),
    [((0, 1), "this sweep is being computed"), ((1, 2), "shard 1/2 is being computed"), ((3, 4), "shard 3/4 is")],
    ids=str,
)
def test_a_second_process_on_the_same_chunks_is_told(path, shard, words):
    store = create(path, layout())
    with claimed(store, layout().shard_chunks(1, 2), "mine"):
        with pytest.raises(StoreError, match=rf"{words}.* by another process; wait for it"):
            run_shard(open_store(path, write=True), answers, shard=shard)
        assert run_shard(open_store(path, write=True), answers, shard=(0, 2)).finished, "the other half is free"
    assert run_shard(store, answers, shard=shard).finished, "and so is all when the first has ended"


HOLD = """
import sys
from qtn.sweeps.claim import claimed
from qtn.sweeps.store import open_store
with claimed(open_store(sys.argv[1], write=True), range(9), "it"):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.multiproc
def test_a_claim_ends_with_its_process(path):
    store = create(path, layout())
    arguments = [sys.executable, "-c", HOLD, str(path)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    with pytest.raises(StoreError, match="by another process"):
        run_shard(store, answers)
    process.kill()
    process.communicate()
    assert run_shard(store, answers).finished


def test_where_there_are_no_locks_it_goes_on(path, monkeypatch):
    store = create(path, layout())
    monkeypatch.setattr(claims.fcntl, "fcntl", lambda *_: (_ for _ in ()).throw(OSError(37, "No locks available")))
    with claimed(store, range(9), "it") as first, claimed(store, range(9), "it") as second:
        assert (first.alone, second.alone) == (False, False)
        second.check()


def test_halves_of_a_killed_run_are_removed_at_once_by_who_is_alone(path):
    store = create(path, layout())
    half = path / "square" / "c" / "1.abc.partial"
    half.parent.mkdir(exist_ok=True)
    half.write_text("")
    run_shard(store, answers)
    assert not half.exists()


def test_a_finished_store_that_cannot_be_written_is_finished(path, monkeypatch):
    run_shard(create(path, layout()), answers)
    really = os.open

    def refuse(file, flags):
        if flags & os.O_RDWR:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return really(file, flags)

    monkeypatch.setattr(claims.os, "open", refuse)
    assert run_shard(open_store(path), answers).finished


def test_a_few_points_of_a_large_first_chunk_are_stored_early(path):
    store, seen = open_or_create(path, layout(batch=40)), []

    def report(progress):
        seen.append((progress.done, progress.failed, int(np.sum(open_store(path).done() != PENDING))))

    asked = []
    run_shard(store, lambda index: (asked.append(index.size), answers(index))[1], report=report)
    assert asked == [FIRST, 40 - FIRST, 20]
    assert seen == [(0, 0, 0), (16, 1, 16), (40, 4, 40), (60, 5, 60)]
    values = open_store(path).read("square", 0)
    np.testing.assert_array_equal(values, answers(np.arange(40))[0]["square"])


def test_a_chunk_of_which_a_part_is_there_is_computed_again(path):
    store = open_or_create(path, layout(batch=40))

    def compute(index):
        if index[0] >= FIRST:
            raise KeyboardInterrupt
        return answers(index)

    with pytest.raises(KeyboardInterrupt):
        run_shard(store, compute)
    assert int(np.sum(open_store(path).done() != PENDING)) == FIRST
    assert run_shard(open_store(path, write=True), answers).computed == TOTAL
