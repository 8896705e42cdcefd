"""Duplicates: exact ones anywhere, near ones across the sides.

Two documents are near-duplicates if they share at least three word 4-grams, and these are
at least half of the 4-grams of the one that has fewer.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from anekdot.corpus.splitting import normalise

FEWEST_SHARED = 3
SMALLEST_SHARE = 0.5

_WORD = re.compile(r"[^\W_]+")


def exact_key(text: str) -> bytes:
    """Returns 128 bits that equal texts share, whatever their case and punctuation."""
    return hashlib.blake2b(normalise(text).encode(), digest_size=16).digest()


def fullest_versions(texts: Sequence[str]) -> list[int]:
    """Returns the places, in order, of the longest text of each group of exact duplicates.

    >>> fullest_versions(["Кот спит", "Пёс", "Кот спит!", "кот спит"])
    [1, 2]
    """
    best: dict[bytes, int] = {}
    for place, text in enumerate(texts):
        key = exact_key(text)
        if key not in best or len(text) > len(texts[best[key]]):
            best[key] = place
    return sorted(best.values())


def word_4grams(text: str) -> set[int]:
    """Returns the distinct word 4-grams of a text as 64-bit hashes."""
    words = _WORD.findall(text.lower())
    return {
        int.from_bytes(hashlib.blake2b(" ".join(gram).encode(), digest_size=8).digest(), "big")
        for gram in zip(words, words[1:], words[2:], words[3:], strict=False)
    }


class NearDuplicates:
    """Finds whether a text is a near-duplicate of one of a fixed set.

    Only the set is in memory, so any number of texts can be held against it.

    Args:
        texts: The set.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._sizes: list[int] = []
        self._places: dict[int, list[int]] = {}
        for place, text in enumerate(texts):
            grams = word_4grams(text)
            self._sizes.append(len(grams))
            for gram in grams:
                self._places.setdefault(gram, []).append(place)

    def __contains__(self, text: str) -> bool:
        grams = word_4grams(text)
        shared = Counter(place for gram in grams for place in self._places.get(gram, ()))
        return any(
            count >= FEWEST_SHARED
            and count >= SMALLEST_SHARE * min(len(grams), self._sizes[place])
            for place, count in shared.items()
        )
