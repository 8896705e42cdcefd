"""Shared fixtures: texts of our own, tiny models, and the check of shape suffixes."""

import os
import sys
from pathlib import Path

# tiny models run faster on one thread, and two suites may share a machine
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

from tests.support.paths import ROOT
from tests.support.shapes import shape_faults
from tests.support.texts import make_texts

CHECKED = ("/anekdot/model/", "/anekdot/generation/", "/anekdot/evaluation/", "/anekdot/training/")


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
        pytest.skip("the corpus of anecdotes is not on this machine")
    return path


@pytest.fixture(autouse=True)
def shapes_match_names(request: pytest.FixtureRequest):
    """Checks that x_BTD has three dimensions and that equal letters mean equal sizes.

    Looks at the local variables of every function of the model when it returns.
    """
    if request.node.get_closest_marker("slow"):
        yield
        return
    faults: list[str] = []

    def on_event(frame, event, _):
        if event == "return" and any(part in frame.f_code.co_filename for part in CHECKED):
            faults.extend(shape_faults(frame.f_code.co_name, frame.f_locals))

    previous = sys.getprofile()
    sys.setprofile(on_event)
    yield
    sys.setprofile(previous)
    assert not faults, "\n".join(dict.fromkeys(faults))
