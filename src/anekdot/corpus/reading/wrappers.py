"""What stands around the texts of a file and is no part of them: numbers, times, marks, names.

It is found in the first texts, kept in the layout, and taken away from each text as it is read.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from textwrap import dedent

from anekdot.corpus.documents import Document, Layout, broken
from anekdot.corpus.reading.blank_lines import unwrapped
from anekdot.corpus.reading.fields import field_text
from anekdot.corpus.reading.numbering import START, dash_after
from anekdot.corpus.reading.recurring import DATE

PREFIX = "prefix"
"""The rule by which what stands before each text is left out, for `--without`."""

SAMPLED_TEXTS = 2000
"""By which it is seen what stands around all texts."""

LISTED = re.compile(r"""(?:- )?(["'])((?:\\.|(?!\1).)*)\1\s*[,;\])]*""", re.DOTALL)
"""A string in the source of a program."""

_MOST = 0.9  # of the texts have what is left out
_MIN_NUMBERED, _MIN_MARKED = 3, 5  # texts by which it is seen
_MIN_BREAKS = 3
_MAX_PREFIXES = 3  # one after another
_TIME = rf"(?:\d{{1,4}}|{DATE})"
_STAMP = re.compile(
    rf"[\[(<]?{_TIME}(?:[-./:T ,]{{1,2}}{_TIME}){{1,6}}[\])>]?(?:[ \t]*[-—–:|])?[ \t]+"
)
_MARK = re.compile(
    r"[^\w\s\"'«„“(\[<{¿¡—–…-]{1,3}[ \t]+(?=\S)"  # «• », «#) »
    r"|[^\x00-\x7f\w\s«„“¿¡—–…]{1,2}(?=\w)"  # «·»
    r"|[#*+>~=|]{1,2}\)(?=\w)"  # «#)»
    r"|[^\W\d_]\w{0,20}:[ \t]+(?=\S)"  # «Анекдот: »
    r"|(?:[A-ZА-ЯЁ]{2,12}|Анекдот|Шутка|Joke)[ \t]+[-–—|:]+[ \t]+(?=\S)"  # «INFO - »
    r"|[A-Z]{3,8}:[\w.]+:[ \t]*(?=\S)"  # «INFO:root:»
    r"|[\[({<][^\W\d_]\w{0,20}[\])}>](?:[ \t]*[-–—|:])?[ \t]+(?=\S)"  # «[INFO] »
)
_SPEAKER = re.compile(r"\n[ \t]*[^\W\d_]\w{0,20}:[ \t]+(?=\S)")
_POINT = re.compile(r"-[ \t]+(?:\[[ xX]\][ \t]+)?")
_REPLY = re.compile(r"[.?!…][ \t]+[-—–][ \t]")
_QUOTE = "(?:>"  # before each line of a text, and not only the first
_LABEL = re.compile(r"[^\W\d_]\w{0,20}:|[#@©★\[]|\([cс]\)", re.IGNORECASE)
_BREAK = re.compile(r"\\n[ \t]*(?=[-—–A-ZА-ЯЁ«\"\\])")
_ESCAPE = re.compile(r"\\r\\n|\\[nr]")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def wrappers(layout: Layout, texts: Sequence[str], without: Sequence[str]) -> Layout:
    """Returns a layout with what stands around all texts.

    Args:
        layout: How documents stand in the file.
        texts: The first texts, read with this layout.
        without: The names of the cleaning rules that are switched off.
    """
    if not any("\n" in text for text in texts):
        written = sum(_BREAK.search(text) is not None for text in texts)
        if written >= max(_MIN_BREAKS, 0.01 * len(texts)):
            layout = replace(layout, breaks=True)
    if PREFIX not in without and (pattern := _prefix(texts)):
        layout = replace(layout, prefix=pattern)
    if PREFIX in without and _is_numbered(layout):
        layout = replace(layout, pattern=f"(?={layout.pattern})")
    return layout


def _is_numbered(layout: Layout) -> bool:
    """Whether texts begin with numbers, which the pattern of the layout has as a group."""
    return bool(layout.pattern and re.compile(layout.pattern).groups)


def _is_stripped_number(layout: Layout) -> bool:
    return _is_numbered(layout) and not (layout.pattern or "").startswith("(?=")


def unwrapped_document(document: Document, layout: Layout) -> Document:
    """Returns a document without what stands around its text."""
    text = document.text
    if document.fault:
        return document
    stripped: dict[str, str] = {}
    if _is_stripped_number(layout):
        stripped[PREFIX] = layout.separator
    if layout.listed:
        match = LISTED.fullmatch(text)
        if not match:
            return broken(text, document.source, document.line, "no text")
        text = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), match[2])
    if layout.fields:
        text, whole = field_text(text, layout.fields, layout.column or ""), text
        stripped["fields"] = whole.strip().partition("\n")[0]
    if layout.hanging:
        first, end, rest = text.partition("\n")
        text = first + end + dedent(rest)
    if layout.unwrap:
        text = unwrapped(text)
    if layout.breaks:
        text = _ESCAPE.sub("\n", text)
    if layout.prefix:
        start = "(?m)^" if layout.prefix.startswith(_QUOTE) else r"\A"
        prefix = re.compile(rf"{start}(?:{layout.prefix})(?=\S)")
        if match := prefix.search(text):
            stripped[PREFIX] = match[0].strip()
            text = prefix.sub("", text)
    if layout.strip:
        text, line = _without_line(text, layout.strip)
        stripped |= {"line": line} if line else {}
    return replace(document, text=text.strip(), stripped=(*stripped.items(),))


