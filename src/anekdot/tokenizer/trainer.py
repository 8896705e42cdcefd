"""Documents into merges: how a tokenizer is trained.

Byte-pair encoding joins the most frequent pair of neighbouring tokens, again and again.
``reference.train_merges`` recounts all pairs for every merge; here a merge only corrects the
counts around the places where its pair stands. The result is the same, and the same as
Hugging Face's: among equally frequent pairs, the one with the smallest ids wins.

``train`` hands large corpora to ``fast``, which does exactly this in machine code.

No two merges build the same token: wherever its bytes end up as one token, no earlier merge
crossed their bounds, so they were merged alike, and the first merge took them all.

Source: Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units",
section 3.2.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise, repeat
from typing import TYPE_CHECKING, Literal, NamedTuple

from anekdot.callbacks import Progress
from anekdot.errors import TokenizerError
from anekdot.machine import available_cores
from anekdot.tokenizer import fast
from anekdot.tokenizer.pretokens import PatternName, split, to_bytes
from anekdot.tokenizer.signs import choose_pattern, count_characters
from anekdot.tokenizer.vocabulary import FIRST_BYTE, FIRST_MERGE, Merge, byte_ids

if TYPE_CHECKING:
    from anekdot.tokenizer.fast.trainer import Segmentation

Ties = Literal["huggingface", "bytes"]

EXAMINED_CHARACTERS = 1 << 22  # by which the split pattern is chosen
_GAP = -1


class TrainedMerges(NamedTuple):
    """What training returns.

    Attributes:
        merges: In the order of training.
        pattern: How the documents were split.
        segmentation: How they segment the training documents, if the fast loops trained them.
    """

    merges: list[Merge]
    pattern: PatternName
    segmentation: "Segmentation | None"


def train(
    documents: Iterable[str | bytes],
    vocab_size: int,
    ties: Ties,
    *,
    pattern: PatternName | None,
    threads: int | None,
    memory_limit: int | None,
    progress: Progress | None,
) -> TrainedMerges:
    """Trains merges on documents; see ``Tokenizer.train`` for the arguments."""
    numbering = byte_ids() if ties == "huggingface" else list(range(FIRST_BYTE, FIRST_MERGE))
    documents, first = _peek(documents, max(EXAMINED_CHARACTERS, fast.MIN_CHARACTERS_TO_COMPILE))
    is_large = sum(map(len, first)) >= fast.MIN_CHARACTERS_TO_COMPILE
    pattern = pattern or choose_pattern(count_characters(first))
    segmentation = None
    if is_large and fast.available():
        from anekdot.tokenizer.fast.counter import count_pretokens_fast  # noqa: PLC0415 (slow)
        from anekdot.tokenizer.fast.trainer import train_merges_fast  # noqa: PLC0415

        threads = threads or available_cores()
        counts = count_pretokens_fast(documents, threads, memory_limit, pattern)
        merges, segmentation = train_merges_fast(counts, vocab_size, numbering, progress)
    else:
        merges = train_merges(
            count_pretokens(documents, pattern),
            vocab_size,
            numbering=numbering,
            progress=progress,
        )
    ours = _renumbering(numbering, len(merges))
    return TrainedMerges(
        [(ours[left], ours[right]) for left, right in merges],
        pattern,
        segmentation and segmentation.renumbered(ours),
    )


def _peek(
    documents: Iterable[str | bytes], n_characters: int
) -> tuple[Iterable[str | bytes], list[str | bytes]]:
    """Returns all the documents again, and the first: at least so many characters, or all."""
    if isinstance(documents, str | bytes):
        raise TokenizerError("One text was given in place of many.", "Give a list of texts.")
    stream = map(_checked, documents)
    seen: list[str | bytes] = []
    size = 0
    for document in stream:
        seen.append(document)
        size += len(document)
        if size >= n_characters:
            break
    return chain(seen, stream), seen


def _checked(document: str | bytes) -> str | bytes:
    if not isinstance(document, str | bytes):
        cause = f"{document!r:.40} is no text, but {type(document).__name__}."
        raise TokenizerError(cause, "Give strings, and leave out what is missing.")
    return document


def _renumbering(numbering: Sequence[int], n_merges: int) -> list[int]:
    """Returns our id of every id, where another numbering of the bytes was in use."""
    ours = list(range(FIRST_MERGE + n_merges))
    for there, here in zip(numbering, byte_ids(), strict=True):
        ours[there] = here
    return ours


def count_pretokens(
    documents: Iterable[str | bytes], pattern: PatternName = "qwen2"
) -> Counter[bytes]:
    """Counts how often each pretoken occurs in all documents.

    >>> count_pretokens(["да, да", "да"])["да".encode()]
    2
    """
    counts: Counter[bytes] = Counter()
    for document in to_bytes(documents):
        counts.update(split(document, pattern))
    return counts


class _PretokenIds:
    """The ids of all pretokens in one flat list, with the places and counts of their pairs.

    A token of several bytes writes its id at its first and its last byte, so its neighbours
    can be found from the lengths alone, without links. ``_GAP`` stands between pretokens and
    inside tokens; the last one, at index -1, also stands before the first pretoken. The ids
    at a place only ever grow, so a recorded place is still valid exactly when the pair can be
    read there.
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
        """Joins a pair everywhere, left to right, and returns the pairs that this creates."""
        ids, lengths, pair_counts, places = self.ids, self.lengths, self.pair_counts, self.places
        left, right = pair
        new = len(lengths)
        lengths.append(lengths[left] + lengths[right])
        new_pairs = set()
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
                new_pairs.add((before, new))
            if after != _GAP:
                pair_counts[right, after] -= weight
                pair_counts[new, after] += weight
                places[new, after].append(start)
                new_pairs.add((new, after))
            ids[middle - 1] = ids[middle] = _GAP
            ids[start] = ids[end - 1] = new
        del pair_counts[pair]
        return new_pairs


