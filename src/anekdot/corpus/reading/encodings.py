"""Bytes to text: Unicode by its marks and its form, everything else line by line.

A line that is UTF-8 is read as UTF-8, even with a damaged byte in it; for any other line, see
`russian`.
"""

import codecs
import re
from collections import Counter
from collections.abc import Sequence

from anekdot.corpus.reading.foreign_encodings import foreign_encoding
from anekdot.corpus.russian import SINGLE_BYTE, likeliest

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_STATEFUL = ("iso2022", "iso-2022", "hz", "utf-7")
_MOST = 0.8  # of the lines beyond ASCII: so many must not be UTF-8 in a file that is not
_CUT = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{0,2}\Z")  # a character that lacks its end


def detect_encoding(head: bytes) -> str | None:
    """Guesses the encoding of a file from its first bytes.

    Returns:
        "utf-8", "utf-16-le", "utf-16-be", "utf-32-le" or "utf-32-be"; or, where lines are
        not UTF-8, the encoding of most of these, or None if it cannot be told.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    wide = _wide(head)
    if wide:
        return wide
    lines = [line for line in _CUT.sub(b"", head).splitlines() if not line.isascii()]
    strange = [line for line in lines if not is_mostly_utf8(line)]
    votes: Counter[str] = Counter()
    for line, encoding in zip(strange, likeliest(strange, None), strict=True):
        votes[encoding] += sum(byte > 127 for byte in line[:1000])
    if not votes:
        return "utf-8"
    russian = max(votes, key=votes.__getitem__)
    return russian if len(strange) < _MOST * len(lines) else foreign_encoding(strange, russian)


def is_wide(encoding: str) -> bool:
    """Whether an encoding writes ASCII characters in more than one byte."""
    return encoding.startswith(("utf-16", "utf-32"))


def is_transcoded(encoding: str) -> bool:
    """Whether a file in an encoding is decoded as a whole, not line by line."""
    return encoding != "utf-8" and encoding not in SINGLE_BYTE


def keeps_line_ends(encoding: str) -> bool:
    """Whether the byte of a line end is nothing else in an encoding, wherever one starts."""
    return not is_wide(encoding) and not encoding.startswith(_STATEFUL)


def is_mostly_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8, or are but for a few damaged characters."""
    text = data.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    return not damaged or len(text) - len(text.encode("ascii", "ignore")) > 5 * damaged


def decode(lines: Sequence[bytes], encoding: str) -> list[str]:
    """Decodes lines, each by itself.

    Args:
        lines: Lines of a file that is not UTF-16 or UTF-32.
        encoding: What `detect_encoding` said of their file.
    """
    if encoding == "utf-8":
        try:
            return [line.decode() for line in lines]
        except UnicodeDecodeError:
            pass
    strange = [place for place, line in enumerate(lines) if not _reads_as_utf8(line, encoding)]
    guesses = dict(
        zip(strange, likeliest([lines[place] for place in strange], encoding), strict=True)
    )
    return [line.decode(guesses.get(place, "utf-8"), "replace") for place, line in enumerate(lines)]


def _wide(head: bytes) -> str | None:
    """Recognises UTF-16 without a mark by its high bytes: every other byte is one of a few."""
    head = head[: min(len(head), 1 << 16) & ~1]
    for encoding, high, low in (
        ("utf-16-le", head[1::2], head[::2]),
        ("utf-16-be", head[::2], head[1::2]),
    ):
        narrow = sum(high.count(byte) for byte in (0, 4, 0x20))
        if (
            len(high) > 1
            and high.count(0)
            and narrow > 0.9 * len(high)
            and low.count(0) * 20 < narrow
        ):
            return encoding
    return None


def _reads_as_utf8(line: bytes, encoding: str) -> bool:
    """Whether a line is UTF-8, and not by accident in a file that is not.

    The word «там» in cp866 is the UTF-8 of a Braille pattern.
    """
    if line.isascii():
        return True
    if not is_mostly_utf8(line):
        return False
    text = line.decode("utf-8", "replace")
    if encoding == "utf-8" or any("\u0400" <= character < "\u0500" for character in text):
        return True
    high = bytes(byte for byte in line if byte > 127)
    return not all(
        "а" <= letter <= "я" or letter in "ёЁ" or "А" <= letter <= "Я"
        for letter in high.decode(encoding, "replace")
    )
