"""Mojibake: text that was decoded from the wrong encoding, and is decoded again.

Two kinds. UTF-8 that was read in a single-byte encoding («РџСЂРёРІРµС‚», «ÐŸÑ€Ð¸Ð²ÐµÑ‚»)
proves itself: its bytes hang together, and hardly any honest word is made so. One single-byte
encoding read as another («Ïðèâåò», «оПХБЕР») gives letters for letters: it is decoded
again where that makes the line much more Russian.

ftfy knows the first kind too, in more languages, and the second only among Latin encodings;
it never guesses a byte that was lost.
"""

import re
from functools import cache

from anekdot.corpus.russian import likelihood, pair

_WRONG = ("cp1251", "cp1252", "koi8-r", "cp866")
_RIGHT = ("cp1251", "koi8-r", "cp866")

# Some of these are in any mojibake longer than a word …
_STRANGE = re.compile(
    "[\x80-\x84\x86-\x9f¢-¦ª¬¯±-´µ¶¸-º¼-ÿŒœŠšŽžŸƒЂ-ЏђѓєѕіїјљњћќўџҐґ─-▟⌠⌡≈≤≥ˆ˜‹›†‡€‰]"
)
# … or, between koi8-r and cp1251, capitals and small letters have changed places.
_CAPITAL_INSIDE = re.compile("[А-ЯЁ](?<=[а-яё].)")
# Honest Ukrainian, Serbian and French are strange too, but seldom have such pairs.
_HINT = re.compile(
    "[ВГРСвр][\x80-\x9fЂЃ‚ѓ†‡€‰Љ‹ЊЌЋЏђљ›њќћџЎўЈ¤Ґ¦¬Ї°±Ііґµ¶·єјЅѕї]"  # UTF-8 in cp1251
    "|[ÂÃÐÑâð][\x80-\xbfŒœŠšŽžŸƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]"  # UTF-8 in cp1252
    "|[À-ÿ]{3}|[¡-¯][à-ï]|[à-ï][¡-¯]"  # in cp1252
    "|[─-▟⌠⌡≈≤≥]"  # in cp866 or koi8-r
    "|[¤¦-¨ЂЃѓЊЋЌЎўЈҐЄЇ][Ђ-џ¤¦-¯]|[а-яё][А-ЯЁ]"  # in cp1251
)

_SEQUENCE = "(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})"
_RUN = re.compile(_SEQUENCE + "++")
_PART = re.compile(f"({_SEQUENCE}++)|([\xc2\xd0\xd1]|\xe2\x80)([ ?\ufffd]?)|.")
_PART_LOST = re.compile("[\xd0\xd1](?![\x80-\xbf])")
_CONTROL = re.compile("[\x80-\x9f]")
_OTHER_LETTER = re.compile("[\xc0-\xcf\xd2-\xff]")
_EXPECTED = re.compile(
    "[\x80-\xff\u0301Ѐ-џҐґ\u2000-\u206f€№™\u2190-\u27bf\ufe0f\ufeff\U0001f000-\U0001faff]+"
)
_UNMISTAKABLE = re.compile("[\u2010-\u2044€№™\U0001f000-\U0001faff]")
# What honest text has after a letter that is also the first half of another one.
_HONEST = frozenset("ВГРСврпябБцПÂÃÐÑâð«»—–…“”„‘’№©®°•™\xa0ёЁ")

_LEAST_GAIN = 8.0  # nats
_LEAST_LIKELIHOOD = -4.4  # nats a letter
_WORD = re.compile("[А-Яа-яЁё]{3}")


def repair_mojibake(text: str) -> str:
    """Decodes again what was decoded from the wrong encoding, line by line.

    Bytes that the wrong encoding has no character for, or only a space, are often lost on the
    way; in lines that are damaged throughout they are guessed by their neighbours.

    >>> repair_mojibake("РџСЂРёРІРµС‚, РњР°СЂРёСЏ!")
    'Привет, Мария!'
    >>> repair_mojibake("Ïðèâåò, Ìàðèÿ!")
    'Привет, Мария!'
    """
    while _is_suspicious(text):
        before = text
        for wrong in _WRONG:
            text = _repair_utf8(text, wrong)
        text = _repair_single_bytes(text)
        if text == before:
            break
    return text


