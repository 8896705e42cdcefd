"""Shared fixtures: texts of our own, and the one profile of all property tests."""

import os
from pathlib import Path

# tiny models run faster on one thread, and two suites may share a machine
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis
import pytest

from tests.support.paths import ROOT
from tests.support.texts import make_texts

# a first call may compile, and machines differ: no property has a time limit
hypothesis.settings.register_profile("anekdot", deadline=None)
hypothesis.settings.load_profile("anekdot")


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return make_texts(300)


@pytest.fixture(scope="session")
def jokes(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> Path:
    """A file as a person would have it: texts separated by blank lines."""
    path = tmp_path_factory.mktemp("jokes") / "jokes.txt"
    path.write_text("\n\n".join(texts) + "\n", "utf-8")
    return path


@pytest.fixture(scope="session")
def corpus_path() -> Path:
    """The real corpus, which stands beside the repository on a developer's machine only."""
    path = Path(os.environ.get("ANEKDOT_CORPUS", ROOT.parent / "shared/data/anecdotes.jsonl.gz"))
    if not path.is_file():
        pytest.skip(f"the corpus of anecdotes is not at {path}: set ANEKDOT_CORPUS to its file")
    return path
