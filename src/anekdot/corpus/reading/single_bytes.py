"""Which single-byte encoding a line is in: the one in which it looks like Russian.

A line is read in each encoding, and the reading wins whose pairs of characters are the most
likely: frequent letters, frequent pairs of them, runs of lower case, capitals where words
start. A line too short to tell follows its file.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

SINGLE_BYTE = ("cp1251", "koi8-r", "cp866", "mac-cyrillic", "iso-8859-5", "cp1252")
"""The encodings among which is guessed; of equals, the first."""

# Occurrences of а, б, в … я among 1,000 letters of Russian prose.
_FREQUENCIES = (
    80, 16, 45, 17, 30, 84, 9, 16, 74, 12, 35, 44, 32, 67, 110, 28, 47, 55, 63, 26,
    2.6, 10, 5, 14, 7, 3.6, 0.4, 19, 17, 3, 6, 20,
)  # fmt: skip
_YO = 2.0
_FREQUENT_PAIRS = (
    "ст но то на ен ов ни ра во ко ро по не пр ос ть ка ли та от ер ом го ет те ал он ло ва ре "
    "ор ит ла де ан да ат ес ил ол ве ме за ри ле об мо ль ин ас сь ак ты ки ем ам ей сл ся же "
    "нн ду му бо со до ел эт чт ск ши жи че ая ый ые ую их им вы ми ма тр ру ди ви ча ав ег бы "
    "ой ог ня ше нь ну ти су св се си сн сс чи щи щё ещ хо ок ож од ое"
)
_PUNCTUATION = "«»—–…„“”‘’№\xa0•"
_ACCENTS = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýßœšž"

_OTHER, _LOWER, _UPPER, _LATIN, _ODD = range(5)
_PRIOR = 8.0  # nats by which the encoding of the file is ahead
_RARE = {"mac-cyrillic": -1.5, "iso-8859-5": -1.0, "cp1252": -2.0}  # nats, before any look

# Nats for a class of character after another: what seldom stands side by side.
_AFTER = np.zeros((5, 5))
_AFTER[_LOWER, _UPPER] = -6
_AFTER[_UPPER, _UPPER] = -0.2
_AFTER[_OTHER, _UPPER] = -1
_AFTER[_UPPER, _LOWER] = 1
_AFTER[_OTHER, _LOWER] = 0.5
_AFTER[[_LOWER, _UPPER, _LATIN], [_LATIN, _LATIN, _LOWER]] = -5
_AFTER[_LATIN, _UPPER] = -5


def likeliest(lines: Sequence[bytes], prior: str | None) -> list[str]:
    """Returns the likeliest single-byte encoding of each line.

    Args:
        lines: Lines that are not UTF-8 and not empty.
        prior: The encoding of their file, where it is known.
    """
    if not lines:
        return []
    block = np.frombuffer(b"\n" + b"\n".join(lines), np.uint8).astype(np.uint16)
    pairs = (block[:-1] << 8) | block[1:]
    lengths = np.array([len(line) + 1 for line in lines])
    starts = np.cumsum(lengths) - lengths
    scores = np.stack([np.add.reduceat(_table(name)[pairs], starts) for name in SINGLE_BYTE])
    scores += np.array([_RARE.get(name, 0.0) for name in SINGLE_BYTE])[:, None]
    if prior in SINGLE_BYTE:
        scores[SINGLE_BYTE.index(prior)] += _PRIOR
    return [SINGLE_BYTE[best] for best in scores.argmax(axis=0)]


@cache
def _table(encoding: str) -> NDArray[np.float32]:
    """Returns the nats of each pair of bytes in an encoding, (65536,)."""
    characters = [bytes([byte]).decode(encoding, "replace") for byte in range(256)]
    classes = np.array([_class(character, encoding) for character in characters])
    nats = np.array([_nats(character, encoding) for character in characters])
    nats[:128] = 0  # the same in every encoding
    after = _AFTER[classes[:, None], classes[None, :]]
    if encoding == "cp1252":
        after = np.where((classes[:, None] == _LATIN) | (classes[None, :] == _LATIN), 0, after)
    after[:128, :128] = 0
    after[ord("\n"), classes == _UPPER] += 3
    if encoding != "cp1252":
        after += _frequent(characters)
    table: NDArray[np.float32] = (after + nats[None, :]).astype(np.float32).ravel()
    return table


def _frequent(characters: list[str]) -> NDArray[np.float64]:
    """Returns the nats of each pair of bytes for being a frequent pair of letters or not."""
    letters = [character.lower() if character >= "Ѐ" else "" for character in characters]
    frequent = frozenset(_FREQUENT_PAIRS.split())
    nats = [
        [(1.0 if a + b in frequent else -1.0) if a and b else 0.0 for b in letters] for a in letters
    ]
    return np.array(nats)


def _class(character: str, encoding: str) -> int:
    if character.isascii():
        return _LATIN if character.isalpha() else _OTHER
    if encoding == "cp1252":
        return _LOWER if character.lower() in _ACCENTS else _OTHER
    if not character.isalpha():
        return _OTHER
    return _LOWER if character.islower() else _UPPER


def _nats(character: str, encoding: str) -> float:
    """Returns the logarithm of how likely a character outside ASCII is."""
    letter = character.lower()
    if encoding == "cp1252":
        likely = 0.004 if letter in _ACCENTS else 0.002 if character in _PUNCTUATION else 1e-5
        return float(np.log(likely))
    if "а" <= letter <= "я":
        frequency = _FREQUENCIES[ord(letter) - ord("а")] / 1000
    elif letter == "ё":
        frequency = _YO / 1000
    elif character in _PUNCTUATION:
        frequency = 0.006
    else:
        frequency = 4e-4 if character.isalpha() else 2e-5
    return float(np.log(frequency))
