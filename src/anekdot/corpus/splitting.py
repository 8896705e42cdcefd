"""Train, validation or test: a pure function of a document's own text.

A document's split never depends on other documents, so it stays the same when files are added,
removed or reordered; and the splits are nested: a smaller share holds out a part of what a
larger one does.
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
    """Returns the hash of a text's normal form as a number in [0, 1), uniform over texts."""
    digest = blake2b(normal_form.encode(), digest_size=8).digest()
    # A float has 53 bits: all 64 could round up to 1.
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def split_of(text: str, validation: float, test: float) -> Split:
    """Returns the split to which a text belongs.

    Test takes the fractions [0, test), validation takes [1 - validation, 1).

    Args:
        text: A cleaned text.
        validation: The expected share of validation documents.
        test: The expected share of test documents.

    Raises:
        ConfigurationError: As `check_fractions`.
    """
    check_fractions(validation, test)
    return split_at(fraction(normalise(text)), validation, test)


def split_at(fraction: float, validation: float, test: float) -> Split:
    """Returns the split of a text whose fraction is known, for shares that have been checked."""
    if fraction < test:
        return "test"
    return "validation" if fraction >= 1 - validation else "train"


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
