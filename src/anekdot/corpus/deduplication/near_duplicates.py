"""Which texts are near-duplicates of others: exact, from the shingles that texts share.

Two texts are near-duplicates when they share at least three distinct shingles (word 4-grams),
and these are at least half of the shingles of the text that has fewer.

Texts are compared in order of rank, the ones preferred first. Each is compared with those kept
before it, and is kept unless it is a near-duplicate of one of them. A text with n shingles must
share at least ``required(n)`` of them with a longer one, so two texts need only be compared if
the longer one has one of the n - required(n) + 1 rarest shingles of the shorter one: frequent
shingles are hardly ever looked up.

Sources: Broder 1997, "On the resemblance and containment of documents", for the measure;
Chaudhuri, Ganti and Kaushik 2006, "A primitive operator for similarity joins in data
cleaning", for the rare shingles.
"""

from typing import NamedTuple

import numpy as np

from anekdot.numba_jit import Ints, Longs, jit

MIN_SHARED = 3
"""The fewest shingles that near-duplicates share: fewer may be a figure of speech."""

NONE = -1


class Shared(NamedTuple):
    """Which texts hold which shingles, for shingles that several texts hold.

    Shingles are numbered by how many texts hold them, the rarest first; texts by rank.

    Attributes:
        shingles: The shingles of all texts end to end, ascending within a text.
        starts: Where the shingles of each text begin, and where the last ones end.
        holders: Where the slots for the holders of each shingle begin, and where the last ones end.
        sizes: Distinct shingles of each text, those that no other text holds included.
        n_held: How many texts, the first ones, are held out: they are compared whatever their
            size. After them, no text has more shingles than the one before it.
    """

    shingles: Ints
    starts: Longs
    holders: Longs
    sizes: Ints
    n_held: int


@jit
def group_by_text(numbers: Ints, texts: Ints, ends: Longs, shingles: Ints) -> None:
    """Appends some shingles to the lists of the texts that hold them.

    Args:
        numbers: Some shingles.
        texts: The text that holds each.
        ends: Where the shingles of each text end so far; updated.
        shingles: The shingles of all texts; written.
    """
    for place in range(len(numbers)):
        shingles[ends[texts[place]]] = numbers[place]
        ends[texts[place]] += 1


@jit
def required(size: int) -> int:
    """Returns how many of a text's shingles a longer near-duplicate must have.

    Args:
        size: The number of shingles of the text.
    """
    return max(MIN_SHARED, (size + 1) // 2)


def find_duplicates(shared: Shared) -> Ints:
    """Returns the first kept text that each text is a near-duplicate of, or NONE if it is kept."""
    n_texts, n_shingles = len(shared.sizes), len(shared.holders) - 1
    duplicate_of = np.full(n_texts, NONE, np.int32)
    slots = np.empty(len(shared.shingles), np.int32)
    filled = np.zeros((n_shingles, 2), np.int32)
    met = np.full(n_texts, NONE, np.int32)
    write_duplicates(shared, slots, filled, met, duplicate_of)
    return duplicate_of


@jit
def write_duplicates(
    shared: Shared, slots: Ints, filled: Ints, met: Ints, duplicate_of: Ints
) -> None:
    """Writes which kept text each text is a near-duplicate of.

    The slots of a shingle are filled with the kept texts that hold it: from the left with
    held-out texts for which it is one of the rarest, since texts of any size must be compared
    with these; from the right with all others.

    Args:
        shared: The texts and their shingles.
        slots: Scratch space, as long as the shingles of all texts.
        filled: Zeros, [shingles, 2]: how many slots are filled at the left and at the right.
        met: NONE for each text; becomes the last text that it was compared with.
        duplicate_of: NONE for each text; written.
    """
    shingles, starts, holders, sizes, n_held = shared
    for text in range(len(sizes)):
        first, stop = starts[text], starts[text + 1]
        rarest = stop - required(sizes[text]) + 1
        for place in range(first, stop):
            shingle = shingles[place]
            left, right = holders[shingle], holders[shingle + 1]
            for slot in range(left, left + filled[shingle, 0]):
                compare(shared, text, slots[slot], met, duplicate_of)
            if place < rarest:
                for slot in range(right - filled[shingle, 1], right):
                    compare(shared, text, slots[slot], met, duplicate_of)
        if duplicate_of[text] != NONE:
            continue
        for place in range(first, stop):
            shingle = shingles[place]
            if text < n_held and place < rarest:
                slots[holders[shingle] + filled[shingle, 0]] = text
                filled[shingle, 0] += 1
            else:
                filled[shingle, 1] += 1
                slots[holders[shingle + 1] - filled[shingle, 1]] = text


@jit
def compare(shared: Shared, text: int, other: int, met: Ints, duplicate_of: Ints) -> None:
    """Notes that a text is a near-duplicate of a kept one, if that is the first so far."""
    if met[other] == text or (duplicate_of[text] != NONE and duplicate_of[text] < other):
        return
    met[other] = text
    if count_shared(shared, text, other) >= required(min(shared.sizes[text], shared.sizes[other])):
        duplicate_of[text] = other


@jit
def count_shared(shared: Shared, a: int, b: int) -> int:
    """Returns how many shingles two texts share."""
    shingles, starts = shared.shingles, shared.starts
    place_a, place_b = starts[a], starts[b]
    count = 0
    while place_a < starts[a + 1] and place_b < starts[b + 1]:
        shingle_a, shingle_b = shingles[place_a], shingles[place_b]
        count += shingle_a == shingle_b
        place_a += shingle_a <= shingle_b
        place_b += shingle_b <= shingle_a
    return count
