"""Documents to ids.

A pretoken is looked up in a cache that never grows; a new one is merged and takes the place
of an old one where there is no other. Short pretokens find the next merge by searching all
of their places at once, long ones keep the candidates in a heap.
"""

from heapq import heapify, heappop, heappush

import numpy as np
import numpy.typing as npt

from anekdot.tokenizer.compiled.jit import compiled
from anekdot.tokenizer.compiled.keys import (
    KEY_WORDS,
    LONGEST,
    Words,
    holds,
    home,
    prefetch,
    put_key,
    read_key,
)
from anekdot.tokenizer.compiled.layout import Layout
from anekdot.tokenizer.compiled.merge_table import NO_MERGE, MergeTable, merge_of
from anekdot.tokenizer.compiled.scanner import Bytes, next_pretoken, to_utf8

Ids = npt.NDArray[np.unsignedinteger]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]

BLOCK = 32  # pretokens that are looked up together
FEW = 4  # ids of most pretokens
WAYS = 4  # slots in which a pretoken may stand
_QUEUE_BITS = 40  # the same in the heap of a long pretoken
_PLACE_BITS = 8  # of a candidate: the id of the merge, then its place
_NOTHING = 0  # stands before and behind a pretoken; special, so in no merge
_NEVER = NO_MERGE << _PLACE_BITS


@compiled
def encode_documents(
    layout: Layout,
    tables: tuple[Bytes, Words],
    merges: MergeTable,
    cache: tuple[Words, Ids],
    out: tuple[Ids, Longs],
) -> int:
    """Encodes documents and returns how many ids they have.

    It goes by blocks of pretokens: while the first are looked up, memory brings the slots of
    the others.

    Args:
        layout: The documents.
        tables: Classes and masks.
        merges: Of the tokenizer.
        cache: A table, and the same memory as ids.
        out: Ids, room for one a byte and a slot more; where each document's begin.
    """
    words, bounds = layout
    units = words.view(np.uint16)
    classes, masks = tables
    table, values = cache
    ids, offsets = out
    half = values.shape[1] // 2
    text = np.empty(3 * LONGEST, np.uint8)
    pieces = np.empty(3 * LONGEST + 2, np.int32)
    candidates = np.empty(3 * LONGEST + 3, np.int32)
    stops = np.empty(BLOCK, np.int64)
    keys = np.empty((BLOCK, KEY_WORDS), np.uint64)
    n_ids = 0
    for document in range(len(bounds) - 1):
        place, end = bounds[document], bounds[document + 1] - 1
        while place < end:
            n_block, stop = 0, place
            while stop < end and n_block < BLOCK:
                start, stop = stop, next_pretoken(units, stop, classes)
                stops[n_block] = stop
                if stop - start <= LONGEST:
                    key = read_key(words, start, stop - start, masks)
                    put_key(keys, n_block, key)
                    prefetch(table, home(key, len(table)))
                n_block += 1
            for number in range(n_block):
                start, place = place, stops[number]
                if place - start > LONGEST:
                    whole = np.empty(3 * (place - start), np.uint8)
                    size = to_utf8(units, start, place, whole)
                    n_ids = encode_long(whole[:size], merges, ids, n_ids)
                    continue
                key = (keys[number, 0], keys[number, 1], keys[number, 2], keys[number, 3])
                slot = find(table, key)
                if slot < 0:
                    slot = ~slot
                    size = to_utf8(units, start, place, text)
                    count = merge_short(text, size, merges, pieces, candidates)
                    if count >= half:
                        for n in range(count):
                            ids[n_ids + n] = pieces[n]
                        n_ids += count
                        continue
                    put_key(table, slot, key)
                    values[slot, half] = count
                    for n in range(count):
                        values[slot, half + 1 + n] = pieces[n]
                count = values[slot, half]
                for n in range(FEW):  # often more than there are: faster than just as many
                    ids[n_ids + n] = values[slot, half + 1 + n]
                for n in range(FEW, count):
                    ids[n_ids + n] = values[slot, half + 1 + n]
                n_ids += count
        offsets[document + 1] = n_ids
    return n_ids


@compiled
def remember(
    cache: tuple[Words, Ids],
    keys: Words,
    starts: Longs,
    order: Longs,
    segmented: Ints,
    lengths: Ints,
) -> None:
    """Puts pretokens into the cache whose ids are known.

    Args:
        cache: A table, and the same memory as ids.
        keys: Of the pretokens; zeros where one is too long.
        starts: Where the ids of each begin, and the last one's end.
        order: In which they are put in; a later one may take the place of an earlier one.
        segmented: Their ids, laid out as in ``merging.Texts``.
        lengths: Bytes of each id.
    """
    table, values = cache
    half = values.shape[1] // 2
    for number in order:
        key = (keys[number, 0], keys[number, 1], keys[number, 2], keys[number, 3])
        if not key[3]:
            continue
        slot = find(table, key)
        slot = max(slot, ~slot)
        place, end, count = starts[number], starts[number + 1] - 1, 0
        while place < end and count < half - 1:
            values[slot, half + 1 + count] = segmented[place]
            place += lengths[segmented[place]]
            count += 1
        values[slot, half] = count
        put_key(table, slot, key)
        if place < end:
            table[slot, KEY_WORDS - 1] = 0


