from collections.abc import Iterator
from itertools import islice, pairwise, product

import numpy as np
import pytest
from hypothesis import example, given, settings

from anekdot.numba_jit import jit
from anekdot.tokenizer import pretokens, reference
from anekdot.tokenizer.fast.packed_documents import STEPS, classes_of, pack_documents
from anekdot.tokenizer.fast.scanner import cut, to_utf8
from anekdot.tokenizer.pretokens import PATTERNS, PatternName
from anekdot.tokenizer.unicode_classes import LETTERS, MARKS, NUMBERS, WHITESPACE
from tests.support.strategies import DOCUMENTS, TEXTS

each_pattern = pytest.mark.parametrize("pattern", PATTERNS)


@jit
def write(units, cuts, data, ends):
    """Writes pretokens as UTF-8, and where each ends; -1 for the end of a document."""
    size = 0
    for n in range(len(ends)):
        if units[cuts[n]]:
            size += to_utf8(units, cuts[n], cuts[n + 1], data[size:])
            ends[n] = size


def cut_together(
    documents: list[str | bytes], pattern: PatternName
) -> tuple[bytes, np.ndarray, np.ndarray]:
    """Returns the text, where pretokens end and how many each document has."""
    words, n_units, n_documents = pack_documents(documents)
    units = words.view(np.uint16)
    cuts = np.empty(n_units + 1, np.int32)
    n_pretokens = cut(units, n_units, classes_of(pattern), STEPS, cuts)
    data, ends = np.zeros(3 * len(units), np.uint8), np.full(n_pretokens, -1)
    write(units, cuts, data, ends)
    borders = np.flatnonzero(ends < 0)
    assert len(borders) == n_documents
    in_each = np.diff(borders, prepend=-1) - 1
    return data[: ends.max(initial=0)].tobytes(), ends[ends >= 0], in_each


def ends_of(text: str, pattern: PatternName) -> np.ndarray:
    data, ends, _ = cut_together([text], pattern)
    assert data == text.encode()
    return ends


def split_alone(document: str | bytes, pattern: PatternName) -> list[bytes]:
    data = document.encode() if isinstance(document, str) else document
    return pretokens.split(data, pattern)


def split_together(documents: list[str | bytes], pattern: PatternName) -> list[list[bytes]]:
    data, ends, found = cut_together(documents, pattern)
    pieces = iter([data[a:b] for a, b in pairwise([0, *ends.tolist()])])
    return [[*islice(pieces, n)] for n in found]


def assert_split_alike(documents: list[str | bytes], pattern: PatternName) -> None:
    expected = [split_alone(each, pattern) for each in documents]
    assert split_together(documents, pattern) == expected


def contexts(code: int) -> str:
    """Returns a character beside a letter, a space, line ends, apostrophes and itself."""
    c = chr(code)
    return f"а{c}б {c} {c}s\n{c}\n'{c}'s{c}'{c}e{c}{c}1{c}!{c}\r"


def scalars(first: int, last: int) -> Iterator[int]:
    return (code for code in range(first, last) if not 0xD800 <= code < 0xE000)


def assert_equals_the_reference(text: str, pattern: PatternName) -> None:
    data = np.frombuffer(text.encode(), np.uint8)
    bytes_of = np.diff(np.flatnonzero(np.append(data & 0xC0 != 0x80, True)))
    last = np.cumsum([*map(len, reference.split(text, pattern))])
    assert np.array_equal(ends_of(text, pattern), np.cumsum(bytes_of)[last - 1])


@each_pattern
def test_every_bound_of_a_class_in_several_contexts(pattern: PatternName) -> None:
    ranges = (*LETTERS, *MARKS, *NUMBERS, *WHITESPACE)
    bounds = {code for first, last in ranges for code in (first - 1, first, last, last + 1)}
    bounds |= {0x27, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF}
    text = "".join(map(contexts, sorted(set(scalars(0, 0x110000)) & bounds)))
    lengths = [*map(len, split_alone(text, pattern))]
    assert np.array_equal(ends_of(text, pattern), np.cumsum(lengths))
    assert_equals_the_reference(text, pattern)


