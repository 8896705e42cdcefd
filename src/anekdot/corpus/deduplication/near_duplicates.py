"""Which texts are near-duplicates of others: exact, from the grams that texts share.

Two texts are near-duplicates when they share at least three distinct word 4-grams that make
up at least half of those of the text that has fewer.

Texts come by rank: those to be kept rather come first. Each is compared with those kept
before it, and kept unless one of them is a near-duplicate of it. Of a text with n grams at
least ``required(n)`` must be shared with a longer one, so that two texts need only be compared
if the longer one has one of the n - required(n) + 1 rarest grams of the shorter one: what
half of all texts say is looked at last, and seldom.

Sources: Broder 1997, "On the resemblance and containment of documents", for the measure;
Chaudhuri, Ganti and Kaushik 2006, "A primitive operator for similarity joins in data
cleaning", for the rare grams.
"""

from typing import NamedTuple

import numpy as np

from anekdot.numba_jit import Ints, Longs, jit

MIN_SHARED = 3
"""Grams that near-duplicates share at least: fewer are a figure of speech."""

NONE = -1


class Shared(NamedTuple):
    """Which texts hold which grams, of the grams that several hold.

    Grams are numbered by how many texts hold them, the rarest first; texts by rank.

    Attributes:
        grams: The grams of all texts end to end, ascending within a text.
        starts: Where those of each text begin, and the last one's end.
        holders: Where room for the holders of each gram begins, and the last one's end.
        sizes: Distinct grams of each text, those that no other text holds included.
        n_held: The first so many texts are held out: they are compared whatever their size.
            Those after them never have more grams than those before.
    """

    grams: Ints
    starts: Longs
    holders: Longs
    sizes: Ints
    n_held: int


@jit
def group_by_text(numbers: Ints, texts: Ints, ends: Longs, grams: Ints) -> None:
    """Appends grams to those of the texts that hold them.

    Args:
        numbers: Some grams.
        texts: The text that holds each.
        ends: Where the grams of each text end so far; moved on.
        grams: The grams of all texts; written.
    """
    for place in range(len(numbers)):
        grams[ends[texts[place]]] = numbers[place]
        ends[texts[place]] += 1


@jit
def required(size: int) -> int:
    """Returns how many of its grams a text of a size shares with a near-duplicate that has more."""
    return max(MIN_SHARED, (size + 1) // 2)


def find_twins(shared: Shared) -> Ints:
    """Returns for each text the first kept one that it is a near-duplicate of, or NONE: kept."""
    n_texts, n_grams = len(shared.sizes), len(shared.holders) - 1
    twins = np.full(n_texts, NONE, np.int32)
    room = np.empty(len(shared.grams), np.int32)
    filled = np.zeros((n_grams, 2), np.int32)
    met = np.full(n_texts, NONE, np.int32)
    write_twins(shared, room, filled, met, twins)
    return twins


@jit
def write_twins(shared: Shared, room: Ints, filled: Ints, met: Ints, twins: Ints) -> None:
    """Writes the twins of all texts.

    The room of a gram fills up with the kept texts that hold it: from the left with held-out
    ones among whose rarest it is, which texts of any size must be compared with; from the
    right with all others.

    Args:
        shared: See there.
        room: As long as the grams of all texts.
        filled: Zeros, [grams, 2]: how many holders stand at the left and at the right.
        met: NONE for each text: the last text that it was compared with.
        twins: NONE for each text; written.
    """
    grams, starts, holders, sizes, n_held = shared
    for text in range(len(sizes)):
        first, stop = starts[text], starts[text + 1]
        rarest = stop - required(sizes[text]) + 1
        for place in range(first, stop):
            gram = grams[place]
            left, right = holders[gram], holders[gram + 1]
            for slot in range(left, left + filled[gram, 0]):
                compare(shared, text, room[slot], met, twins)
            if place < rarest:
                for slot in range(right - filled[gram, 1], right):
                    compare(shared, text, room[slot], met, twins)
        if twins[text] != NONE:
            continue
        for place in range(first, stop):
            gram = grams[place]
            if text < n_held and place < rarest:
                room[holders[gram] + filled[gram, 0]] = text
                filled[gram, 0] += 1
            else:
                filled[gram, 1] += 1
                room[holders[gram + 1] - filled[gram, 1]] = text


@jit
def compare(shared: Shared, text: int, other: int, met: Ints, twins: Ints) -> None:
    """Notes a kept text as the twin of one, if it is a near-duplicate and the first so far."""
    if met[other] == text or (twins[text] != NONE and twins[text] < other):
        return
    met[other] = text
    if count_shared(shared, text, other) >= required(min(shared.sizes[text], shared.sizes[other])):
        twins[text] = other


@jit
def count_shared(shared: Shared, a: int, b: int) -> int:
    """Returns how many grams two texts share."""
    grams, starts = shared.grams, shared.starts
    place_a, place_b = starts[a], starts[b]
    count = 0
    while place_a < starts[a + 1] and place_b < starts[b + 1]:
        gram_a, gram_b = grams[place_a], grams[place_b]
        count += gram_a == gram_b
        place_a += gram_a <= gram_b
        place_b += gram_b <= gram_a
    return count
