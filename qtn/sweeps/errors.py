"""What can be wrong with a store, and what a disk refuses, as sentences with a cure."""

import contextlib
import errno
import os
from pathlib import Path

RESUME = "go on with --resume"
"""What to do about most that ends a sweep."""

DISK_ERRORS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EROFS: "the file system is read-only; name another folder",
    errno.EACCES: "permission is denied; name another folder",
    errno.EPERM: "permission is denied; name another folder",
    errno.ESTALE: "the network file system lost it; mount it again",
}


class StoreError(ValueError):
    """A store that cannot be used as asked; the message says why and what to do."""


class WriteError(OSError):
    """A store that could not be written: full disk, read-only folder, lost file system."""

    @property
    def wrong_place(self) -> bool:
        """Whether another folder is the cure, rather than another disk or more room."""
        return self.errno in (errno.EROFS, errno.EACCES, errno.EPERM)

    def __str__(self) -> str:
        return str(self.args[-1])


@contextlib.contextmanager
def explained(path: Path, then: str = RESUME):
    """Turn what the disk refuses into a sentence with a cure.

    Raises:
        FileExistsError: as it is, if it is about the path itself.
        WriteError: for another error of the operating system.
    """
    try:
        yield
    except OSError as error:  # also a WriteError of the draft, whose name says nothing
        if error.errno == errno.EEXIST and error.filename == str(path):
            raise
        number = error.errno or 0
        reason = DISK_ERRORS.get(number, os.strerror(number) if number else str(error))
        raise WriteError(number, f"{path}: cannot be written: {reason}, then {then}") from error
