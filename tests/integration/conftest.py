"""A command line that runs as a user's would, and one small trained model."""

from pathlib import Path

import pytest

from tests.support.commands import TINY_FLAGS, anekdot


@pytest.fixture(scope="session")
def trained(tmp_path_factory, jokes: Path) -> Path:
    """A bundle that anekdot train made of jokes.txt."""
    folder = tmp_path_factory.mktemp("trained")
    result = anekdot("train", jokes, "--out", "model", "--steps", 60, *TINY_FLAGS, cwd=folder)
    assert result.returncode == 0, result.stderr
    (folder / "output.txt").write_text(result.stdout + result.stderr, "utf-8")
    return folder / "model"
