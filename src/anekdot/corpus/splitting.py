"""Train, validation or test: a pure function of a document's own text.

A document's side never depends on other documents, so it stays when files are added,
removed or reordered; and the sides are nested, so a smaller fraction holds out a part of
what a larger one does.
"""

import re
from hashlib import blake2b
from typing import Literal, get_args

from anekdot.errors import ConfigurationError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Returns the words of a text: its lower-case runs of letters and digits.

    >>> words("«Ёлка-2», — сказал он.")
    ['ёлка', '2', 'сказал', 'он']
    """
    return _WORD.findall(text.lower())


def normalise(text: str) -> str:
    """Returns what identifies a text: its letters and digits, in lower case.

    Dashes, quotes, line breaks and spacing do not count. «ё» stays itself.

    >>> normalise("— Алло!  Алло...")
    'аллоалло'
    """
    return "".join(words(text))


def fraction(normal_form: str) -> float:
    """Returns a text's own place in [0, 1), uniform over texts: the hash of its normal form."""
    digest = blake2b(normal_form.encode(), digest_size=8).digest()
    # A float has 53 bits: all 64 could round up to 1.
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def side(text: str, validation: float, test: float) -> Split:
    """Returns the side on which a text falls.

    Test takes the fractions [0, test) and validation [1 - validation, 1).

    Args:
        text: A cleaned text.
        validation: The expected share of validation documents.
        test: The expected share of test documents.

    Raises:
        ConfigurationError: As `check_fractions`.
    """
    check_fractions(validation, test)
    return split_at(fraction(normalise(text)), validation, test)


def split_at(place: float, validation: float, test: float) -> Split:
    """Returns the side of a text whose place is known, for shares that have been checked."""
    if place < test:
        return "test"
    return "validation" if place >= 1 - validation else "train"


def check_fractions(validation: float, test: float) -> None:
    """Checks that the held-out shares leave something to train on.

    Raises:
        ConfigurationError: A share is negative or not a number, or both make one or more.
    """
    if not (validation >= 0 and test >= 0 and validation + test < 1):
        raise ConfigurationError(
            f"validation = {validation} and test = {test} cannot both be held out.",
            "Give shares from 0 up that sum to less than 1, such as 0.03 each.",
        )
