"""The tokenizer in its plainest form, with which the faster files must agree.

Text is split into pretokens. Training starts from single bytes and joins the most frequent
pair of neighbours, again and again. Encoding replays the merges in the order of training.
docs/tokenizer.md walks through it with examples.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from anekdot.tokenizer.unicode_classes import LETTERS, MARKS, NUMBERS, WHITESPACE
from anekdot.tokenizer.vocabulary import FIRST_MERGE, Merge, byte_ids

L, M, N, S = (
    "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in ranges)
    for ranges in (LETTERS, MARKS, NUMBERS, WHITESPACE)
)
PATTERNS = {
    name: re.compile(
        rf"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n{L}{N}]?[{word}]+"
        rf"|[{N}]| ?[^{S}{word}{N}]+[\r\n]*|[{S}]*[\r\n]+|[{S}]+(?![^{S}])|[{S}]+"
    )
    for name, word in (("qwen2", L), ("qwen35", L + M))
}


def split(text: str, pattern: str = "qwen2") -> list[str]:
    """Splits text into pretokens.

    >>> split("Ты кто? Я кот")
    ['Ты', ' кто', '?', ' Я', ' кот']
    """
    return PATTERNS[pattern].findall(text)


def apply_merge(ids: Sequence[int], pair: Merge, new: int) -> list[int]:
    """Replaces a pair by its merge, left to right.

    >>> apply_merge([1, 1, 1, 2], (1, 1), 9)
    [9, 1, 2]
    """
    merged: list[int] = []
    n = 0
    while n < len(ids):
        found = tuple(ids[n : n + 2]) == pair
        merged.append(new if found else ids[n])
        n += 2 if found else 1
    return merged


def train_merges(counts: Mapping[bytes, int], vocab_size: int) -> list[Merge]:
    """Trains merges, recounting all pairs for each.

    >>> len(train_merges({b"abab": 3, b"ab": 1}, 300))
    2
    """
    words = {word: [byte_ids()[byte] for byte in word] for word in counts}
    merges: list[Merge] = []
    while FIRST_MERGE + len(merges) < vocab_size:
        pairs: Counter[Merge] = Counter()
        for word, ids in words.items():
            for pair in pairwise(ids):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        words = {w: apply_merge(ids, best, FIRST_MERGE + len(merges)) for w, ids in words.items()}
        merges.append(best)
    return merges


def encode(text: str, merges: Sequence[Merge], pattern: str = "qwen2") -> list[int]:
    """Encodes text by applying every merge in the order of training.

    >>> a = byte_ids()[ord("a")]
    >>> encode("aaa", [(a, a)]) == [259, a]
    True
    """
    ids: list[int] = []
    for pretoken in split(text, pattern):
        word = [byte_ids()[byte] for byte in pretoken.encode()]
        for n, pair in enumerate(merges):
            word = apply_merge(word, pair, FIRST_MERGE + n)
        ids.extend(word)
    return ids
