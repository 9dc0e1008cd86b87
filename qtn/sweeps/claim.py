"""Chunks that only one process computes, of a store that is still where it was.

The claim is a lock on bytes of `done/zarr.json`, one byte a chunk, so shards of any division know of each other. It
belongs to the open file, ends with the process, however that ends, and changes nothing in the store.
"""

import contextlib
import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from qtn.sweeps.errors import StoreError, WriteError, explained
from qtn.sweeps.store import Store

UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


class Claim:
    """What a process holds of a store while it computes."""

    def __init__(self, path: Path, descriptor: int, *, alone: bool) -> None:
        self.path, self._descriptor = path, descriptor
        self.alone = alone
        """Whether nobody else computes these chunks; False where the file system knows no locks."""

    def check(self) -> None:
        """Check that the store is still there, and still the same.

        Raises:
            WriteError: if not.
        """
        try:
            same = os.path.samestat(os.stat(marker(self.path)), os.fstat(self._descriptor))
        except OSError:
            same = False
        if not same:
            raise WriteError(
                errno.ENOENT,
                f"{self.path}: was moved, deleted or replaced during the sweep; what was stored is where it is now: "
                "put it back and go on with --resume, or sweep again into a new store",
            )


def marker(path: Path) -> Path:
    """Return the file of a store whose bytes stand for chunks."""
    return path / "done" / "zarr.json"


@contextlib.contextmanager
def claimed(store: Store, chunks: range, words: str) -> Iterator[Claim]:
    """Make this process the only one that computes some chunks, where the file system knows locks.

    Args:
        store: open for writing.
        chunks: their numbers, side by side.
        words: what an error calls them.

    Raises:
        StoreError: if another process computes one of them.
        WriteError: if the store is gone.
    """
    with explained(store.path):
        descriptor = _opened(marker(store.path))
    try:
        try:
            alone = not chunks or _locked(descriptor, chunks)
        except (BlockingIOError, PermissionError):
            raise StoreError(
                f"{store.path}: {words} is being computed by another process; wait for it (`qtn status` says how far "
                "it is), or end it, then go on with --resume"
            ) from None
        yield Claim(store.path, descriptor, alone=alone)
    finally:
        os.close(descriptor)


def _opened(file: Path) -> int:
    """Open a file for locks; where it cannot be written it is not locked either."""
    try:
        return os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        return os.open(file, os.O_RDONLY | os.O_CLOEXEC)


def _locked(descriptor: int, chunks: range) -> bool:
    """Lock one byte a chunk for this open file; return whether that can be done here.

    Raises:
        BlockingIOError, PermissionError: if another open file holds one of them.
    """
    lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, chunks.start, len(chunks), 0)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, lock)
    except (BlockingIOError, PermissionError):
        raise
    except (OSError, AttributeError):  # no locks, or no such locks
        return False
    return True
