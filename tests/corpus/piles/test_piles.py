"""Piles as people have them: each is read right, or refused with a remedy that is right."""

import sys
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from anekdot.corpus.cleaning import clean, reason_to_drop
from tests.corpus.piles import contents
from tests.corpus.piles.cases import CASES
from tests.corpus.piles.judge import LISTS, REFUSED, RIGHT, judge, remedies

CAN_LINK = sys.platform != "win32"  # where links need a right of their own
MIN_RIGHT = 0.90  # of what is right or refused: of everything, once not_yet.txt is empty
BY_NAME = {case.name: case for case in CASES if CAN_LINK or not case.has_links}
LISTED = {
    name: kinds for path, kinds in LISTS.items() for name in path.read_text("utf-8").splitlines()
}


@cache
def verdict(name: str) -> tuple[str, str]:
    with TemporaryDirectory() as folder:
        return judge(BY_NAME[name], Path(folder))


def test_the_table_is_large_and_its_lists_name_nothing_else():
    names = {case.name for case in CASES}
    assert len(names) == len(CASES) >= 240
    assert LISTED.keys() <= names


@pytest.mark.parametrize("name", BY_NAME)
def test_a_pile(name):
    found, why = verdict(name)
    expected = LISTED.get(name, {RIGHT})
    better = f"{found}: write the lists anew with python -m tests.corpus.piles.judge --write"
    assert found in expected, f"{found}. {why}" if why else better


def test_nine_in_ten_are_right():
    found = Counter(verdict(name)[0] for name in BY_NAME)
    assert found[RIGHT] >= MIN_RIGHT * (found[RIGHT] + found[REFUSED])


@pytest.mark.parametrize(
    "texts",
    [
        contents.RUSSIAN,
        contents.DIALOGUES,
        contents.ENGLISH,
        contents.ENGLISH_DIALOGUES,
        contents.LISTS,
        contents.REFRAINS,
        contents.PROSE,
        *(texts for name, texts in contents.LANGUAGES.items() if name not in contents.JOINED),
    ],
)
def test_the_texts_are_clean_and_each_another(texts):
    assert [clean(text) for text in texts] == texts
    assert {reason_to_drop(text) for text in texts} == {None}
    assert len({*texts}) == len(texts)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "There are two. Give --column «a b», or --column b.",
            {("column", "a b"), ("column", "b")},
        ),
        ("No text. Give --without 'too short'.", {("without", "too short")}),
        ("Say which with --column, one of: «x», «y».", {("column", "x"), ("column", "y")}),
        ("Bring texts.", set()),
    ],
)
def test_a_message_is_understood(message, expected):
    found = {item for remedy in remedies(message) for item in remedy.items()}
    assert expected <= found
    assert bool(expected) == bool(found)
