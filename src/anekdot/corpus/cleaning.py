"""What is repaired in a text, what is dropped, and why: pure functions on one text."""

import re
import unicodedata

MIN_LENGTH = 10
"""The shortest text worth keeping, in characters."""

MAX_LENGTH = 20_000
"""The longest text that is still one short text, in characters."""

_NEWLINE = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")

# Control characters other than \t and \n; soft hyphen; marks of direction and width that take
# no room; halves of surrogate pairs, which JSON can smuggle in and UTF-8 cannot write.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
    "|(?<![\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d"  # but between emoji it joins them
)

# Roots that stand only at the start of a word, after the prefixes with which they are obscene;
# elsewhere the same letters are innocent: «застрахует», «употреблять», «ребёнок», «себе».
_OBSCENE = re.compile(
    r"""
    пиз[дж]
  | \b(?:а|вы|до|за|на|не|ни|о|от|по|под|при|про|рас|с|у)?ху[йеёиюя]
  | (?<!стра)(?<!штри)(?<!пси)хуй
  | \b(?:вы|до|за|на|недо|о|пере|по|при|про|у)?[её]б
      (?:[аеёилшы] | н[уеё] | о(?!л) | у(?!рг) | ск | т?\b)
  | \b(?:в|из|об|от|под|раз|с)[ъь][её]б
  | (?:долбо|мозго|мудо|зло)[её]б
  | бляд | \bблят | \bбля+\b
    """,
    re.VERBOSE | re.IGNORECASE,
)


def clean(text: str) -> str:
    r"""Repairs what no reader would miss.

    Unicode is composed (NFC), line ends become ``\n`` and tabs spaces; control and
    zero-width characters go, and so do spaces at line ends, blank lines beyond one, and
    white space around the text. Cleaning a clean text changes nothing.

    >>> clean("  Штирлиц\u200b шёл\tпо лесу. \r\n\r\n\r\nЛес кончился.\n")
    'Штирлиц шёл по лесу.\n\nЛес кончился.'
    """
    text = _NEWLINE.sub("\n", text)
    text = _INVISIBLE.sub("", text).replace("\t", " ")
    text = unicodedata.normalize("NFC", text)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub("\n{3,}", "\n\n", text).strip()


def reason_to_drop(text: str) -> str | None:
    """Says why a cleaned text is no use for training, or None if it is.

    Args:
        text: A cleaned text.

    Returns:
        "empty" (no letter and no digit), "too short", "too long" or None.
    """
    if not any(map(str.isalnum, text)):
        return "empty"
    if len(text) < MIN_LENGTH:
        return "too short"
    if len(text) > MAX_LENGTH:
        return "too long"
    return None


def is_obscene(text: str) -> bool:
    """Tells whether a text has one of the four roots of hard Russian profanity.

    >>> is_obscene("Команда корабля застрахует ребёнка.")
    False
    """
    return _OBSCENE.search(text) is not None
