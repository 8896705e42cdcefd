"""Why a text is no use for training: pure functions on one cleaned text."""

import re
import unicodedata
from collections.abc import Collection
from functools import cache

from anekdot.errors import ConfigurationError

MIN_LENGTH = 10
"""The shortest text worth keeping, in characters."""

MAX_LENGTH = 20_000
"""The longest text that is still one short text, in characters."""

FILTERS = ("empty", "too short", "too long", "wrong script", "link", "advertisement")
"""The reasons for which a text is dropped, in the order in which they are looked for."""

SCRIPTS = (
    "arabic", "armenian", "bengali", "cjk", "cyrillic", "devanagari", "ethiopic", "georgian",
    "greek", "hangul", "hebrew", "hiragana", "katakana", "khmer", "latin", "tamil", "thai",
)  # fmt: skip
"""Scripts that a corpus can be asked to be in."""


def reason_to_drop(
    text: str, without: Collection[str] = (), *, script: str | None = None
) -> str | None:
    """Says why a cleaned text is no use for training, or None if it is.

    Args:
        text: A cleaned text.
        without: Reasons that do not count.
        script: The script that texts shall be in; see `is_in_script`.

    Returns:
        The first of FILTERS that holds: "empty" (no letter and no digit), "too short",
        "too long", "wrong script", "link" (nothing but links), "advertisement"; or None.

    >>> reason_to_drop("— ... — ?! — ...")
    'empty'
    """
    return next(
        (name for name in FILTERS if name not in without and _holds(name, text, script)), None
    )


def _holds(name: str, text: str, script: str | None) -> bool:
    match name:
        case "empty":
            return not any(map(str.isalnum, text))
        case "too short":
            return len(text) < MIN_LENGTH
        case "too long":
            return len(text) > MAX_LENGTH
        case "wrong script":
            return script is not None and not is_in_script(text, script)
        case "link":
            return False
        case _:
            return False


def is_in_script(text: str, script: str) -> bool:
    """Tells whether at least half of the letters of a text are of a script.

    Raises:
        ConfigurationError: The script is none of SCRIPTS.

    >>> is_in_script("Штирлиц и iPhone", "cyrillic"), is_in_script("Привет", "latin")
    (True, False)
    """
    if script not in SCRIPTS:
        raise ConfigurationError(
            f"The script {script!r} is unknown.", f"Choose one of: {', '.join(SCRIPTS)}."
        )
    letters = [c for c in text if c.isalpha()]
    return 2 * sum(_script(c) == script for c in letters) >= len(letters)


@cache
def _script(letter: str) -> str:
    return re.split("[ -]", unicodedata.name(letter, "").lower(), maxsplit=1)[0]
