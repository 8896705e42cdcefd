import random
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.tokenizer import reference
from anekdot.tokenizer import trainer as plain_trainer
from anekdot.tokenizer.fast import counter, trainer
from anekdot.tokenizer.fast.counting import PretokenCounts
from anekdot.tokenizer.vocabulary import FIRST_BYTE, FIRST_MERGE, Merge, byte_ids
from tests.support.peers import hugging_face_merges, written

BY_VALUE = range(FIRST_BYTE, FIRST_MERGE)
WORDS = st.one_of(
    *(st.text(each, min_size=1, max_size=12).map(str.encode) for each in ("a", "ab", "abc", "аб ")),
    st.binary(min_size=1, max_size=12),
)
COUNTS = st.dictionaries(WORDS, st.integers(1, 4), max_size=8)


def counts_of(counts: Mapping[bytes, int]) -> PretokenCounts:
    """Returns counts as the compiled loops have them."""
    return PretokenCounts(
        data=np.frombuffer(b"".join(counts), np.uint8),
        lengths=np.array([*map(len, counts)], np.int64),
        counts=np.array([*counts.values()], np.int64),
    )


def trained(
    counts: Mapping[bytes, int], vocab_size: int, numbering: range | None = None
) -> list[Merge]:
    return trainer.train_merges_fast(counts_of(counts), vocab_size, numbering or byte_ids(), None)[
        0
    ]


def plain_by_value(counts: Mapping[bytes, int], vocab_size: int) -> list[Merge]:
    """Trains merges in raw byte values: of equally frequent pairs the smallest wins."""
    words = {word: [*word] for word in counts}
    merges: list[Merge] = []
    while FIRST_MERGE + len(merges) < vocab_size:
        pairs: Counter[Merge] = Counter()
        for word, ids in words.items():
            for pair in pairwise(ids):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = max(sorted(pairs), key=pairs.__getitem__)
        words = {w: reference.apply_merge(s, best, 256 + len(merges)) for w, s in words.items()}
        merges.append(best)
    return [(left + FIRST_BYTE, right + FIRST_BYTE) for left, right in merges]


