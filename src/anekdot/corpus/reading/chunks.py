"""Cuts a large file into pieces for several workers, where texts begin, so that none is cut."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from anekdot.corpus.documents import Layout, Piece
from anekdot.corpus.reading.encodings import is_transcoded, keeps_line_ends
from anekdot.corpus.reading.files import blocks
from anekdot.corpus.reading.lines import (
    can_overlap,
    count_lines,
    separator_test,
    separators,
    start_pattern,
)

_MAX_HELD_BYTES = 1 << 20  # of a line, while its end is looked for
_NUMBERS_COMPARED = 50


def can_be_cut(piece: Piece) -> bool:
    """Whether the parts of a file can be read each by itself."""
    layout = piece.layout
    return (
        piece.member is None
        and piece.compression is None
        and piece.extraction is None
        and layout.format in ("txt", "jsonl")
        and layout.separator != "file"
        and keeps_line_ends(layout.encoding)
        and not (layout.inline and (can_overlap(layout) or is_transcoded(layout.encoding)))
    )


def cut(piece: Piece, size: int) -> Iterator[Piece]:
    """Yields the parts of a file, or the file as it is where it must be read as a whole.

    A text belongs to the part in which its first byte lies.

    Args:
        piece: A whole file, or a member of an archive.
        size: Bytes of a part, at least; the last may be smaller.

    Raises:
        CorpusError: The file cannot be read.
    """
    if not can_be_cut(piece):
        yield piece
        return
    path, layout = Path(piece.path), piece.layout
    start, line = 0, 1
    total = path.stat().st_size
    find = _after_marker if layout.inline else _before_start if layout.pattern else _after_line
    while start + size < total:
        stop = find(path, layout, start + size)
        if stop is None or stop >= total:
            break
        yield replace(piece, start=start, stop=stop, line=line)
        line += count_lines(blocks(path, start=start, stop=stop))
        start = stop
    yield replace(piece, start=start, line=line)


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
    for number, (place, line) in enumerate(_line_ends(path, target)):
        if any_line or (number and is_separator(_recoded(line, layout.encoding))):
            return place
    return None


def _before_start(path: Path, layout: Layout, target: int) -> int | None:
    """Returns the place before a line from ``target`` on with which a text begins.

    Where lists inside texts are numbered too, that is the line with the largest of the next
    numbers, since the numbers of texts rise.
    """
    pattern = start_pattern(layout)
    assert pattern is not None, "the layout has no pattern"
    found: list[tuple[int, int]] = []
    before = None
    for place, line in _line_ends(path, target):
        if before is not None and (match := pattern.match(_recoded(line, layout.encoding))):
            if not layout.rising:
                return before
            found.append((int(match[match.lastindex or 0]), before))
        if len(found) == _NUMBERS_COMPARED:
            break
        before = place
    return max(found)[1] if found else None


def _recoded(line: bytes, encoding: str) -> bytes:
    return line.decode(encoding, "replace").encode() if is_transcoded(encoding) else line


def _line_ends(path: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """Yields the place after each line, and the line; long ones lack the middle."""
    place, rest = start, b""
    for block in blocks(path, start=start):
        lines = (rest + block).splitlines(keepends=True)
        rest = lines.pop() if not lines[-1].endswith(b"\n") else b""
        for line in lines:
            place += len(line)
            yield place, line
        if len(rest) > _MAX_HELD_BYTES:
            place += len(rest) - 513
            rest = rest[:256] + b"." + rest[-256:]
