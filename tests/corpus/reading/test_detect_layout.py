import pytest

from anekdot.corpus.reading.detect_layout import guess_table, text_key
from anekdot.errors import CorpusError

ROWS = ["1;Кот спит на печи и видит сны.;5\n", "2;Программист чинит чайник; опять.;4\n"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["id;text\n", *ROWS], (";", True, "text")),
        (["id;Joke ;mark\n", *ROWS], (";", True, "Joke")),
        (["id;q;mark\n", *ROWS], (";", True, "q")),
        (ROWS, (";", False, "2")),
        (["Кот;пёс\n", "Кот спит на печи весь день;да\n"], (";", True, "Кот")),
        (["Кот спит.;5\n", "Пёс спит на печи весь день.;4\n"], (";", False, "1")),
        (["text\n", "Кот, пёс и мышь.\n", "Кот и мышь, пёс.\n"], (",", True, "text")),
        (["a|b\n", "1|Кот, пёс\n", "2|Мышь\n"], ("|", True, "b")),
        (["sep=|\n", "a|b\n", "1|Кот; пёс\n"], ("|", True, "b")),
        (["text\ttext\n", "Кот\tпёс\n"], ("\t", True, "text")),
        (["id,text,source\n", '1,"Кот, пёс",сайт\n'], (",", True, "text")),
    ],
)
def test_tables(lines, expected):
    layout = guess_table(lines, "utf-8", None, None, "a.csv")
    assert (layout.separator, layout.header, layout.column) == expected


@pytest.mark.parametrize(
    ("column", "expected"), [("mark", (True, "mark")), ("3", (True, "mark")), ("id", (True, "id"))]
)
def test_a_named_column(column, expected):
    layout = guess_table(["id;text;mark\n", *ROWS[:1]], "utf-8", None, column, "a.csv")
    assert (layout.header, layout.column) == expected


@pytest.mark.parametrize("column", ["joke", "0", "4", "-1"])
def test_a_column_that_is_not_there_is_named_with_those_that_are(column):
    with pytest.raises(CorpusError) as caught:
        guess_table(["id;text;mark\n", *ROWS[:1]], "utf-8", None, column, "a.csv")
    assert f"a.csv has no column {column!r}." == caught.value.cause
    assert "«id», «text», «mark»" in caught.value.remedy


def test_a_named_delimiter():
    layout = guess_table(["a,b:c,d\n", "1,2:Кот спит на печи\n"], "utf-8", ":", None, "a.csv")
    assert (layout.separator, layout.column) == (":", "c,d")
    assert guess_table(["a,b\n"], "utf-8", "***", "b", "a.csv").separator == ","
    assert guess_table(["a\tb\n"], "utf-8", "\\t", "b", "a.csv").separator == "\t"


@pytest.mark.parametrize(
    ("records", "key"),
    [
        ([{"text": "Кот"}], "text"),
        ([{"Text": "Кот", "note": "длинная заметка"}], "Text"),
        ([{"body": "Кот", "joke": "Пёс"}], "joke"),
        ([{"text": "", "q": "Кот"}], "q"),
        ([{"id": "a"}, {"q": "Кот спит"}], "q"),
        ([{"id": 1}], "text"),
        ([7, "Кот", None, ["text"]], "text"),
        ([], "text"),
    ],
)
def test_keys(records, key):
    assert text_key(records, None, "a.jsonl") == key


def test_a_named_key():
    assert text_key([{"text": "Кот", "q": "Пёс"}], "q", "a.jsonl") == "q"
    assert text_key([], "q", "a.jsonl") == "q"
    with pytest.raises(CorpusError, match="has no key 'joke'"):
        text_key([{"text": "Кот"}], "joke", "a.jsonl")
