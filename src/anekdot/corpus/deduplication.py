"""The same text twice, and held-out texts that leak into training in another wording."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from hashlib import blake2b

from anekdot.corpus.splitting import normalise, words

GRAM_WORDS = 4
"""Words in a gram, the unit in which texts are compared."""

MIN_SHARED = 3
"""Grams that near-duplicates share at least: fewer are a figure of speech."""


class Distinct:
    """A collection of texts without exact duplicates, in the order of first appearance.

    Texts are the same when their normal forms are; the longest version stays, the first
    among equals. Identity is a 128-bit hash.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._places: dict[bytes, int] = {}

    def add(self, text: str) -> bool:
        """Adds a text, and tells whether it is a new one."""
        key = blake2b(normalise(text).encode(), digest_size=16).digest()
        place = self._places.setdefault(key, len(self.texts))
        if place == len(self.texts):
            self.texts.append(text)
            return True
        if len(text) > len(self.texts[place]):
            self.texts[place] = text
        return False


def grams(text: str) -> set[int]:
    """Returns the distinct word 4-grams of a text as 64-bit hashes."""
    sequence = words(text)
    distinct = {
        " ".join(sequence[start : start + GRAM_WORDS])
        for start in range(len(sequence) - GRAM_WORDS + 1)
    }
    return {
        int.from_bytes(blake2b(gram.encode(), digest_size=8).digest(), "big") for gram in distinct
    }


class NearDuplicates:
    """An index of held-out texts that recognises their near-duplicates.

    Two texts are near-duplicates when they share at least three distinct word 4-grams that
    make up at least half of those of the text that has fewer. The index grows with the
    held-out texts only; the texts compared to it stream through.

    Source: the measure is the containment of the shorter text's shingles in the longer
    one's, of Broder, "On the resemblance and containment of documents", 1997.

    Args:
        texts: The first texts to index.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._sizes: list[int] = []
        self._holders: defaultdict[int, list[int]] = defaultdict(list)
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Adds a held-out text."""
        distinct = grams(text)
        for gram in distinct:
            self._holders[gram].append(len(self._sizes))
        self._sizes.append(len(distinct))

    def match(self, text: str) -> bool:
        """Tells whether a text is a near-duplicate of an indexed one."""
        distinct = grams(text)
        shared: Counter[int] = Counter()
        for gram in distinct & self._holders.keys():
            shared.update(self._holders[gram])
        return any(
            count >= MIN_SHARED and 2 * count >= min(len(distinct), self._sizes[holder])
            for holder, count in shared.items()
        )
