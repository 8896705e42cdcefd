"""What is said where texts look as if they were read wrong."""

import json

import pytest

from anekdot.corpus.cleaning import FILTERS
from anekdot.corpus.report.warnings import REMEDIES, find_warnings
from anekdot.errors import CorpusError
from anekdot.pipeline import prepare

NONE = ("", 0)


def test_every_filter_has_a_remedy():
    assert {*FILTERS} <= REMEDIES.keys()


@pytest.mark.parametrize(
    ("texts_in", "kept", "dropped", "repeated", "said"),
    [
        (100, 80, {"no text": 20}, NONE, []),
        (100, 79, {"no text": 21}, NONE, ["21 of 100 texts were dropped", "--column"]),
        (100, 70, {"obscene": 30}, NONE, []),
        (9, 1, {"no text": 8}, NONE, []),
        (300, 49, {"too short": 251}, NONE, ["only 49 are left", '--without "too short"']),
        (100, 41, {"exact duplicate": 59}, ("Придумай шутку.", 60), ["was there 60 times"]),
        (100, 50, {"exact duplicate": 50}, ("Кот.", 2), ["not there twice"]),
    ],
)
def test_a_warning_names_the_likely_cause(texts_in, kept, dropped, repeated, said):
    found = " ".join(find_warnings(texts_in, kept, dropped, repeated))
    assert all(words in found for words in said)
    assert bool(found) == bool(said)


def test_warnings_and_files_that_are_not_read_are_said_and_reported(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    lines = [f"Кот номер {n} сидел на крыше {n % 7} и думал о доме {n * n}." for n in range(60)]
    records = [{"text": line} for line in lines] + [{"other": line} for line in lines]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, records)), "utf-8")
    (folder / "b.png").write_bytes(b"\x89PNG")
    notices: list[str] = []
    prepare(folder, out=tmp_path / "out", vocab_size=280, notice=notices.append)
    assert any("Not read: b.png (no text)." in notice for notice in notices)
    assert any(notice.startswith("120 texts in") for notice in notices)
    (warning,) = [notice for notice in notices if notice.startswith("Warning: ")]
    assert "as «no text». Name the column or key of the texts with --column." in warning
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Files that were not read" in page
    assert "What looks wrong" in page


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("слово " * 4000, '--without "too long"'),
        ("https://example.org/1\n" * 5, "--without link"),
    ],
)
def test_no_text_left_names_what_helps(tmp_path, text, remedy):
    (tmp_path / "a.txt").write_text(text, "utf-8")
    with pytest.raises(CorpusError, match=r"No text is left") as caught:
        prepare(tmp_path / "a.txt", out=tmp_path / "out")
    assert remedy in str(caught.value)
