"""One pretoken into ids: the earliest merge first.

``reference.encode`` searches the whole pretoken again for every merge. Here the candidates
wait in a heap, and each merge adds at most two, so n bytes take n log n steps.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush
from itertools import pairwise

from anekdot.tokenizer.vocabulary import FIRST_MERGE, Merge, byte_ids

_GAP = -1


class Encoder:
    """Encodes pretokens, with a cache for the short ones.

    Args:
        merges: In the order of training.
        lengths: Bytes per token, by id.

    >>> a = byte_ids()[ord("a")]
    >>> Encoder([(a, a)], [1] * 259 + [2]).encode([b"aaa"]) == [259, a]
    True
    """

    CACHE_ENTRIES = 1 << 17
    MAX_CACHED_BYTES = 64

    def __init__(self, merges: Sequence[Merge], lengths: Sequence[int]) -> None:
        self._lengths = lengths
        self._byte_ids = byte_ids()
        self._merges = merges
        self._ids = {pair: FIRST_MERGE + n for n, pair in enumerate(merges)}
        self._cached = lru_cache(self.CACHE_ENTRIES)(self._encode)

    def encode(self, pretokens: Iterable[bytes]) -> list[int]:
        """Returns the ids of pretokens, one after another."""
        ids: list[int] = []
        cached, longest = self._cached, self.MAX_CACHED_BYTES
        for pretoken in pretokens:
            ids += cached(pretoken) if len(pretoken) <= longest else self._encode(pretoken)
        return ids

    def _encode(self, pretoken: bytes) -> tuple[int, ...]:
        """Merges in a flat list, where a token writes its id at its first and last byte.

        A merge only joins earlier tokens, so its id serves as its rank. The gap at the end is
        also what stands before the start, at index -1.
        """
        lengths, merge_ids = self._lengths, self._ids
        ids = [self._byte_ids[byte] for byte in pretoken]
        queue = [(merge_ids[p], n) for n, p in enumerate(pairwise(ids)) if p in merge_ids]
        heapify(queue)
        ids.append(_GAP)
        while queue:
            new, start = heappop(queue)
            left, right = self._merges[new - FIRST_MERGE]
            middle, end = start + lengths[left], start + lengths[new]
            if ids[start] != left or ids[middle] != right:
                continue  # another merge took one of the two
            ids[middle - 1] = ids[middle] = _GAP
            ids[start] = ids[end - 1] = new
            before, after = ids[start - 1], ids[end]
            if merged := merge_ids.get((before, new)):
                heappush(queue, (merged, start - lengths[before]))
            if merged := merge_ids.get((new, after)):
                heappush(queue, (merged, start))
        tokens = []
        place = 0
        while place < len(pretoken):
            tokens.append(ids[place])
            place += lengths[ids[place]]
        return tuple(tokens)
