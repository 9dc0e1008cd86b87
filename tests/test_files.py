"""The one writer of files and folders: whole or not at all, no link followed, nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qtn import _files

OWN = "0" * 8


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path):
    for text in ("first", "sécond"):
        _files.write(tmp_path / "a", text)
        assert (tmp_path / "a").read_text(encoding="utf-8") == text
    assert names(tmp_path) == ["a"]
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~mask, "rights as of any other file"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "Ctrl-C"])
def test_a_file_that_fails_leaves_the_old_one_and_nothing_else(tmp_path, error):
    _files.write(tmp_path / "a", "old")
    with pytest.raises(type(error)), _files.writing(tmp_path / "a") as stream:
        stream.write(b"half")
        raise error
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "none"])
def test_what_shall_not_be_replaced_is_kept(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "not permitted")))
    _files.write(tmp_path / "a", "mine", replace=False)
    with pytest.raises(FileExistsError):
        _files.write(tmp_path / "a", "other", replace=False)
    with pytest.raises(FileExistsError), _files.writing(tmp_path / "b", replace=False) as stream:
        (tmp_path / "b").write_text("came first")
        stream.write(b"too late")
    assert (tmp_path / "a").read_text() == "mine"
    assert (tmp_path / "b").read_text() == "came first"
    assert names(tmp_path) == ["a", "b"]


def test_links_are_replaced_and_not_followed(tmp_path):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    _files.write(tmp_path / "a", "new")
    assert not (tmp_path / "a").is_symlink()
    (tmp_path / "b").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        _files.write(tmp_path / "b", "new", replace=False)
    with pytest.raises(FileExistsError), _files.making(tmp_path / "b"):
        pass
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with _files.making(tmp_path / "f") as draft:
        (draft / "part").write_text("1")
        assert not (tmp_path / "f").exists()
    assert names(tmp_path / "f") == ["part"]
    with pytest.raises(KeyboardInterrupt), _files.making(tmp_path / "g") as draft:
        (draft / "part").write_text("1")
        raise KeyboardInterrupt
    with pytest.raises(FileExistsError), _files.making(tmp_path / "f"):
        pass
    with pytest.raises(FileExistsError), _files.making(tmp_path / "h") as draft:
        (draft / "part").write_text("1")
        (tmp_path / "h").mkdir()
        (tmp_path / "h" / "other").write_text("came first")
    assert names(tmp_path) == ["f", "h"]
    assert names(tmp_path / "h") == ["other"]


KILLED = """
import sys, time
from qtn import _files
with _files.writing(sys.argv[1] + "/a") as stream, _files.making(sys.argv[1] + "/f") as draft:
    stream.write(b"half")
    (draft / "half").write_text("")
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.multiproc
def test_what_a_killed_process_leaves_is_removed_by_the_next(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    _files.write(tmp_path / "a", "whole")
    assert len(names(tmp_path)) == 3, "what is being written stays"
    assert sum(map(_files.is_draft, tmp_path.iterdir())) == 2
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _files.write(tmp_path / "a", "again")
    with _files.making(tmp_path / "f"):
        pass
    assert names(tmp_path) == ["a", "f"]


@pytest.mark.parametrize("age", [0.0, 2 * _files.OLD_S], ids=["fresh", "old"])
def test_drafts_of_other_machines_are_removed_by_age(tmp_path, age):
    draft = tmp_path / f".a.{OWN}{'0' * 32}.draft"
    draft.write_text("")
    os.utime(draft, (time.time() - age, time.time() - age))
    _files.write(tmp_path / "a", "")
    assert draft.exists() == (age == 0.0)


def test_names_that_only_look_alike_stay(tmp_path):
    for name in (".a.draft", "a.partial", f".b.{OWN}{'0' * 32}.draft", f"a.{OWN}{'0' * 32}.draft"):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (0, 0))
    _files.write(tmp_path / "a", "")
    assert len(names(tmp_path)) == 5


def test_a_link_in_the_place_of_a_draft_is_not_followed(tmp_path):
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "kept").write_text("")
    (tmp_path / f".a.{_files._machine()}{'0' * 32}.draft").symlink_to(tmp_path / "victim")
    _files.write(tmp_path / "a", "")
    assert names(tmp_path / "victim") == ["kept"]


def test_long_names(tmp_path):
    _files.write(tmp_path / ("ä" * 127), "")
    assert names(tmp_path) == ["ä" * 127]


ROOT = Path(_files.__file__).parent


def test_nothing_else_writes_files():
    writes = re.compile(
        r"""\.write_(text|bytes)\(|\bopen\([^)\n]*["'][wxa]b?["']|os\.(replace|rename|link)\(|savefig\(path"""
    )
    sources = [path for path in ROOT.rglob("*.py") if path != Path(_files.__file__)]
    assert [str(path.relative_to(ROOT)) for path in sources if writes.search(path.read_text())] == []
