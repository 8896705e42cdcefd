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
_CAPITAL_INSIDE = re.compile("[А-ЯЁ](?<=[а-яё].)(?![а-яё])")
_CAPITALS = re.compile("[А-ЯЁ](?=[А-ЯЁ]{2})")
_CAPITAL, _SMALL = re.compile("[А-ЯЁ]"), re.compile("[а-яё]")
# Honest Ukrainian, Serbian and French are strange too, but seldom have such pairs.
_HINT = re.compile(
    "[ВГРСвр][\x80-\x9fЂЃ‚ѓ†‡€‰Љ‹ЊЌЋЏђљ›њќћџЎўЈ¤Ґ¦¬Ї°±Ііґµ¶·єјЅѕї]"  # UTF-8 in cp1251
    "|[ÂÃÐÑâð][\x80-\xbfŒœŠšŽžŸƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]"  # UTF-8 in cp1252
    "|[À-ÿ]{3}|[¡-¯][à-ï]|[à-ï][¡-¯]"  # in cp1252
    "|[─-▟⌠⌡≈≤≥]"  # in cp866 or koi8-r
    "|[¤¦-¨ЂЃѓЊЋЌЎўЈҐЄЇ][Ђ-џ¤¦-¯]|[а-яё][А-ЯЁ](?![а-яё])"  # in cp1251
)

_SEQUENCE = "(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})"
_RUN = re.compile(_SEQUENCE + "++")
_PART = re.compile(f"({_SEQUENCE}++)|([\xc2\xd0\xd1]|\xe2\x80)([ ?\ufffd]?)|.")
_PART_LOST = re.compile("[\xd0\xd1](?![\x80-\xbf])")
_CONTROL = re.compile("[\x80-\x9f]")
_OTHER_LETTER = re.compile("[\xc0-\xcf\xd2-\xff]")
_EXPECTED = re.compile(
    "[\x80-\xffŒœŠšŽžŸƒˆ˜\u0301Ѐ-џҐґ\u2000-\u206f€№™\u2190-\u27bf\ufe0f\ufeff\U0001f000-\U0001faff]+"
)
_UNMISTAKABLE = re.compile("[–—‘’‚“”„†•…‰‹›€№™\U0001f000-\U0001faff]")
# What honest text has after a letter that is also the first half of another one.
_LEADS = frozenset("РСÐÑпя╨╤")
_HONEST = frozenset("ВГРСврпябБцПÂÃÐÑâð«»—–…“”„‘’№©®°•™\xa0ёЁ")

_MIN_GAIN = 8.0  # nats
_MIN_RUN_GAIN = 5.0  # nats
_MIN_LIKELIHOOD = -4.4  # nats a letter
_MIN_LETTERS = 4  # different ones
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
        return _HINT.search(text) is not None or _is_shouted(text)
    return _CAPITALS.search(text) is not None and _is_shouted(text)


def _is_shouted(text: str) -> bool:
    return len(_CAPITAL.findall(text)) > len(_SMALL.findall(text))


def _repair_utf8(text: str, wrong: str) -> str:
    """Repairs UTF-8 that was read in an encoding."""
    masked = text.translate(_bytes_of(wrong))
    if not any(_is_proof(run, text) for run in _RUN.finditer(masked)):
        return text
    lines = zip(text.split("\n"), masked.split("\n"), strict=True)
    return "\n".join(_repair_line(line, mask, wrong) for line, mask in lines)


def _repair_line(line: str, masked: str, wrong: str) -> str:
    if wrong == "cp1252" and max(line, default="") <= "\xff":
        wrong = "latin-1"
        if _PART_LOST.search(masked) and not _CONTROL.search(line):
            return line  # half of the letters have lost the byte that tells them apart
    n_sequences = sum(len(_decode(run[0]) or "") for run in _RUN.finditer(masked))
    others = len(_OTHER_LETTER.findall(_RUN.sub("", masked)))
    if n_sequences >= 3 and 10 * others <= n_sequences:
        return _repair_throughout(line, masked, wrong)
    pieces, at = [], 0
    for run in _RUN.finditer(masked):
        decoded = _decode(run[0])
        is_odd = _is_odd(run, line) and _stands_alone(run, line)
        if decoded and (is_odd or _is_proof(run, line)):
            pieces += [line[at : run.start()], decoded]
            at = run.end()
    return "".join([*pieces, line[at:]])


