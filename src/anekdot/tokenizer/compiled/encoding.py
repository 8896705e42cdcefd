"""Documents to ids.

Pretokens are looked up in a cache that never grows; a new one is segmented and takes the
place of an old one where there is no other. Memory brings the slots of the next pretokens
while one is looked up.
"""

import numpy as np
import numpy.typing as npt

from anekdot.tokenizer.compiled.jit import compiled
from anekdot.tokenizer.compiled.keys import (
    KEY_WORDS,
    LONGEST,
    Key,
    Words,
    holds,
    home,
    prefetch,
    put_key,
    read_key,
)
from anekdot.tokenizer.compiled.layout import Layout
from anekdot.tokenizer.compiled.scanner import Bytes, cut, to_utf8
from anekdot.tokenizer.compiled.segmenting import Vocabulary, segment

Ids = npt.NDArray[np.unsignedinteger]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]

AHEAD = 32  # pretokens whose slots are on their way; a power of two
FEW = 4  # ids of most pretokens
WAYS = 4  # slots in which a pretoken may stand


@compiled
def encode_documents(
    layout: Layout,
    tables: tuple[Bytes, Words],
    vocabulary: Vocabulary,
    cache: tuple[Words, Ids],
    out: tuple[Ids, Longs],
) -> int:
    """Encodes documents and returns how many ids they have.

    Args:
        layout: The documents.
        tables: Classes and masks.
        vocabulary: Of the tokenizer.
        cache: A table, and the same memory as ids.
        out: Ids, room for one a byte and a slot more; where each document's begin.
    """
    words, bounds = layout
    units = words.view(np.uint16)
    classes, masks = tables
    table, values = cache
    ids, offsets = out
    half = values.shape[1] // 2
    cuts = np.empty((len(units), 2), np.int32)
    firsts = np.empty(len(bounds), np.int64)
    n_pretokens = cut(units, bounds, classes, cuts, firsts)
    keys = np.empty((AHEAD, KEY_WORDS), np.uint64)
    text, pieces, closed = room_for(LONGEST)
    n_ids = document = 0
    for number in range(-AHEAD, n_pretokens):
        following, place = number + AHEAD, number & AHEAD - 1
        key = (keys[place, 0], keys[place, 1], keys[place, 2], keys[place, 3])
        if following < n_pretokens:
            start, length = cuts[following, 0], cuts[following, 1] - cuts[following, 0]
            if length <= LONGEST:
                coming = read_key(words, start, length, masks)
                put_key(keys, place, coming)
                prefetch(table, home(coming, len(table)))
        if number < 0:
            continue
        while firsts[document] == number:
            offsets[document] = n_ids
            document += 1
        start, stop = cuts[number, 0], cuts[number, 1]
        slot = find(table, key) if stop - start <= LONGEST else -1 - len(table)
        if slot < 0:
            if stop - start > len(text) // 3:
                text, pieces, closed = room_for(stop - start)
            size = to_utf8(units, start, stop, text)
            count = segment(text, size, vocabulary, pieces, closed)
            for n in range(count):
                ids[n_ids + n] = pieces[n]
            n_ids += count
            if ~slot < len(table) and count < half:
                put_key(table, ~slot, key)
                values[~slot, half] = count
                for n in range(count):
                    values[~slot, half + 1 + n] = pieces[n]
            continue
        count = values[slot, half]
        for n in range(FEW):  # often more than there are: faster than just as many
            ids[n_ids + n] = values[slot, half + 1 + n]
        for n in range(FEW, count):
            ids[n_ids + n] = values[slot, half + 1 + n]
        n_ids += count
    offsets[document:] = n_ids
    return n_ids


@compiled
def room_for(length: int) -> tuple[Bytes, Ints, Bytes]:
    """Returns room for the bytes, the ids and the closed places of a pretoken of some units."""
    size = 3 * length
    return np.empty(size, np.uint8), np.empty(size, np.int32), np.empty(size + 1, np.uint8)


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
def find(table: Words, key: Key) -> int:
    """Returns the slot of a key, or the complement of the slot that it may take."""
    first = home(key, len(table))
    for way in range(WAYS):
        slot = first + way & len(table) - 1
        if holds(table, slot, key):
            return slot
        if not table[slot, 3]:
            return ~slot
    return ~(first + np.int64(key[0] >> np.uint64(8)) % WAYS & len(table) - 1)