@each_pattern
def test_every_scalar_between_others(pattern: PatternName) -> None:
    for first in range(0, 0x110000, 0x10000):
        text = "".join(f"1{chr(code)}a{chr(code)}!" for code in scalars(first, first + 0x10000))
        assert_equals_the_reference(text, pattern)


@pytest.mark.slow
@each_pattern
def test_every_scalar_in_several_contexts(pattern: PatternName) -> None:
    for first in range(0, 0x110000, 0x4000):
        text = "".join(map(contexts, scalars(first, first + 0x4000)))
        if text:
            lengths = [*map(len, split_alone(text, pattern))]
            assert np.array_equal(ends_of(text, pattern), np.cumsum(lengths))
            assert_equals_the_reference(text, pattern)


@each_pattern
@given(text=TEXTS)
@settings(max_examples=500)
@example(text="'ſ 'S'LL'x")
@example(text="का '\u0301s \u0301\n\u0e31\u0301!")
def test_equals_the_reference_on_spiteful_texts(text: str, pattern: PatternName) -> None:
    [found] = split_together([text], pattern)
    assert [pretoken.decode() for pretoken in found] == reference.split(text, pattern)


@each_pattern
@given(documents=DOCUMENTS)
@settings(max_examples=500)
@example(documents=["don't'", "s", "'", "re", "'r", "e", "'l", "l"])
@example(documents=["a ", "", " ", "\n", "", "b\n", "\n", " \n ", "c"])
@example(documents=["а", b"\xd0", b"\xb0", "б", b"\xe2\x80", b"\x89", b"\xf0\x9f", b"\x98\x80"])
@example(documents=[" ", "\u0301", "\u00a0", "Нет", "!", "\n"])
def test_documents_side_by_side_do_not_touch(
    documents: list[str | bytes], pattern: PatternName
) -> None:
    assert_split_alike(documents, pattern)


@each_pattern
def test_every_sequence_of_some_nasty_bytes_is_split_as_by_the_plain_version(
    pattern: PatternName,
) -> None:
    nasty = bytes.fromhex("00 0A 20 27 31 73 80 8F 90 9F A0 BF C1 C2 D0 D1 E0 ED EF F0 F4 F5 FF")
    documents = [bytes(each) for n in range(4) for each in product(nasty, repeat=n)]
    leads = bytes.fromhex("E0 E1 ED EF F0 F1 F4 F5")
    inside = bytes.fromhex("27 73 80 8F 90 9F A0 BF D0")
    documents += map(bytes, product(leads, inside, inside, inside))
    assert_split_alike(documents, pattern)


@each_pattern
def test_every_two_letters_after_an_apostrophe(pattern: PatternName) -> None:
    pairs = ["".join(each) for each in product("abdeklmorstvzABDEKLMORSTVZſжK ", repeat=2)]
    documents = [f"{before}'{pair}{after}" for pair in pairs for before in "а " for after in "б "]
    assert_split_alike(documents, pattern)


@each_pattern
def test_runs_of_white_space_of_every_shape(pattern: PatternName) -> None:
    blanks = (" ", "\t", "\u00a0", "\n", "\r")
    runs = ["".join(each) for n in range(5) for each in product(blanks, repeat=n)]
    documents = [f"{run}{after}" for run in runs for after in ("", "а", "!", "1", "'s")]
    assert_split_alike(documents, pattern)


@each_pattern
def test_a_million_alike_are_split_as_by_the_plain_version(pattern: PatternName) -> None:
    for unit in ("а", " ", "\n", "^", "\u0301", " \n", "'s", "\u00a0"):
        text = unit * (1_000_000 // len(unit.encode()))
        expected = np.cumsum([*map(len, split_alone(text, pattern))])
        assert np.array_equal(ends_of(text, pattern), expected)
