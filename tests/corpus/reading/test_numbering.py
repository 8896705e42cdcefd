import re

import pytest

from anekdot.corpus.reading.numbering import Counter, rising_numbers
from tests.corpus.piles.contents import DIALOGUES, LISTS, RUSSIAN
from tests.corpus.piles.shapes.text import numbered

TALKS = DIALOGUES[:24]


def found(content: str):
    return rising_numbers([line for line in content.split("\n") if line])


@pytest.mark.parametrize(
    ("form", "example"),
    [("{}. ", "1."), ("{}) ", "1)"), ("№{} ", "№1"), ("({}) ", "(1)"), ("{} - ", "1 -")],
)
def test_numbers_before_texts(form, example):
    shown, pattern, has_lists = found(numbered(TALKS, form))
    assert (shown, has_lists) == (example, False)
    match = re.match(pattern, form.format(31) + "Врач")
    assert match.end() == len(form.format(31))
    assert match[1] == "31"
    assert not re.match(pattern, "31 раз" if form != "№{} " else "31 раз".upper())


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(LISTS),
        "\n".join([*RUSSIAN[:9], "3 раза звонил будильник.", *RUSSIAN[9:], "40 лет ждал лифт."]),
        LISTS[0],
        numbered(RUSSIAN[:30], "{}. "),  # a text a line: a prefix, no separator
        "",
    ],
)
def test_other_numbers(content):
    assert found(content) is None


@pytest.mark.parametrize(
    ("content", "has_lists"),
    [
        (numbered(TALKS, "{}. ") + numbered(TALKS, "{}. "), False),
        (
            "".join(f"{n}. {talk}\n" for n, talk in zip(range(90, 0, -1), TALKS, strict=False)),
            False,
        ),
        (numbered([*TALKS[:9], LISTS[0], *TALKS[9:], LISTS[1], *TALKS[:3]], "{}. "), True),
        ("".join(f"#{7919 * n % 10007} {talk}\n" for n, talk in enumerate(TALKS, 1)), False),
    ],
    ids=["begin anew", "fall", "lists inside", "names"],
)
def test_numbers_that_do_more_than_rise(content, has_lists):
    assert found(content)[2] is has_lists


def test_numbers_of_lists_do_not_count():
    counter = Counter()
    numbers = [7, 8, 1, 2, 3, 9, 11, 1941, 12, 500, 501]
    assert [n for n in numbers if counter.counts(n)] == [7, 8, 9, 11, 12, 501]
