"""What is repaired in a text, and why a text is dropped: pure functions of one text."""

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable

from anekdot.corpus.cleaning.alphabet import repair_alphabet
from anekdot.corpus.cleaning.filters import FILTERS, MAX_LENGTH, MIN_LENGTH, length, reason_to_drop
from anekdot.corpus.cleaning.invisible import remove_invisible
from anekdot.corpus.cleaning.markup import strip_markup
from anekdot.corpus.cleaning.mojibake import repair_mojibake
from anekdot.corpus.cleaning.profanity import is_obscene
from anekdot.errors import ConfigurationError

__all__ = [
    "FILTERS",
    "MAX_LENGTH",
    "MIN_LENGTH",
    "REPAIRS",
    "RULES",
    "check_rules",
    "clean",
    "is_obscene",
    "length",
    "reason_to_drop",
    "repairs",
]

_NEWLINE = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
_MAYBE_NEWLINE = re.compile("[\r\v\f\x85\u2028\u2029]")  # a set is searched for much faster
_SPACE_AT_LINE_END = re.compile(r"\n(?<=[^\S\n]\n)")
_BLANK_LINES = re.compile("\n{3,}")


def clean(text: str, without: Collection[str] = ()) -> str:
    r"""Repairs a text without touching anything that readers would miss.

    Text that was decoded from the wrong encoding is decoded again, HTML becomes plain text,
    Unicode is composed (NFC), line ends become ``\n`` and tabs spaces; Latin letters in Russian
    words become Cyrillic; control and zero-width characters go, and so do spaces at line ends,
    blank lines beyond one, and white space around the text. Cleaning a clean text changes nothing.

    Args:
        text: A text as it was read.
        without: Names of rules in REPAIRS that are switched off.

    >>> clean("  Штирлиц\u200b шёл\tпо лесу. \r\n\r\n\r\nЛес кончился.\n")
    'Штирлиц шёл по лесу.\n\nЛес кончился.'
    """
    return repairs(text, without)[0]


def repairs(text: str, without: Collection[str] = ()) -> tuple[str, list[str]]:
    """Returns the cleaned text, and the names of the rules that changed it.

    One rule may uncover work for another, so they take turns until none changes anything. That
    ends: each makes the text shorter, or keeps its letters and makes them more regular.

    >>> repairs("&lt;b&gt;Стоп!")
    ('Стоп!', ['html'])
    """
    changed = set()
    is_clean = False
    while not is_clean:
        is_clean = True
        for name, repair in _REPAIRS.items():
            if name not in without and (repaired := repair(text)) != text:
                text = repaired
                changed.add(name)
                is_clean = False
    return text, [name for name in REPAIRS if name in changed]


def check_rules(names: Iterable[str]) -> None:
    """Checks that all names are names of rules.

    Raises:
        ConfigurationError: One is not; the message proposes the nearest rule.
    """
    for name in names:
        if name not in RULES:
            near = difflib.get_close_matches(name, RULES, n=1)
            raise ConfigurationError(
                f"There is no cleaning rule {name!r}.",
                f"Did you mean {near[0]!r}?" if near else f"The rules are: {', '.join(RULES)}.",
            )


def _unify_newlines(text: str) -> str:
    return _NEWLINE.sub("\n", text) if _MAYBE_NEWLINE.search(text) else text


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _trim(text: str) -> str:
    text = text.replace("\t", " ")
    if _SPACE_AT_LINE_END.search(text):
        text = "\n".join(line.rstrip() for line in text.split("\n"))
    if "\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return text.strip()


# Broken bytes hide as control characters and line ends, which later rules would lose; and
# what is invisible parts what is composed.
_REPAIRS: dict[str, Callable[[str], str]] = {
    "mojibake": repair_mojibake,
    "html": strip_markup,
    "newlines": _unify_newlines,
    "invisible": remove_invisible,
    "unicode": _compose,
    "alphabet": repair_alphabet,
    "spaces": _trim,
}
REPAIRS = tuple(_REPAIRS)
"""The rules that repair a text, in the order in which they are applied."""

RULES = (*REPAIRS, *FILTERS, "prefix")
"""Every rule that can be switched off; the last is applied while files are read."""
