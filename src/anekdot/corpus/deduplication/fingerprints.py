"""What texts are compared by: hashes of the whole text and of its shingles (word 4-grams).

The loop works on UTF-16 with two tables: a unit's lower case, and its kind, see `characters`. A
text with characters that such tables cannot hold goes through `spaced` first.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from anekdot.corpus.deduplication.characters import (
    ACCENT,
    ALONE,
    BREAK,
    JOINER,
    LETTER,
    spaced,
    tables,
    with_signs,
)
from anekdot.numba_jit import Bytes, Ints, Units, Words64, jit

SHINGLE_WORDS = 4
"""Words64 in a shingle."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_OTHER_MULTIPLIER = np.uint64(0xD6E8FEB86659FD93)
_SEED = np.uint64(0x243F6A8885A308D3)


class Fingerprints(NamedTuple):
    """The fingerprints of some texts.

    Attributes:
        keys: The hash of each text's normal form, two halves of 64 bits, (texts, 2).
        shingles: The distinct shingles of all texts end to end, as 64-bit hashes,
            ascending within a text, (shingles,).
        counts: How many of them each text has, (texts,).
    """

    keys: Words64
    shingles: Words64
    counts: Ints


_LOWER, _KINDS, _BEYOND = tables()


def fingerprints(texts: Sequence[str]) -> Fingerprints:
    """Returns the fingerprints of texts.

    Args:
        texts: Without zeros and lone surrogates, as cleaned texts are.
    """
    joined = "\0".join([*map(with_signs, texts), ""])
    if _BEYOND.search(joined):
        parts = joined.split("\0")
        joined = "\0".join(spaced(part) if _BEYOND.search(part) else part for part in parts)
    units = np.frombuffer(joined.encode("utf-16-le"), "<u2")
    keys = np.empty((len(texts), 2), np.uint64)
    shingles = np.empty(len(units), np.uint64)
    counts = np.empty(len(texts), np.int32)
    n_shingles = write_fingerprints(units, _LOWER, _KINDS, keys, shingles, counts)
    return Fingerprints(keys, shingles[:n_shingles], counts)


@jit
def write_fingerprints(
    units: Units, lower: Units, kinds: Bytes, keys: Words64, shingles: Words64, counts: Ints
) -> int:
    """Writes the fingerprints of documents, each ended by a zero; returns how many shingles."""
    high = low = a = b = c = word = _SEED
    n_words = document = first = size = 0
    inside = alone = False
    for place in range(len(units)):
        unit = units[place]
        kind = kinds[unit]
        if inside and (kind <= ALONE or (alone and kind == LETTER)):
            if n_words >= SHINGLE_WORDS - 1:
                shingles[size] = mix(mix(mix(mix(a) ^ b) ^ c) ^ word)
                size += 1
            a, b, c, word = b, c, word, _SEED
            n_words += 1
            inside = alone = False
        if BREAK < kind < JOINER:
            letter = np.uint64(lower[unit])
            high = mix(high ^ letter)
            low = (low + letter) * _OTHER_MULTIPLIER
            low ^= low >> np.uint64(29)
            if kind < ACCENT:
                word = mix(word ^ letter)
                inside = True
                alone = alone or kind == ALONE
        if unit == 0:
            size = first + sort_distinct(shingles, first, size)
            counts[document] = size - first
            keys[document, 0], keys[document, 1] = high, low
            high = low = _SEED
            document += 1
            first, n_words = size, 0
    return size


@jit
def mix(value: np.uint64) -> np.uint64:
    """Returns a number whose every bit depends on many of the value's."""
    value *= _MULTIPLIER
    return value ^ value >> np.uint64(32)


@jit
def sort_distinct(shingles: Words64, first: int, stop: int) -> int:
    """Sorts a range in place and moves its distinct values to the front; returns how many."""
    gap = 1
    while 3 * gap < stop - first:
        gap = 3 * gap + 1
    while gap:
        for place in range(first + gap, stop):
            value, hole = shingles[place], place
            while hole >= first + gap and shingles[hole - gap] > value:
                shingles[hole] = shingles[hole - gap]
                hole -= gap
            shingles[hole] = value
        gap //= 3
    n_distinct = 0
    for place in range(first, stop):
        if n_distinct == 0 or shingles[place] != shingles[first + n_distinct - 1]:
            shingles[first + n_distinct] = shingles[place]
            n_distinct += 1
    return n_distinct