@pytest.fixture
def enlargements(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs there was room for at each enlargement."""
    found: list[int] = []
    enlarged = trainer._enlarged

    def watched(pairs: trainer.Pairs) -> trainer.Pairs:
        found.append(len(pairs.left))
        return enlarged(pairs)

    monkeypatch.setattr(trainer, "_enlarged", watched)
    return found


@pytest.fixture
def small_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begins with room for 16 pairs, as many as four symbols have, and for their places."""
    room = trainer._allocate_pairs

    def small(n_pairs: int, n_places: int) -> trainer.Pairs:
        first = n_pairs > 1 << 12
        return room(16, 2 * n_places // 5) if first else room(n_pairs, n_places)

    monkeypatch.setattr(trainer, "_allocate_pairs", small)


@given(COUNTS, st.integers(259, 300))
@settings(max_examples=200)
def test_equals_the_reference(counts: dict[bytes, int], vocab_size: int) -> None:
    assert trained(counts, vocab_size) == reference.train_merges(counts, vocab_size)


@given(COUNTS, st.integers(259, 300))
@settings(max_examples=200)
def test_ties_by_value_equal_a_reference_in_raw_bytes(
    counts: dict[bytes, int], vocab_size: int
) -> None:
    assert trained(counts, vocab_size, BY_VALUE) == plain_by_value(counts, vocab_size)


def test_equals_the_reference_on_every_short_word(
    small_room: None, enlargements: list[int]
) -> None:
    for word in (bytes(word) for n in range(1, 10) for word in product(b"ab", repeat=n)):
        assert trained({word: 1}, 300) == reference.train_merges({word: 1}, 300), word
        assert trained({word: 1}, 300, BY_VALUE) == plain_by_value({word: 1}, 300), word


def tiny_corpora(alphabets: tuple[str, ...], n: int) -> list[tuple[dict[bytes, int], int]]:
    chance = random.Random(7)
    corpora = []
    for alphabet in alphabets:
        for _ in range(n):
            words = ["".join(chance.choices(alphabet, k=chance.randint(1, 16))) for _ in range(5)]
            counts = {word.encode(): chance.randint(1, 3) for word in words[chance.randrange(5) :]}
            corpora.append((counts, chance.randint(259, 290)))
    return corpora


def test_equals_the_reference_on_thousands_of_tiny_corpora_in_small_rooms(
    small_room: None, enlargements: list[int]
) -> None:
    for counts, vocab_size in tiny_corpora(("a", "ab", "abc", "аб "), 1000):
        expected = reference.train_merges(counts, vocab_size)
        assert trained(counts, vocab_size) == expected, (counts, vocab_size)
    assert len(enlargements) > 1000
    assert max(enlargements) >= 64


def test_equals_the_plain_versions_on_mixed_tiny_corpora() -> None:
    for counts, vocab_size in tiny_corpora(("ab'sт1 \n\u00a0", "аaбb", "жabж\u0301"), 300):
        assert trained(counts, vocab_size) == plain_trainer.train_merges(counts, vocab_size), counts
        by_value = plain_trainer.train_merges(counts, vocab_size, numbering=BY_VALUE)
        assert trained(counts, vocab_size, BY_VALUE) == by_value, counts


@pytest.mark.parametrize("numbering", [byte_ids(), BY_VALUE])
def test_ties_go_to_the_smallest_ids(numbering: range) -> None:
    first = min((b"\n", b"a"), key=lambda byte: numbering[byte[0]])
    last = b"a" if first == b"\n" else b"\n"
    expected = (numbering[first[0]], numbering[last[0]])
    assert trained({b"\na": 1, b"a\n": 1}, 260, numbering) == [expected]


def test_one_endless_word_equals_the_plain_version() -> None:
    word = bytes(random.Random(3).choices("абвгдежз".encode(), k=50_000))
    assert trained({word: 1}, 1259) == plain_trainer.train_merges({word: 1}, 1259)
    alike = {b"a" * 50_000: 1, b"ab" * 25_000: 1}
    assert trained(alike, 400) == plain_trainer.train_merges(alike, 400)


def test_more_pairs_than_there_was_room_for_equal_the_plain_version(
    enlargements: list[int],
) -> None:
    chance = random.Random(5)
    counts = {chance.randbytes(300): chance.randint(1, 9) for _ in range(800)}
    assert trained(counts, 6000) == plain_trainer.train_merges(counts, 6000)
    assert enlargements


def test_counts_beyond_32_bits() -> None:
    a, b = byte_ids()[ord("a")], byte_ids()[ord("b")]
    for large in (2**31, 2**32, 2**33, 2**61):
        assert trained({b"aa": large - 1, b"ba": large}, 260) == [(b, a)]
        assert trained({b"ba": large - 1, b"aa": large}, 260) == [(a, a)]
    counts = {word: 2**40 + n for n, word in enumerate((b"abab", b"bcbc", b"cabcab", b"aaaa"))}
    assert trained(counts, 300) == plain_trainer.train_merges(counts, 300)


def test_counts_that_add_up_beyond_32_bits() -> None:
    counts = {b"ab" + b"%d" % n: 2**31 for n in range(4)} | {b"cd": 2**33 - 1}
    a, b = byte_ids()[ord("a")], byte_ids()[ord("b")]
    assert trained(counts, 260) == [(a, b)]


def test_stops_when_no_pair_is_left() -> None:
    assert trained({}, 300) == []
    assert trained({b"a": 5, b"\xff": 1}, 300) == []
    assert len(trained({b"abcd": 1}, 1000)) == 3
    assert trained({b"abcd": 1}, 259) == []


def test_a_vocabulary_that_no_memory_holds_stops_where_the_texts_do() -> None:
    assert len(trained({b"abcd": 1}, 10**12)) == 3


def test_the_order_of_the_pretokens_does_not_matter() -> None:
    chance = random.Random(11)
    words = ["".join(chance.choices("абв ", k=chance.randint(1, 12))).encode() for _ in range(200)]
    counts = {word: chance.randint(1, 5) for word in words}
    shuffled = dict(chance.sample([*counts.items()], len(counts)))
    assert trained(counts, 400) == trained(shuffled, 400)


@pytest.mark.parametrize(("vocab_size", "end"), [(1300, (1041, 1041)), (50_000, None)])
def test_progress_grows_and_ends_at_the_total(vocab_size: int, end: tuple[int, int] | None) -> None:
    word = bytes(random.Random(2).choices(b"abcdefgh", k=9000))
    calls: list[tuple[int, int, str]] = []
    merges, _ = trainer.train_merges_fast(
        counts_of({word: 1}), vocab_size, byte_ids(), lambda *call: calls.append(call)
    )
    assert calls[-1] == (*(end or (len(merges), len(merges))), "merges")
    assert {total for _, total, _ in calls[:-1]} == {vocab_size - FIRST_MERGE}
    assert [done for done, *_ in calls] == sorted(done for done, *_ in calls)
    assert len(calls) > 2


@pytest.mark.slow
def test_equals_the_plain_version_on_the_corpus(corpus: list[str]) -> None:
    counts = counter.count_pretokens_fast(corpus, 2, None)
    expected = plain_trainer.train_merges(plain_trainer.count_pretokens(corpus), 8192)
    for vocab_size in (1024, 8192):
        merges, _ = trainer.train_merges_fast(counts, vocab_size, byte_ids(), None)
        assert merges == expected[: vocab_size - FIRST_MERGE]
    assert len(expected) == 8192 - FIRST_MERGE


@pytest.mark.slow
def test_equals_hugging_face_on_the_corpus(corpus: list[str]) -> None:
    counts = counter.count_pretokens_fast(corpus, 2, None)
    merges, _ = trainer.train_merges_fast(counts, 2048, byte_ids(), None)
    assert written(merges) == hugging_face_merges(corpus, 2048)
