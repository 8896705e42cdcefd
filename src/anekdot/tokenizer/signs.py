"""Which split pattern suits some texts: whether their vowels are marks."""

import unicodedata
from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

from anekdot.tokenizer.pretokens import PatternName
from anekdot.tokenizer.unicode_classes import LETTERS, MARKS

Counts = npt.NDArray[np.int64]
"""How often each code point occurs, [0x110000]."""

MIN_SHARE = 0.01
"""The least share of signs among letters and signs for which words shall include marks."""

_COMMON = ("COMBINING", "VARIATION SELECTOR")  # names of marks that belong to no script


def choose_pattern(counts: Counts) -> PatternName:
    """Returns the split pattern that suits texts, given how often each character occurs in them.

    It is "qwen35" if at least one in a hundred letters and signs is a sign: a mark of one
    script, such as the vowels of Devanagari, Thai, or pointed Hebrew. Accents that are put on
    letters of any script, as stress is in Russian, and the selectors of emoji are no signs.

    >>> [choose_pattern(count_characters([text])) for text in ("हिन्दी", "за́мок ❤️")]
    ['qwen35', 'qwen2']
    """
    n_signs = int(counts[signs()].sum())
    n_letters = sum(int(counts[first : last + 1].sum()) for first, last in LETTERS)
    return "qwen35" if n_signs > 0 and n_signs >= MIN_SHARE * (n_signs + n_letters) else "qwen2"


def count_characters(texts: Iterable[str | bytes]) -> Counts:
    """Returns how often each character occurs in texts."""
    decoded = (t if isinstance(t, str) else t.decode("utf-8", "surrogateescape") for t in texts)
    data = "".join(decoded).encode("utf-32-le", "surrogatepass")
    return np.bincount(np.frombuffer(data, "<u4"), minlength=0x110000)


@cache
def signs() -> npt.NDArray[np.int64]:
    """Returns the code points of signs, ascending."""
    codes = np.concatenate([np.arange(first, last + 1) for first, last in MARKS])
    names = [unicodedata.name(chr(code), _COMMON[0]) for code in codes]
    return codes[[not name.startswith(_COMMON) for name in names]]