def train_merges(
    counts: Mapping[bytes, int],
    vocab_size: int,
    *,
    numbering: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> list[Merge]:
    """Trains merges until the vocabulary is full or no pair is left.

    Args:
        counts: How often each pretoken occurs; nothing else affects the result.
        vocab_size: Special tokens, 256 bytes and merges together.
        numbering: The id of each byte value, ``byte_ids()`` by default; among equally
            frequent pairs, the one with the smallest ids wins.
        progress: Called with (merges done, merges wanted, "merges"); if the texts yield
            fewer, the last call wants no more than there are.

    Returns:
        Pairs of ids; the first merge makes the id ``FIRST_MERGE``, and so on.

    >>> a, b = byte_ids()[ord("a")], byte_ids()[ord("b")]
    >>> train_merges({b"abab": 3, b"ab": 1}, 261) == [(a, b), (259, 259)]
    True
    """
    pretokens = _PretokenIds(counts, numbering or byte_ids())
    wanted = vocab_size - FIRST_MERGE
    queue = [(-count, pair) for pair, count in pretokens.pair_counts.items()]
    heapq.heapify(queue)
    merges: list[Merge] = []
    while len(merges) < wanted and (pair := _pop_most_frequent(queue, pretokens.pair_counts)):
        merges.append(pair)
        for new_pair in pretokens.merge(pair):
            heapq.heappush(queue, (-pretokens.pair_counts[new_pair], new_pair))
        if progress:
            progress(len(merges), wanted, "merges")
    if progress and len(merges) < wanted:
        progress(len(merges), len(merges), "merges")
    return merges


def _pop_most_frequent(
    queue: list[tuple[int, Merge]], pair_counts: Mapping[Merge, int]
) -> Merge | None:
    """Takes the most frequent pair out of the queue, whose counts may be too high by now."""
    while queue:
        expected, pair = heapq.heappop(queue)
        count = pair_counts[pair]
        if count == -expected > 0:
            return pair
        if count > 0:  # merges since then took some of its places
            heapq.heappush(queue, (-count, pair))
    return None
