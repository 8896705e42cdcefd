"""The text of PDF: lines as they stand on paper, put together to paragraphs.

pypdf says what stands where on a page. A larger gap between lines is a blank line here; lines of
prose that are as long as the page is wide go on in the next one; what stands at the edge of page
after page, such as numbers, is left out. Nothing is run or fetched, and pictures are not looked at.
"""

import logging
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from anekdot.corpus.reading.lines import MAX_LINE_BYTES
from anekdot.corpus.reading.recurring import DASHES

_BOUNDS: dict[str, Any] = {
    "stream_parsing_work_maximum_count": 200_000,  # of a page: a second or two
    "stream_decoding_work_maximum_length": 64 << 20,
    "zlib_maximum_output_length": 16 << 20,
    "lzw_maximum_output_length": 16 << 20,
    "run_length_maximum_output_length": 16 << 20,
    "array_based_stream_maximum_output_length": 16 << 20,
    "xform_maximum_invocations_per_extraction": 500,
}
_SECONDS, _SECONDS_PER_BYTE = 60.0, 60e-6  # of processor time that a file may take
_GAP = 1.25  # times the usual distance of lines is a blank line
_INDENT = 0.7  # times the size of the letters
_FULL = 0.75  # of the length of long lines, from which a line may go on
_COMPOUND = re.compile(r"\b(по|кое|кой|из)-\n|-\n(то|нибудь|либо|таки|ка)\b", re.IGNORECASE)
_Edge = tuple[str, int]
_NUMBER = re.compile(r"[-–—\s]*\d+[-–—\s]*")


@dataclass
class _Line:
    """A line of a page.

    Attributes:
        text: What it says.
        x: Where it begins, in points.
        y: How high it stands.
        size: Of its letters.
        above: What stands above it: "gap", "indent" if it is indented instead, or "".
    """

    text: str
    x: float
    y: float
    size: float
    above: str = ""


def fragments(file: Path, _: str | None = None) -> Iterator[str]:
    """Yields the paragraphs of all pages."""
    import pypdf  # noqa: PLC0415 (an extra)
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns of each oddity
    try:
        with pypdf.apply_configuration(**_BOUNDS), file.open("rb") as opened:
            reader = pypdf.PdfReader(opened)
            if reader.is_encrypted and not reader.decrypt(""):
                raise ValueError("it is encrypted")
            yield from _paragraphs(_without_edges(_pages(reader, file.stat().st_size)))
    except (PyPdfError, ArithmeticError, AttributeError, LookupError, TypeError) as error:
        raise ValueError(f"it is damaged ({' '.join(str(error).split())[:100]})") from error


def _pages(reader: Any, size: int) -> Iterator[list[_Line]]:
    end = time.process_time() + _SECONDS + size * _SECONDS_PER_BYTE
    for page in reader.pages:
        if time.process_time() > end:
            raise ValueError("its pages take too long to read")
        yield _lines(page)
        reader.resolved_objects.clear()  # fonts and pages of before


def _lines(page: Any) -> list[_Line]:
    """Returns the lines of a page, and what stands above each."""
    found: list[_Line] = []
    is_new = True

    def add(text: str, cm: list[float], tm: list[float], _: Any, size: float) -> None:
        nonlocal is_new
        if not text:
            return
        if is_new and text.strip():
            x, y = (tm[4] * cm[k] + tm[5] * cm[k + 2] + cm[k + 4] for k in (0, 1))
            height = abs(size * (tm[3] or tm[1]) * (cm[3] or cm[1]))
            found.append(_Line("", x, y, height))
            is_new = False
        if not is_new:
            found[-1].text += text.rstrip("\n")
        is_new = is_new or text.endswith("\n")

    page.extract_text(visitor_text=add)
    lines = [line for line in found if line.text.strip()]
    distances = sorted(d for a, b in pairwise(lines) if (d := a.y - b.y) > 0)
    usual = distances[len(distances) // 10] if distances else 0.0
    starts = Counter(round(line.x) for line in lines)
    left = max(starts, key=lambda x: (starts[x], -x), default=0)
    for line in lines:
        line.text = " ".join(line.text.split())
        line.above = "indent" if line.x - left > _INDENT * line.size else ""
    for before, line in pairwise(lines):
        if not 0 < before.y - line.y <= _GAP * usual:
            line.above = "gap"
    return lines


def _without_edges(pages: Iterable[list[_Line]]) -> Iterator[list[_Line]]:
    """Yields pages without their numbers, and what stands at the same edge of the next one."""
    before: list[_Edge] = []
    rest = iter(pages)
    page = next(rest, None)
    while page is not None:
        after = next(rest, None)
        beside, before = {*before, *_edges(after or [])}, _edges(page)
        alone = [edge for edge in before if edge in beside or _NUMBER.fullmatch(edge[0])]
        yield [line for line in page if _edge(line) not in alone]
        page = after


def _edge(line: _Line) -> _Edge:
    """Returns what a line has in common with the same line of other pages."""
    return re.sub(r"\d+", "0", line.text), round(line.y)


def _edges(page: Sequence[_Line]) -> list[_Edge]:
    """Returns the highest and the lowest lines of a page."""
    heights = {line.y for line in page}
    edges = {min(heights, default=0.0), max(heights, default=0.0)}
    return [_edge(line) for line in page if line.y in edges and len(heights) > 1]


def _paragraphs(pages: Iterable[list[_Line]]) -> Iterator[str]:
    """Yields paragraphs, or lines that stand alone, and what stands between them."""
    held = last = ""
    for lines in pages:
        follows = _continuations(lines)
        has_gaps = any(line.above == "gap" for line in lines)
        said = any(line.text[0] in DASHES and not line.above for line in lines[1:])
        apart = {"gap"} if has_gaps or not said else {"indent"}
        for place, line in enumerate(lines):
            is_lower = line.text[0].islower()
            is_reply = line.text[0] in DASHES and held.startswith("\n")  # to a line alone
            goes_on = follows[place] or (not place and is_lower)
            if not last or not goes_on or len(held) > MAX_LINE_BYTES:
                yield f"{held}\n"
                is_apart = line.above in apart or (not place and has_gaps and not is_reply)
                held = "\n" * is_apart + line.text
            elif is_lower and last[-1] in "-\u00ad":
                is_whole = _COMPOUND.search(f"{held[-9:]}\n{line.text}")
                held = held[: None if is_whole else -1] + line.text
            else:
                held += f" {line.text}"
            last = line.text
    yield f"{held}\n"


def _continuations(lines: Sequence[_Line]) -> list[bool]:
    """Returns which lines of a page go on with the sentence of the line before."""
    lengths = sorted(len(line.text) for line in lines)
    full = _FULL * lengths[-1 - len(lines) // 10] if lines else 0
    found = [False]
    for before, line in pairwise(lines):
        is_new = line.above or line.text[0] in DASHES
        found.append(not is_new and len(before.text) >= full)
    lower = [line.text[0].islower() for line, follows in zip(lines, found, strict=False) if follows]
    is_prose = 2 * sum(lower) >= len(lower)
    return [
        follows and (is_prose or line.text[0].islower())
        for line, follows in zip(lines, found, strict=False)
    ]
