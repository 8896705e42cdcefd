from itertools import pairwise

from anekdot.tokenizer.unicode_classes import LETTERS, NUMBERS, UNICODE_VERSION, WHITESPACE


def holds(ranges: tuple[tuple[int, int], ...], character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


def test_ranges_are_sorted_and_apart() -> None:
    for ranges in (LETTERS, NUMBERS, WHITESPACE):
        assert all(first <= last for first, last in ranges)
        assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges))


def test_classes_do_not_overlap() -> None:
    codes = [
        {code for first, last in ranges for code in range(first, last + 1)}
        for ranges in (LETTERS, NUMBERS, WHITESPACE)
    ]
    assert sum(map(len, codes)) == len(set.union(*codes))


def test_the_version_is_pinned_by_a_letter_that_it_added() -> None:
    assert UNICODE_VERSION == "16.0.0"
    assert holds(LETTERS, "\u1c89")  # CYRILLIC CAPITAL LETTER TJE, new in 16.0
    assert not holds(LETTERS, "\u088f")  # ARABIC LETTER NOON WITH RING ABOVE, new in 17.0


def test_examples_of_each_class() -> None:
    assert all(holds(LETTERS, c) for c in "azАяЁёҐīʼſ中")
    assert all(holds(NUMBERS, c) for c in "09²½Ⅷ٣")
    assert all(holds(WHITESPACE, c) for c in "\t\n\v\f\r \x85\xa0\u1680\u2003\u2028\u202f\u3000")
    assert not any(holds(WHITESPACE, c) for c in "\x1c\x1f\u200b\ufeff\u2060")
    assert not any(holds(LETTERS, c) for c in "\u0301\xad_№")