@compiled
def find(table: Words, key: tuple[int, int, int, int]) -> int:
    """Returns the slot of a key, or the complement of the slot that it may take."""
    first = home(key, len(table))
    for way in range(WAYS):
        slot = first + way & len(table) - 1
        if holds(table, slot, key):
            return slot
        if not table[slot, 3]:
            return ~slot
    return ~(first + np.int64(key[0] >> np.uint64(8)) % WAYS & len(table) - 1)


@compiled
def merge_short(text: Bytes, length: int, merges: MergeTable, ids: Ints, candidates: Ints) -> int:
    """Merges a short pretoken; returns how many ids it has.

    A token of several bytes writes its id at its first and its last byte, so the neighbours
    are found from the lengths alone. A candidate stands where its pair begins; the smallest
    is the earliest merge, and of equal ones the leftmost.

    Args:
        text: The pretoken.
        length: In bytes.
        merges: Of the tokenizer.
        ids: Room for two more than bytes; written, from the beginning.
        candidates: Room for three more than bytes.
    """
    pairs, of_bytes, byte_ids, lengths = merges
    candidates[:] = _NEVER
    ids[0] = ids[length + 1] = _NOTHING
    for n in range(length):
        ids[n + 1] = byte_ids[text[n]]
    for n in range(length - 1):
        candidates[n + 1] = of_bytes[text[n], text[n + 1]] << _PLACE_BITS | n + 1
    while True:
        best = np.int32(_NEVER)
        for n in range(len(candidates)):  # as vectors: the compiler does not know the length
            best = min(best, candidates[n])
        if best >= _NEVER:
            break
        new, place = best >> _PLACE_BITS, best & (1 << _PLACE_BITS) - 1
        middle = place + lengths[ids[place]]
        end = place + lengths[new]
        ids[place] = ids[end - 1] = new
        candidates[middle] = _NEVER
        before, after = ids[place - 1], ids[end]
        start_before = place - lengths[before]  # the place itself where nothing stands before
        candidates[start_before] = merge_of(pairs, before, new) << _PLACE_BITS | start_before
        candidates[place] = merge_of(pairs, new, after) << _PLACE_BITS | place
    count, place = 0, 1
    while place <= length:
        ids[count] = ids[place]
        place += lengths[ids[place]]
        count += 1
    return count


@compiled
def encode_long(text: Bytes, merges: MergeTable, out: Ids, n_out: int) -> int:
    """Appends the ids of a pretoken of any length, in n log n steps; returns their new number.

    The layout is that of ``merge_short``, with -1 at the bytes inside a token.
    """
    pairs, of_bytes, byte_ids, lengths = merges
    n_bytes = len(text)
    ids = np.empty(n_bytes, np.int64)
    queue = [np.int64(0) for _ in range(0)]
    for place in range(n_bytes):
        ids[place] = byte_ids[text[place]]
    for place in range(n_bytes - 1):
        merge = np.int64(of_bytes[text[place], text[place + 1]])
        if merge != NO_MERGE:
            queue.append(merge << _QUEUE_BITS | place)
    heapify(queue)
    while queue:
        best = heappop(queue)
        new, place = best >> _QUEUE_BITS, best & (1 << _QUEUE_BITS) - 1
        end = place + lengths[new]
        left = ids[place]
        if left < 0 or end > n_bytes:
            continue
        middle = place + lengths[left]
        if middle >= end or ids[middle] < 0 or merge_of(pairs, left, ids[middle]) != new:
            continue  # another merge took one of the two
        ids[middle - 1] = ids[middle] = -1
        ids[place] = ids[end - 1] = new
        if end < n_bytes:
            merge = merge_of(pairs, new, ids[end])
            if merge != NO_MERGE:
                heappush(queue, merge << _QUEUE_BITS | place)
        if place > 0:
            before = ids[place - 1]
            merge = merge_of(pairs, before, new)
            if merge != NO_MERGE:
                heappush(queue, merge << _QUEUE_BITS | place - lengths[before])
    place = 0
    while place < n_bytes:
        out[n_out] = ids[place]
        n_out += 1
        place += lengths[ids[place]]
    return n_out
