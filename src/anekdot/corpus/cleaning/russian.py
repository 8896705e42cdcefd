"""How Russian a text looks: the likelihood of its pairs of characters."""

from collections import Counter
from functools import lru_cache
from itertools import pairwise

_LETTERS = " абвгдежзийклмнопрстуфхцчшщъыьэюяё"

# Row: a letter, or the edge of a word; column: what follows it, in the order of _LETTERS.
# 18 plus the logarithm of the probability in half nats, from 0 to i (18); counted in anecdotes.
_ROWS = (
    "dbbdacaabb2cacdcdbdcb796b82000a3a0 g6ab8bcab7addcc3abcc6697aa60001aa3 "
    "ad5634e34d09c69e0c82e05151a8e755c5 ef3528d08d09a6be6ac9b0448731d81085 "
    "ce353db00c07c49g0d44c0005000203000 bf5b35f84e09a6ce6b95d0774504aa3497 "
    "f5bbbb98a4baccd59dce46889a90000555 cd624dg50f0945da0871b003a000174106 "
    "eg9c9cb83c089aec2a45b0014003b925b4 f89c9bb7b9acdcd87bbe25aaba700008a0 "
    "h2544b30321968b743cc0639a720000020 ff0835b26d04a38f1c9bd0164000001000 "
    "ee5276e73e09948e30a6c2206200ae1bc6 fe6421e31d0678ce9582e2044000b74494 "
    "cf2378f34e0900be069ac5086280cb37c4 f2bdccaa98cbccc6adcd4785b950003683 "
    "9d0000d00c07b06g7f77b00452008902a2 cf6988e84e0979af768ad4645750b928a6 "
    "dc6b38d13c0dcaacc8bfa3638505ac57d8 fe5b26e00c09749f5cb4b1145000cd1584 "
    "g8a9bd9d949bbb90bbcc5494bb80002b41 cd4060e00f05b66f2d8bda307600755737 "
    "gd2a53902b02a9bg3b67b0501300014000 ef3a30f03f09464b2451c0060100c44220 "
    "be0000f00e0c74c8021fb00019000a2009 be0700f00e0ec5bc763bb00203001f0608 "
    "be0000g00g0210960302b000005029001d 911311h1141531411133311113153157g9 "
    "g0ac98c675e9cbb0aabb30c28b30200040 h08596a0870d0ad430c905078b30000aa6 "
    "b1585702509cb8908c9h28953500009020 h6d47c55714899805acf0086a9b0000801 "
    "h0697aa89689b9b0679d20888680000960 g09999099069dec08c9e00914b80000004"
)
_FOLLOWERS = dict(zip(_LETTERS, _ROWS.split(), strict=True))
_PUNCTUATION = frozenset("«»—–…“”„‘’№\xa0©®°§•€")

_CAPITAL_INSIDE = -5.0
_CROWD = (0.0, -1.0, -5.0)  # none, one or both of two characters are typographic signs
# Nats of two characters in a row of which not both are Russian letters or edges of words:
# "l" a Latin letter, "f" any other, "s" a strange sign, "r" a Russian letter, " " the rest.
_MIXED = {
    "  ": 0.0, " l": -1.5, "l ": -1.5, "ll": -2.5, "rl": -7.0, "lr": -7.0,
    " f": -4.0, "f ": -4.0, "ff": -5.0, "fl": -3.5, "lf": -3.5, "fr": -7.0, "rf": -7.0,
    " s": -3.0, "s ": -3.0, "ss": -6.0, "sr": -6.0, "rs": -6.0, "sl": -6.0, "ls": -6.0,
    "sf": -6.0, "fs": -6.0,
}  # fmt: skip


def likelihood(text: str) -> float:
    """Returns the logarithm of how likely a text's pairs of characters are in Russian, in nats.

    Only differences mean something, and only between readings of the same bytes.

    >>> likelihood("Привет") > max(likelihood("оПХБЕР"), likelihood("Ïðèâåò"))
    True
    """
    return sum(n * pair(*both) for both, n in Counter(pairwise(f" {text} ")).items())


@lru_cache(1 << 16)
def pair(first: str, second: str) -> float:
    """Returns the logarithm of how likely one character follows another, in nats."""
    crowd = _CROWD[(first in _PUNCTUATION) + (second in _PUNCTUATION)]
    classes = _class(first) + _class(second)
    if classes in _MIXED:
        return _MIXED[classes] + crowd
    row = _FOLLOWERS.get(first.lower(), _FOLLOWERS[" "])
    nats = (int(row[max(0, _LETTERS.find(second.lower()))], 19) - 18) / 2
    return nats + crowd + _CAPITAL_INSIDE * (first.islower() and second.isupper())


def _class(character: str) -> str:
    if character.isalpha():
        if character.isascii():
            return "l"
        return "r" if character.lower() in _LETTERS else "f"
    return " " if character.isascii() or character in _PUNCTUATION else "s"
