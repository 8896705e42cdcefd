import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anekdot.corpus.cleaning import clean
from anekdot.corpus.deduplication.fingerprints import fingerprints
from anekdot.corpus.splitting import normalise, words

PIECES = [
    "кот",
    "КОТ",
    "ёж",
    "İ",
    "ΣΑΣ",
    "ΟΔΟΣ",
    "𝐇𝐞",
    "🙂",
    "ß",
    "ẞ",
    "_",
    "-",
    "х2",
    "²",
    "٣",
    " ",
]
texts_of_pieces = st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join)


def four_grams(text: str) -> set[tuple[str, ...]]:
    sequence = words(text)
    return {tuple(sequence[first : first + 4]) for first in range(len(sequence) - 3)}


@given(st.lists(st.text(max_size=40).map(clean) | texts_of_pieces, max_size=6))
def test_equal_hashes_are_equal_shingles(texts):
    _, hashes, counts = fingerprints(texts)
    assert len(counts) == len(texts)
    assert counts.sum() == len(hashes)
    hash_of: dict[tuple[str, ...], int] = {}
    ends = np.cumsum(counts)
    for text, first, stop in zip(texts, ends - counts, ends, strict=True):
        own = hashes[first:stop].tolist()
        expected = four_grams(text)
        assert len(expected) == len(own)
        assert own == sorted({*own})
        for gram in expected:
            _, single, _ = fingerprints([" ".join(gram)])
            assert single.tolist() == [hash_of.setdefault(gram, int(single[0]))]
            assert int(single[0]) in own
    assert len({*hash_of.values()}) == len(hash_of)


def test_shingles_of_every_character_are_those_of_its_words():
    points = [*range(0xD800), *range(0xE000, 0x110000, 7), *range(0x10000, 0x11000)]
    texts = [f"а{chr(point)}б {chr(point)} в г д" for point in points if point]
    keys, hashes, counts = fingerprints(texts)
    plain_keys, plain, plain_counts = fingerprints([" ".join(words(text)) for text in texts])
    assert np.array_equal(counts, plain_counts)
    assert np.array_equal(hashes, plain)
    assert np.array_equal(keys, plain_keys)


@pytest.mark.parametrize("n_words", [0, 3, 4, 5, 3000])
def test_number_of_shingles(n_words):
    _, _, counts = fingerprints([" ".join(f"слово{number}" for number in range(n_words))])
    assert counts.tolist() == [max(0, n_words - 3)]


def test_repeated_shingles_count_once_whatever_the_dress():
    _, hashes, counts = fingerprints(["Да, да! ДА — да; «да» да", "да да да да", "да да да"])
    assert counts.tolist() == [1, 1, 0]
    assert hashes[0] == hashes[1]


def test_no_texts():
    assert [len(part) for part in fingerprints([])] == [0, 0, 0]


@given(st.lists(st.text(max_size=6).map(clean) | texts_of_pieces, max_size=30))
def test_keys_are_equal_where_normal_forms_are(texts):
    keys, _, _ = fingerprints(texts)
    halves = {normalise(text): tuple(key) for text, key in zip(texts, keys.tolist(), strict=True)}
    assert [halves[normalise(text)] for text in texts] == [*map(tuple, keys.tolist())]
    for half in (0, 1):
        assert len({key[half] for key in halves.values()}) == len(halves)
