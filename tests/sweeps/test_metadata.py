"""Metadata that were edited or cut: refused, because numbers would stand beside wrong labels, or look complete."""

import json

import numpy as np
import pytest
import zarr

from qtn.sweeps.layout import Layout
from qtn.sweeps.run import run_shard
from qtn.sweeps.spec import grid
from qtn.sweeps.status import status_of
from qtn.sweeps.store import StoreError, create, open_store
from qtn.sweeps.sweep import sweep
from tests.sweeps.stores import AXES, COLUMNS, TOTAL, answers

CONFIG = {"sweep": {"axes": {"x": {"start": 0.0, "stop": 9.5, "num": 20, "scale": "linear"}, "name": ["a", "b", "c"]}}}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "RUN.zarr"
    planned = Layout(grid(AXES), COLUMNS, 7, json.dumps(CONFIG), tuple(range(TOTAL))[::-1])
    run_shard(create(path, planned), answers)
    return path


def edited(path, change, array=""):
    """Change the attributes of the store, or the metadata of an array."""
    file = path / array / "zarr.json"
    found = json.loads(file.read_text())
    change(found if array else found["attributes"])
    file.write_text(json.dumps(found))


def fewer_values(path):
    edited(path, lambda a: a["axes"][0].update(values=a["axes"][0]["values"][:4]))


def everything_shorter(path):
    edited(path, lambda a: a["axes"][0].update(values=a["axes"][0]["values"][:4]))
    group = zarr.open_group(path, mode="r+")
    for name, array in list(group.arrays()):
        array.resize((12,))
        values = {
            "index": np.arange(12),
            "x": np.repeat(np.arange(4) / 2, 3),
            "name": np.array(["a", "b", "c"] * 4, object),
        }
        if name in values:
            array[:] = values[name]


def other_values(path):
    edited(path, lambda a: a["axes"][0]["values"].__setitem__(0, 0.25))


def other_name(path):
    edited(path, lambda a: a["axes"][0].update(name="y"))


def one_array_shorter(path):
    edited(path, lambda a: a.update(shape=[30]), "done")


def other_chunks(path):
    edited(path, lambda a: a["chunk_grid"]["configuration"].update(chunk_shape=[10]), "square")


def other_kind(path):
    edited(path, lambda a: a.update(data_type="int64", fill_value=0), "square")


def no_batch(path):
    edited(path, lambda a: a.update(batch=0))


def true_batch(path):
    edited(path, lambda a: a.update(batch=True))


def other_batch(path):
    edited(path, lambda a: a.update(batch=60))


def other_config(path):
    edited(path, lambda a: a.update(config=a["config"].replace("9.5", "9.6")))


def other_mode(path):
    edited(path, lambda a: a.update(mode="zip"))


def another_column(path):
    edited(path, lambda a: a["columns"].append({"name": "cube", "unit": "", "long_name": ""}))


def no_columns(path):
    edited(path, lambda a: a.pop("columns"))


def index_twice(path):
    zarr.open_group(path, mode="r+")["index"][0] = 3


EDITS = [
    (fewer_values, "`index` has 60 rows in chunks of 7, but the attributes say 12|must hold each of 12 points once"),
    (
        everything_shorter,
        r"the axes have other lengths \(x: 4, name: 3\) than the configuration says \(x: 20, name: 3\)",
    ),
    (other_values, "the values of axis `x` are not those of the attributes"),
    (other_name, r"other lengths \(y: 20, name: 3\) than the configuration says"),
    (one_array_shorter, "`done` has 30 rows in chunks of 7, but the attributes say 60 in chunks of 7"),
    (other_chunks, "`square` has 60 rows in chunks of 10"),
    (other_kind, "`square` holds int64, but must hold float64"),
    (no_batch, "batch must be a whole number of at least 1, but is 0"),
    (true_batch, "batch must be a whole number of at least 1, but is True"),
    (other_batch, "`index` has 60 rows in chunks of 7, but the attributes say 60 in chunks of 60"),
    (other_config, "the configuration does not have the sha256 that is noted"),
    (other_mode, ""),
    (another_column, "cube"),
    (no_columns, "columns"),
    (index_twice, "index must hold each of 60 points once"),
]


@pytest.mark.parametrize(("edit", "words"), EDITS, ids=[edit.__name__ for edit, _ in EDITS])
def test_edited_metadata_are_refused(path, edit, words):
    assert status_of(path).done == 55
    edit(path)
    with pytest.raises(StoreError, match=rf"its metadata are damaged \(.*({words}).*\); sweep again into a new store"):
        open_store(path)


def test_a_damaged_chunk_of_an_axis_is_no_damage(path):
    file = path / "x" / "c" / "3"
    file.write_bytes(file.read_bytes()[:-1])
    assert status_of(path).done == 55, "the attributes hold the values too"


@pytest.mark.parametrize("batch", [0, -1, True])
def test_a_chunk_of_no_points_is_refused(tmp_path, batch):
    with pytest.raises(ValueError, match=f"batch must be a whole number of at least 1, but is {batch}"):
        create(tmp_path / "RUN.zarr", Layout(grid(AXES), COLUMNS, batch, "{}"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("batch", [0, -3])
def test_a_python_sweep_without_points_a_call_is_refused(batch):
    with pytest.raises(ValueError, match=f"Argument `batch` must be at least 1, but is {batch}"):
        sweep(lambda x: x, {"x": [1.0, 2.0]}, batch=batch, progress=False)
