"""Characters that take no room: all go, but the joiners that words and emoji need."""

import re
from unicodedata import category

# Control characters other than \t and \n; soft hyphen; marks of direction and width that take
# no room; halves of surrogate pairs, which JSON can smuggle in and UTF-8 cannot write.
_MAYBE_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_INVISIBLE = re.compile(f"(?![\u200c\u200d]){_MAYBE_INVISIBLE.pattern}")
_JOINERS = re.compile("(?<=(.))([\u200c\u200d])[\u200c\u200d]*(?=(.?))|[\u200c\u200d]+", re.DOTALL)
_BEFORE_IN_EMOJI = re.compile("[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]")
_JOINED = re.compile(  # Arabic and its kin; Indic scripts; Burmese, Khmer, Mongolian; more Indic
    "[\u0600-\u08ff\ufb50-\ufdff\ufe70-\ufefe\u0900-\u0dff\u1000-\u109f\u1780-\u18af"
    "\u1b00-\u1c4f\ua840-\ua8ff\ua980-\ua9df\uaa60-\uaa7f\uabc0-\uabff\U00010e80-\U00011fff]"
)


def remove_invisible(text: str) -> str:
    r"""Removes characters that take no room, but for joiners where they change what is read.

    Where letters are joined to each other, the zero-width non-joiner (U+200C) parts two of them
    as in Persian «می‌خواهد», and the joiner (U+200D) forms letters as in Sinhala «ක්‍ර» or, at
    the end of a word too, in Malayalam. In emoji a joiner makes one of several.

    >>> remove_invisible("сло\u200cво, \ufeffمی\u200cخواهد") == "слово, می\u200cخواهد"
    True
    """
    if not _MAYBE_INVISIBLE.search(text):
        return text
    text = _INVISIBLE.sub("", text)
    return _JOINERS.sub(_kept, text) if "\u200c" in text or "\u200d" in text else text


def _kept(match: re.Match[str]) -> str:
    """Returns what stays of a run of joiners."""
    before, joiner, after = match.groups(default="")
    if joiner == "\u200d" and before and _BEFORE_IN_EMOJI.match(before):
        return joiner
    if not _is_joined(before):
        return ""
    return joiner if joiner == "\u200d" or _is_joined(after) else ""


def _is_joined(character: str) -> bool:
    """Whether a character is a letter or mark of a script whose letters are joined."""
    return bool(_JOINED.match(character)) and category(character)[0] in "LM"
