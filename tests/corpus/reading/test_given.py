"""Texts in place of files, and strings that are neither."""

import math
from pathlib import Path

import pytest

from anekdot.corpus.reading import pieces, read_piece
from anekdot.corpus.reading.given import as_source
from anekdot.errors import CorpusError

CAT = "Кот пришёл к врачу\nи жалуется на мышей."
DOG = 'Пёс «Гав» — сказал: \\n "нет".'


class Column:
    """As pandas and Polars have them: it can be iterated, and has a name."""

    name = "text"

    def __iter__(self):
        return iter([CAT, None, math.nan, DOG])


class Frame(Column):
    columns = ("id", "text")


@pytest.mark.parametrize("given", [[CAT, DOG], (CAT, DOG), iter([CAT, DOG]), Column()])
def test_texts_are_read_as_they_are(tmp_path, given):
    notices: list[str] = []
    found = pieces([as_source(given)], work=tmp_path, notice=notices.append)
    documents = [document for piece in found for document in read_piece(piece)]
    assert [each.text for each in documents if each.fault is None] == [CAT, DOG]
    assert {each.source for each in documents} == {"the texts given"}
    assert {each.fault for each in documents} <= {None, "no text"}
    assert notices == []


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (Frame(), "several columns"),
        ({"text": [CAT]}, "several columns"),
        (CAT.encode(), "no source of texts"),
        (5, "no source of texts"),
        ([1, 2], "Text 1 is no string, but int"),
        ([Path("a.txt")], "not names of files"),
        ([__file__], "not names of files"),
    ],
)
def test_what_cannot_be_texts_is_refused(given, cause):
    with pytest.raises(CorpusError, match=cause):
        as_source(given)


@pytest.mark.parametrize("text", [CAT, "Почему кот спит? Потому что ночь.", "Кот спит. " * 99])
def test_a_text_in_place_of_a_file_is_told_where_texts_go(text):
    with pytest.raises(CorpusError, match="looks like a text"):
        pieces([text])


def test_a_name_that_does_not_exist_is_told_that():
    with pytest.raises(CorpusError, match="does not exist"):
        pieces(["мои шутки.txt"])
