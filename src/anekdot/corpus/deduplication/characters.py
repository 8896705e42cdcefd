"""What the characters of a text are when texts are compared: which make words, and which count.

Two texts are the same if they have the same letters, digits and marks, whatever stands between
them. Shingles are made of words. A script without blanks, such as Chinese or Thai, has no words to
find without a dictionary: there each letter, with its vowel signs, is one. Accents that go on
letters of any script (а́) do not make another word.
"""

import re
from collections.abc import Iterable
from functools import cache
from unicodedata import category

import numpy as np

from anekdot.numba_jit import Bytes, Units
from anekdot.tokenizer.signs import signs
from anekdot.tokenizer.unicode_classes import MARKS

BREAK, ALONE, LETTER, SIGN, ACCENT, JOINER = range(6)
"""Between words; a word of its own; in a word; part of the word before; a mark that does not make
another word; nothing at all."""

SHORT = 40
"""In a text of fewer letters and digits, signs such as + and emoji are letters too."""

_UNSPACED = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF)),
    *((0x1B00, 0x1B7F), (0x3005, 0x3007), (0x3040, 0x30FF), (0x3100, 0x312F), (0x31A0, 0x31FF)),
    *((0x3400, 0x4DBF), (0x4E00, 0xA4CF), (0xA980, 0xA9FF), (0xAA60, 0xAADF), (0xF900, 0xFAFF)),
    *((0xFF66, 0xFF9F), (0x20000, 0x3FFFF)),
)  # Thai to Burmese, Khmer, Tai, Balinese, kana, ideographs, Yi, Javanese
_SELECTORS = ((0x180B, 0x180D), (0x180F, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_JOINERS = ((0x200C, 0x200D), *_SELECTORS)
_PRIVATE = 0xE000  # the first of the characters that stand for signs in short texts
_LONG = re.compile(rf"(?:[\W_]*+[^\W_]){{{SHORT}}}")
_DASHES = r"\-–—―−"
_OPENING = re.compile(rf"^(?:[\s{_DASHES}\"'«»„“”‹›‘’]|[+#>*•·■●►]+(?=\s))+", re.MULTILINE)
_OPERATOR = re.compile(rf"(?<=\d)( ?)([{_DASHES}*/:^.,])\1(?=\d)|(?<=[\s(=])[{_DASHES}](?=\d)")
_MEANING = {**dict.fromkeys("-–—―−", "−"), "*": "×", "/": "÷", ":": "÷", "^": "^"}


def _set(ranges: Iterable[tuple[int, int]]) -> str:
    """Returns ranges of code points as they stand in brackets of a regular expression."""
    return "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in ranges)


_ALONE = f"(?=[{_set(_UNSPACED)}])[^\\W\\d_]"
_INSIDE = f"{_set(MARKS)}\u200c\u200d"
_PIECE = re.compile(f"{_ALONE}[{_INSIDE}]*|(?:(?!{_ALONE})[^\\W_]|[{_INSIDE}\ue000-\uf8ff])+")
_ASTRAL_SELECTORS = re.compile("[\U000e0100-\U000e01ef]")


def tables() -> tuple[Units, Bytes, re.Pattern[str]]:
    """Returns what texts are compared by.

    Returns:
        Each UTF-16 unit's lower case; its kind; and what a text must not have, so that these
        tables hold for it (`spaced` removes it): characters beyond the first 65,536, and those
        whose lower case depends on their neighbours or is longer.
    """
    lower = np.arange(1 << 16, dtype=np.uint16)
    kinds = np.zeros(1 << 16, np.uint8)
    beyond = ["\U00010000-\U0010ffff", "Σ"]
    for point in (*range(0xD800), *range(0xF900, 1 << 16)):
        small = chr(point).lower()
        if len(small) > 1 or ord(small) >= 1 << 16:
            beyond.append(chr(point))
        elif small.isalnum():
            lower[point] = ord(small)
            kinds[point] = LETTER
    for first, last in _UNSPACED[:-1]:
        letters = [n for n in range(first, last + 1) if kinds[n] and not chr(n).isdecimal()]
        kinds[letters] = ALONE
    for first, last in MARKS:
        kinds[first : last + 1] = ACCENT
    kinds[[code for code in signs() if code < 1 << 16]] = SIGN
    for first, last in _JOINERS:
        kinds[first : last + 1] = JOINER
    kinds[0xD800:0xF900] = LETTER  # `spaced` leaves surrogates in words only
    return lower, kinds, re.compile(f"[{''.join(beyond)}]")


def spaced(text: str) -> str:
    """Returns the words of a text with blanks between them, in lower case.

    >>> spaced("我 C'est 山田!")
    '我 c est 山 田'
    """
    return " ".join(_PIECE.findall(_ASTRAL_SELECTORS.sub("", text.lower())))


def with_signs(text: str) -> str:
    """Returns a text in which signs count as letters, if it is short: C++ is not C#.

    Dashes, quotes and bullets that open a line are no signs; between digits, a dash is.

    >>> with_signs("Учу Python!"), with_signs("— Да?") == "Да?"
    ('Учу Python!', True)
    >>> len({with_signs(text) for text in ("2 + 2 = 4", "2 - 2 = 4", "2 – 2 = 4", "- 2 + 2 = 4")})
    2
    """
    if _LONG.match(text):
        return text
    text = _OPERATOR.sub(_operator, _OPENING.sub("", text))
    return text.translate(_signs())


def _operator(match: re.Match[str]) -> str:
    sign = (match[2] or match[0]).strip()
    blank = match[1] or ""
    return f"{blank}{_MEANING.get(sign, '∙')}{blank}"


@cache
def _signs() -> dict[int, int]:
    """Returns the letter that stands for each sign: symbols, currencies, emoji, # @ & %."""
    symbols = [n for n in range(0x3000) if category(chr(n)) in ("Sm", "Sc", "So")]
    found = [*map(ord, "#@&%^"), *symbols, *range(0x1F000, 0x1FB00)]
    return {code: _PRIVATE + number for number, code in enumerate(found)}
