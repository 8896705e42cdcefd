"""A prepared folder knows its texts wherever they lie, and says what has become of them."""

import io
import os
import shutil
import sys

import pytest

import anekdot
from anekdot.corpus.manifest import Manifest
from anekdot.corpus.provenance import SOURCES, check_sources
from anekdot.errors import ConfigurationError, CorpusError
from tests.support.texts import make_texts

LINES = [text.replace("\n", " ") for text in make_texts(180)]


def write(path, first, count=60):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(LINES[first : first + count]), "utf-8")
    return path


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The current folder, with a file, and a folder of two."""
    write(tmp_path / "jokes.txt", 0)
    write(tmp_path / "texts/a.txt", 60)
    write(tmp_path / "texts/b.txt", 120)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepared(*sources):
    anekdot.prepare(*sources, out="data", vocab_size=300)


def said(place, *sources):
    sentences = []
    check_sources(place / "data", sources, shown_as=place / "m", notice=sentences.append)
    return " ".join(sentences)


def test_the_same_texts_by_other_ways_are_the_same(place, monkeypatch):
    prepared("jokes.txt", "texts")
    assert said(place, "jokes.txt", "texts") == ""
    assert said(place, place / "jokes.txt", f"{place}/texts/") == ""
    assert said(place, "texts/*.txt", "./jokes.txt") == ""
    assert said(place, "texts/b.txt", "jokes.txt", "texts/a.txt") == ""
    shutil.copytree("texts", "elsewhere")
    shutil.copy("jokes.txt", "elsewhere/other-name.txt")
    assert said(place, "elsewhere") == ""
    monkeypatch.chdir("elsewhere")
    assert said(place, "../jokes.txt", ".") != ""  # other-name.txt is new in that folder


def test_a_new_time_alone_is_no_change(place):
    prepared("jokes.txt")
    os.utime("jokes.txt", (1, 1))
    assert said(place, "jokes.txt") == ""


def test_a_changed_file_is_said_with_the_date_of_the_texts_in_use(place):
    prepared("jokes.txt")
    write(place / "jokes.txt", 0, 61)
    sentence = said(place, "jokes.txt")
    date = Manifest.load(place / "data") and (place / "data" / SOURCES).read_text().split('"')[3]
    assert sentence == f"jokes.txt has changed since; this run goes on with the texts of {date}."
    write(place / "jokes.txt", 60)  # other texts of perhaps the same size
    assert "jokes.txt has changed since" in said(place, place / "jokes.txt")


def test_a_change_within_the_same_size_is_seen(place):
    prepared("jokes.txt")
    content = (place / "jokes.txt").read_bytes()
    (place / "jokes.txt").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime("jokes.txt", ns=(5, 5))
    assert "has changed" in said(place, "jokes.txt")


def test_deleted_and_added_texts_of_a_folder_are_said(place):
    prepared("texts")
    write(place / "texts/c.txt", 0)
    (place / "texts/b.txt").unlink()
    assert "texts/c.txt is new, texts/b.txt is gone since; this run" in said(place, "texts")
    shutil.move("texts", "moved")
    assert "moved/c.txt is new" in said(place, "moved")
    for number in range(5):
        write(place / f"moved/{number}.txt", 10 * number, 5)
    assert "and 3 more are new" in said(place, "moved")


def test_a_deleted_file_is_said_if_it_is_named_as_before(place):
    prepared("jokes.txt")
    (place / "jokes.txt").unlink()
    assert "jokes.txt is gone since" in said(place, "jokes.txt")
    assert "jokes.txt is gone since" in said(place, place / "jokes.txt")
    with pytest.raises(CorpusError, match=r"joke\.txt does not exist"):
        said(place, "joke.txt")


@pytest.mark.parametrize(
    "others",
    [["texts/a.txt"], ["jokes.txt", "texts/a.txt"], ["jokes.txt"], ["-"], ["https://a.b/c.txt"]],
)
def test_other_texts_are_refused(place, others, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    prepared("jokes.txt", "texts/b.txt")
    with pytest.raises(ConfigurationError, match="sources"):
        said(place, *others)


class Pipe:
    """Standard input, from a pipe or at a terminal."""

    def __init__(self, content=b"", is_terminal=False):
        self.buffer, self.is_terminal = io.BytesIO(content), is_terminal

    def isatty(self):
        return self.is_terminal


def test_another_pipe_is_said(place, monkeypatch):
    content = (place / "jokes.txt").read_bytes()
    monkeypatch.setattr(sys, "stdin", Pipe(content))
    prepared("-")
    monkeypatch.setattr(sys, "stdin", Pipe(content))
    assert said(place, "-") == ""
    assert said(place, "jokes.txt") == ""
    for other in (Pipe(content + b"!" * 5_000_000), Pipe(content[1:]), Pipe()):
        monkeypatch.setattr(sys, "stdin", other)
        assert "standard input has changed since" in said(place, "-")
    for nothing in (None, Pipe(is_terminal=True)):  # nobody piped anything in
        monkeypatch.setattr(sys, "stdin", nothing)
        assert said(place, "-") == ""


@pytest.mark.parametrize("record", [None, "{", "null", "[]", '{"prepared": 1, "sources": [{}]}',
    '{"prepared": "", "sources": [{"name": "x", "path": "", "files": [{"name": "x", "path": "", '
    '"size": "3"}]}]}'])  # fmt: skip
def test_without_a_record_the_names_are_compared(place, record):
    prepared("jokes.txt")
    (place / "data" / SOURCES).unlink()
    if record is not None:
        (place / "data" / SOURCES).write_text(record)
    assert said(place, "jokes.txt") == ""
    with pytest.raises(ConfigurationError, match="sources"):
        said(place, "./jokes.txt")


def test_the_manifest_does_not_depend_on_where_and_when(place):
    prepared("jokes.txt")
    first = (place / "data/manifest.json").read_bytes()
    shutil.rmtree("data")
    os.utime("jokes.txt", (1, 1))
    prepared("jokes.txt")
    assert (place / "data/manifest.json").read_bytes() == first


def test_what_was_piped_in_survives_an_empty_pipe(place, monkeypatch):
    """A preparation of standard input that was stopped goes on, though nothing is piped again."""
    monkeypatch.setattr(sys, "stdin", Pipe((place / "jokes.txt").read_bytes()))
    with monkeypatch.context() as patch:
        patch.setattr("anekdot.corpus.preparation.deduplicate", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepared("-")
    monkeypatch.setattr(sys, "stdin", Pipe())
    prepared("-")
    assert Manifest.load(place / "data").texts_in == 60


def _interrupt(*_, **__):
    raise KeyboardInterrupt
