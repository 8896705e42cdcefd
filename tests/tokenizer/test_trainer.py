import random
from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.tokenizer import reference
from anekdot.tokenizer.trainer import count_pretokens, train_merges
from anekdot.tokenizer.vocabulary import byte_ids
from tests.support.peers import hugging_face_merges, written

WORDS = st.one_of(*(st.text(alphabet, min_size=1, max_size=12) for alphabet in ("a", "ab", "abc")))
COUNTS = st.dictionaries(WORDS.map(str.encode), st.integers(1, 4), max_size=8)


@given(COUNTS, st.integers(259, 300))
@settings(max_examples=500)
def test_equals_the_reference(counts: dict[bytes, int], vocab_size: int) -> None:
    assert train_merges(counts, vocab_size) == reference.train_merges(counts, vocab_size)


def test_equals_the_reference_on_every_short_word() -> None:
    words = (bytes(word) for n in range(1, 10) for word in product(b"ab", repeat=n))
    for word in words:
        assert train_merges({word: 1}, 300) == reference.train_merges({word: 1}, 300), word


def test_equals_hugging_face_on_thousands_of_tiny_corpora() -> None:
    chance = random.Random(7)
    for alphabet in ("a", "ab", "abc", "аб ", "ab'sт1 \n\u00a0"):
        for _ in range(600):
            documents = [
                "".join(chance.choices(alphabet, k=chance.randint(0, 30)))
                for _ in range(chance.randint(1, 6))
            ]
            vocab_size = chance.randint(259, 290)
            merges = train_merges(count_pretokens(documents), vocab_size)
            assert written(merges) == hugging_face_merges(documents, vocab_size), documents


@pytest.mark.slow
def test_equals_hugging_face_on_the_corpus(corpus: list[str]) -> None:
    merges = train_merges(count_pretokens(corpus), 2048)
    assert written(merges) == hugging_face_merges(corpus, 2048)
    assert len(merges) == 2048 - 259


def test_ties_go_to_the_smallest_ids() -> None:
    a, n = byte_ids()[ord("a")], byte_ids()[ord("\n")]
    assert a < n  # by the printable character of a byte, not by its value
    assert train_merges({b"\na": 1, b"a\n": 1}, 260) == [(a, n)]


def test_overlapping_pairs_count() -> None:
    a, b = byte_ids()[ord("a")], byte_ids()[ord("b")]
    assert train_merges({b"aaaa": 1, b"ab": 2}, 260) == [(a, a)]
    assert train_merges({b"aaa": 1, b"ab": 3}, 260) == [(a, b)]


def test_counts_alone_decide() -> None:
    counts = count_pretokens(["кот и кит", "кит и пёс", "пёс и кот"])
    backwards = Counter(dict(reversed(counts.items())))
    assert train_merges(counts, 280) == train_merges(backwards, 280)


def test_counts_beyond_32_and_64_bits() -> None:
    a, b = byte_ids()[ord("a")], byte_ids()[ord("b")]
    for large in (2**31, 2**32, 2**64):
        assert train_merges({b"aa": large - 1, b"ba": large}, 260) == [(b, a)]


def test_stops_when_no_pair_is_left() -> None:
    assert train_merges({}, 300) == []
    assert train_merges({b"a": 5}, 300) == []
    assert len(train_merges({b"abcd": 1}, 1000)) == 3


def test_larger_vocabularies_continue_smaller_ones() -> None:
    counts = count_pretokens(["на дворе трава, на траве дрова"])
    assert train_merges(counts, 280)[:10] == train_merges(counts, 269)


def test_progress_reaches_the_end() -> None:
    calls: list[tuple[int, int, str]] = []
    train_merges({b"abcd": 1}, 262, progress=lambda *call: calls.append(call))
    assert calls == [(1, 3, "merges"), (2, 3, "merges"), (3, 3, "merges")]


def test_progress_ends_where_the_texts_give_no_more() -> None:
    calls: list[tuple[int, int, str]] = []
    train_merges({b"ab": 1}, 300, progress=lambda *call: calls.append(call))
    assert calls == [(1, 41, "merges"), (1, 1, "merges")]


def test_one_endless_word_is_no_obstacle() -> None:
    chance = random.Random(3)
    word = "".join(chance.choices("абвгдежз", k=50_000)).encode()
    assert len(train_merges({word: 1}, 1259)) == 1000
