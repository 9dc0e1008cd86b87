"""A store as an `xarray.Dataset`: one dimension an axis for a grid, one dimension `point` for zipped axes."""

from pathlib import Path

import numpy as np
import xarray as xr

from qtn.sweeps.layout import PENDING, Layout
from qtn.sweeps.store import Store, open_store


def open_dataset(path: str | Path) -> xr.Dataset:
    """Read a whole store into memory, points in the order of the axes.

    Returns:
        dataset: outputs with `units` and `long_name`; `done` (0 pending, 1 done, 2 failed) and `reason` beside them. A
            grid has one dimension an axis, named like it; zipped axes share the dimension `point`. Its
            attributes are those of the store.

    Raises:
        StoreError: if there is no store, or a chunk is corrupted.
    """
    store = open_store(path)
    names = ("done", "reason", *(column.name for column in store.layout.columns))
    return as_dataset(store.layout, {name: whole(store, name) for name in names})


def whole(store: Store, name: str) -> np.ndarray:
    """Return one array of a store in the order of its rows; chunks that are not there hold its fill value."""
    return np.concatenate([store.read(name, chunk) for chunk in range(store.layout.num_chunks)])


def as_dataset(layout: Layout, arrays: dict[str, np.ndarray]) -> xr.Dataset:
    """Return arrays (num_points,) in the order of rows as a dataset in the order of the axes."""
    grid, order = layout.grid, np.argsort(layout.rows)
    zipped = grid.mode == "zip"
    dims = ("point",) if zipped else tuple(axis.name for axis in grid.axes)
    coords = {
        axis.name: (
            "point" if zipped else axis.name,
            axis.array(),
            {"units": axis.unit, "long_name": axis.name},
        )
        for axis in grid.axes
    }
    told = {column.name: {"units": column.unit, "long_name": column.long_name} for column in layout.columns}
    told["done"] = {"long_name": "0 pending, 1 done, 2 failed"}
    told["reason"] = {"long_name": "why the point failed"}
    data = {name: (dims, plain(array[order]).reshape(grid.shape), told.get(name, {})) for name, array in arrays.items()}
    return xr.Dataset(data, coords, {**layout.attributes(), "pending": int(np.sum(arrays["done"] == PENDING))})


def plain(array: np.ndarray) -> np.ndarray:
    """Return texts as Python strings, numbers as they are."""
    return array if array.dtype.kind in "biuf" else array.astype(object)
