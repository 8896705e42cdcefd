import pytest

from anekdot.corpus.reading.json_texts import is_pieces, lookup, record_text, text_of

USER, SYSTEM = {"role": "user", "content": "Мяу?"}, {"role": "system", "content": "Ты кот."}
CAT = {"role": "assistant", "content": [{"type": "text", "text": "Мяу."}]}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Кот", "Кот"),
        (["Кот ", {"type": "bold", "text": "спит"}, ""], "Кот спит"),
        ([{"type": "plain", "text": "Кот "}, {"type": "link", "text": "спит"}], "Кот спит"),
        (["Кот", "спит"], "Кот\nспит"),
        (["Кот\n", "спит"], "Кот\nспит"),
        ([SYSTEM, USER, CAT], "Мяу?\nМяу."),
        ([{"from": "human", "value": "Мяу?"}, {"from": "gpt", "value": "Мяу."}], "Мяу?\nМяу."),
        (["Кот", None], "Кот"),
        (["Кот", 7], None),
        ([], None),
        ([{"a": 1}], None),
        ({"text": "Кот"}, None),
        (7, None),
        (None, None),
    ],
)
def test_what_is_a_text(value, text):
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("record", "columns", "text"),
    [
        ("Кот", ["text"], "Кот"),
        ({"text": "Кот"}, ["text"], "Кот"),
        ({"a": {"b": {"c": "Кот"}}}, ["a.b.c"], "Кот"),
        ({"a.b": {"c": "Пёс"}, "a": {"b": "Кот"}}, ["a.b"], None),
        ({"a": {"b": "Кот"}}, ["a.b"], "Кот"),
        ([1, "Кот"], ["2"], "Кот"),
        ([1, "Кот"], ["3"], None),
        ({"row": ["Кот", 1]}, ["row.1"], "Кот"),
        ({"talk": [USER, CAT]}, ["talk.assistant"], "Мяу."),
        ({"joke": "Кот"}, ["text", "joke"], "Кот"),
        ({"text": "", "joke": "Кот"}, ["text", "joke"], "Кот"),
        ({"text": " "}, ["text", "joke"], " "),
        ({"a": "Кот", "b": " спит"}, ["a,b"], "Кот\nспит"),
        ({"a": "Кот", "b": ""}, ["a,b"], "Кот"),
        ({"a,b": "Кот", "a": "Пёс"}, ["a,b"], "Кот"),
        ({"a": "Кот спит на печи и видит…", "b": "Кот спит на печи и видит сны."}, ["a,b"],
         "Кот спит на печи и видит сны."),
        ({"text": 7}, ["text"], None),
        (7, ["text"], None),
        (None, ["text"], None),
    ],
)  # fmt: skip
def test_the_text_of_a_record(record, columns, text):
    assert record_text(record, columns) == text


def test_lookup_finds_nothing():
    assert lookup({"a": 1}, "a.b.c") is None
    assert lookup([], "1") is None
    assert lookup("Кот", "1") is None


def test_records_are_no_pieces():
    assert not is_pieces([{"type": "joke", "text": "Кот"}, {"type": "joke", "text": "Пёс"}])
    assert not is_pieces(["Кот", "Пёс"])
    assert not is_pieces(["Кот", {"name": "Пёс"}])
    assert is_pieces(["Кот ", {"type": "new", "text": "спит"}])
