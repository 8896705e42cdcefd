"""Guesses about what separates the texts of a text file, from its first lines."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from anekdot.corpus.documents import Layout
from anekdot.corpus.reading.blank_lines import (
    INDENT,
    is_indented,
    is_wrapped,
    longer_gap,
    stands_in_blocks,
)
from anekdot.corpus.reading.fields import field_names
from anekdot.corpus.reading.lines import ESCAPED, MARKERS, blank_lines
from anekdot.corpus.reading.numbering import rising_numbers
from anekdot.corpus.reading.recurring import MAX_MEAN_LINES, pattern_of, separating_forms
from anekdot.corpus.reading.wrappers import LISTED
from anekdot.errors import CorpusError

_CHARACTERS = ("\x1e", "\f", "\0", "\u2029", "\u2028")
_ENDS = '.!?…»")'
_HEADING = re.compile(r"(#{1,6}) +\S")
_ITEM = re.compile(r"(\d{1,2})[.)] ")
_MAX_LIST, _SHORT = 15, 50  # lines of a text with a list in it, and characters of an item
_POINTS = ("- ", "* ", "+ ", "• ")
_OPENING = re.compile(r"\w.*\W\w+[.:]\Z")  # «Knock, knock.» is said in each text
_DOUBTFUL = 2  # log odds of two kinds of gaps below which the other guess is named
_WHOLE = r"[ \t]*(?=[\r\n]|\Z)"


def guess_separator(lines: Sequence[str]) -> Layout:
    """Guesses what stands between the texts of a file.

    Args:
        lines: Its first lines.

    Returns:
        A layout whose separator is "line", "blank line", "2 blank lines", a rule such as "%" or
        "* * *", a marker such as "<|endoftext|>", or an example of lines that have a pattern.
    """
    stripped = [line.strip() for line in lines]
    return (
        _by_marker(stripped)
        or _by_fields(stripped)
        or _by_recurring_line(lines, stripped)
        or _by_item(lines)
        or _by_heading(stripped)
        or _by_number(lines, stripped)
        or _by_list(stripped)
        or _by_blank_line(lines, stripped)
        or Layout(format="txt", listed=_is_list(stripped))
    )


def named_separator(separator: str, lines: Iterable[str]) -> Layout:
    r"""Returns a layout with a separator that the user named: whether it stands inside lines.

    ``\n`` and ``\n\n`` may be written for "line" and "blank line".

    Raises:
        CorpusError: It is empty, or spans several lines.
    """
    separator = ESCAPED.get(separator, separator)
    if separator == "line" or blank_lines(separator):
        return Layout(format="txt", separator=separator)
    marker = separator.strip() or separator
    if not marker or "\n" in marker or "\r" in marker:
        cause = f"{separator!r} cannot separate texts."
        raise CorpusError(cause, "Name one line, such as ***, or write: blank line")
    inline = not any(line.strip() == marker for line in lines)
    return Layout(format="txt", separator=marker, inline=inline)


def _by_marker(stripped: Sequence[str]) -> Layout | None:
    """Finds markers at the beginnings or ends of lines; inside lines, they are spoken about."""
    filled = [line for line in stripped if line]
    for start, end in MARKERS:
        marked = [line for line in filled if start in line or end in line]
        n_starts, n_ends = (sum(line.count(mark) for line in marked) for mark in (start, end))
        count = n_starts + n_ends
        if count < 2 or MAX_MEAN_LINES * count < len(filled):
            continue
        if start == "<s>" and n_starts != n_ends:
            continue  # HTML has <s> too
        pieces = [each for line in marked for each in re.split(f"{_any(start, end)}", line)[:-1]]
        between = sum(not each.strip() or each.rstrip()[-1] in _ENDS for each in pieces)
        edges = sum(line.startswith((start, end)) or line.endswith((start, end)) for line in marked)
        framed = filled[0].startswith((start, end)) or filled[-1].endswith((start, end))
        enough = len(marked) > 1 or len(filled) == 1
        if 1 < between >= 0.9 * count or (framed and enough and edges >= 0.9 * len(marked)):
            separator = start if n_starts > n_ends else end
            return Layout(format="txt", separator=separator, inline=True)
    return None


def _any(*words: str) -> str:
    return "|".join(map(re.escape, words))


def _by_recurring_line(lines: Sequence[str], stripped: Sequence[str]) -> Layout | None:
    forms = separating_forms(stripped)
    character = _separating_character(lines)
    if character and (not forms or lines.count(character) > len(forms[0].places)):
        return Layout(format="txt", separator=character, inline=True)
    if not forms:
        return None
    found = dict.fromkeys(stripped[place] for form in forms for place in form.places)
    example = stripped[forms[0].places[0]]
    if len(found) == 1:
        opens = example == next(filter(None, stripped)) and _OPENING.search(example)
        kept = f"(?={re.escape(example)}{_WHOLE})" if opens else None
        return Layout(format="txt", separator=example, pattern=kept)
    levels = {_level(line) for line in found}
    if 0 not in levels and any(_level(line) in levels and line not in found for line in stripped):
        return None  # each heading begins a text
    if stripped[0] == "WEBVTT":
        found = {"WEBVTT": None}
        patterns = ["WEBVTT", *(pattern_of(form.key) for form in forms)]
    else:
        patterns = [pattern_of(form.key) for form in forms]
    return Layout(format="txt", separator=example, pattern=f"(?:{'|'.join(patterns)}){_WHOLE}")


def _separating_character(lines: Sequence[str]) -> str | None:
    """Returns a character that separates texts, such as a form feed, if there is one."""
    whole = "".join(lines)
    n_lines = sum(map(bool, map(str.strip, lines)))
    for character in filter(whole.__contains__, _CHARACTERS):
        parts = [part for part in whole.split(character) if part.strip()]
        if len(parts) < 2 or n_lines > MAX_MEAN_LINES * len(parts):
            continue
        if character == "\u2028" and 10 * n_lines > len(parts):
            continue  # within texts that stand on lines
        ends = sum(part.rstrip(" \t")[-1:] in f"{_ENDS}\n\r" for part in parts[:-1])
        if character == "\f" or ends >= 0.8 * (whole.count(character) - 1) >= 0.8:
            return character
    return None


def _by_fields(stripped: Sequence[str]) -> Layout | None:
    names = field_names(stripped)
    if not names:
        return None
    first = re.escape(names[0][0])
    return Layout(
        format="txt",
        separator=f"{names[0][0]}:",
        pattern=f"(?={first}:)",
        fields=_any(*names[0]),
        column=names[1],
    )


def _level(line: str) -> int:
    """Returns the level of a heading of Markdown, or 0."""
    match = _HEADING.match(line)
    return len(match[1]) if match else 0


def _by_item(lines: Sequence[str]) -> Layout | None:
    """Finds the points of a list whose texts go on below them, with an indent."""
    filled = [line for line in lines if line.strip() and not _HEADING.match(line)]
    flush = [line[:2] for line in filled if not line[0].isspace()]
    is_list = len(flush) > 1 and flush[0] in _POINTS and len({*flush}) == 1
    if not is_list or len(flush) == len(filled) or len(filled) > MAX_MEAN_LINES * len(flush):
        return None
    mark = flush[0].strip()
    pattern = rf"(?<![ \t]){re.escape(mark)}[ \t]+(?:\[[ xX]\][ \t]+)?"
    return Layout(format="txt", separator=f"{mark} …", pattern=pattern, hanging=True)


def _by_heading(stripped: Sequence[str]) -> Layout | None:
    """Finds headings of Markdown: those of the most frequent level begin texts."""
    levels = [_level(line) for line in stripped if line]
    counts = Counter(filter(None, levels))
    if not counts:
        return None
    level, count = max(counts.items(), key=lambda item: item[1])
    adjacent = sum(a and b for a, b in pairwise(map(bool, levels)))
    if count < 2 or len(levels) > MAX_MEAN_LINES * count or 5 * adjacent > count + 5:
        return None
    higher = f"|#{{1,{level - 1}}} [^\\r\\n]*" if level > 1 else ""
    sign = "#" * level
    return Layout(format="txt", separator=f"{sign} …", pattern=f"(?:{sign} +{higher})")


def _by_number(lines: Sequence[str], stripped: Sequence[str]) -> Layout | None:
    found = rising_numbers(stripped)
    if found is None:
        return None
    example, pattern, rising = found
    hanging = any(line.strip() and line[0] in " \t" for line in lines)
    return Layout(format="txt", separator=example, pattern=pattern, rising=rising, hanging=hanging)


def _by_list(stripped: Sequence[str]) -> Layout | None:
    """Finds a short list inside a single text: «The plan:», «1. Begin.», «2. Go on.»."""
    lines = [line for line in stripped if line]
    numbers = [n for n, line in enumerate(lines) if _ITEM.match(line)]
    if len(numbers) < 2 or len(lines) > _MAX_LIST or numbers[0] == 0:
        return None
    rising = [int(_ITEM.match(lines[n])[1]) for n in numbers]  # type: ignore[index]
    is_run = numbers == [*range(numbers[0], numbers[0] + len(numbers))]
    is_said = lines[numbers[0] - 1].endswith(":") and max(len(lines[n]) for n in numbers) < _SHORT
    is_one = is_run and is_said and rising == [*range(1, len(rising) + 1)] and numbers[0] <= 3
    return Layout(format="txt", separator="file") if is_one else None


def _is_list(stripped: Sequence[str]) -> bool:
    """Whether the lines are the strings of a list in a program."""
    filled = [line for line in stripped if line]
    found = [line for line in filled if LISTED.fullmatch(line)]
    marked = sum(line[-1] == "," or line.startswith("- ") for line in found)
    return len(found) > 2 and len(found) >= 0.6 * len(filled) and marked >= len(found) - 2


def _by_blank_line(lines: Sequence[str], stripped: Sequence[str]) -> Layout | None:
    gap, odds = longer_gap(stripped)
    longer, instead = f"{gap} blank lines", "blank line" if abs(odds) < _DOUBTFUL else ""
    if gap and odds > 0:
        return Layout(format="txt", separator=longer, instead=instead)
    if is_indented(lines):
        return Layout(format="txt", separator="    …", pattern=INDENT, unwrap=True)
    if any(stripped[1:-1]) and "" in stripped and is_wrapped(stripped):
        return Layout(format="txt", separator="blank line", unwrap=True)
    instead = longer if gap and instead else ""
    if stands_in_blocks(stripped):
        return Layout(format="txt", separator="blank line", instead=instead)
    return Layout(format="txt", instead=instead) if instead else None