def _is_suspicious(text: str) -> bool:
    if text.isascii():
        return False
    if _STRANGE.search(text) or _CAPITAL_INSIDE.search(text):
        return _HINT.search(text) is not None
    return text.isupper()


def _repair_utf8(text: str, wrong: str) -> str:
    """Repairs UTF-8 that was read in an encoding."""
    masked = text.translate(_bytes_of(wrong))
    if not any(_is_proof(run, text, wrong) for run in _RUN.finditer(masked)):
        return text
    lines = zip(text.split("\n"), masked.split("\n"), strict=True)
    return "\n".join(_repair_line(line, mask, wrong) for line, mask in lines)


def _repair_line(line: str, masked: str, wrong: str) -> str:
    n_sequences = sum(len(_decode(run[0]) or "") for run in _RUN.finditer(masked))
    others = len(_OTHER_LETTER.findall(_RUN.sub("", masked)))
    if n_sequences >= 3 and 10 * others <= n_sequences:
        if wrong == "cp1252" and max(line) <= "\xff":
            wrong = "latin-1"
            if _PART_LOST.search(masked) and not _CONTROL.search(line):
                return line  # half of the letters have lost the byte that tells them apart
        return _repair_throughout(line, masked, wrong)
    pieces, at = [], 0
    for run in _RUN.finditer(masked):
        decoded = _decode(run[0])
        if decoded and (_is_proof(run, line, wrong) or _is_odd(run, line)):
            pieces += [line[at : run.start()], decoded]
            at = run.end()
    return "".join([*pieces, line[at:]])


def _is_proof(run: re.Match[str], text: str, wrong: str) -> bool:
    """Tells whether a run of UTF-8 sequences can be nothing else."""
    decoded = _decode(run[0])
    if not decoded:
        return False
    if _UNMISTAKABLE.search(decoded):
        return True
    if wrong == "cp1252" and text[run.start() - 1 : run.start()].islower():
        return text[run.start()] == "Ã"
    return len(decoded) > 1 and _is_odd(run, text)


def _is_odd(run: re.Match[str], text: str) -> bool:
    """Tells whether a run has signs that honest text has not, and is not part of a word."""
    sides = text[max(0, run.start() - 1) : run.start()] + text[run.end() : run.end() + 1]
    if any(side.isalpha() and not side.isascii() for side in sides):
        return False
    return not _HONEST.issuperset(text[run.start() : run.end()])


def _repair_throughout(line: str, masked: str, wrong: str) -> str:
    """Repairs a line in which every letter is damaged, and bytes may be lost.

    Of the readings of a lost byte, the likeliest beside its neighbours wins (Viterbi).
    """
    done: list[str] = []
    open_ends = {" ": (0.0, "")}  # by the last character: nats, and what has been read
    for part in _PART.finditer(masked):
        readings = _readings(part, line, wrong)
        ends: dict[str, tuple[float, str]] = {}
        for reading in readings:
            nats, text = max(
                (nats + _nats(last + reading[:2]), text) for last, (nats, text) in open_ends.items()
            )
            ends[reading[-1]] = max(ends.get(reading[-1], (-1e9, "")), (nats, text + reading))
        open_ends = ends
        if len(ends) == 1:
            (last, (_, text)), *_ = ends.items()
            done.append(text)
            open_ends = {last: (0.0, "")}
    return "".join(done) + max(open_ends.values())[1]


