"""A large file in pieces for several workers: cut where texts begin, so that none is cut."""

import re
from collections.abc import Iterator
from pathlib import Path

from anekdot.corpus.documents import Layout
from anekdot.corpus.reading.encodings import is_wide
from anekdot.corpus.reading.files import blocks, compression
from anekdot.corpus.reading.lines import can_overlap, count_lines, separator_test, separators

_HELD = 1 << 20  # bytes of a line that are held while its end is looked for


def can_be_cut(path: Path, member: str | None, layout: Layout) -> bool:
    """Tells whether the pieces of a file can be read each by itself."""
    return (
        member is None
        and layout.format in ("txt", "jsonl")
        and not is_wide(layout.encoding)
        and not (layout.inline and can_overlap(layout))
        and compression(path) is None
    )


def cuts(path: Path, layout: Layout, size: int) -> Iterator[tuple[int, int | None, int]]:
    """Yields the ranges of bytes of a file, each with the number of its first line.

    A text belongs to the range in which its first byte lies.

    Args:
        path: A file that `can_be_cut`.
        layout: How documents stand in it.
        size: Bytes of a range, at least; the last may be smaller.

    Raises:
        CorpusError: The file cannot be read.
    """
    start, line = 0, 1
    total = path.stat().st_size
    find = _after_marker if layout.inline else _after_line
    while start + size < total:
        stop = find(path, layout, start + size)
        if stop is None or stop >= total:
            break
        yield start, stop, line
        line += count_lines(blocks(path, start=start, stop=stop))
        start = stop
    yield start, None, line


def _after_marker(path: Path, layout: Layout, target: int) -> int | None:
    """Returns the place after the first marker from ``target`` on."""
    found = separators(layout)
    pattern = re.compile(b"|".join(map(re.escape, found)))
    overlap = max(map(len, found)) - 1
    place, rest = target, b""
    for block in blocks(path, start=place):
        match = pattern.search(rest + block)
        if match:
            return place - len(rest) + match.end()
        place += len(block)
        rest = (rest + block)[-overlap:] if overlap else b""
    return None


def _after_line(path: Path, layout: Layout, target: int) -> int | None:
    """Returns the place after the first line from ``target`` on after which a text may begin."""
    any_line = layout.format == "jsonl" or layout.separator == "line"
    is_separator = separator_test(layout)
    ends = _line_ends(path, target)
    for number, (place, line) in enumerate(ends):
        if any_line or (number and is_separator(line)):
            return place
    return None


def _line_ends(path: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """Yields the place after each line, and the line, of which long ones lack the middle."""
    place, rest = start, b""
    for block in blocks(path, start=start):
        lines = (rest + block).splitlines(keepends=True)
        rest = lines.pop() if not lines[-1].endswith(b"\n") else b""
        for line in lines:
            place += len(line)
            yield place, line
        if len(rest) > _HELD:
            place += len(rest) - 513
            rest = rest[:256] + b"." + rest[-256:]
