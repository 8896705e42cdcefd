"""The built wheel is complete: unpacked anywhere, it tells an anecdote."""

import os
import subprocess
import sys
import zipfile

from tests.support.paths import ROOT


def test_a_wheel_tells_an_anecdote_and_stays_small(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < 17_000_000
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
        names = archive.namelist()
    assert not [name for name in names if name.startswith("tests")]
    assert "anekdot/pretrained/model.safetensors" in names
    told = subprocess.run(
        [sys.executable, "-m", "anekdot", "generate", "Кот", "--seed", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert told.stdout.startswith("Кот")
    place = subprocess.run(
        [sys.executable, "-c", "import anekdot; print(anekdot.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert str(tmp_path) in place.stdout
