"""What looks as if texts were read wrong, and what to do where texts are dropped."""

from collections.abc import Mapping

from anekdot.corpus.deduplication.select import EXACT_DUPLICATE, LEAK, NEAR_DUPLICATE
from anekdot.corpus.reading.readers import (
    BROKEN_QUOTES,
    NO_TEXT,
    NOT_JSON,
    NOT_TEXT,
    TOO_LONG_LINE,
    TOO_LONG_TEXT,
    WRONG_CELLS,
)

MIN_TEXTS = 10  # of which shares mean something
MANY_TEXTS, FEW_TEXTS = 200, 50
REPEATED_TIMES = 10

_COLUMN = "Name the column or key of the texts with --column"
_SEPARATOR = "Name what separates the texts with --separator"
_CELLS = "Name what separates the cells with --separator, or save the table anew as .csv"
REMEDIES = {
    NO_TEXT: f"{_COLUMN}.",
    WRONG_CELLS: f"{_CELLS}.",
    BROKEN_QUOTES: f"{_CELLS}.",
    NOT_JSON: "Check whether the file is whole, and JSON.",
    NOT_TEXT: "Check whether the file is text.",
    TOO_LONG_LINE: f"{_SEPARATOR}.",
    TOO_LONG_TEXT: f"{_SEPARATOR}.",
    "empty": f"{_SEPARATOR}, or the column with --column.",
    "too short": f'{_COLUMN}, or keep short texts with --without "too short".',
    "too long": f'{_SEPARATOR}, or keep long texts with --without "too long".',
    "wrong script": "Name another script with --script, or none.",
    "link": f"{_COLUMN}, or keep links with --without link.",
    "advertisement": "Keep advertisements with --without advertisement.",
    "obscene": "Leave out --no-obscene.",
    EXACT_DUPLICATE: f"If the texts are not there twice, {_COLUMN[0].lower()}{_COLUMN[1:]}.",
    NEAR_DUPLICATE: "If the texts are not alike, look at the examples in the report.",
    LEAK: "If the texts are not alike, look at the examples in the report.",
}
"""What to do where most texts were dropped for a reason."""

_WANTED = ("obscene", "wrong script")  # reasons for which the user asked


def find_warnings(
    texts_in: int, kept: int, dropped: Mapping[str, int], most_repeated: tuple[str, int]
) -> list[str]:
    """Returns what looks as if texts were read wrong, each with the likely cause.

    Args:
        texts_in: Texts read.
        kept: Texts that stay.
        dropped: Texts dropped, by reason, the most frequent first.
        most_repeated: How the text begins that was there most often, and how often.
    """
    unwanted = {reason: count for reason, count in dropped.items() if reason not in _WANTED}
    lost = sum(unwanted.values())
    if texts_in < MIN_TEXTS or not lost:
        return []
    text, times = most_repeated
    found = []
    if times >= REPEATED_TIMES and 2 * times > unwanted.get(EXACT_DUPLICATE, 0):
        found.append(
            f"«{text}» was there {times:,} times. If it is not what the model should learn, "
            f"{_COLUMN[0].lower()}{_COLUMN[1:]}."
        )
    reason = max(unwanted, key=unwanted.__getitem__)
    if found and reason == EXACT_DUPLICATE:
        return found
    if texts_in >= MANY_TEXTS and kept < FEW_TEXTS:
        found.append(f"Of {texts_in:,} texts only {kept:,} are left. {remedy(unwanted)}")
    elif 5 * lost > texts_in:
        share = f"{lost:,} of {texts_in:,} texts were dropped"
        found.append(f"{share}, most of them as «{reason}». {remedy(unwanted)}")
    return found


def remedy(dropped: Mapping[str, int]) -> str:
    """Returns what to do about the most frequent reason why texts were dropped."""
    reason = max(dropped, key=dropped.__getitem__, default="")
    return REMEDIES.get(reason, "Bring texts of at least a sentence.")
