"""Pretoken counts into merges, touching only what a merge changes.

Byte-pair encoding joins the most frequent pair of neighbouring tokens, again and again.
Recounting all pairs each time is ``reference.train_merges``; here a merge corrects the
counts around the places where its pair stands. The result is the same, and the same as
Hugging Face's: of equally frequent pairs the one with the smallest ids wins.

No two merges build the same token: wherever its bytes end up as one token, no earlier merge
crossed their bounds, so they were merged alike, and the first merge took them all.

Source: Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units",
section 3.2.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, repeat

from anekdot.callbacks import Progress
from anekdot.tokenizer.pretokens import split, to_bytes
from anekdot.tokenizer.vocabulary import FIRST_MERGE, Merge, byte_ids

_GAP = -1


def count_pretokens(documents: Iterable[str | bytes]) -> Counter[bytes]:
    """Counts how often each pretoken occurs in all documents.

    >>> count_pretokens(["да, да", "да"])["да".encode()]
    2
    """
    counts: Counter[bytes] = Counter()
    for document in to_bytes(documents):
        counts.update(split(document))
    return counts


class _Words:
    """All pretokens in one flat list, and the places and counts of their pairs.

    A token of several bytes writes its id at its first and its last byte, so that the
    neighbours are found from the lengths alone, without links. ``_GAP`` stands between
    pretokens and inside tokens; the last one, at index -1, also stands before the first
    pretoken. The ids at a place only grow, so a remembered place is
    still good exactly when the pair can be read there.
    """

    def __init__(self, counts: Mapping[bytes, int], numbering: Sequence[int]) -> None:
        self.lengths = [1] * FIRST_MERGE
        self.ids: list[int] = []
        self.weights: list[int] = []
        self.pair_counts: defaultdict[Merge, int] = defaultdict(int)
        self.places: defaultdict[Merge, list[int]] = defaultdict(list)
        for pretoken, count in sorted(counts.items()):
            self.ids.extend(numbering[byte] for byte in pretoken)
            self.ids.append(_GAP)
            self.weights.extend(repeat(count, len(pretoken) + 1))
        for place, pair in enumerate(pairwise(self.ids)):
            if _GAP not in pair:
                self.pair_counts[pair] += self.weights[place]
                self.places[pair].append(place)

    def merge(self, pair: Merge) -> set[Merge]:
        """Joins a pair everywhere, left to right, and returns the pairs that this made."""
        ids, lengths, pair_counts, places = self.ids, self.lengths, self.pair_counts, self.places
        left, right = pair
        new = len(lengths)
        lengths.append(lengths[left] + lengths[right])
        born = set()
        for start in places.pop(pair):
            middle = start + lengths[left]
            if ids[start] != left or ids[middle] != right:
                continue
            end = start + lengths[new]
            weight = self.weights[start]
            before, after = ids[start - 1], ids[end]
            if before != _GAP:
                pair_counts[before, left] -= weight
                pair_counts[before, new] += weight
                places[before, new].append(start - lengths[before])
                born.add((before, new))
            if after != _GAP:
                pair_counts[right, after] -= weight
                pair_counts[new, after] += weight
                places[new, after].append(start)
                born.add((new, after))
            ids[middle - 1] = ids[middle] = _GAP
            ids[start] = ids[end - 1] = new
        del pair_counts[pair]
        return born


def train_merges(
    counts: Mapping[bytes, int],
    vocab_size: int,
    *,
    numbering: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> list[Merge]:
    """Learns merges until the vocabulary is full or no pair is left.

    Args:
        counts: How often each pretoken occurs; nothing else decides the result.
        vocab_size: Special tokens, 256 bytes and merges together.
        numbering: The id of each byte value, ``byte_ids()`` unless given; of equally
            frequent pairs the one with the smallest ids wins.
        progress: Called with (merges done, merges wanted, "merges"); where the texts give
            fewer, the last call wants no more than there are.

    Returns:
        Pairs of ids; the first merge makes the id ``FIRST_MERGE``, and so on.

    >>> a, b = byte_ids()[ord("a")], byte_ids()[ord("b")]
    >>> train_merges({b"abab": 3, b"ab": 1}, 261) == [(a, b), (259, 259)]
    True
    """
    words = _Words(counts, numbering or byte_ids())
    wanted = vocab_size - FIRST_MERGE
    queue = [(-count, pair) for pair, count in words.pair_counts.items()]
    heapq.heapify(queue)
    merges: list[Merge] = []
    while queue and len(merges) < wanted:
        expected, pair = heapq.heappop(queue)
        count = words.pair_counts[pair]
        if count < 1:
            continue
        if count != -expected:  # merges since then took some of its places
            heapq.heappush(queue, (-count, pair))
            continue
        merges.append(pair)
        for born in words.merge(pair):
            heapq.heappush(queue, (-words.pair_counts[born], born))
        if progress:
            progress(len(merges), wanted, "merges")
    if progress and len(merges) < wanted:
        progress(len(merges), len(merges), "merges")
    return merges
