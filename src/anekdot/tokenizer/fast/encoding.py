"""Documents to ids: the loop.

Each pretoken is looked up in a cache of fixed size. A new one is segmented, and then takes a
free slot of the four that it may stand in (its *ways*), or the place of an old one. The slots
of the pretokens that come next are already on their way from memory meanwhile. One slot of a
cache, where ids have 16 bits:

    byte   0                             32                            64
          | т р а в а . . . . . . . . . . 5| 2 id id .  .  .  .  .  .  . |
          | key: 15 units and their number | value: ids, after their number |

A pretoken of more units than a key can hold, or of more ids than fit (15, or 7 of 32 bits), is
segmented every time.
"""

from typing import NamedTuple

import numpy as np

from anekdot.numba_jit import Bytes, Ids, Ints, Longs, Units, Words64, jit
from anekdot.tokenizer.fast.keys import (
    KEY_WORDS,
    MAX_KEY_UNITS,
    Key,
    holds,
    home,
    prefetch,
    put_key,
    read_key,
    read_slot,
)
from anekdot.tokenizer.fast.packed_documents import PackedDocuments
from anekdot.tokenizer.fast.scanner import cut, to_utf8
from anekdot.tokenizer.fast.segmenting import Vocabulary, segment

PREFETCH_DISTANCE = 32  # pretokens whose slots are on their way; a power of two
COPIED_AT_ONCE = 4  # ids; most pretokens have no more
WAYS = 4  # slots in which a pretoken may stand

_NONE, _ONE, _COPIED_AT_ONCE = map(np.uint64, (0, 1, COPIED_AT_ONCE))


class Buffers(NamedTuple):
    """Working memory of ``encode_documents``.

    Attributes:
        ends: Where pretokens end.
        queue: Keys and home slots of the pretokens that come next, a ring.
        text: The bytes of one pretoken.
        closed: For ``segment``.
    """

    ends: Ints
    queue: Words64
    text: Bytes
    closed: Bytes


def allocate_buffers(n_units: int) -> Buffers:
    """Returns working memory for documents of so many units."""
    return Buffers(
        ends=np.empty(n_units + 1, np.int32),
        queue=np.empty((PREFETCH_DISTANCE, KEY_WORDS + 1), np.uint64),
        text=np.empty(3 * n_units, np.uint8),
        closed=np.empty(3 * n_units + 1, np.uint8),
    )


@jit
def encode_documents(
    documents: PackedDocuments,
    tables: tuple[Bytes, Bytes, Words64],
    vocabulary: Vocabulary,
    cache: tuple[Words64, Ids],
    buffers: Buffers,
    ids: Ids,
    offsets: Longs,
) -> int:
    """Encodes documents and returns how many ids they have.

    Args:
        documents: Packed into one array.
        tables: Classes, steps and masks.
        vocabulary: The tokenizer's.
        cache: A table, and the same memory as ids.
        buffers: For so many units.
        ids: Written; three per unit, and a slot more.
        offsets: Receives where each document's ids begin and end.
    """
    # A cached pretoken is copied here, not in a function: the call would cost 7 % of the time.
    words, n_units, _ = documents
    classes, steps, masks = tables
    units = words.view(np.uint16)
    table, values = cache
    half = values.shape[1] // 2
    ends, queue = buffers.ends, buffers.queue
    n_pretokens = cut(units, n_units, classes, steps, ends)
    n_ids = document = 0
    offsets[0] = 0
    for number in range(-PREFETCH_DISTANCE, n_pretokens):
        following, place = number + PREFETCH_DISTANCE, number & PREFETCH_DISTANCE - 1
        key, first = read_slot(queue, place), np.int64(queue[place, KEY_WORDS])
        if following < n_pretokens:
            enqueue(words, ends, following, masks, table, queue)
        if number < 0:
            continue
        start, stop = ends[number], ends[number + 1]
        if stop - start > MAX_KEY_UNITS:
            n_ids += segment_units(units, start, stop, vocabulary, buffers, ids, n_ids)
            continue
        if key[0] == _NONE:  # the zero after a document
            document += 1
            offsets[document] = n_ids
            continue
        slot = find(table, key, first)
        if slot < 0:
            count = segment_units(units, start, stop, vocabulary, buffers, ids, n_ids)
            store_ids(cache, ~slot, key, ids, n_ids, count)
        else:
            count = np.int64(values[slot, half])
            row, to, at = np.uint64(slot), np.uint64(n_ids), np.uint64(half + 1)
            for n in range(_COPIED_AT_ONCE):  # often more than there are: faster than just as many
                ids[to + n] = values[row, at + n]
            for n in range(_COPIED_AT_ONCE, np.uint64(count)):
                ids[to + n] = values[row, at + n]
        n_ids += count
    return n_ids


