"""Latin letters that stand for Cyrillic ones in Russian words: «Hу» and «говоpит»."""

import re

_LATIN = "ABCEHIKMOPTXYaceiopxyËëÏïÁÉÓÝáéóý"
_CYRILLIC = (
    *("А", "В", "С", "Е", "Н", "І", "К", "М", "О", "Р", "Т", "Х", "У"),
    *("а", "с", "е", "і", "о", "р", "х", "у", "Ё", "ё", "Ї", "ї"),
    *("А\u0301", "Е\u0301", "О\u0301", "У\u0301", "а\u0301", "е\u0301", "о\u0301", "у\u0301"),
)
_TO_CYRILLIC = {ord(latin): letters for latin, letters in zip(_LATIN, _CYRILLIC, strict=True)}

# A search for a set of characters is fast, so that Russian and Latin texts pay little.
_MIXED = re.compile(f"[{_LATIN}](?:(?=\u0301?[\u0400-\u052f])|(?<=[\u0400-\u052f].))")
_ALONE = re.compile("(?<=[\u0400-\u052f][ ,])[acoyACOY](?= [\u0400-\u052f])")
_WORD = re.compile("(?:[^\\W\\d_]|[\u0300-\u036f])+")
_ALIKE = re.compile(f"[{_LATIN}\u0400-\u052f\u0300-\u036f]+")
_OTHER = re.compile(  # «PHPшник», «XXй»; «ХХI» and «iПотека», which would get a Ukrainian letter
    "[A-Z]{2,}[а-яё]+|[IX](?:й|го|му)|[IXCMХСМ]+|i[А-ЯЁ].*"
)


def repair_alphabet(text: str) -> str:
    """Makes Latin letters Cyrillic in words that have both, if all the Latin ones look alike.

    A word is a run of letters, so a hyphen, a digit or a plus ends it. Words in which a Russian
    ending follows Latin capitals, and Roman numerals, stay as they are. In a text with such words
    the one-letter words a, c, o and y between Russian ones become Russian, too.

    >>> repair_alphabet("Hу вoт, кoт ушёл в мaгазин за USB-кабелем, C++ и WiFiлой")
    'Ну вот, кот ушёл в магазин за USB-кабелем, C++ и WiFiлой'
    """
    if not _MIXED.search(text):
        return text
    repaired = _WORD.sub(_repaired, text)
    if repaired == text:
        return text
    return _ALONE.sub(lambda match: match[0].translate(_TO_CYRILLIC), repaired)


def _repaired(match: re.Match[str]) -> str:
    word = match[0]
    if not _MIXED.search(word) or not _ALIKE.fullmatch(word) or _OTHER.fullmatch(word):
        return word
    return word.translate(_TO_CYRILLIC)
