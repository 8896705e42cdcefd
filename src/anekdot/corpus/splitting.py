"""Which side a document belongs to: a pure function of its own text.

So a document never changes sides when others are added, removed or reordered.
"""

import hashlib
import math
from typing import Literal

from anekdot.errors import ConfigurationError

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")


def normalise(text: str) -> str:
    """Keeps lower-case letters and digits alone.

    >>> normalise("Штирлиц, 17 мгновений!")
    'штирлиц17мгновений'
    """
    return "".join(filter(str.isalnum, text.lower()))


def fraction(text: str) -> float:
    """Returns a number in [0, 1) that depends on the normalised text alone."""
    digest = hashlib.blake2b(normalise(text).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def check_shares(validation: float, test: float) -> None:
    """Raises a ConfigurationError unless both shares, and something to train on, fit."""
    for name, share in (("validation", validation), ("test", test)):
        if not (math.isfinite(share) and 0 <= share < 1):
            raise ConfigurationError(
                f"The {name} share is {share}.", "Give a number from 0 to below 1."
            )
    if validation + test >= 1:
        raise ConfigurationError(
            f"A validation share of {validation} and a test share of {test} leave nothing "
            "to train on.",
            "Give shares whose sum is below 1.",
        )


def side(text: str, *, validation: float, test: float) -> Side:
    """Returns the side of a document.

    The test side grows from the bottom of [0, 1) and the validation side from the top, so
    changing one share moves no document between the other sides.
    """
    place = fraction(text)
    if place < test:
        return "test"
    return "validation" if place >= 1 - validation else "train"