@jit
def enqueue(
    words: Words64, ends: Ints, number: int, masks: Words64, table: Words64, queue: Words64
) -> None:
    """Puts the key of a coming pretoken into the queue and asks memory for its home slot."""
    start, length = ends[number], ends[number + 1] - ends[number]
    if length <= MAX_KEY_UNITS:
        key = read_key(words, start, length, masks)
        slot = home(key, len(table))
        prefetch(table, slot)
        place = number & PREFETCH_DISTANCE - 1
        put_key(queue, place, key)
        queue[place, KEY_WORDS] = slot


@jit
def find(table: Words64, key: Key, first: int) -> int:
    """Returns the slot of a key, or the complement of the slot that it may take.

    Args:
        table: The cache's.
        key: The key to look for.
        first: Its home slot.
    """
    for way in range(WAYS):
        slot = first + way & len(table) - 1
        if holds(table, slot, key):
            return slot
        if not table[slot, 3]:
            return ~slot
    return ~(first + np.int64(key[0] >> np.uint64(8)) % WAYS & len(table) - 1)


@jit
def segment_units(
    units: Units,
    start: int,
    stop: int,
    vocabulary: Vocabulary,
    buffers: Buffers,
    ids: Ids,
    n_ids: int,
) -> int:
    """Writes the ids of one pretoken after the others; returns how many it has."""
    size = to_utf8(units, start, stop, buffers.text)
    return segment(buffers.text, size, vocabulary, buffers.closed, ids, n_ids)


@jit
def store_ids(
    cache: tuple[Words64, Ids], slot: int, key: Key, ids: Ids, first: int, count: int
) -> None:
    """Puts a pretoken and its ids into a slot of the cache, if they fit."""
    table, values = cache
    half = values.shape[1] // 2
    if count < half:
        put_key(table, slot, key)
        values[slot, half] = count
        for n in range(count):
            values[slot, half + 1 + n] = ids[first + n]


@jit
def gather(lengths: Longs, segmented: Ints, token_lengths: Ints, ids: Ids, starts: Longs) -> None:
    """Collects the ids of pretokens.

    Args:
        lengths: Bytes of each pretoken.
        segmented: Their ids, laid out as in ``merging.Pretokens``.
        token_lengths: Bytes of each id.
        ids: Receives them end to end.
        starts: Receives where each pretoken's ids begin, and where the last one's end.
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
def encode_known_pretokens(
    pretokens: Ints, known: Ids, starts: Longs, ids: Ids, offsets: Longs
) -> int:
    """Writes the ids of documents whose pretokens are known by number; returns how many.

    Args:
        pretokens: Their numbers; a negative one ends a document.
        known: The ids of all pretokens, and COPIED_AT_ONCE more.
        starts: Where each pretoken's ids begin, and where the last one's end.
        ids: Written; COPIED_AT_ONCE more than needed.
        offsets: Receives where each document's ids begin and end.
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
        for n in range(_COPIED_AT_ONCE):  # as in ``encode_documents``
            ids[n_ids + n] = known[start + n]
        for n in range(_COPIED_AT_ONCE, count):
            ids[n_ids + n] = known[start + n]
        n_ids += count
    return np.int64(n_ids)