def has_wrappers(layout: Layout) -> bool:
    """Whether there is anything to take away from the texts of a layout."""
    return bool(
        layout.listed
        or layout.fields
        or layout.hanging
        or layout.unwrap
        or layout.breaks
        or layout.prefix
        or layout.strip
        or _is_stripped_number(layout)
    )


def remarks(layout: Layout, texts: Sequence[str]) -> list[str]:
    """Returns what is to be said about what stands around the texts, a sentence each."""
    said = []
    if layout.breaks:
        said.append(r"Line breaks written as \n are read as such.")
    shown = layout.separator if _is_stripped_number(layout) else ""
    if layout.prefix:
        shown = next(m[0] for text in texts if (m := re.match(layout.prefix, text))).strip()
    if shown:
        said.append(f"«{shown}» and the like before texts is left out (--without prefix keeps it).")
    return said + _recurring_edges(texts)


def _recurring_edges(texts: Sequence[str]) -> list[str]:
    """Returns what is to be said about first and last lines that recur, or begin alike."""
    several = [lines for text in texts if len(lines := text.strip().splitlines()) > 1]
    least = max(_MIN_MARKED, 0.2 * len(texts))
    said = []
    for verb, place, rest in (("begin", 0, slice(1, None)), ("end", -1, slice(-1))):
        edges = [lines[place].strip() for lines in several]
        line, count = Counter(edges).most_common(1)[0] if edges else ("", 0)
        starts = Counter(match[0] for edge in edges if (match := _LABEL.match(edge)))
        start, alike = starts.most_common(1)[0] if starts else ("", 0)
        unwanted = line
        if alike > count and not _are_talks(["\n" + "\n".join(lines[rest]) for lines in several]):
            line, count, unwanted = f"{start} …", alike, f"{start}*"
        if (
            count >= least
            and (place or unwanted != line)
            and (unwanted != line or any(map(str.isalpha, line)))
        ):
            said.append(
                f"{count} of {len(texts)} texts {verb} with «{line}»: "
                f"--strip «{unwanted}» removes it."
            )
    return said


def _prefix(texts: Sequence[str]) -> str:
    """Returns a regular expression of what stands before nearly all texts, or ""."""
    pattern = ""
    for _ in range(_MAX_PREFIXES):
        found = _first_prefix(texts)
        if not found:
            break
        pattern += f"(?:{found})"
        texts = [re.sub(rf"\A(?:{found})(?=\S)", "", text) for text in texts]
    return pattern


def _first_prefix(texts: Sequence[str]) -> str:
    if sum(_STAMP.match(text) is not None for text in texts) >= max(
        _MIN_MARKED, _MOST * len(texts)
    ):
        return _STAMP.pattern
    counter = _counter(texts)
    if counter or len(texts) < _MIN_MARKED:
        return counter
    points = [text for text in texts if "\n" not in text and _POINT.match(text)]
    if len(points) >= _MOST * len(texts):
        talks = sum(_REPLY.search(text) is not None for text in texts)
        return _POINT.pattern if talks <= (1 - _MOST) * len(texts) else ""
    marks = Counter(match[0].rstrip() for text in texts if (match := _MARK.match(text)))
    mark, count = marks.most_common(1)[0] if marks else ("", 0)
    if count < _MOST * len(texts) or (mark[-1] == ":" and _are_talks(texts)):
        return ""
    rest = rf"{re.escape(mark)}[^\n]*[^\W\d_]"
    if mark[-1] == ":" and not any(re.match(rest, text) for text in texts):
        return rf"{re.escape(mark)}[^\n]*\n"  # a number, such as a rating, on its own line
    return rf"{re.escape(mark)}[ \t]*"


def _are_talks(texts: Sequence[str]) -> bool:
    """Whether in many texts a line below the first names a speaker too."""
    return sum("\n" in text and _SPEAKER.search(text) is not None for text in texts) > 0.2 * len(
        texts
    )


def _counter(texts: Sequence[str]) -> str:
    """Returns a regular expression of the numbers of texts, which rise or are all different."""
    found = [match for text in texts if (match := START.match(text))]
    forms = Counter((match[1] or "", match[3].rstrip()) for match in found)
    if not forms:
        return ""
    (before, after), count = forms.most_common(1)[0]
    starts = [match for match in found if (match[1] or "", match[3].rstrip()) == (before, after)]
    numbers = [int(match[2]) for match in starts]
    rises = sum(b > a for a, b in pairwise(numbers)) >= _MOST * (count - 1)
    by_one = sum(b - a == 1 for a, b in pairwise(numbers)) >= _MOST * (count - 1)
    differ = len({*numbers}) > _MOST * count
    is_sure = (rises or differ) and bool(before or after) if count >= _MIN_MARKED else by_one
    needed = min(_MOST * len(texts), len(texts) - by_one)  # a heading may stand above
    if count < max(_MIN_NUMBERED, needed) or not (is_sure or by_one):
        return ""
    after = after or dash_after([match.string for match in starts])
    return rf"{re.escape(before)}\d+{re.escape(after)}[ \t]*"


def _without_line(text: str, unwanted: str) -> tuple[str, str]:
    """Takes lines out of a text that are the unwanted one, or begin as it says before *.

    Returns:
        What is left, and the first such line.
    """
    start = unwanted.removesuffix("*") if unwanted.strip("*") else ""
    is_start = unwanted.endswith("*") and bool(start)
    kept, removed = [], ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(start.strip()) if is_start else stripped == unwanted:
            removed = removed or stripped
        else:
            kept.append(line)
    return "\n".join(kept), removed
