"""Pretokens as keys of hash tables.

A pretoken of up to 15 units of UTF-16 fits into four 64-bit words, the last byte of which
holds its length: so do 99.8 % of the pretokens of Russian text. A table is an array of slots
of 64 bytes, aligned so that a look-up touches a single cache line:

    byte   0       8       16      24      32      40      48      56      64
          |word 0 |word 1 |word 2 |word 3 |word 4 |word 5 |word 6 |word 7 |
    " ёж" |  ё ж .|. . . .|. . . .|. . . 3| value: counts in ``counting``,|
          | key: 15 units of 2 bytes, then| ids in ``encoding``           |
          | a zero byte and the length    |                               |

An empty slot has the length zero. A key's *home* is the slot in which the search for it begins.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from anekdot.numba_jit import Words64, jit

Key = tuple[int, int, int, int]

MAX_KEY_UNITS = 15
KEY_WORDS = 4
SLOT_WORDS = 8
PADDING = 24  # units after the data, so that a key can be read from any place

_ONE, _TWO, _THREE, _FOUR = map(np.uint64, range(1, 5))
_TOP, _LENGTH = np.uint64(63), np.uint64(56)
_HALF, _NONE = np.uint64(32), np.uint64(0)
_A = np.uint64(0x9E3779B97F4A7C15)
_B = np.uint64(0xBF58476D1CE4E5B9)
_C = np.uint64(0x94D049BB133111EB)
_D = np.uint64(0xD6E8FEB86659FD93)


def build_masks() -> Words64:
    """Returns the bits of four words that a pretoken fills, [its length, KEY_WORDS]."""
    inside = np.arange(MAX_KEY_UNITS + 1)[:, None] > np.arange(KEY_WORDS * 4)[None, :]
    return (inside * np.uint16(0xFFFF)).view(np.uint64)


def empty_table(n_slots: int) -> Words64:
    """Returns a table of so many slots, a power of two."""
    line = 64
    memory = np.zeros(n_slots * line + line, np.uint8)
    first = -memory.ctypes.data % line
    return memory[first : first + n_slots * line].view(np.uint64).reshape(n_slots, SLOT_WORDS)


@jit
def read_key(words: Words64, start: int, length: int, masks: Words64) -> Key:
    """Returns the key of a pretoken.

    Words that do not start at a multiple of four units are assembled from two that do.

    Args:
        words: The units, four a word.
        start: In units.
        length: In units, from 1 to MAX_KEY_UNITS.
        masks: From ``build_masks``.
    """
    place = np.uint64(start)
    low = (place & _THREE) << _FOUR
    high = _TOP - low
    first = place >> _TWO
    word_0, word_1 = words[first], words[first + np.uint64(1)]
    word_2, word_3 = words[first + np.uint64(2)], words[first + np.uint64(3)]
    word_4 = words[first + np.uint64(4)]
    mask = masks[np.uint64(length)]
    return (
        (word_0 >> low | (word_1 << _ONE) << high) & mask[0],
        (word_1 >> low | (word_2 << _ONE) << high) & mask[1],
        (word_2 >> low | (word_3 << _ONE) << high) & mask[2],
        (word_3 >> low | (word_4 << _ONE) << high) & mask[3] | np.uint64(length) << _LENGTH,
    )


@jit
def home(key: Key, n_slots: int) -> int:
    """Returns the slot in which the search for a key begins."""
    mixed = key[0] * _A + key[1] * _B + key[2] * _C + key[3] * _D
    mixed = (mixed ^ mixed >> _HALF) * _A
    return np.int64((mixed >> _HALF) & np.uint64(n_slots - 1))


def _prefetch(typing: Any, table: Any, slot: Any) -> Any:
    """Asks memory for a slot of a table, without waiting for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        cg: Any = cgutils
        array_type, slot_type = signature.args
        array = context.make_array(array_type)(context, builder, arguments[0])
        indices = [arguments[1], context.get_constant(slot_type, 0)]
        pointer = cg.get_item_pointer(context, builder, array_type, array, indices)
        pointer = builder.bitcast(pointer, ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
        function = cg.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [pointer, word(0), word(3), word(1)])  # to read, often, data
        return context.get_dummy_value()

    return types.void(table, slot), generate


prefetch: Any = intrinsic(_prefetch)


@jit
def holds(table: Words64, slot: int, key: Key) -> bool:
    """Whether a slot holds a key."""
    difference = (
        table[slot, 0] ^ key[0]
        | table[slot, 1] ^ key[1]
        | table[slot, 2] ^ key[2]
        | table[slot, 3] ^ key[3]
    )
    return difference == _NONE


@jit
def read_slot(table: Words64, slot: int) -> Key:
    """Returns the key of a slot."""
    return table[slot, 0], table[slot, 1], table[slot, 2], table[slot, 3]


@jit
def put_key(table: Words64, slot: int, key: Key) -> None:
    """Writes a key into a slot."""
    table[slot, 0] = key[0]
    table[slot, 1] = key[1]
    table[slot, 2] = key[2]
    table[slot, 3] = key[3]
