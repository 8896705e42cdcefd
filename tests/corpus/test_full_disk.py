"""A disk that fills up while texts are prepared: it is said, and nothing half done counts."""

import errno
import os
from pathlib import Path

import pytest

import anekdot
from anekdot import atomic_files
from anekdot.corpus import plan, preparation
from anekdot.corpus.manifest import Manifest
from anekdot.run_folder import MANIFEST
from tests.support.texts import make_texts


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    for name, texts in (("a", make_texts(80)[:40]), ("b", make_texts(80)[40:])):
        (tmp_path / "texts").mkdir(exist_ok=True)
        (tmp_path / "texts" / f"{name}.txt").write_text("\n\n".join(texts), "utf-8")
    return tmp_path / "texts"


def prepare(texts: Path, out: Path) -> dict[str, bytes]:
    anekdot.prepare(texts, out=out, vocab_size=280, validation=0.1, test=0.1)
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_wherever_the_disk_fills_up_the_same_command_goes_on(texts, tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "TASK_BYTES", 3000)  # several tasks
    monkeypatch.setattr(preparation, "available_cores", lambda: 1)
    whole = prepare(texts, tmp_path / "whole")
    sync, out, failures = atomic_files.sync, tmp_path / "out", 0
    while True:
        left = 3 * failures  # so many more files and folders find room each time

        def fails(path: Path) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            sync(path)

        monkeypatch.setattr(atomic_files, "sync", fails)
        try:
            made = prepare(texts, out)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            assert not (out / MANIFEST).exists()
            assert not [*out.rglob("*.staged")]
            failures += 1
        else:
            break
    assert failures > 4
    assert made == whole
    Manifest.load(out)
