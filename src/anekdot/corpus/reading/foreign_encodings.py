"""Encodings that are not Russian, told apart by chardet; and the names of encodings.

chardet knows pairs of bytes of many languages. What it says is asked for only where our own
rule, which is better at single lines of Russian, finds no Russian.
"""

import codecs
import difflib
from encodings.aliases import aliases
from itertools import pairwise

from anekdot.corpus.russian import SINGLE_BYTE, pair
from anekdot.errors import ConfigurationError, require

_CANDIDATES = (
    *SINGLE_BYTE,
    *("koi8-u", "cp1250", "iso-8859-2", "cp1253", "iso-8859-7", "cp1254", "iso-8859-9", "cp1255"),
    *("cp1256", "cp1257", "iso-8859-1", "iso-8859-15", "mac-roman", "cp852", "tis-620", "cp874"),
    *("gb18030", "big5", "big5-hkscs", "shift_jis", "cp932", "euc-jp", "euc-kr", "cp949", "johab"),
)
_WIDER = {"gbk": "gb18030", "gb2312": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}
_OF_DOS = "cp850"
_WESTERN = ("iso8859-1", "cp1252")
_RUSSIAN_NATS = -3.6  # of a pair of letters; other languages read as Russian have less than -4
_EXACT = {"cp1251": "windows-1251", "cp866": "ibm866", "cp1252": "windows-1252", "utf-8": "utf_8",
          "koi8-r": "koi8_r", "mac-cyrillic": "mac_cyrillic", "iso8859-5": "iso8859_5"}  # fmt: skip
_NOT_DRAWN = bytes({*range(256)} - {0xA4, 0xA6, 0xA7, 0xAD, 0xB4, 0xB6, 0xB7, 0xBD})
_FEW = 5  # bytes beyond ASCII, by which chardet cannot tell
_MANY = 200  # bytes beyond ASCII, by which a wrong reading is no accident
_SAMPLE = 200_000  # bytes


def foreign_encoding(lines: list[bytes], russian: str) -> str | None:
    """Returns the encoding of lines that are not UTF-8, or None if it cannot be told.

    Args:
        lines: The lines.
        russian: What they most likely are by our own rule.
    """
    data = b"\n".join(lines)[:_SAMPLE]
    if _is_russian(data, russian) and not _is_ukrainian(data, russian):
        return russian
    if sum(byte > 127 for byte in data) < _FEW:
        return russian
    found = _detected(data)
    return _corrected(found, data, russian) if found else None


def _corrected(found: str, data: bytes, russian: str) -> str | None:
    """Returns the encoding that chardet means: it takes some for their neighbours."""
    if found in _WESTERN or data.decode(found, "replace") == data.decode("cp1252", "replace"):
        return "cp1252"
    if _has_controls(data.decode(found, "replace")):
        if _is_of_dos(data):
            return _OF_DOS
        if sum(byte > 127 for byte in data) > _MANY:
            return None
    cyrillic = {_codec(name): name for name in SINGLE_BYTE}
    if found in cyrillic:
        return cyrillic[found] if russian == "cp1252" else russian
    return found


def check_encoding(name: str) -> None:
    """Checks that an encoding of texts has a name.

    Raises:
        ConfigurationError: It has not; the message proposes the nearest name.
    """
    try:
        "".encode(name)
    except (LookupError, TypeError, ValueError, UnicodeError) as error:
        near = difflib.get_close_matches(str(name).lower(), {*aliases, *aliases.values()}, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "Give a name such as cp1250 or gb18030."
        raise ConfigurationError(f"There is no encoding {name!r}.", remedy) from error


def exact(name: str) -> str:
    """Returns the name under which a file is decoded as the user said, not line by line."""
    codec = _codec(name)
    return _EXACT.get(codec, "utf_8" if codec == "utf-8-sig" else codec)


def _codec(name: str) -> str:
    return codecs.lookup(name).name


def _has_controls(text: str) -> bool:
    """Whether characters that no text has stand where a wrong encoding puts them."""
    foreign = [character for character in text if not character.isascii()]
    return 20 * sum("\x80" <= character < "\xa0" for character in foreign) > len(foreign)


def _is_of_dos(data: bytes) -> bool:
    """Whether what is not ASCII is letters of western Europe, as DOS wrote them."""
    foreign = [each for each in data.decode(_OF_DOS) if not each.isascii()]
    return 10 * sum(map(str.isalpha, foreign)) >= 9 * len(foreign)


def _detected(data: bytes) -> str | None:
    """Returns what chardet says, if anything."""
    require("Telling this encoding apart", "train", "chardet")
    import chardet  # noqa: PLC0415 (slow, and only for what is not Russian)

    found = chardet.detect(data, include_encodings=_CANDIDATES)["encoding"]
    codec = _codec(found) if found else None
    return _WIDER.get(codec, codec) if codec not in (None, "ascii", "utf-8") else None


def _is_ukrainian(data: bytes, encoding: str) -> bool:
    """Whether letters of koi8-u stand where koi8-r has lines for drawing."""
    if encoding != "koi8-r" or not (data.translate(None, _NOT_DRAWN)):
        return False
    return _detected(data) == "koi8-u"


def _is_russian(data: bytes, encoding: str) -> bool:
    if encoding == "cp1252":
        return False
    text = data.decode(encoding, "replace")
    pairs = [both for both in pairwise(f" {text} ") if not (both[0] + both[1]).isascii()]
    letters = sum(map(str.isalpha, text))
    nats = sum(pair(*both) for both in pairs) / max(1, len(pairs))
    foreign = sum(not letter.isascii() for letter in text if letter.isalpha())
    return nats > _RUSSIAN_NATS and 2 * foreign > letters
