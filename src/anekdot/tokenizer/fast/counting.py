"""Documents to pretoken counts: the loop, and what it gives."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from anekdot.numba_jit import Bytes, Ints, Longs, Units, Words64, jit
from anekdot.tokenizer.fast.keys import (
    KEY_WORDS,
    MAX_KEY_UNITS,
    Key,
    holds,
    home,
    put_key,
    read_key,
    read_slot,
)
from anekdot.tokenizer.fast.scanner import to_utf8

# The words of a slot that follow its key; how many keys were added before it is its number.
COUNT, NUMBER = KEY_WORDS, KEY_WORDS + 1
END_OF_DOCUMENT, TOO_LONG = -1, -2


class ChunkPretokens(NamedTuple):
    """The pretokens of one chunk of documents.

    Attributes:
        hashes: Hashes of the documents.
        pretokens: The number of each pretoken, with END_OF_DOCUMENT after each document.
    """

    hashes: Longs
    pretokens: Ints


class PretokenCounts(NamedTuple):
    """How often each pretoken occurs.

    Attributes:
        data: The bytes of all pretokens.
        lengths: Bytes of each.
        counts: Occurrences of each.
        chunks: The pretokens of all chunks in order, unless there were too many to keep.
    """

    data: Bytes
    lengths: Longs
    counts: Longs
    chunks: Sequence[ChunkPretokens] = ()


@jit
def count_cuts(
    words: Words64, ends: Ints, masks: Words64, table: Words64, numbers: Ints, state: Longs
) -> None:
    """Counts pretokens, until all are done or the table is nearly full.

    Args:
        words: Units of UTF-16, four a word.
        ends: From ``scanner.cut``, [pretokens + 1].
        masks: From ``keys.build_masks``.
        table: The counts; written.
        numbers: Receives each pretoken's number, END_OF_DOCUMENT, or TOO_LONG if no key holds it.
        state: Pretokens done, keys in the table; read and written.
    """
    done, n_keys = state
    units = words.view(np.uint16)
    limit = 3 * len(table) // 4
    while done < len(ends) - 1 and n_keys < limit:
        start, length = ends[done], ends[done + 1] - ends[done]
        if length > MAX_KEY_UNITS:
            numbers[done] = TOO_LONG
        elif units[start] == 0:
            numbers[done] = END_OF_DOCUMENT
        else:
            slot = find_or_put(table, read_key(words, start, length, masks))
            if table[slot, COUNT] == 0:
                table[slot, NUMBER] = n_keys
                n_keys += 1
            table[slot, COUNT] += np.uint64(1)
            numbers[done] = table[slot, NUMBER]
        done += 1
    state[0], state[1] = done, n_keys


@jit
def find_or_put(table: Words64, key: Key) -> int:
    """Returns the slot of a key; a new key is put into the first free slot."""
    slot = home(key, len(table))
    while table[slot, 3]:
        if holds(table, slot, key):
            return slot
        slot = slot + 1 & len(table) - 1
    put_key(table, slot, key)
    return slot


@jit
def absorb(table: Words64, other: Words64) -> int:
    """Adds the counts of another table; returns how many keys were new."""
    new = 0
    for row in range(len(other)):
        if other[row, 3]:
            slot = find_or_put(table, read_slot(other, row))
            if table[slot, COUNT] == 0:
                table[slot, NUMBER] = other[row, NUMBER]
                new += 1
            table[slot, COUNT] += other[row, COUNT]
    return new


@jit
def locate(table: Words64, places: Longs, rows: Words64, places_by_number: Ints) -> None:
    """Writes the place in one table of each key of another, by the key's number there.

    Args:
        table: The one; it holds all keys.
        places: The place of each of its slots.
        rows: Those of the other.
        places_by_number: Written.
    """
    for row in range(len(rows)):
        slot = find_or_put(table, read_slot(rows, row))
        places_by_number[np.int64(rows[row, NUMBER])] = places[slot]


@jit
def keys_to_utf8(keys: Units, lengths: Longs, data: Bytes) -> int:
    """Writes the pretokens of keys as UTF-8, end to end; returns their size in bytes.

    Args:
        keys: Their units, [keys, 4 * KEY_WORDS].
        lengths: Units of each key; becomes bytes of each.
        data: Written.
    """
    size = 0
    for number in range(len(keys)):
        length = to_utf8(keys[number], 0, lengths[number], data[size:])
        lengths[number] = length
        size += length
    return size
