"""Keep what a long computation has found, so that a run that was killed goes on to the same result.

A checkpoint is a folder: `checkpoint.json` says of what, and every record is one file NAME.npz, written whole or not at
all. Computations are deterministic, so it is enough to record what is costly: a run that is started again repeats the
cheap decisions and reads the costly answers, and arrives at the same numbers.
"""

import contextlib
import fcntl
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qtn import _files

SCHEMA = 2
"""Version of the records."""

HEADER = "checkpoint.json"

EVERY_S = 2.0
"""A journal is written at most so often; a kill loses what was evaluated since."""


class Checkpoint:
    """A folder of records, or a part of it with names of its own."""

    def __init__(self, folder: Path, prefix: str = "", lock: Any = None) -> None:
        self.folder, self.prefix, self.lock = folder, prefix, lock
        self.count = 0

    def section(self, name: str) -> "Checkpoint":
        """Return the same folder for a part of the computation: names start with `name`."""
        return Checkpoint(self.folder, f"{self.prefix}{name}.", self.lock)

    def next(self, kind: str) -> "Checkpoint":
        """Return the section of the next part of a kind: parts are numbered in the order of the computation."""
        self.count += 1
        return self.section(f"{kind}-{self.count:03d}")

    def save(self, name: str, document: Any, arrays: Mapping[str, Any] | None = None) -> None:
        """Write one record, whole or not at all.

        Args:
            name: of the record; an earlier one is replaced.
            document: what JSON can hold; nan and infinity too.
            arrays: name -> array.

        Raises:
            ValueError: if the folder cannot be written.
        """
        path = self._path(name)
        text = np.frombuffer(json.dumps(document).encode(), dtype=np.uint8)
        try:
            with _files.writing(path) as stream:
                np.savez(stream, document=text, **{f"array_{key}": value for key, value in (arrays or {}).items()})
        except OSError as error:
            raise ValueError(f"--checkpoint: {path} cannot be written: {error.strerror}") from error

    def load(self, name: str) -> tuple[Any, dict[str, np.ndarray]] | None:
        """Return (document, arrays) of a record, or None if there is none.

        Raises:
            ValueError: if the file is damaged.
        """
        path = self._path(name)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as found:
                document = json.loads(found["document"].tobytes().decode())
                arrays = {key.removeprefix("array_"): found[key] for key in found.files if key != "document"}
        except Exception as error:  # what a damaged zip file raises depends on where it is damaged
            raise ValueError(f"--checkpoint: {path} is damaged; delete this file to compute its part again") from error
        return document, arrays

    def discard(self, name: str = "") -> None:
        """Delete all records of this section whose names start with `name`."""
        for path in self.folder.glob(f"{self.prefix}{name}*.npz"):
            path.unlink(missing_ok=True)

    def journal(self, name: str) -> "Journal":
        """Return the journal of this name."""
        return Journal(self, name)

    def _path(self, name: str) -> Path:
        return self.folder / f"{self.prefix}{name}.npz"


class Journal:
    """The values of a costly function at the points where it was evaluated, by the bytes of the point.

    Note:
        Exact: a value that was recorded is returned bit by bit.
    """

    def __init__(self, checkpoint: Checkpoint, name: str) -> None:
        self.checkpoint, self.name = checkpoint, name
        self.values: dict[bytes, tuple[np.ndarray, tuple[np.ndarray, ...]]] = {}
        self.written = time.monotonic()
        found = checkpoint.load(name)
        if found is not None:
            arrays = found[1]
            columns = [arrays[f"value_{i}"] for i in range(len(arrays) - 1)]
            for row, point in enumerate(arrays["points"]):
                self.values[point.tobytes()] = point, tuple(np.asarray(column[row]) for column in columns)

    def recorded(self, function: Callable[[Any], Any]) -> Callable[[Any], tuple[np.ndarray, ...]]:
        """Return `function` (array (n,) -> tuple of arrays), evaluated once a point."""

        def call(point: Any) -> tuple[np.ndarray, ...]:
            key = np.asarray(point, dtype=float)
            if key.tobytes() not in self.values:
                self.values[key.tobytes()] = key, tuple(np.asarray(part, dtype=float) for part in function(point))
                if time.monotonic() - self.written >= EVERY_S:
                    self.flush()
            return self.values[key.tobytes()][1]

        return call

    def flush(self) -> None:
        """Write what was evaluated so far."""
        if self.values:
            points, rows = zip(*self.values.values(), strict=True)
            columns = {f"value_{i}": np.stack(column) for i, column in enumerate(zip(*rows, strict=True))}
            self.checkpoint.save(self.name, None, {"points": np.stack(points), **columns})
        self.written = time.monotonic()


@contextlib.contextmanager
def recorded(function: Callable[[Any], Any], journal: Journal | None) -> Iterator[Callable[[Any], Any]]:
    """Return `Journal.recorded` of a function, and write what was evaluated at the end, whatever ends it."""
    if journal is None:
        yield function
        return
    try:
        yield journal.recorded(function)
    finally:
        journal.flush()


def open_checkpoint(folder: str | Path, identity: Mapping[str, Any]) -> Checkpoint:
    """Open the checkpoint of a computation, or begin one.

    Args:
        folder: made if it is not there.
        identity: everything that the result depends on, as JSON can hold it.

    Raises:
        ValueError: if the folder holds something else, belongs to another computation, is in use or cannot be written.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> first = open_checkpoint(folder, {"x": 1})
        >>> first.save("step", {"done": 3})
        >>> first.load("step")[0]
        {'done': 3}
    """
    folder = Path(folder)
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    header = folder / HEADER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not header.exists():
            if not all(map(_files.is_draft, folder.iterdir())):
                raise ValueError(f"--checkpoint: {folder} holds other files; name a new folder")
            _files.write(header, json.dumps({"schema": SCHEMA, "sha256": digest, "of": identity}, indent=2))
        lock = open(header, "rb")  # noqa: SIM115 (held until the process ends, however it ends)
    except OSError as error:
        raise ValueError(f"--checkpoint: {folder} cannot be a folder of records: {error.strerror}") from None
    _claim(lock, folder)
    try:
        found = json.loads(header.read_text())
        schema, known = found["schema"], found["sha256"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"--checkpoint: {header} is damaged; name a new folder") from None
    if schema != SCHEMA:
        raise ValueError(f"--checkpoint: {folder} has schema {schema}, this version reads {SCHEMA}; name a new folder")
    if known != digest:
        differs = ", ".join(_differences(found.get("of", {}), identity)[:4])
        raise ValueError(
            f"--checkpoint: {folder} belongs to another problem (it differs in: {differs}); name a new folder, or "
            "restore the problem file and its --set options"
        )
    return Checkpoint(folder, lock=lock)


def _claim(lock: Any, folder: Path) -> None:
    """Make this process the only one that uses a folder, where the file system knows locks."""
    with contextlib.suppress(OSError):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise ValueError(f"--checkpoint: {folder} is in use by another run; wait for it, or name another") from None


def _differences(old: Any, new: Any, prefix: str = "") -> list[str]:
    """Return the dotted names in which two documents differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted({*old, *new})
        return [name for key in keys for name in _differences(old.get(key), new.get(key), f"{prefix}{key}.")]
    return [] if old == new else [prefix.rstrip(".")]
