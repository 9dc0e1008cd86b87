"""Write files and folders whole or not at all: in a draft beside them, which then takes their name.

The name of a draft is never used twice and opened exclusively, so no link is followed; a link at the final name is
replaced, not what it points to. A draft is locked while it is written: what a killed process of this machine has left
is known by that, and removed by the next one that writes the same name; drafts of other machines, when they are old.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import platform
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

OLD_S = 86_400.0
"""Age at which a draft whose writer cannot be asked is taken to be left over [s]."""

NAME_LENGTH = 40
"""Characters of the final name in that of a draft: names of files have at most 255 bytes."""

DRAFT = re.compile(r"\..{1,40}\.(?P<machine>[0-9a-f]{8})[0-9a-f]{32}\.draft", re.DOTALL)


@contextlib.contextmanager
def writing(path: str | Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """Write a file, whole or not at all; on the disk when this ends.

    Args:
        path: of the file; its folder must exist.
        replace: whether an earlier file is replaced.

    Returns:
        stream: of the draft; what raises inside leaves nothing, and an earlier file as it was.

    Raises:
        FileExistsError: if there is something and it shall not be replaced.
        OSError: if the disk refuses.
    """
    path = Path(path)
    if not replace and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    draft, descriptor = _begun(path, _new_file)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            _to_disk(descriptor)
            os.replace(draft, path) if replace else _put(draft, path)
            _keep_name(path)
    finally:
        draft.unlink(missing_ok=True)


def write(path: str | Path, text: str, *, replace: bool = True) -> None:
    """Write a text in UTF-8, as `writing` does."""
    with writing(path, replace=replace) as stream:
        stream.write(text.encode())


@contextlib.contextmanager
def making(path: str | Path) -> Iterator[Path]:
    """Make a folder with all that is in it, whole or not at all.

    Args:
        path: of the folder; that which holds it must exist.

    Returns:
        draft: an empty folder to fill; what raises inside leaves nothing.

    Raises:
        FileExistsError: if there is something already.
        OSError: if the disk refuses.
    """
    path = Path(path)
    taken = FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    if os.path.lexists(path):
        raise taken
    draft, descriptor = _begun(path, _new_folder)
    try:
        yield draft
        try:
            os.rename(draft, path)
        except OSError as error:
            raise taken if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR) else error from None
        _keep_name(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        os.close(descriptor)


def add(draft: Path, name: str, content: bytes) -> None:
    """Write one file of a folder that is being made; what the folder is worth shows when it is whole."""
    (draft / name).parent.mkdir(parents=True, exist_ok=True)
    with open(draft / name, "xb") as stream:
        stream.write(content)


def is_draft(path: Path) -> bool:
    """Whether a file or folder is, by its name, a draft of something."""
    return DRAFT.fullmatch(path.name) is not None


def _begun(path: Path, new: Callable[[Path], int]) -> tuple[Path, int]:
    """Remove what was left of earlier drafts of a name, and return a new one and its descriptor, which locks it."""
    _remove_leavings(path)
    while True:
        draft = path.with_name(f".{path.name[:NAME_LENGTH]}.{_machine()}{uuid.uuid4().hex}.draft")
        descriptor = new(draft)
        with contextlib.suppress(OSError):  # some file systems know no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.lstat(draft), os.fstat(descriptor)):
                return draft, descriptor
        os.close(descriptor)  # it was removed as a leaving before it was locked


def _new_file(draft: Path) -> int:
    return os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def _new_folder(draft: Path) -> int:
    os.mkdir(draft)
    return os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _put(draft: Path, path: Path) -> None:
    """Give a draft a name that nothing has.

    Raises:
        FileExistsError: if something has it.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: take the name first
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666))
        os.replace(draft, path)


def _to_disk(descriptor: int) -> None:
    """Have what was written on the disk, where the file system can be asked."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise


def _keep_name(path: Path) -> None:
    """Have the new name on the disk too, where the file system can be asked."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_leavings(path: Path) -> None:
    """Remove drafts of a name whose writers were killed."""
    start = f".{path.name[:NAME_LENGTH]}."
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(path.parent)):
            found = DRAFT.fullmatch(entry.name) if entry.name.startswith(start) else None
            if found:
                with contextlib.suppress(OSError):
                    _remove_if_left(Path(entry.path), here=found["machine"] == _machine())


def _remove_if_left(draft: Path, *, here: bool) -> None:
    """Remove a draft that nobody writes."""
    descriptor = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if _left(descriptor, here=here):
            shutil.rmtree(draft) if draft.is_dir() else draft.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _left(descriptor: int, *, here: bool) -> bool:
    """Whether the writer of a draft is gone: its lock tells, else its age."""
    old = time.time() - os.fstat(descriptor).st_mtime > OLD_S
    if not here:
        return old
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return old
    return True


def _machine() -> str:
    """Return eight digits that stand for this machine."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]
