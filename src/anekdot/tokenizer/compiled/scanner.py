r"""The split pattern as a hand-written scanner over UTF-8 bytes.

First every byte gets the class of its character, then pretokens are cut: one begins where
the last one ended, and its first one or two classes say which alternative of the pattern
it is. See ``pretokens.PATTERN``, whose alternatives the comments number:

    1 contraction   2 [^\r\n\p{L}\p{N}]?\p{L}+   3 \p{N}   4  ?[^\s\p{L}\p{N}]+[\r\n]*
    5 \s*[\r\n]+    6 \s+(?!\S)                  7 \s+
"""

import numpy as np
import numpy.typing as npt

from anekdot.tokenizer.compiled.jit import compiled
from anekdot.tokenizer.unicode_classes import LETTERS, NUMBERS, WHITESPACE

Bytes = npt.NDArray[np.uint8]

# The space and the apostrophe have classes of their own, as they have in the pattern.
LETTER, OTHER, NUMBER, LINE_END, SPACE, BLANK, APOSTROPHE, END = range(8)
CLASS = 0b0111  # of a byte's kind
INSIDE = 0b1000  # not the first byte of its character
DECODE = 0b1_0000  # the first byte alone does not tell


def build_classes() -> Bytes:
    """Returns the class of every code point."""
    classes = np.full(0x110000, OTHER, np.uint8)
    for kind, ranges in ((LETTER, LETTERS), (NUMBER, NUMBERS), (SPACE, WHITESPACE)):
        for first, last in ranges:
            classes[first : last + 1] = kind
    classes[[ord("\r"), ord("\n")]] = LINE_END
    classes[ord(" ")], classes[ord("'")] = BLANK, APOSTROPHE
    return classes


def build_kinds(classes: Bytes, *, well_formed: bool) -> Bytes:
    """Returns what a byte's value tells about it.

    Where the text is known to be well-formed, the Cyrillic letters from U+0400 to U+047F
    need no decoding: their first byte is D0 or D1. What follows a byte that does need it
    is decoded with it.
    """
    kinds = np.full(256, DECODE, np.uint8)
    kinds[:0x80] = classes[:0x80]
    if well_formed:
        kinds[0x80:0xC0] = LETTER | INSIDE
        kinds[0xD0:0xD2] = LETTER
    return kinds


@compiled
def character(data: Bytes, place: int, end: int, classes: Bytes) -> tuple[int, int]:
    """Returns class and length of the character at a place.

    A byte that is not part of well-formed UTF-8 is a character of class OTHER.

    Source: The Unicode Standard 16.0, table 3-7.
    """
    first = data[place]
    left = end - place
    if first < 0x80:
        return classes[first], 1
    if first < 0xC2 or left < 2 or data[place + 1] & 0xC0 != 0x80:
        return OTHER, 1
    second = data[place + 1] & 0x3F
    if first < 0xE0:
        return classes[(first & 0x1F) << 6 | second], 2
    if left < 3 or data[place + 2] & 0xC0 != 0x80:
        return OTHER, 1
    code = (first & 0x0F) << 12 | second << 6 | data[place + 2] & 0x3F
    if first < 0xF0:
        if code < 0x800 or 0xD800 <= code < 0xE000:
            return OTHER, 1
        return classes[code], 3
    code = (first & 0x07) << 18 | (code & 0xFFF) << 6
    if first > 0xF4 or left < 4 or data[place + 3] & 0xC0 != 0x80:
        return OTHER, 1
    if not 0x10000 <= code < 0x110000:
        return OTHER, 1
    return classes[code | data[place + 3] & 0x3F], 4


@compiled
def classify(data: Bytes, start: int, end: int, first: Bytes, classes: Bytes, kinds: Bytes) -> None:
    """Writes the kind of every byte of a document, and END behind it.

    Args:
        data: UTF-8.
        start: Of the document.
        end: Of the document; there is at least one more byte behind.
        first: From ``build_kinds``.
        classes: From ``build_classes``.
        kinds: Parallel to the data; written.
    """
    place = start
    while place < end:
        kind = first[data[place]]
        if kind != DECODE:
            kinds[place] = kind
            place += 1
        else:
            found, length = character(data, place, end, classes)
            kinds[place] = found
            for inside in range(place + 1, place + length):
                kinds[inside] = found | INSIDE
            place += length
    kinds[end] = END


@compiled
def next_pretoken(data: Bytes, kinds: Bytes, start: int) -> int:
    """Returns where the pretoken that begins at a place ends.

    Args:
        data: UTF-8.
        kinds: From ``classify``.
        start: Of a pretoken.
    """
    place = start + 1
    while kinds[place] & INSIDE:
        place += 1
    kind, follows = kinds[start], kinds[place]
    if kind == NUMBER:
        return place
    if kind == APOSTROPHE:
        length = contraction(data[place] | 0x20, data[place + 1] | 0x20, follows)
        if length:
            return place + length
    if kind == LETTER or (follows == LETTER and kind != LINE_END):
        while kinds[place] & CLASS == LETTER:
            place += 1
        return place
    if is_other(kind) or (kind == BLANK and is_other(follows)):
        while is_other(kinds[place]):
            place += 1
        while kinds[place] == LINE_END:
            place += 1
        return place
    return white_space(kinds, start)


@compiled
def is_other(kind: int) -> bool:
    """Whether a byte is neither of a letter nor of a number nor white space."""
    return kind & CLASS == OTHER or kind == APOSTROPHE


@compiled
def contraction(first: int, second: int, kind: int) -> int:
    """Returns how many letters after an apostrophe belong to a contraction.

    Args:
        first: The byte after the apostrophe, in lower case.
        second: The next one.
        kind: The kind of the first, which may be the end.
    """
    if kind != LETTER:
        return 0
    if first == ord("s") or first == ord("t") or first == ord("m") or first == ord("d"):
        return 1
    if second == ord("e") and (first == ord("r") or first == ord("v")):
        return 2
    return 2 if first == second == ord("l") else 0


@compiled
def white_space(kinds: Bytes, start: int) -> int:
    """Returns where a pretoken of white space ends: alternatives 5, 6 and 7."""
    place = last = line_end = start
    while LINE_END <= kinds[place] & CLASS <= BLANK:
        if not kinds[place] & INSIDE:
            last = place
        place += 1
        if kinds[place - 1] == LINE_END:
            line_end = place
    if line_end > start:
        return line_end
    return place if kinds[place] == END or last == start else last