def _is_proof(run: re.Match[str], text: str) -> bool:
    """Whether a run of UTF-8 sequences can be nothing else."""
    decoded = _decode(run[0])
    if not decoded:
        return False
    if text[run.start()] == "Ã" and text[max(0, run.start() - 1) : run.start()].islower():
        return True
    if not _stands_alone(run, text):
        return False
    if _UNMISTAKABLE.search(decoded):
        return True
    gain = likelihood(decoded) - likelihood(text[run.start() : run.end()])
    return len(decoded) > 1 and (_is_odd(run, text) or gain >= _MIN_RUN_GAIN)


def _stands_alone(run: re.Match[str], text: str) -> bool:
    """Whether a run is not part of an honest word."""
    sides = text[max(0, run.start() - 1) : run.start()] + text[run.end() : run.end() + 1]
    return all(side.isascii() or not side.isalpha() or side in _LEADS for side in sides)


def _is_odd(run: re.Match[str], text: str) -> bool:
    """Whether a run has signs that honest text has not."""
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
    unknown, soft, blank = _lost(wrong, part[2]) if part[2] else ("", "", "")
    if part[3] in ("?", "\ufffd"):
        readings = [*unknown]
    elif part[3]:
        readings = [*blank, *(letter + " " for letter in unknown + soft)]
    else:
        readings = [*unknown, *soft, *blank]
    return readings or [original]


@cache
def _lost(wrong: str, lead: str) -> tuple[str, str, str]:
    """Returns the characters whose last byte, after a lead, is easily lost in an encoding.

    Returns:
        Those whose byte has no character there, those where it is the soft hyphen, and those
        where it is the no-break space.
    """
    if lead == "\xc2":
        return "", "", " "
    if lead == "\xe2\x80":
        return {"cp1251": "‘", "cp1252": "”"}.get(wrong, ""), "", ""
    lost = {"\ufffd": "", "\xad": "", "\xa0": ""}
    for byte in range(0x80, 0xC0):
        letter = (lead + chr(byte)).encode("latin-1").decode()
        seen = bytes([byte]).decode(wrong, "replace")
        if seen in lost and _WORD.match(3 * letter):
            lost[seen] += letter
    unknown, soft, blank = lost.values()
    return unknown, soft, blank


def _nats(text: str) -> float:
    return sum(map(pair, text, text[1:]))


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
        if _HINT.search(line) or _is_shouted(line):
            gain, way = max((_gain(line, *way), way) for way in _encoding_pairs())
            if gain >= _MIN_GAIN and _looks_russian(line.translate(_table(*way))):
                lines[place] = line.translate(_table(*way))
                gains[way] = gains.get(way, 0.0) + gain
    if not gains:
        return text
    likeliest = max(gains, key=gains.__getitem__)
    return "\n".join(
        line.translate(_table(*likeliest)) if _gain(line, *likeliest) > 0 else line
        for line in lines
    )


def _encoding_pairs() -> list[tuple[str, str]]:
    return [(wrong, right) for wrong in _WRONG for right in _RIGHT if wrong != right]


def _gain(line: str, wrong: str, right: str) -> float:
    """Returns the nats by which a line is more Russian if decoded again."""
    return likelihood(line.translate(_table(wrong, right))) - likelihood(line)


def _looks_russian(line: str) -> bool:
    letters = [letter for letter in line.lower() if letter.isalpha()]
    if len(set(letters)) < _MIN_LETTERS or not _WORD.search(line):
        return False
    return likelihood(line) >= _MIN_LIKELIHOOD * len(letters)


@cache
def _table(wrong: str, right: str) -> dict[int, str]:
    """Returns the table that replaces characters by those of the same bytes elsewhere."""
    decoded = {
        ord(c): bytes([byte]).decode(right, "ignore") for c, byte in _characters(wrong).items()
    }
    return {code: character for code, character in decoded.items() if character}
