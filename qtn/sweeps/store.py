"""The store of a sweep: one zarr v3 group, one chunk a call, a `done` mask written last.

Layout of RUN.zarr (schema 1), every array one-dimensional over `point` with chunks of `batch` rows:

    index        int64    global index of the point in each row                  complete when the store is made
    <axis name>  float64, int64 or string: the value of each axis in each row     complete when the store is made
    <output>     float64  one number a point, nan where there is none yet        attributes units, long_name
    reason       string   why a point failed, "" else
    done         uint8    0 pending, 1 done, 2 failed                            written last of each chunk

The group's attributes: qtn_store (schema), mode ("grid" | "zip"), axes [{name, unit, values}], columns [{name, unit,
long_name}], batch, config (resolved, JSON text), config_sha256, and facts: versions, device_kind, x64, seed,
git_commit, title, job, of. Every array carries `dimension_names`, so xarray reads it (`open_zarr(path,
consolidated=False)`); the view with one dimension an axis is `qtn.sweeps.dataset.open_dataset`.

A chunk is written atomically (zarr >= 3.1.3) and ends with a checksum. A chunk counts once its `done` is there, so a
kill at any instant loses the chunk in flight and nothing else. No two shards share a chunk.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import MemoryStore

from qtn import _files
from qtn.sweeps.consistent import check_arrays
from qtn.sweeps.errors import RESUME, StoreError, WriteError, explained
from qtn.sweeps.layout import DONE, FAILED, PENDING, RESERVED, STORE_SCHEMA, Column, Layout, layout_from

STALE_SECONDS = 60.0
"""Age at which a half-written chunk file is taken to be left over by a killed run."""


class Store:
    """An open store, with the handles of its arrays kept."""

    def __init__(self, path: Path, group: zarr.Group, layout: Layout) -> None:
        self.path, self.layout = path, layout
        self._arrays: dict[str, Any] = {}
        for name in (*RESERVED, *(column.name for column in layout.columns)):
            self._arrays[name] = group[name]

    def write(
        self, chunk: int, values: Mapping[str, np.ndarray], reasons: Sequence[str], *, done: np.ndarray | None = None
    ) -> None:
        """Write one whole chunk, `done` last.

        Args:
            chunk: its number.
            values: column -> (rows,); every column of the layout.
            reasons: (rows,), why each point failed; "" = it did not.
            done: (rows,), the mask; by default `FAILED` where there is a reason, else `DONE`.

        Raises:
            WriteError: if the disk refuses.
        """
        rows = self.layout.chunk_rows(chunk)
        count = rows.stop - rows.start
        if done is None:
            done = np.array([FAILED if reason else DONE for reason in reasons], dtype=np.uint8)
        assert rows.start % self.layout.batch == 0
        assert len(reasons) == count, "a shard writes whole chunks"
        assert set(values) == {column.name for column in self.layout.columns}
        with explained(self.path):
            for name, column in values.items():
                assert np.shape(column) == (count,), "a shard writes whole chunks"
                self._arrays[name][rows] = np.asarray(column, dtype=np.float64)
            self._arrays["reason"][rows] = np.array(list(reasons), dtype=object)
            self._arrays["done"][rows] = done  # last: from here on the chunk counts

    def read(self, name: str, chunk: int) -> np.ndarray:
        """Return one column (or `done`, `reason`, `index`) of one chunk.

        Raises:
            StoreError: if the chunk is corrupted.
        """
        return self.read_rows(name, self.layout.chunk_rows(chunk))

    def read_rows(self, name: str, rows: slice) -> np.ndarray:
        """Return one column of any rows.

        Raises:
            StoreError: if a chunk is corrupted.
        """
        try:
            return np.asarray(self._arrays[name][rows])
        except Exception as error:  # what a decoder raises on damaged bytes depends on the codec
            raise StoreError(
                f"{self.path}: chunk {rows.start // self.layout.batch} of `{name}` is corrupted "
                f"({type(error).__name__}); `qtn sweep ... --resume` computes it again"
            ) from error

    def chunk_file(self, name: str, chunk: int) -> Path:
        """Return the file of one chunk of one column; chunks that hold nothing but the fill value have none."""
        return self.path / name / "c" / str(chunk)

    def done(self) -> np.ndarray:
        """Return the done mask (num_points,) of `PENDING`, `DONE` and `FAILED`; a corrupted chunk counts as pending."""
        return np.concatenate([self.done_of(chunk) for chunk in range(self.layout.num_chunks)])

    def done_of(self, chunk: int) -> np.ndarray:
        """Return the done mask (rows,) of one chunk; all pending if it is corrupted."""
        try:
            return self.read("done", chunk)
        except StoreError:
            rows = self.layout.chunk_rows(chunk)
            return np.full(rows.stop - rows.start, PENDING, dtype=np.uint8)

    def corrupted(self, chunks: Sequence[int]) -> list[int]:
        """Return which of these chunks claim to be done but cannot be read."""
        names = (*RESERVED, *(column.name for column in self.layout.columns))
        return [chunk for chunk in chunks if not self._readable(chunk, names)]

    def _readable(self, chunk: int, names: Sequence[str]) -> bool:
        """Whether a chunk is whole: every column can be read, and none is missing beside a result."""
        try:
            for name in names:
                self.read(name, chunk)
        except StoreError:
            return False
        results = np.any(self.done_of(chunk) == DONE)
        return not results or all(self.chunk_file(column.name, chunk).exists() for column in self.layout.columns)

    def discard_partial(self, chunks: Sequence[int], *, older_than: float = STALE_SECONDS) -> int:
        """Delete half-written files of some age [s] that a killed run left in these chunks; return how many."""
        owned, count = {str(chunk) for chunk in chunks}, 0
        for file in self.path.glob("*/c/*.partial"):
            stale = time.time() - file.stat().st_mtime >= older_than
            if stale and file.name.split(".")[0] in owned:
                file.unlink(missing_ok=True)
                count += 1
        return count


def create(path: str | Path, layout: Layout) -> Store:
    """Make a store with nothing done, all at once: whoever looks sees the whole store or none.

    Raises:
        StoreError: if something is there already, or two names collide.
        WriteError: if the disk refuses.
    """
    try:
        return made(path, layout)
    except FileExistsError:
        raise StoreError(f"{path}: exists already; go on with --resume, or name another") from None


def made(
    path: str | Path, layout: Layout, fill: Callable[[Store], None] = lambda store: None, *, then: str = RESUME
) -> Store:
    """Make a store, all at once.

    Args:
        path: of the store.
        layout: of the store.
        fill: writes chunks before anybody sees the store.
        then: what to do once the disk accepts it.

    Raises:
        FileExistsError: if something is there already.
        StoreError: if two names collide.
        WriteError: if the disk refuses.
    """
    path = Path(path)
    layout.check()
    names = [*RESERVED, *(a.name for a in layout.grid.axes), *(column.name for column in layout.columns)]
    for name in names:
        if names.count(name) > 1 or "/" in name or not name or name.startswith("."):
            raise StoreError(f"{path}: `{name}` cannot be the name of a column: it is used twice, or holds a slash")
    files: dict[str, Any] = {}  # in memory first: zarr writes many files at once, and goes on when one of them fails
    _make_arrays(zarr.create_group(MemoryStore(files), zarr_format=3, attributes=layout.attributes()), layout)
    with explained(path, then):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _files.making(path) as draft:
            for name, content in files.items():
                _files.add(draft, name, content.to_bytes())
            fill(Store(draft, zarr.open_group(draft, mode="r+", zarr_format=3), layout))
    return open_store(path, write=True)


def _make_arrays(group: zarr.Group, layout: Layout) -> None:
    """Make the arrays of a new store and fill in what is known."""

    def make(name: str, dtype: Any, fill: Any, **attributes: str) -> Any:
        return group.create_array(
            name,
            shape=(layout.num_points,),
            chunks=(layout.batch,),
            dtype=dtype,
            fill_value=fill,
            dimension_names=("point",),
            compressors=[ZstdCodec(level=1), Crc32cCodec()],
            attributes=cast(dict[str, Any], attributes),
        )

    rows = layout.rows
    make("index", np.int64, 0, long_name="global index of the point")[:] = rows
    values = layout.grid.columns(rows)
    for axis in layout.grid.axes:
        array = values[axis.name]
        text = array.dtype == object
        made = make(axis.name, str if text else array.dtype, "" if text else 0, units=axis.unit, long_name=axis.name)
        made[:] = array
    for column in layout.columns:
        make(column.name, np.float64, np.nan, units=column.unit, long_name=column.long_name or column.name)
    make("reason", str, "", long_name="why the point failed")
    make("done", np.uint8, PENDING, long_name="0 pending, 1 done, 2 failed")


def open_store(path: str | Path, *, write: bool = False) -> Store:
    """Open a store.

    Raises:
        StoreError: if there is none, it is not ours, damaged, or of another schema.
    """
    path = Path(path)
    if not path.exists():
        raise StoreError(f"{path}: there is no such store; `qtn sweep FILE --out {path}` makes one")
    try:
        group = zarr.open_group(path, mode="r+" if write else "r", zarr_format=3)
        attributes = dict(group.attrs)
    except Exception as error:  # a file, a folder without zarr.json, or damaged JSON
        raise StoreError(f"{path}: is not a store of `qtn sweep` ({type(error).__name__})") from error
    schema = attributes.get("qtn_store")
    if schema is None:
        raise StoreError(f"{path}: is a zarr group, but not a store of `qtn sweep`")
    if schema != STORE_SCHEMA:
        raise StoreError(
            f"{path}: has store schema {schema}, but this version of qtn reads schema {STORE_SCHEMA}; read it with the "
            "version named in its attribute `versions`, or sweep again into a new store"
        )
    try:
        layout = layout_from(attributes, np.asarray(group["index"][:]))  # pyright: ignore
        layout.check()
        check_arrays(group, layout)
        return Store(path, group, layout)
    except Exception as error:
        raise StoreError(f"{path}: its metadata are damaged ({error}); sweep again into a new store") from error


def open_or_create(path: str | Path, layout: Layout) -> Store:
    """Open the store of this configuration, or make it; safe when several shards start at once.

    An existing store keeps its own batch.

    Raises:
        StoreError: if a store of another configuration is there.
    """
    path = Path(path)
    if not path.exists():
        try:
            return create(path, layout)
        except StoreError:
            if not path.exists():
                raise
    store = open_store(path, write=True)
    if store.layout.config_hash != layout.config_hash:
        raise StoreError(
            f"{path}: holds another configuration (sha256 {store.layout.config_hash[:12]}, this one is "
            f"{layout.config_hash[:12]}); name another store, or restore the problem file and its --set options"
        )
    return store


__all__ = ["Column", "Layout", "Store", "StoreError", "WriteError", "create", "open_or_create", "open_store"]
