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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise, repeat
from typing import Literal

from anekdot.callbacks import Progress
from anekdot.errors import TokenizerError
from anekdot.tokenizer import compiled
from anekdot.tokenizer.pretokens import split
from anekdot.tokenizer.vocabulary import FIRST_BYTE, FIRST_MERGE, Merge, byte_ids

Ties = Literal["huggingface", "bytes"]

_GAP = -1


def train(
    documents: Iterable[str | bytes],
    vocab_size: int,
    *,
    ties: Ties,
    threads: int | None,
    memory_limit: int | None,
    progress: Progress | None,
) -> list[Merge]:
    """Learns merges with the compiled loops where they pay, else with those of this file.

    See ``Tokenizer.train`` for the arguments.
    """
    numbering = byte_ids() if ties == "huggingface" else list(range(FIRST_BYTE, FIRST_MERGE))
    stream = document_bytes(documents)
    merges = None
    if compiled.available():
        ahead, size = [], 0
        for document in stream:
            ahead.append(document)
            size += len(document)
            if size >= compiled.WORTH_COMPILING or memory_limit is not None:
                break
        stream = chain(ahead, stream)
        if size >= compiled.WORTH_COMPILING or memory_limit is not None:
            from anekdot.tokenizer.compiled import counter, learning  # noqa: PLC0415 (slow)

            counts = counter.count_pretokens(stream, threads or compiled.cores(), memory_limit)
            merges = learning.train_merges(counts, vocab_size, numbering, progress)
    if merges is None:
        plain_counts = count_pretokens(stream)
        merges = train_merges(plain_counts, vocab_size, numbering=numbering, progress=progress)
    return _renumbered(merges, numbering)


def document_bytes(documents: Iterable[str | bytes]) -> Iterator[bytes]:
    """Yields documents as UTF-8.

    Raises:
        TokenizerError: A document holds a lone surrogate, which UTF-8 cannot express.
    """
    for n, document in enumerate(documents):
        try:
            yield document.encode() if isinstance(document, str) else document
        except UnicodeEncodeError as error:
            raise TokenizerError(
                f"Document {n} holds a lone surrogate, {error.object[error.start]!a}, "
                f"at character {error.start}.",
                "Read the texts as UTF-8, or drop this document.",
            ) from error


def count_pretokens(documents: Iterable[bytes]) -> Counter[bytes]:
    """Counts how often each pretoken occurs in all documents.

    >>> count_pretokens([b"ha, ha", b"ha"])[b"ha"]
    2
    """
    counts: Counter[bytes] = Counter()
    for document in documents:
        counts.update(split(document))
    return counts


def _renumbered(merges: Sequence[Merge], numbering: Sequence[int]) -> list[Merge]:
    """Returns merges learned under another numbering of the bytes under our own."""
    ours = list(range(FIRST_MERGE + len(merges)))
    for there, here in zip(numbering, byte_ids(), strict=True):
        ours[there] = here
    return [(ours[left], ours[right]) for left, right in merges]


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
