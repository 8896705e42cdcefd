"""Documents to ids.

Pretokens are looked up in a cache that never grows; a new one is segmented and takes the
place of an old one where there is no other. Memory brings the slots of the next pretokens
while one is looked up.
"""

from typing import NamedTuple

import numpy as np

from anekdot.numba_jit import Bytes, Ids, Ints, Longs, Words64, jit
from anekdot.tokenizer.fast.keys import (
    KEY_WORDS,
    LONGEST,
    Key,
    holds,
    home,
    prefetch,
    put_key,
    read_key,
    read_slot,
)
from anekdot.tokenizer.fast.layout import Layout
from anekdot.tokenizer.fast.scanner import cut, to_utf8
from anekdot.tokenizer.fast.segmenting import Vocabulary, segment

AHEAD = 32  # pretokens whose slots are on their way; a power of two
FEW = 4  # ids of most pretokens
WAYS = 4  # slots in which a pretoken may stand
NOWHERE = -1 << 40  # no slot, not even one to take

_NONE, _ONE, _FEW = map(np.uint64, (0, 1, FEW))


class Room(NamedTuple):
    """Memory for ``encode_documents``.

    Attributes:
        ends: Where pretokens end.
        coming: Keys and homes of those ahead.
        text: The bytes of one.
        closed: For ``segment``.
    """

    ends: Ints
    coming: Words64
    text: Bytes
    closed: Bytes


def room_for(n_units: int) -> Room:
    """Returns memory for documents of so many units."""
    return Room(
        ends=np.empty(n_units + 1, np.int32),
        coming=np.empty((AHEAD, KEY_WORDS + 1), np.uint64),
        text=np.empty(3 * n_units, np.uint8),
        closed=np.empty(3 * n_units + 1, np.uint8),
    )


@jit
def encode_documents(
    layout: Layout,
    tables: tuple[Bytes, Bytes, Words64],
    vocabulary: Vocabulary,
    cache: tuple[Words64, Ids],
    room: Room,
    ids: Ids,
    offsets: Longs,
) -> int:
    """Encodes documents and returns how many ids they have.

    Args:
        layout: The documents.
        tables: Classes, steps and masks.
        vocabulary: Of the tokenizer.
        cache: A table, and the same memory as ids.
        room: For so many units.
        ids: Written; three a unit, and a slot more.
        offsets: Receives where each document's begin and end.
    """
    words, n_units, _ = layout
    units = words.view(np.uint16)
    classes, steps, masks = tables
    table, values = cache
    ends, coming, text, closed = room
    half = values.shape[1] // 2
    n_pretokens = cut(units, n_units, classes, steps, ends)
    n_ids = document = 0
    offsets[0] = 0
    for number in range(-AHEAD, n_pretokens):
        following, place = number + AHEAD, number & AHEAD - 1
        key = read_slot(coming, place)
        first = np.int64(coming[place, KEY_WORDS])
        if following < n_pretokens:
            start, length = ends[following], ends[following + 1] - ends[following]
            if length <= LONGEST:
                next_key = read_key(words, start, length, masks)
                next_first = home(next_key, len(table))
                prefetch(table, next_first)
                put_key(coming, place, next_key)
                coming[place, KEY_WORDS] = next_first
        if number < 0:
            continue
        start, stop = ends[number], ends[number + 1]
        slot = NOWHERE
        if stop - start <= LONGEST:
            if key[0] == _NONE:
                document += 1
                offsets[document] = n_ids
                continue
            slot = find(table, key, first)
        if slot < 0:
            size = to_utf8(units, start, stop, text)
            count = segment(text, size, vocabulary, closed, ids, n_ids)
            if slot != NOWHERE and count < half:
                put_key(table, ~slot, key)
                values[~slot, half] = count
                for n in range(count):
                    values[~slot, half + 1 + n] = ids[n_ids + n]
        else:
            count = np.int64(values[slot, half])
            row, to, at = np.uint64(slot), np.uint64(n_ids), np.uint64(half + 1)
            for n in range(_FEW):  # often more than there are: faster than just as many
                ids[to + n] = values[row, at + n]
            for n in range(_FEW, np.uint64(count)):
                ids[to + n] = values[row, at + n]
        n_ids += count
    return n_ids


@jit
def gather(lengths: Longs, segmented: Ints, token_lengths: Ints, ids: Ids, starts: Longs) -> None:
    """Collects the ids of pretokens.

    Args:
        lengths: Bytes of each pretoken.
        segmented: Their ids, laid out as in ``merging.Texts``.
        token_lengths: Bytes of each id.
        ids: Receives them end to end.
        starts: Receives where each pretoken's begin, and the last one's end.
    """
    n_ids, place = 0, 1
    for number in range(len(lengths)):
        starts[number] = n_ids
        end = place + lengths[number]
        while place < end:
            ids[n_ids] = segmented[place]
            place += token_lengths[segmented[place]]
            n_ids += 1
        place += 1
    starts[len(lengths)] = n_ids


@jit
def recall(pretokens: Ints, known: Ids, starts: Longs, ids: Ids, offsets: Longs) -> int:
    """Writes the ids of documents whose pretokens are known by number; returns how many.

    Args:
        pretokens: A negative number ends a document.
        known: The ids of all pretokens, and FEW more.
        starts: Where each pretoken's begin, and the last one's end.
        ids: Written; FEW more than needed.
        offsets: Receives where each document's begin and end.
    """
    n_ids = document = np.uint64(0)
    offsets[0] = 0
    for number in pretokens:
        if number < 0:
            document += _ONE
            offsets[document] = n_ids
            continue
        place = np.uint64(number)
        start = np.uint64(starts[place])
        count = np.uint64(starts[place + _ONE]) - start
        for n in range(_FEW):
            ids[n_ids + n] = known[start + n]
        for n in range(_FEW, count):
            ids[n_ids + n] = known[start + n]
        n_ids += count
    return np.int64(n_ids)


@jit
def find(table: Words64, key: Key, first: int) -> int:
    """Returns the slot of a key, or the complement of the slot that it may take.

    Args:
        table: Of the cache.
        key: Looked for.
        first: Its home.
    """
    for way in range(WAYS):
        slot = first + way & len(table) - 1
        if holds(table, slot, key):
            return slot
        if not table[slot, 3]:
            return ~slot
    return ~(first + np.int64(key[0] >> np.uint64(8)) % WAYS & len(table) - 1)
