"""One place spells the names under run/, and a folder is one process's at a time."""

import json
import re

import pytest

from anekdot import run_folder
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
