import re

import pytest

from anekdot.corpus.reading.recurring import form_of, pattern_of, separating_forms
from tests.corpus.piles.contents import DIALOGUES, MIXED, REFRAINS, RUSSIAN
from tests.corpus.piles.shapes.text import blocks, headed, lines, ruled

TALKS = DIALOGUES[:20]


def keys(content: str) -> list[str]:
    return [form.key for form in separating_forms([line.strip() for line in content.split("\n")])]


@pytest.mark.parametrize(
    ("line", "like", "unlike"),
    [
        ("=== 12 ===", "==== 7 ====", "=== двенадцать ==="),
        ("-----", "---", "--"),
        ("1 марта 2024 г.", "12 мая 1999 г.", "1 раза 2024 г."),
        ("XII.", "IV.", "XII!"),
        ("Анекдот № 5 (a+b)", "Анекдот № 17 (a+b)", "Анекдот № 5 (aab)"),
        ("*  *  *", "*  *  *", "* * *"),
    ],
)
def test_a_pattern_finds_the_lines_of_a_form(line, like, unlike):
    assert form_of(line) == form_of(like) != form_of(unlike)
    pattern = pattern_of(form_of(line))
    assert re.fullmatch(pattern, like)
    assert not re.fullmatch(pattern, unlike)
    assert re.fullmatch(pattern.encode(), line.encode())


@pytest.mark.parametrize(
    "content",
    [
        lines(RUSSIAN[:40]),
        blocks(TALKS),
        blocks(REFRAINS),
        blocks(f"{talk}\n-- Автор" for talk in TALKS),
        lines([*RUSSIAN[:9], "...", *RUSSIAN[9:20], "...", *RUSSIAN[20:]]),  # strays
        lines(t for n, t in enumerate(RUSSIAN) for t in ([t, "[удалено]"] if n % 9 < 2 else [t])),
        blocks(f"{talk}\n— Что?\n— Ничего." for talk in TALKS),
        lines(RUSSIAN[:2] * 20),
        "100%\nа\n100%\nб",
    ],
)
def test_what_recurs_but_separates_nothing(content):
    assert keys(content) == []


@pytest.mark.parametrize("rule", ["/", "...", "x x x", "КОНЕЦ", "😂", "<hr>", "[---]", "***"])
def test_what_separates(rule):
    assert keys(ruled(MIXED, rule)) == [form_of(rule)]


def test_a_signature_between_rules_does_not_separate():
    assert keys(ruled([f"{talk}\nАвтор" for talk in TALKS], "***")) == ["***"]


def test_a_heading_below_rules_does():
    content = ruled([f"Анекдот {n}\n{talk}" for n, talk in enumerate(TALKS)], "***")
    assert keys(content) == ["***", form_of("Анекдот 1")]


def test_lines_of_two_kinds_above_each_text():
    content = headed([f"01.03.2024 12:00\n{talk}" for talk in TALKS], "#{}")
    assert set(keys(content)) == {form_of("#1"), form_of("01.03.2024 12:00")}
