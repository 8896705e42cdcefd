"""A command line that runs as a user's would, and one small trained model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TINY = [
    *("--n-layer", "2", "--n-head", "4", "--n-kv-head", "2"),
    *("--hidden-dim", "32", "--intermediate-dim", "64", "--vocab-size", "400"),
    *("--context-length", "64", "--batch-size", "8", "--warmup-steps", "5"),
    *("--validation", "0.1", "--test", "0.1"),
    *("--evaluate-every", "20", "--sample-every", "20", "--checkpoint-every", "20"),
]


def anekdot(*arguments: object, cwd: Path, text: str | None = None):
    """Runs the command; standard input is the text, or nothing."""
    return subprocess.run(
        [sys.executable, "-m", "anekdot", *map(str, arguments)],
        cwd=cwd,
        input=text or "",
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"},
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory, jokes: Path) -> Path:
    """A bundle that anekdot train made of jokes.txt."""
    folder = tmp_path_factory.mktemp("trained")
    result = anekdot("train", jokes, "--out", "model", "--steps", 60, *TINY, cwd=folder)
    assert result.returncode == 0, result.stderr
    (folder / "output.txt").write_text(result.stdout + result.stderr, "utf-8")
    return folder / "model"
