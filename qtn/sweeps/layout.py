"""What a store holds, decided when it is made: points, columns, chunks, and where the numbers come from."""

import dataclasses
import hashlib
import json
from typing import Any

import numpy as np

from qtn.sweeps.spec import Axis, Grid, Mode

STORE_SCHEMA = 1
"""Version of the layout that this module reads and writes."""

PENDING, DONE, FAILED = 0, 1, 2
"""Values of the `done` mask."""

RESERVED = ("index", "done", "reason")


@dataclasses.dataclass(frozen=True)
class Column:
    """One output: a number per point."""

    name: str
    unit: str = ""
    long_name: str = ""


@dataclasses.dataclass(frozen=True)
class Layout:
    """Points in rows, outputs in columns, rows in chunks.

    Rows are points in an order of the caller's choice (equal structures side by side); `index` maps row -> point.
    """

    grid: Grid
    columns: tuple[Column, ...]
    batch: int
    """Rows of a chunk: what one call computes, one write stores and a kill can lose."""

    config: str
    """The resolved configuration as JSON text, canonical: equal configurations are equal texts."""

    index: tuple[int, ...] | None = None
    """Global index of the point in each row; None = row i holds point i."""

    facts: tuple[tuple[str, Any], ...] = ()
    """Further attributes: versions, device kind, x64, seed, git commit, title, ..."""

    @property
    def num_points(self) -> int:
        """Return the number of points, which is the number of rows."""
        return self.grid.num_points

    @property
    def num_chunks(self) -> int:
        """Return the number of chunks."""
        return -(-self.num_points // self.batch)

    @property
    def rows(self) -> np.ndarray:
        """Return the global index of the point in each row."""
        return np.arange(self.num_points) if self.index is None else np.asarray(self.index)

    @property
    def config_hash(self) -> str:
        """Return the sha256 of the configuration."""
        return hashlib.sha256(self.config.encode()).hexdigest()

    def check(self) -> None:
        """Check that rows can be divided into chunks, and that the configuration is about these points.

        Raises:
            ValueError: if not.
        """
        if type(self.batch) is not int or self.batch < 1:
            raise ValueError(f"batch must be a whole number of at least 1, but is {self.batch!r}")
        if self.index is not None and sorted(self.index) != list(range(self.num_points)):
            raise ValueError(f"index must hold each of {self.num_points:,} points once")
        asked, given = axes_of(self.config), {axis.name: len(axis.values) for axis in self.grid.axes}
        if asked is not None and asked != given:
            told = [", ".join(f"{name}: {count}" for name, count in each.items()) for each in (given, asked)]
            raise ValueError(f"the axes have other lengths ({told[0]}) than the configuration says ({told[1]})")

    def chunk_rows(self, chunk: int) -> slice:
        """Return the rows of a chunk."""
        return slice(chunk * self.batch, min((chunk + 1) * self.batch, self.num_points))

    def shard_chunks(self, shard: int, num_shards: int) -> range:
        """Return the chunks that a shard owns: whole ones, side by side, each owned by exactly one shard.

        Raises:
            ValueError: unless 0 <= shard < num_shards.
        """
        if not 0 <= shard < num_shards:
            raise ValueError(f"Shard i/n needs 0 <= i < n, but is {shard}/{num_shards}; shards are numbered from 0.")
        return range(shard * self.num_chunks // num_shards, (shard + 1) * self.num_chunks // num_shards)

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the group, as JSON can hold them."""
        return {
            "qtn_store": STORE_SCHEMA,
            "mode": self.grid.mode,
            "axes": [{"name": a.name, "unit": a.unit, "values": [spelt(v) for v in a.values]} for a in self.grid.axes],
            "columns": [dataclasses.asdict(column) for column in self.columns],
            "batch": self.batch,
            "config": self.config,
            "config_sha256": self.config_hash,
            **dict(self.facts),
        }


def spelt(value: Any) -> Any:
    """Return a value as JSON can hold it: infinity as {"float": "inf"}."""
    return {"float": repr(value)} if isinstance(value, float) and not np.isfinite(value) else value


def unspelt(value: Any) -> Any:
    """Return what `spelt` wrote."""
    return float(value["float"]) if isinstance(value, dict) else value


def axes_of(config: str) -> dict[str, int] | None:
    """Return how many values each axis has, as a configuration says; None if it does not."""
    try:
        axes = json.loads(config)["sweep"]["axes"]
        return {name: given["num"] if isinstance(given, dict) else len(given) for name, given in axes.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


OWN = ("qtn_store", "mode", "axes", "columns", "batch", "config", "config_sha256")


def layout_from(attributes: dict[str, Any], index: np.ndarray) -> Layout:
    """Return the layout that attributes of a group describe.

    Raises:
        ValueError: if the configuration is not the one that the store was made for.
    """
    axes = tuple(
        Axis(name=axis["name"], values=tuple(map(unspelt, axis["values"])), unit=axis["unit"])
        for axis in attributes["axes"]
    )
    found = Layout(
        grid=Grid(axes=axes, mode=Mode(attributes["mode"])),
        columns=tuple(Column(**column) for column in attributes["columns"]),
        batch=attributes["batch"],
        config=attributes["config"],
        index=None if np.array_equal(index, np.arange(index.size)) else tuple(int(i) for i in index),
        facts=tuple((key, value) for key, value in attributes.items() if key not in OWN),
    )
    if attributes["config_sha256"] != found.config_hash:
        raise ValueError("the configuration does not have the sha256 that is noted")
    return found


def canonical(config: Any) -> str:
    """Return a configuration as the one JSON text that stands for it (infinity is written as "inf")."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): plain(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(entry) for entry in value]
        return repr(value) if isinstance(value, float) and not np.isfinite(value) else value

    return json.dumps(plain(config), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
