import os
import stat

import pytest

from anekdot import store
from anekdot.store import sha256, staged


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
    monkeypatch.setattr(store, "sync", lambda path: events.append(("sync", path.name)))
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


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
def test_files_are_readable_by_others(tmp_path):
    with staged(tmp_path / "a") as draft:
        draft.write_text("1")
        draft.chmod(0o600)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~store._umask()


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")