def _readings(part: re.Match[str], line: str, wrong: str) -> list[str]:
    """Returns what a part of a line may have been, the part itself if nothing else."""
    original = line[part.start() : part.end()]
    if part[1]:
        return [_decode(part[1]) or original]
    unknown, blank = _lost(wrong, part[2]) if part[2] else ("", "")
    if part[3] in ("?", "\ufffd"):
        readings = list(unknown)
    elif part[3]:
        readings = [*blank, *(letter + " " for letter in unknown)]
    else:
        readings = [*unknown, *blank]
    return readings or [original]


@cache
def _lost(wrong: str, lead: str) -> tuple[str, str]:
    """Returns the characters whose last byte, after a lead, is lost in an encoding.

    Returns:
        Those whose byte has no character there or a soft hyphen, and that whose byte is the
        no-break space.
    """
    if lead == "\xc2":
        return "", " "
    if lead == "\xe2\x80":
        return {"cp1251": "‘", "cp1252": "”"}.get(wrong, ""), ""
    unknown, blank = "", ""
    for byte in range(0x80, 0xC0):
        letter = (lead + chr(byte)).encode("latin-1").decode()
        seen = bytes([byte]).decode(wrong, "replace")
        if not _WORD.match(letter * 3):
            continue
        if seen in ("\ufffd", "\xad"):
            unknown += letter
        elif seen == "\xa0":
            blank += letter
    return unknown, blank


def _nats(text: str) -> float:
    return sum(map(pair, text, text[1:]))


@cache
def _decode(sequences: str) -> str | None:
    """Decodes UTF-8, given as characters of the same numbers; None if it is not likely text."""
    try:
        decoded = sequences.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None
    return decoded if _EXPECTED.fullmatch(decoded) else None


@cache
def _characters(encoding: str) -> dict[str, int]:
    """Returns the byte of every character outside ASCII; unknown bytes are as in latin-1."""
    latin = {chr(byte): byte for byte in range(0x80, 0xA0)} if encoding == "cp1252" else {}
    high = {byte: bytes([byte]).decode(encoding, "ignore") for byte in range(0x80, 0x100)}
    return latin | {character or chr(byte): byte for byte, character in high.items()}


@cache
def _bytes_of(encoding: str) -> dict[int, str]:
    """Returns the table that turns characters into those numbered as their bytes."""
    private = {code: chr(0xE000 + code) for code in range(0x80, 0x100)}
    return private | {ord(c): chr(byte) for c, byte in _characters(encoding).items()}


def _repair_single_bytes(text: str) -> str:
    """Repairs lines whose single-byte encoding was taken for another one."""
    lines = text.split("\n")
    gains: dict[tuple[str, str], float] = {}
    for place, line in enumerate(lines):
        if line.isupper() or _HINT.search(line):
            gain, way = max((_gain(line, *way), way) for way in _ways())
            if gain >= _LEAST_GAIN and _looks_russian(line.translate(_table(*way))):
                lines[place] = line.translate(_table(*way))
                gains[way] = gains.get(way, 0.0) + gain
    if not gains:
        return text
    likeliest = max(gains, key=gains.__getitem__)
    return "\n".join(
        line.translate(_table(*likeliest)) if _gain(line, *likeliest) > 0 else line
        for line in lines
    )


def _ways() -> list[tuple[str, str]]:
    return [(wrong, right) for wrong in _WRONG for right in _RIGHT if wrong != right]


def _gain(line: str, wrong: str, right: str) -> float:
    """Returns the nats by which a line is more Russian if decoded again."""
    return likelihood(line.translate(_table(wrong, right))) - likelihood(line)


def _looks_russian(line: str) -> bool:
    n_letters = sum(map(str.isalpha, line))
    return likelihood(line) >= _LEAST_LIKELIHOOD * n_letters and _WORD.search(line) is not None


@cache
def _table(wrong: str, right: str) -> dict[int, str]:
    """Returns the table that replaces characters by those of the same bytes elsewhere."""
    decoded = {
        ord(c): bytes([byte]).decode(right, "ignore") for c, byte in _characters(wrong).items()
    }
    return {code: character for code, character in decoded.items() if character}
