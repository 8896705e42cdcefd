"""One place spells the names under run/, and a folder is one process's at a time."""

import errno
import json
import os
import re
import shutil
import sys

import pytest

from anekdot import atomic_files, run_folder
from anekdot.corpus import manifest
from anekdot.errors import BundleError, ConfigurationError
from anekdot.run_folder import RunFolder
from tests.support.models import TINY_MODEL
from tests.support.paths import ROOT

NAMES = ["config", "data", "checkpoints", "metrics", "samples", "curves", "finished", "tensorboard"]


def test_every_name_is_below_run(tmp_path):
    run = RunFolder(tmp_path / "m")
    assert {getattr(run, name).parent for name in NAMES} == {run.run}
    assert run.run == tmp_path / "m" / "run"


def test_nobody_else_spells_a_name_under_run():
    spelt = re.compile(r'"run"|"run/|metrics\.jsonl"|samples\.md"|finished\.json"|"checkpoints"')
    places = [
        path.name
        for path in (ROOT / "src/anekdot").rglob("*.py")
        if spelt.search(path.read_text("utf-8")) and path.name != "run_folder.py"
    ]
    assert places == []
    assert manifest.MANIFEST is run_folder.MANIFEST


def test_a_folder_that_came_to_nothing_is_removed_and_one_that_was_there_stays(tmp_path):
    (tmp_path / "old").mkdir()
    for name in ("new", "old"):
        with RunFolder(tmp_path / name).locked():
            assert (tmp_path / name / "run/lock").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert [*(tmp_path / "old").iterdir()] == []


def test_a_second_process_is_refused_and_removes_nothing(tmp_path):
    run = RunFolder(tmp_path / "m")
    with run.locked():
        with pytest.raises(ConfigurationError, match="training in"), RunFolder(run.bundle).locked():
            pass
        assert (run.run / "lock").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot lock a folder")
@pytest.mark.parametrize("lost", ["lock", "everything below run"])
def test_a_folder_stays_held_when_its_lock_is_removed(tmp_path, lost):
    run = RunFolder(tmp_path / "m")
    staged = tmp_path / "m/run/.metrics.jsonl.123.staged"
    with run.locked():
        run.data.mkdir()
        staged.mkdir()
        (run.run / "lock").unlink()
        if lost != "lock":
            shutil.rmtree(run.run)
            run.run.mkdir()
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="lock was removed"):
                RunFolder(run.bundle).locked().__enter__()
        assert staged.exists() == (lost == "lock")
    with run.locked():
        assert not staged.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs flock")
def test_where_a_folder_cannot_be_locked_the_file_does(tmp_path, monkeypatch):
    lock = atomic_files._lock

    def files_only(file):
        if isinstance(file, int):
            raise OSError(errno.EBADF, "as NFS answers")
        lock(file)

    monkeypatch.setattr(atomic_files, "_lock", files_only)
    run = RunFolder(tmp_path / "m")
    with run.locked(), pytest.raises(ConfigurationError, match=f"process {os.getpid()}"):
        RunFolder(run.bundle).locked().__enter__()


def test_an_old_lock_file_does_no_harm(tmp_path):
    run = RunFolder(tmp_path / "m")
    run.run.mkdir(parents=True)
    (run.run / "lock").write_text("process 1 on another machine, since 1999-01-01 00:00")
    with run.locked():
        assert f"process {os.getpid()} on" in (run.run / "lock").read_text()


def test_what_a_killed_process_left_is_removed(tmp_path):
    run = RunFolder(tmp_path / "m")
    with run.locked():
        (run.run / "data").mkdir()
        leftover = run.run / ".metrics.jsonl.123.staged"
        leftover.mkdir()
    assert leftover.exists() is True
    with run.locked():
        assert not leftover.exists()


@pytest.mark.parametrize(
    "content",
    [
        '{"model": {}, "training": {}, "data": "", "manifest": "", "parts": 5}',
        "null",
        "[]",
        "{",
        '{"model": {}}',
        '{"model": 1, "training": {}}',
    ],
)
def test_a_damaged_record_is_one_sentence(tmp_path, content):
    run = RunFolder(tmp_path / "m")
    run.run.mkdir(parents=True)
    (run.data).mkdir()
    (run.data / "manifest.json").write_text("{}")
    run.config.write_text(content)
    with pytest.raises(BundleError, match="damaged"):
        run.prepared_folder()
    with pytest.raises(BundleError, match="damaged"):
        run.register(TINY_MODEL, TINY_MODEL, run.data, None)


def test_the_same_settings_go_on_and_others_are_named(tmp_path):
    run = RunFolder(tmp_path / "m")
    run.data.mkdir(parents=True)
    (run.data / "manifest.json").write_text("{}")
    run.register(TINY_MODEL, TINY_MODEL, run.data, None)
    run.register(TINY_MODEL, TINY_MODEL, run.data, None)
    assert run.prepared_folder() == (tmp_path / "m").resolve() / "run/data"
    with pytest.raises(ConfigurationError, match="from None → abc"):
        run.register(TINY_MODEL, TINY_MODEL, run.data, "abc")
    record = json.loads(run.config.read_text())
    del record["from"]  # as runs were recorded before they could go on from a model
    run.config.write_text(json.dumps(record))
    run.register(TINY_MODEL, TINY_MODEL, run.data, None)
    run.finished.write_text("{}")
    with pytest.raises(ConfigurationError, match="finished"):
        run.register(TINY_MODEL, TINY_MODEL, run.data, None)
