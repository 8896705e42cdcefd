"""Shared fixtures: texts of our own, tiny models, and the check of shape suffixes."""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

# tiny models run faster on one thread, and two suites may share a machine
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest

from anekdot.corpus.shards import shard_writer
from anekdot.corpus.splitting import Side

ROOT = Path(__file__).resolve().parents[1]
SUFFIX = re.compile(r"_([A-Z]+)$")
CHECKED = ("/anekdot/model/", "/anekdot/generation/", "/anekdot/evaluation/", "/anekdot/training/")

SUBJECTS = ("Студент", "Профессор", "Кот", "Программист", "Сосед", "Бабушка", "Врач", "Моряк")
VERBS = ("спрашивает", "отвечает", "вздыхает", "думает", "поёт", "молчит")
THINGS = ("про экзамен", "о погоде", "про обед", "о смысле жизни", "про зарплату", "о рыбалке")


def make_texts(n: int) -> list[str]:
    """Returns n distinct small texts, some with a dialogue of two lines."""
    texts = []
    for i in range(n):
        subject, verb = SUBJECTS[i % 8], VERBS[i // 8 % 6]
        thing, other = THINGS[i // 48 % 6], SUBJECTS[(i * 5 + 3) % 8]
        answer = f"\n— Ну и что? — {other} смеётся в {i % 24} часов." if i % 3 == 0 else "."
        texts.append(f"{subject} номер {i} {verb} {thing}{answer}")
    return texts


def write_shard(folder: Path, side: Side, documents: Iterable[list[int]], vocab_size: int) -> None:
    """Writes the documents of a side, one at a time."""
    with shard_writer(folder, side, vocab_size) as append:
        for document in documents:
            append(np.asarray(document, np.int64), np.array([len(document)]))


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


def shape_faults(function: str, variables: dict) -> list[str]:
    faults, sizes = [], {}
    for name, value in variables.items():
        match, shape = SUFFIX.search(name), getattr(value, "shape", None)
        if not match or shape is None:
            continue
        if len(match[1]) != len(shape):
            faults.append(f"{function}: {name} has shape {tuple(shape)}")
            continue
        for letter, size in zip(match[1], shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                faults.append(f"{function}: {letter} is {sizes[letter]} and, in {name}, {size}")
    return faults
