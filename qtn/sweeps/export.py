"""A store as one file for other programs: CSV, or netCDF-3."""

import csv
import io
import json
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xarray as xr

from qtn import _files, _text
from qtn.sweeps.dataset import open_dataset, plain, whole
from qtn.sweeps.store import open_store

KINDS = (".csv", ".nc")


def export_store(run: str | Path, path: Path) -> Path:
    """Write a store as one file, whole or not at all.

    A CSV has one row a point in the order of the axes, with the columns index, axes, outputs, done (0 pending, 1 done,
    2 failed) and reason; numbers are written with all their digits. A netCDF file is what `open_dataset` returns.

    Raises:
        StoreError: if there is no store, or it is corrupted.
        ValueError: if the kind of file is unknown, or it cannot be written.
    """
    if path.suffix.lower() not in KINDS:
        raise ValueError(f"{path}: must end with .csv or .nc")
    try:
        with _files.writing(path) as stream:
            if path.suffix.lower() == ".csv":
                write_csv(run, stream)
            else:
                stream.write(flat(open_dataset(run)).to_netcdf(engine="scipy", format="NETCDF3_64BIT"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def write_csv(run: str | Path, stream: BinaryIO) -> None:
    """Write a table, one row a point."""
    store = open_store(run)
    layout, order = store.layout, np.argsort(store.layout.rows)
    axes = layout.grid.columns(np.arange(layout.num_points))
    names = [*(column.name for column in layout.columns), "done", "reason"]
    columns = {"index": np.arange(layout.num_points), **axes}
    columns |= {name: plain(whole(store, name)[order]) for name in names}
    cells = ([*map(_text.cell, each.tolist())] if each.dtype == object else each.tolist() for each in columns.values())
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    table = csv.writer(text)
    table.writerow(map(_text.cell, columns))
    table.writerows(zip(*cells, strict=True))
    text.detach()  # which writes what is left and leaves the stream open


def flat(found: xr.Dataset) -> xr.Dataset:
    """Return a dataset as netCDF-3 can hold it: texts as text, facts as JSON."""
    found = found.copy()
    for name in map(str, found.variables):
        if found[name].dtype.kind == "O":
            found[name] = found[name].astype(str)
        elif found[name].dtype.kind == "i" and np.max(np.abs(found[name].values), initial=0) > 2**31 - 1:
            found[name] = found[name].astype(float)  # netCDF-3 has no longer whole numbers
        found[name].attrs = {key: simple(value) for key, value in found[name].attrs.items() if value is not None}
    facts = {("axes_mode" if key == "mode" else key): value for key, value in found.attrs.items()}  # SciPy's own name
    found.attrs = {key: simple(value) for key, value in facts.items() if value is not None}
    return found


def simple(value: Any) -> Any:
    """Return a fact as a number or a text."""
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, (int, float, str)) else json.dumps(value, ensure_ascii=False)
