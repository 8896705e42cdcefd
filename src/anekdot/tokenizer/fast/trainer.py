"""Pretoken counts into merges: allocates the arrays of ``merging``, larger ones when full."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anekdot.callbacks import Progress
from anekdot.errors import TokenizerError
from anekdot.tokenizer.fast.counting import PretokenCounts
from anekdot.tokenizer.fast.merging import (
    GAP,
    JoinedPlaces,
    Neighbours,
    Pretokens,
    add_byte_pairs,
    train_until,
    write_pretokens,
)
from anekdot.tokenizer.fast.pairs import Pairs, rehash

MERGES_PER_CALL = 500  # progress is reported in between


class Segmentation(NamedTuple):
    """How a trained tokenizer segments the pretokens that it was trained on.

    Attributes:
        counts: The pretokens.
        ids: Their ids, laid out as in ``merging.Pretokens``.
    """

    counts: PretokenCounts
    ids: npt.NDArray[np.int32]

    def renumbered(self, ids: Sequence[int]) -> "Segmentation":
        """Returns the same with other ids, given by old id."""
        table = np.array([*ids, GAP], np.int32)  # GAP is -1, and reads the last
        return Segmentation(self.counts, table[self.ids])


def train_merges_fast(
    counts: PretokenCounts,
    vocab_size: int,
    byte_ids: Sequence[int],
    progress: Progress | None,
) -> tuple[list[tuple[int, int]], Segmentation]:
    """Trains merges until the vocabulary is full or no pair is left.

    Args:
        counts: How often each pretoken occurs; nothing else affects the result.
        vocab_size: Special tokens, 256 bytes and merges together.
        byte_ids: The id of each byte value; among equally frequent pairs, the smallest ids win.
        progress: Called with (merges done, merges wanted, "merges").
    """
    first = max(byte_ids) + 1
    wanted = vocab_size - first
    vocab_size = min(vocab_size, first + len(counts.data))  # each merge uses up a place
    pretokens = _pretokens(counts, vocab_size, np.array(byte_ids, np.int32))
    pretokens.n_ids[0] = first
    pairs = _allocate_pairs(1 << 17, 5 * len(pretokens.ids))  # unused parts take no memory
    add_byte_pairs(pretokens, pairs, first, *np.zeros((2, first * first), np.int64))
    merges = np.zeros((vocab_size, 2), np.int64)
    sides = _allocate_neighbours(vocab_size), _allocate_neighbours(vocab_size)
    max_joined = int(pairs.n_places[: pairs.sizes[0]].max(initial=0))
    joined = JoinedPlaces(*(np.empty(max_joined, np.int32) for _ in range(3)))
    while pretokens.n_ids[0] < vocab_size:
        before = int(pretokens.n_ids[0])
        until = min(vocab_size, before + MERGES_PER_CALL)
        if train_until(pretokens, pairs, merges, until, joined, sides):
            pairs = _enlarged(pairs)
        elif pretokens.n_ids[0] == before:
            break
        if progress is not None:
            progress(int(pretokens.n_ids[0]) - first, wanted, "merges")
    n_merges = int(pretokens.n_ids[0]) - first
    if progress is not None and n_merges < wanted:
        progress(n_merges, n_merges, "merges")
    trained = [(int(left), int(right)) for left, right in merges[first : first + n_merges]]
    return trained, Segmentation(counts, pretokens.ids)


def _pretokens(
    counts: PretokenCounts,
    vocab_size: int,
    byte_ids: npt.NDArray[np.int32],
) -> Pretokens:
    """Returns the pretokens as ids with gaps between them."""
    size = len(counts.data) + len(counts.counts) + 1
    if size > np.iinfo(np.int32).max:
        raise TokenizerError(
            f"The distinct words have {len(counts.data):,} bytes together, too many to merge.",
            "Train the tokenizer on a part of the texts.",
        )
    ids, numbers = np.empty(size, np.int32), np.empty(size, np.int32)
    write_pretokens(counts.data, counts.lengths, byte_ids, ids, numbers)
    lengths = np.ones(vocab_size, np.int32)
    return Pretokens(ids, numbers, counts.counts, lengths, np.zeros(1, np.int64))


def _allocate_pairs(n_pairs: int, n_places: int) -> Pairs:
    return Pairs(
        left=np.empty(n_pairs, np.int32),
        right=np.empty(n_pairs, np.int32),
        counts=np.empty(n_pairs, np.int64),
        first=np.empty(n_pairs, np.int64),
        n_places=np.empty(n_pairs, np.int64),
        places=np.empty(n_places, np.int32),
        heap_count=np.empty(n_pairs, np.int64),
        heap_pair=np.empty(n_pairs, np.int32),
        keys=np.zeros(4 * n_pairs, np.uint64),
        numbers=np.empty(4 * n_pairs, np.int32),
        sizes=np.zeros(3, np.int64),
    )


def _enlarged(pairs: Pairs) -> Pairs:
    """Returns the pairs in larger arrays: of twice as many pairs, places, or both."""
    capacity = np.array([len(pairs.left), len(pairs.places)])
    full = pairs.sizes[:2] / capacity
    n_pairs, n_places = capacity << (full >= full.max() / 2)
    if n_places > len(pairs.places):
        places = np.empty(n_places, np.int32)
        places[: len(pairs.places)] = pairs.places
        pairs = pairs._replace(places=places)
    if n_pairs == len(pairs.left):
        return pairs
    larger = _allocate_pairs(n_pairs, 0)._replace(places=pairs.places, sizes=pairs.sizes)
    for name in ("left", "right", "counts", "first", "n_places", "heap_count", "heap_pair"):
        old = getattr(pairs, name)
        getattr(larger, name)[: len(old)] = old
    rehash(larger)
    return larger


def _allocate_neighbours(n_ids: int) -> Neighbours:
    return Neighbours(
        weight=np.zeros(n_ids, np.int64),
        n=np.zeros(n_ids, np.int64),
        at=np.zeros(n_ids, np.int64),
        seen=np.empty(n_ids, np.int32),
        size=np.zeros(1, np.int64),
    )
