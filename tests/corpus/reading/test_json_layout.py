import json

import pytest

from anekdot.corpus.reading.json_layout import layout_of, shown_places
from anekdot.corpus.reading.json_shape import Shape, survey
from anekdot.corpus.reading.json_stream import pick
from anekdot.corpus.reading.json_texts import record_text
from anekdot.errors import CorpusError

CAT, DOG, MOUSE = "Кот спит на печи.", "Пёс лает на луну.", "Мышь точит старый сыр."
OTHER = [
    f"Сосед номер {n} научил {who} играть." for n, who in enumerate(("рояль", "кота", "слона"))
]


def texts(value: object, column: str | None = None) -> list[str | None]:
    shape = Shape()
    shape.add(value)
    layout = layout_of(shape, "json", column, "a.json")
    columns = [layout.column or "", *layout.others]
    return [record_text(record, columns) for record in pick(value, json.loads(layout.separator))]


SHAPES = {
    "by theme": {"коты": [CAT], "псы": [DOG, MOUSE]},
    "by id": {"1": CAT, "2": DOG, "x3": MOUSE},
    "objects by id": {"1": {"t": CAT}, "2": {"t": DOG}, "3": {"t": MOUSE}},
    "by title": {"Про кота": CAT, "Про пса": DOG, "Про мышь": MOUSE},
    "nested": {"ru": {"а": {"коты": [CAT], "псы": [DOG]}, "б": {"коты": [MOUSE], "псы": []}}},
    "an envelope": {"status": "ok", "data": {"items": [{"q": CAT}, {"q": DOG}, {"q": MOUSE}]}},
    "pages": [{"page": 1, "hits": [{"q": CAT}]}, {"page": 2, "hits": [{"q": DOG}, {"q": MOUSE}]}],
    "columns": {"id": {"0": 1, "1": 2, "2": 3}, "text": {"0": CAT, "1": DOG, "2": MOUSE}},
    "lists of columns": {"author": ["Анна", "Пётр", "Анна"], "text": [CAT, DOG, MOUSE]},
    "split": {"columns": ["id", "q"], "data": [[1, CAT], [2, DOG], [3, MOUSE]]},
    "rows": [[1, CAT], [2, DOG], [3, MOUSE]],
    "quotes and authors": [[CAT, "Анна"], [DOG, "Анна"], [MOUSE, "Пётр"]],
    "keys": {CAT: 1, DOG: {"n": 2}, MOUSE: ["кот"]},
    "keys of two records": [{"text": CAT}, {"joke": DOG}, {"анекдот": MOUSE}],
    "siblings": {"posts": [{"text": CAT}], "comments": [{"body": DOG}, {"body": MOUSE}]},
    "names before": {"authors": ["Анна", "Пётр"] * 9, "jokes": [CAT, DOG, MOUSE]},
    "links before": {"a": [f"https://example.org/{n}" for n in range(9)], "b": [CAT, DOG, MOUSE]},
    "tags beside": [{"tags": ["кот"], "q": CAT}, {"tags": [], "q": DOG}, {"tags": [], "q": MOUSE}],
    "strings and records": [CAT, {"text": DOG, "n": 1}, {"text": MOUSE, "n": 2}],
}  # fmt: skip


@pytest.mark.parametrize("value", SHAPES.values(), ids=SHAPES)
def test_all_texts_are_found(value):
    assert sorted(map(str, texts(value))) == sorted([CAT, DOG, MOUSE])


LINES = [["Кот спит.", "— Где?", "— На печи."], ["Пёс лает.", "— На кого?"], ["Мышь точит сыр."]]


@pytest.mark.parametrize(
    "value", [LINES, [{"lines": each} for each in LINES], {str(n): v for n, v in enumerate(LINES)}]
)
def test_lines_are_joined(value):
    assert texts(value) == ["\n".join(each) for each in LINES]


def test_talks_are_texts_without_the_program_and_the_same_question():
    system = {"role": "system", "content": "Ты весёлый кот."}

    def talk(question: str, answer: str) -> dict[str, object]:
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return {"messages": [system, *turns]}

    asked = [talk(f"Кто {who}?", answer) for who, answer in zip("абв", OTHER, strict=True)]
    assert texts(asked)[0] == f"Кто а?\n{OTHER[0]}"
    assert texts([talk("Расскажи анекдот.", answer) for answer in OTHER]) == OTHER


FRAME = {
    "meta": {"text": "Выгрузка сделана в среду вечером."},
    "data": {"items": [{"text": CAT, "note": OTHER[0]}, {"text": DOG, "note": OTHER[1]}]},
    "themes": {"коты": [CAT], "псы": [DOG]},
}


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("data.items.text", [CAT, DOG]),
        ("items.text", [CAT, DOG]),
        ("note", OTHER[:2]),
        ("note,text", [f"{OTHER[0]}\n{CAT}", f"{OTHER[1]}\n{DOG}"]),
        ("псы", [DOG]),
        ("themes", [CAT, DOG]),
        ("meta.text", ["Выгрузка сделана в среду вечером."]),
    ],
)
def test_a_named_key_is_obeyed_at_any_depth(column, found):
    assert texts(FRAME, column) == found


def test_a_key_that_is_not_there():
    with pytest.raises(CorpusError, match="no key 'joke'"):
        texts(FRAME, "joke")
    with pytest.raises(CorpusError, match=r"no texts under 'id'.*«text»"):
        texts([{"id": 1, "text": CAT}, {"id": 2, "text": DOG}], "id")


def test_what_is_not_read_is_said():
    shape = Shape()
    shape.add(
        [{"text": a, "comments": [{"text": b}]} for a, b in zip(OTHER, OTHER[::-1], strict=True)]
    )
    layout = layout_of(shape, "json", None, "a.json")
    assert layout.unread == ["comments.text (3 texts)"]
    assert shown_places(layout) == "texts under the key «text»"


def test_texts_in_many_places_are_refused():
    places = {
        f"часть_{name}": {name: [{name + "ы": t + name} for t in OTHER]} for name in "абвгдежзик"
    }
    with pytest.raises(CorpusError, match=r"several places: .*--column \S+"):
        texts(places)


def test_a_text_that_is_cut_off_has_the_same_shape():
    whole = json.dumps([{"id": n, "text": text} for n, text in enumerate(OTHER)], indent=1)
    for size in range(60, len(whole), 7):
        layout = layout_of(survey([whole[:size]]), "json", None, "a.json")
        assert json.loads(layout.separator) == [[]]


def test_a_key_of_any_length_costs_nothing():
    assert texts({"k" * 3_000_000: 1, "jokes": [CAT, DOG]}) == [CAT, DOG]
