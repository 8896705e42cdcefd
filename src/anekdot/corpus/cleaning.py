"""What is repaired in a text, what is dropped, and why: pure functions on one document."""

import re
import unicodedata

SHORTEST = 10  # characters
LONGEST = 20_000  # characters

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_LINE_END = re.compile(r"[ \t]+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    r"""Repairs a text without changing what it says.

    NFC; line ends become ``\n``; control, zero-width and direction characters and soft
    hyphens go; tabs become spaces; spaces at line ends go; at most one empty line in a row.

    >>> clean("  -\u00adКак дела? \r\n\r\n\r\n\r\n- Нормаль\u200bно.\n")
    '-Как дела?\n\n- Нормально.'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    text = unicodedata.normalize("NFC", _CONTROL.sub("", text)).replace("\t", " ")
    return _EMPTY_LINES.sub("\n\n", _LINE_END.sub("", text)).strip()


def reason_to_drop(text: str) -> str | None:
    """Returns why a cleaned text is left out, or None where it stays."""
    if not text:
        return "empty"
    if len(text) < SHORTEST or not any(map(str.isalpha, text)):
        return "too short"
    return "too long" if len(text) > LONGEST else None


# Hard profanity by its roots, each with the beginnings that it may have. What looks like a
# root inside an innocent word (застраховать, оскорблять, хлебать) never begins like that.
_PREFIX = r"(?:а|бес|в|вы|воз|вз|до|за|из|ис|из[ъь]|на|не|недо|о|об|об[ъь]|от|от[ъь]|пере|по|под|под[ъь]|пре|при|про|раз|раз[ъь]|рас|с|с[ъь]|у|еди|долбо|одно|полу|ко|ни)*"
_OBSCENE = re.compile(
    rf"\b(?:"
    rf"{_PREFIX}ху[йеёюяи](?!ди|нвейбин)\w*"
    rf"|{_PREFIX}пи[зс]д\w*"
    rf"|{_PREFIX}[её]б(?:а|л[аиоу]|н|у|ё|е[тшмсн]|и|ыв|ц|к|ск)\w*"
    rf"|бля|бля[дт]\w*|\w*бля[дт](?:ь|и|ск|ств|ей|ям|ин)\w*"
    rf")\b",
    re.IGNORECASE,
)


def is_obscene(text: str) -> bool:
    """Whether a Russian text has hard profanity.

    >>> is_obscene("Команда застраховала корабля и рубля, небо колеблется.")
    False
    """
    return _OBSCENE.search(text) is not None
