import re

import pytest

from anekdot.corpus.documents import Document, Layout
from anekdot.corpus.reading import pieces, read_piece
from anekdot.corpus.reading.wrappers import remarks, unwrapped_document, wrappers
from tests.corpus.piles.contents import DIALOGUES, RUSSIAN

THIRTY = RUSSIAN[:30]


def bare(texts: list[str], without: tuple[str, ...] = ()) -> list[str]:
    layout = wrappers(Layout(format="txt"), texts, without)
    return [unwrapped_document(Document(text, "a.txt", 1), layout).text for text in texts]


@pytest.mark.parametrize(
    "form",
    [
        *("{}. ", "№{}. ", "[{}] ", "{} ", "• ", "#)", "·", "Анекдот: ", "[10:{:02}] ", "{}. • "),
        *("01.03.2024 10:{:02} ", "{} марта 2024: ", "(12.{:02}.2023) "),
    ],
)
def test_what_stands_before_each_text_is_left_out(form):
    texts = [form.format(n) + text for n, text in enumerate(THIRTY, 1)]
    assert bare(texts) == THIRTY
    assert bare(texts, without=("prefix",)) == texts
    layout = wrappers(Layout(format="txt"), texts, ())
    assert "--without prefix" in " ".join(remarks(layout, texts))


@pytest.mark.parametrize(
    "form", ["— ", "«", '"', "#юмор ", "@кот ", "...", "Приходит ", "Сосед крикнул: "]
)
def test_what_belongs_to_each_text_stays(form):
    texts = [form + text for text in THIRTY]
    assert bare(texts) == texts


def test_hyphens_are_points_of_a_list_but_where_somebody_replies():
    assert bare([f"- {text}" for text in THIRTY]) == THIRTY
    assert bare([f"- [ ] {text}" for text in THIRTY]) == THIRTY
    talks = [f"- {text} - Да ну!" for text in THIRTY]
    assert bare(talks) == talks


def test_speakers_stay():
    talks = [f"xxx: {text}\nyyy: Да ну!" for text in THIRTY]
    assert bare(talks) == talks


def test_numbers_at_the_beginning_of_some_texts_stay():
    texts = [*THIRTY, "3 раза звонил будильник.", "40 лет вахтёр ждал лифт."]
    assert bare(texts) == texts


def test_line_breaks_that_are_written_out():
    texts = [text.replace("\n", "\\n") for text in DIALOGUES] + THIRTY
    assert bare(texts) == DIALOGUES + THIRTY
    mention = [*THIRTY, "Программист ставит \\n даже в конце письма."]
    assert bare(mention) == mention
    assert bare([*texts, "две\nстроки"])[0] == texts[0]  # breaks of its own


def test_fields():
    layout = Layout(format="txt", fields="ID|Текст|Дата", column="Текст")
    text = "ID: 1\nТекст: Кот.\n— Дата: вчера.\nДата: \n"
    assert unwrapped_document(Document(text, "a", 1), layout).text == "Кот.\n— Дата: вчера."


def test_strings_of_a_list():
    layout = Layout(format="txt", listed=True)
    found = [
        unwrapped_document(Document(line, "a", 1), layout)
        for line in ['"Кот \\"Вася\\"\\nспит",', "'Пёс'", "import random", '- "Мышь"']
    ]
    assert [d.text for d in found if not d.fault] == ['Кот "Вася"\nспит', "Пёс", "Мышь"]
    assert [d.fault for d in found if d.fault] == ["no text"]


@pytest.mark.parametrize(
    ("strip", "expected"),
    [
        ("-- Автор", "Кот.\nАвтор: я"),
        ("Автор: *", "Кот.\n-- Автор"),
        ("*", "Кот.\n-- Автор\nАвтор: я"),
    ],
)
def test_a_line_that_the_user_does_not_want(strip, expected):
    layout = Layout(format="txt", strip=strip)
    document = Document("Кот.\n-- Автор\nАвтор: я", "a", 1)
    assert unwrapped_document(document, layout).text == expected


def test_a_signature_is_said():
    texts = [f"{text}\n-- Автор" for text in THIRTY]
    said = " ".join(remarks(Layout(format="txt"), texts))
    assert re.search("30 of 30 .*«-- Автор».* --strip", said)
    assert remarks(Layout(format="txt"), DIALOGUES) == []


@pytest.mark.parametrize(
    ("content", "strip", "expected"),
    [
        ("".join(f"{n}. {text}\n" for n, text in enumerate(RUSSIAN[:9], 1)), None, "prefix"),
        ("".join(f"{n}) {text}\n" for n, text in enumerate(DIALOGUES[:9], 1)), None, "prefix"),
        ("\n\n".join(f"{text}\n-- Иванов" for text in DIALOGUES[:9]), "-- *", "line"),
        (
            "\n\n".join(f"ID: {n}\nТекст: {t}\nДата: 2026" for n, t in enumerate(RUSSIAN[:9])),
            None,
            "fields",
        ),
        ("\n".join(RUSSIAN[:9]), None, None),
    ],
)
def test_what_is_taken_away_is_kept_with_the_document(content, strip, expected, tmp_path):
    (tmp_path / "a.txt").write_text(content, "utf-8")
    (piece,) = pieces([tmp_path / "a.txt"], strip=strip)
    found = [*read_piece(piece)]
    assert len(found) == 9
    for document in found:
        assert [kind for kind, _ in document.stripped] == ([expected] if expected else [])
        for _, example in document.stripped:
            assert example
            assert example not in document.text
