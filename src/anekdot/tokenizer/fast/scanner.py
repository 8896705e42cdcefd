r"""The split pattern as a state machine over UTF-16.

Python holds Cyrillic text in 16-bit units, of which there are half as many as bytes in UTF-8.
What a pretoken is so far and the class of the next unit determine whether the unit belongs to
it, without a branch that the processor could mispredict. Where that is not enough (several
blanks, an apostrophe, a surrogate pair), ``any_pretoken`` looks further ahead. The
comments number the alternatives of ``pretokens.PATTERNS``:

    1 contraction   2 [^\r\n\p{L}\p{N}]?\p{L}+   3 \p{N}   4  ?[^\s\p{L}\p{N}]+[\r\n]*
    5 \s*[\r\n]+    6 \s+(?!\S)                  7 \s+

A zero ends a document. A unit from DC00 to DCFF that no high surrogate precedes stands for a
single byte, its last eight bits: a byte that is not part of well-formed UTF-8, or a zero.
"""

import numpy as np

from anekdot.numba_jit import Bytes, Ints, Units, jit
from anekdot.tokenizer.pretokens import IN_WORDS, PatternName
from anekdot.tokenizer.unicode_classes import NUMBERS, WHITESPACE

# The space and the apostrophe have classes of their own, as they have in the pattern. A HALF is
# the first of two units that together are a character.
LETTER, OTHER, NUMBER, LINE_END, BLANK, SPACE, APOSTROPHE, END, HALF = range(9)
N_CLASSES = 16  # a power of two

# What a pretoken is so far. COMPLETE: nothing may follow in it.
WORD, SPACE_ONLY, BLANK_ONLY, MARK, MARKS, MARKS_ENDING, LINE_ENDS, COMPLETE = range(8)
BEGINS, UNCLEAR = 1, 2  # flags of a step

_FIRST = {LETTER: WORD, OTHER: MARK, LINE_END: LINE_ENDS, BLANK: BLANK_ONLY, SPACE: SPACE_ONLY}
_MORE_MARKS = {OTHER: MARKS, APOSTROPHE: MARKS, LINE_END: MARKS_ENDING}
_JOINS = {
    WORD: {LETTER: WORD},
    SPACE_ONLY: {LETTER: WORD, OTHER: MARKS, APOSTROPHE: MARKS},
    BLANK_ONLY: {LETTER: WORD},
    MARK: {LETTER: WORD, **_MORE_MARKS},
    MARKS: _MORE_MARKS,
    MARKS_ENDING: {LINE_END: MARKS_ENDING},
    LINE_ENDS: {LINE_END: LINE_ENDS},
    COMPLETE: {},
}
_UNCLEAR_AFTER = {
    SPACE_ONLY: (SPACE, BLANK, LINE_END),
    BLANK_ONLY: (SPACE, BLANK, LINE_END),
    LINE_ENDS: (SPACE, BLANK),
}
_ONE = np.uint64(1)


def build_classes(pattern: PatternName) -> Bytes:
    """Returns the class of every code point, and of every unit below 0x10000.

    By "qwen35" marks have the class of letters: the patterns differ in nothing else.
    """
    classes = np.full(0x110000, OTHER, np.uint8)
    for kind, ranges in ((LETTER, IN_WORDS[pattern]), (NUMBER, NUMBERS), (BLANK, WHITESPACE)):
        for first, last in ranges:
            classes[first : last + 1] = kind
    classes[[ord("\r"), ord("\n")]] = LINE_END
    classes[ord(" ")], classes[ord("'")], classes[0] = SPACE, APOSTROPHE, END
    classes[0xD800:0xDC00] = HALF
    return classes


def build_steps() -> Bytes:
    """Returns the state after every state and class, times N_CLASSES, and the flags of the step.

    Shape [2, states * N_CLASSES].
    """
    steps = np.zeros((2, len(_JOINS), N_CLASSES), np.uint8)
    for state, joins in _JOINS.items():
        for kind in range(HALF + 1):
            following = joins.get(kind, _FIRST.get(kind, COMPLETE))
            flags = 0 if kind in joins else BEGINS
            if kind == HALF or kind in _UNCLEAR_AFTER.get(state, ()):
                flags = UNCLEAR if state != COMPLETE else UNCLEAR | BEGINS
            elif kind == APOSTROPHE and kind not in joins:
                flags = UNCLEAR | BEGINS
            steps[:, state, kind] = following * N_CLASSES, flags
    return steps.reshape(2, -1)


@jit
def character(units: Units, place: int, classes: Bytes) -> tuple[int, int]:
    """Returns the class and the length of the character at a place."""
    kind = classes[units[place]]
    if kind == HALF:
        high, low = np.int64(units[place] & 0x3FF), units[place + 1] & 0x3FF
        return np.int64(classes[0x10000 + (high << 10 | low)]), 2
    return np.int64(kind), 1


