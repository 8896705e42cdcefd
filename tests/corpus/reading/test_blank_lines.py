import pytest

from anekdot.corpus.reading.blank_lines import is_indented, is_wrapped, longer_gap, unwrapped
from tests.corpus.piles.contents import DIALOGUES, POEMS, PROSE
from tests.corpus.piles.shapes.text import blocks, poems, spread, wrapped

TALKS = DIALOGUES[:24]


@pytest.mark.parametrize(
    ("content", "gap"),
    [
        (blocks(TALKS), 0),
        (blocks(TALKS, "\n\n\n"), 0),
        (blocks(map(spread, TALKS), "\n\n\n"), 2),
        (blocks(map(spread, TALKS), "\n\n\n\n"), 2),
        (poems(POEMS), 2),
        ("".join(t + "\n" * (3 if n % 4 == 1 else 2) for n, t in enumerate(TALKS)), 0),  # sloppy
        ("\n\n\n" + blocks(TALKS) + "\n\n\n", 0),
    ],
)
def test_the_longer_gap(content, gap):
    found, odds = longer_gap(content.split("\n"))
    assert (found if odds > 0 else 0) == gap


def test_wrapped_prose():
    assert is_wrapped(blocks(map(wrapped, PROSE)).split("\n"))
    assert is_wrapped(blocks(wrapped(text, 40) for text in PROSE).split("\n"))
    for content in (blocks(TALKS), poems(POEMS), blocks(PROSE)):
        assert not is_wrapped(content.split("\n"))


def test_indented_prose():
    assert is_indented("".join(f"    {wrapped(text)}\n" for text in PROSE).split("\n"))
    assert not is_indented(blocks(map(wrapped, PROSE)).split("\n"))


def test_paragraphs_and_replies_stay_when_lines_are_joined():
    text = "Жил был\r\nкот.\n\nОн спал\n  днём.\n— Да?\n- Нет,\nне да."
    assert unwrapped(text) == "Жил был кот.\n\nОн спал днём.\n— Да?\n- Нет, не да."
