"""Documents to pretoken counts: the loop."""

import numpy as np

from anekdot.tokenizer.compiled.arrays import Bytes, Ints, Longs, Units, Words
from anekdot.tokenizer.compiled.jit import compiled
from anekdot.tokenizer.compiled.keys import (
    KEY_WORDS,
    LONGEST,
    Key,
    holds,
    home,
    put_key,
    read_key,
    read_slot,
)
from anekdot.tokenizer.compiled.scanner import to_utf8

COUNT = KEY_WORDS  # the word of a slot in which the count stands


@compiled
def count_cuts(
    words: Words, ends: Ints, masks: Words, table: Words, long: Ints, state: Longs
) -> None:
    """Counts pretokens, until all are done or the table is nearly full.

    Args:
        words: Units of UTF-16, four a word.
        ends: From ``scanner.cut``, [pretokens + 1].
        masks: From ``keys.build_masks``.
        table: Of counts; written.
        long: Receives the numbers of the pretokens that do not fit into a key.
        state: Pretokens done, used slots, long pretokens; read and written.
    """
    number, used, n_long = state
    units = words.view(np.uint16)
    limit = 3 * len(table) // 4
    while number < len(ends) - 1 and used < limit:
        start, length = ends[number], ends[number + 1] - ends[number]
        if length > LONGEST:
            long[n_long] = number
            n_long += 1
        elif units[start]:  # not the end of a document
            slot = find_or_put(table, read_key(words, start, length, masks))
            used += table[slot, COUNT] == 0
            table[slot, COUNT] += np.uint64(1)
        number += 1
    state[0], state[1], state[2] = number, used, n_long


@compiled
def find_or_put(table: Words, key: Key) -> int:
    """Returns the slot of a key, which is put into the first free one where it is new."""
    slot = home(key, len(table))
    while table[slot, 3]:
        if holds(table, slot, key):
            return slot
        slot = slot + 1 & len(table) - 1
    put_key(table, slot, key)
    return slot


@compiled
def absorb(table: Words, other: Words) -> int:
    """Adds the counts of another table; returns how many keys were new."""
    new = 0
    for row in range(len(other)):
        if other[row, 3]:
            slot = find_or_put(table, read_slot(other, row))
            new += table[slot, COUNT] == 0
            table[slot, COUNT] += other[row, COUNT]
    return new


@compiled
def keys_to_utf8(keys: Units, lengths: Longs, data: Bytes) -> int:
    """Writes the pretokens of keys as UTF-8, end to end; returns how many bytes they have.

    Args:
        keys: Units, [keys, 4 * KEY_WORDS].
        lengths: Units of each; becomes bytes of each.
        data: Written.
    """
    size = 0
    for number in range(len(keys)):
        length = to_utf8(keys[number], 0, lengths[number], data[size:])
        lengths[number] = length
        size += length
    return size