@jit
def after_letters(units: Units, place: int, classes: Bytes) -> int:
    """Returns where a run of letters that may begin at a place ends."""
    while True:
        while classes[units[place]] == LETTER:
            place += 1
        if classes[units[place]] != HALF or character(units, place, classes)[0] != LETTER:
            return place
        place += 2


@jit
def is_other(kind: int) -> bool:
    """Whether a character is neither a letter nor a number nor white space."""
    return kind == OTHER or kind == APOSTROPHE  # noqa: PLR1714 (a tuple is slow here)


@jit
def after_others(units: Units, place: int, classes: Bytes) -> int:
    """Returns where a run of characters that are ``is_other`` ends."""
    kind, length = character(units, place, classes)
    while is_other(kind):
        place += length
        kind, length = character(units, place, classes)
    return place


@jit
def contraction(first: int, second: int) -> int:
    """Returns how many letters after an apostrophe belong to a contraction.

    Args:
        first: The unit after the apostrophe.
        second: The next one.
    """
    first, second = first | 0x20, second | 0x20
    if first == ord("s") or first == ord("t") or first == ord("m") or first == ord("d"):
        return 1
    if second == ord("e") and (first == ord("r") or first == ord("v")):
        return 2
    return 2 if first == second == ord("l") else 0


@jit
def white_space(units: Units, start: int, classes: Bytes) -> int:
    """Returns where a pretoken of white space ends: alternatives 5, 6 and 7."""
    place = line_end = start
    while LINE_END <= classes[units[place]] <= SPACE:
        place += 1
        if classes[units[place - 1]] == LINE_END:
            line_end = place
    if line_end > start:
        return line_end
    return place if classes[units[place]] == END or place == start + 1 else place - 1


@jit
def cut(units: Units, n_units: int, classes: Bytes, steps: Bytes, ends: Ints) -> int:
    """Cuts documents into pretokens; returns how many there are.

    Args:
        units: UTF-16, with a zero after each document and two after the last.
        n_units: Number of units, up to the zero after the last document.
        classes: From ``build_classes``.
        steps: From ``build_steps``.
        ends: Receives a zero, then where each pretoken ends, which is where the next begins;
            the zero after a document counts as one too. Shape [n_units + 1].
    """
    size = place = np.uint64(0)
    state = np.uint64(COMPLETE * N_CLASSES)
    while place < n_units:
        step = state | np.uint64(classes[units[place]])
        state = np.uint64(steps[0, step])
        flags = np.uint64(steps[1, step])
        ends[size] = place
        size += flags & _ONE
        place += _ONE
        if flags > _ONE:
            place = np.uint64(any_pretoken(units, ends[size - _ONE], classes))
            state = np.uint64(COMPLETE * N_CLASSES)
    ends[size] = n_units
    return np.int64(size)


@jit
def any_pretoken(units: Units, start: int, classes: Bytes) -> int:
    """Returns where the pretoken that begins at a place ends, of whatever kind it is."""
    kind, length = character(units, start, classes)
    place = start + length
    if kind == NUMBER:
        return place
    if kind == APOSTROPHE:
        length = contraction(units[place], units[place + 1])
        if length:
            return place + length
    follows, length = character(units, place, classes)
    if kind == LETTER or (follows == LETTER and kind != LINE_END):
        return after_letters(units, place, classes)
    if is_other(kind) or (kind == SPACE and is_other(follows)):
        place = after_others(units, place, classes)
        while classes[units[place]] == LINE_END:
            place += 1
        return place
    return white_space(units, start, classes)


@jit
def to_utf8(units: Units, start: int, stop: int, out: Bytes) -> int:
    """Writes a piece of text as UTF-8; returns its size in bytes, at most three per unit."""
    size = 0
    place = start
    while place < stop:
        unit = np.int64(units[place])
        place += 1
        if unit < 0x80:
            out[size] = unit
            size += 1
        elif unit < 0x800:
            out[size], out[size + 1] = 0xC0 | unit >> 6, 0x80 | unit & 0x3F
            size += 2
        elif unit >> 10 == 0x36:
            unit = 0x10000 + ((unit & 0x3FF) << 10 | np.int64(units[place]) & 0x3FF)
            place += 1
            out[size], out[size + 1] = 0xF0 | unit >> 18, 0x80 | unit >> 12 & 0x3F
            out[size + 2], out[size + 3] = 0x80 | unit >> 6 & 0x3F, 0x80 | unit & 0x3F
            size += 4
        elif unit >> 10 == 0x37:
            out[size] = unit & 0xFF
            size += 1
        else:
            out[size], out[size + 1] = 0xE0 | unit >> 12, 0x80 | unit >> 6 & 0x3F
            out[size + 2] = 0x80 | unit & 0x3F
            size += 3
    return size
