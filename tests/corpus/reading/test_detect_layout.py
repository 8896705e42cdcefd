import pytest

from anekdot.corpus.reading.detect_layout import guess_table
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


def test_columns_that_make_one_text():
    lines = ["id,title,body\n", "1,Почему кот спит?,Потому что ночь.\n", "2,Кто там?,Почтальон.\n"]
    assert guess_table(lines, "utf-8", None, None, "a.csv").column == "title,body"
    assert guess_table(lines, "utf-8", None, "body, id", "a.csv").column == "body,id"
    assert guess_table(lines[1:], "utf-8", None, "3,2", "a.csv").column == "3,2"
