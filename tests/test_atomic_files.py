import errno
import os
import shutil
import stat
import subprocess
import sys

import pytest

from anekdot import atomic_files
from anekdot.atomic_files import (
    HeldError,
    check_disk_space,
    disk_space_for,
    exclusive,
    locked,
    sha256,
    staged,
    sync,
)
from anekdot.errors import StorageError


def test_a_file_appears_whole_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    for text in ("old", "new"):
        with staged(path) as draft:
            draft.write_text(text)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == text
    assert os.listdir(path.parent) == ["a.txt"]


def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "folder"
    for text in ("old", "new"):
        with staged(path) as draft:
            (draft / "inner").mkdir(parents=True)
            (draft / "inner" / text).write_text(text)
        assert os.listdir(path / "inner") == [text]
    assert os.listdir(tmp_path) == ["folder"]


def test_a_failed_write_changes_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail_half_way():
        with staged(path) as draft:
            draft.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_everything_is_flushed_before_it_is_published(tmp_path, monkeypatch):
    events = []
    monkeypatch.setattr(atomic_files, "sync", lambda path: events.append(("sync", path.name)))
    replace = type(tmp_path).replace
    monkeypatch.setattr(
        type(tmp_path), "replace", lambda a, b: (events.append(("rename", b.name)), replace(a, b))
    )
    with staged(tmp_path / "x") as draft:
        draft.mkdir()
        (draft / "inner").write_text("1")
    rename = events.index(("rename", "x"))
    assert {("sync", "x"), ("sync", "inner")} <= set(events[:rename])
    assert events[rename + 1] == ("sync", tmp_path.name)


@pytest.mark.skipif(os.name == "nt", reason="a folder cannot be opened there")
def test_files_and_folders_reach_the_disk(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda number: flushed.append((number, os.fstat(number))))
    path = tmp_path / "a"
    path.write_text("1")
    for item in (path, tmp_path):
        sync(item)
        descriptor, status = flushed.pop()
        assert os.path.samestat(status, item.stat())
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_the_names_of_all_new_folders_are_flushed(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(atomic_files, "sync", synced.append)
    path = tmp_path / "a" / "b" / "c"
    with staged(path / "x") as draft:
        draft.write_text("1")
    published = synced[synced.index(draft) + 1 :]
    assert set(published) == {path, path.parent, path.parent.parent, tmp_path}


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (OSError(errno.ENOSPC, "full"), "x"),
        (OSError(errno.ENOSPC, "full", "{private}/inner"), "x"),
        (OSError(errno.ENOENT, "no such file", "elsewhere"), "elsewhere"),
        (OSError("no number"), None),
    ],
)
def test_errors_name_the_file_that_the_user_knows(tmp_path, error, named):
    def fail():
        with staged(tmp_path / "x") as draft:
            if error.filename:
                error.filename = error.filename.replace("{private}", str(draft.parent))
            raise error

    with pytest.raises(OSError, match=r"full|no ") as caught:
        fail()
    assert caught.value.filename == (str(tmp_path / "x") if named == "x" else named)


def test_a_place_where_no_folder_can_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("1")
    path = tmp_path / "file" / "x"
    with pytest.raises(NotADirectoryError) as caught, staged(path):
        pass
    assert caught.value.filename == str(path)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_what_is_needed(tmp_path, number):
    with (
        pytest.raises(StorageError, match=r"12\.3 MB are needed"),
        disk_space_for(12_300_000, tmp_path),
    ):
        raise OSError(number, "full")


def test_other_errors_are_no_full_disk(tmp_path):
    with pytest.raises(PermissionError), disk_space_for(12_300_000, tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_disk_space_is_checked_before_it_is_used(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=5_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    check_disk_space(4_999_999, tmp_path)
    with pytest.raises(StorageError) as caught:
        check_disk_space(5_100_000, tmp_path)
    needed = "5.1 MB are needed, 5.0 MB are free."
    assert caught.value.cause == f"The disk of {tmp_path} is full: {needed}"


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX file modes")
def test_files_are_readable_by_others(tmp_path):
    with staged(tmp_path / "a") as draft:
        draft.write_text("1")
        draft.chmod(0o600)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~atomic_files._umask()


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_a_folder_that_cannot_be_published_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").write_text("precious")
    replace = type(tmp_path).replace

    def fail_to_publish(source, target):
        if target == path and source.parent.name.endswith(".staged") and source.name == path.name:
            raise PermissionError(13, "no", str(source))
        return replace(source, target)

    def publish():
        with staged(path) as draft:
            draft.mkdir()

    monkeypatch.setattr(type(tmp_path), "replace", fail_to_publish)
    with pytest.raises(PermissionError) as caught:
        publish()
    assert caught.value.filename == str(path)
    assert (path / "old").read_text() == "precious"


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
@pytest.mark.parametrize("made_anew", [False, True])
def test_a_lock_that_was_removed_before_it_was_held_is_not_held(tmp_path, monkeypatch, made_anew):
    path, lock = tmp_path / "lock", atomic_files._lock

    def remove_and_lock(file):
        path.unlink()  # as its holder does at the end
        if made_anew:
            path.touch()
        lock(file)

    monkeypatch.setattr(atomic_files, "_lock", remove_and_lock)
    with pytest.raises(HeldError), locked(path):
        pass
    monkeypatch.undo()
    with locked(path):
        assert f"process {os.getpid()} " in path.read_text()


def test_only_one_process_holds_a_lock_and_a_dead_one_frees_it(tmp_path):
    code = (
        "import sys, pathlib; from anekdot.atomic_files import locked\n"
        "with locked(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout.readline().strip() == b"held"
    with (
        pytest.raises(HeldError, match=f"process {holder.pid} on "),
        locked(tmp_path / "lock"),
    ):
        pass
    holder.kill()
    holder.communicate()
    with locked(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text().startswith(f"process {os.getpid()} on ")


def test_what_killed_processes_left_half_written_is_removed(tmp_path):
    folder = tmp_path / "folder"
    for place in (".a.1.staged/.b.2.staged", "deep/.c.3.staged/a", "kept"):
        (folder / place).mkdir(parents=True)
    (folder / ".d.staged").write_text("somebody's file")
    with exclusive(folder / "run", activity="working in", is_disposable=lambda: True):
        assert {path.name for path in folder.rglob("*")} == {
            "run", "lock", "kept", "deep", ".d.staged",
        }  # fmt: skip
    assert sorted(os.listdir(folder)) == [".d.staged", "deep", "kept"]
