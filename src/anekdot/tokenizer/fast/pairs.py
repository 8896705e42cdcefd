"""Pairs of ids, how often they stand side by side, and the most frequent of them.

Once a pair has been added, its count only falls. So the count in a heap entry may be too high;
it is corrected when the entry reaches the top.
"""

from typing import NamedTuple

import numpy as np

from anekdot.numba_jit import Ints, Longs, Words64, jit

_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


class Pairs(NamedTuple):
    """The pairs that ever stood side by side, and the places where they may still do so.

    Attributes:
        left: The left id of each pair.
        right: The right id of each pair.
        counts: Occurrences now.
        first: Where in ``places`` those of each pair begin.
        n_places: How many places each pair has.
        places: The places of all pairs.
        heap_count: The heap: a pair's count when it was pushed.
        heap_pair: The heap: the pair.
        keys: A hash table of (left + 1, right); zero marks an empty entry.
        numbers: The pair of each entry of the hash table.
        sizes: How much of the pairs, of the places and of the heap is in use.
    """

    left: Ints
    right: Ints
    counts: Longs
    first: Longs
    n_places: Longs
    places: Ints
    heap_count: Longs
    heap_pair: Ints
    keys: Words64
    numbers: Ints
    sizes: Longs


@jit
def find_pair(pairs: Pairs, left: int, right: int) -> int:
    """Returns the entry of a pair in the hash table, or the empty one that it would take."""
    key = np.uint64(left + 1) << _HALF | np.uint64(right)
    entry = np.int64(key * _MIX >> _HALF) & len(pairs.keys) - 1
    while pairs.keys[entry] and pairs.keys[entry] != key:
        entry = entry + 1 & len(pairs.keys) - 1
    return entry


@jit
def add_pair(pairs: Pairs, left: int, right: int, count: int, n_places: int) -> int:
    """Adds a pair, reserves its places and returns where they begin."""
    number, first = pairs.sizes[0], pairs.sizes[1]
    pairs.sizes[0] += 1
    pairs.sizes[1] += n_places
    pairs.left[number], pairs.right[number] = left, right
    pairs.counts[number] = count
    pairs.first[number], pairs.n_places[number] = first, n_places
    entry = find_pair(pairs, left, right)
    pairs.keys[entry] = np.uint64(left + 1) << _HALF | np.uint64(right)
    pairs.numbers[entry] = number
    if count > 0:
        push(pairs, number)
    return first


@jit
def precedes(pairs: Pairs, count: int, pair: int, other_count: int, other: int) -> bool:
    """Whether a heap entry comes before another: by count, then by smaller ids."""
    if count != other_count:
        return count > other_count
    if pairs.left[pair] != pairs.left[other]:
        return pairs.left[pair] < pairs.left[other]
    return pairs.right[pair] < pairs.right[other]


@jit
def push(pairs: Pairs, pair: int) -> None:
    """Pushes a pair onto the heap with its current count."""
    place, count = pairs.sizes[2], pairs.counts[pair]
    pairs.sizes[2] += 1
    while place > 0:
        parent = place - 1 >> 1
        parent_count, parent_pair = pairs.heap_count[parent], pairs.heap_pair[parent]
        if not precedes(pairs, count, pair, parent_count, parent_pair):
            break
        pairs.heap_count[place], pairs.heap_pair[place] = parent_count, parent_pair
        place = parent
    pairs.heap_count[place], pairs.heap_pair[place] = count, pair


@jit
def sift_down(pairs: Pairs, count: int, pair: int) -> None:
    """Replaces the top of the heap with an entry and sifts it down."""
    size, place = pairs.sizes[2], 0
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and precedes(
            pairs,
            pairs.heap_count[child + 1],
            pairs.heap_pair[child + 1],
            pairs.heap_count[child],
            pairs.heap_pair[child],
        ):
            child += 1
        child_count, child_pair = pairs.heap_count[child], pairs.heap_pair[child]
        if precedes(pairs, count, pair, child_count, child_pair):
            break
        pairs.heap_count[place], pairs.heap_pair[place] = child_count, child_pair
        place = child
    pairs.heap_count[place], pairs.heap_pair[place] = count, pair


@jit
def pop_most_frequent(pairs: Pairs) -> int:
    """Pops the most frequent pair off the heap; returns -1 if there is none."""
    while pairs.sizes[2] > 0:
        expected, pair = pairs.heap_count[0], pairs.heap_pair[0]
        count = pairs.counts[pair]
        if 0 < count < expected:
            sift_down(pairs, count, pair)
            continue
        pairs.sizes[2] -= 1
        last = pairs.sizes[2]
        if last > 0:
            sift_down(pairs, pairs.heap_count[last], pairs.heap_pair[last])
        if count == expected:
            return pair
    return -1


@jit
def subtract(pairs: Pairs, left: int, right: int, weight: int) -> None:
    """Subtracts occurrences from the count of a pair."""
    pairs.counts[pairs.numbers[find_pair(pairs, left, right)]] -= weight


@jit
def rehash(pairs: Pairs) -> None:
    """Fills the empty hash table after the pairs were moved to larger arrays."""
    for number in range(pairs.sizes[0]):
        entry = find_pair(pairs, pairs.left[number], pairs.right[number])
        pairs.keys[entry] = np.uint64(pairs.left[number] + 1) << _HALF | np.uint64(
            pairs.right[number]
        )
        pairs.numbers[entry] = number
