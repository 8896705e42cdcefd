"""Sheets of Excel: the rows of all sheets as JSON lines.

Formulas are not computed: what a cell showed when the file was saved is its text.
"""

import json
import re
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from csv import writer
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from anekdot.corpus.reading.detect_layout import guess_table
from anekdot.corpus.reading.extraction.xml_events import events
from anekdot.corpus.reading.files import blocks, members
from anekdot.errors import CorpusError

_SHEET = re.compile(r"xl/worksheets/[^/]*?(\d*)\.xml")
_STRINGS = "xl/sharedStrings.xml"
_SAMPLE_ROWS = 200  # by which it is seen whether the first one names the columns
_MAX_COLUMNS = 1 << 14
_MAX_CELL = 1 << 16  # characters; Excel itself allows half of them

Row = list[str]


def fragments(file: Path, _: str | None = None) -> Iterator[str]:
    """Yields the rows of all sheets as JSON lines, by the names of their columns."""
    found = members(file)
    sheets = {name: int(match[1] or 0) for name in found if (match := _SHEET.fullmatch(name))}
    if not sheets:
        raise ValueError("it has no sheet")
    with _strings(file, _STRINGS in found) as string:
        for sheet in sorted(sheets, key=lambda name: (sheets[name], name)):
            rows = (row for row in _rows(blocks(file, sheet), string) if any(row))
            sample = [*islice(rows, _SAMPLE_ROWS)]
            names = _header(sample)
            for row in chain(sample[bool(names) :], rows):
                cells = {
                    names[place] if place < len(names) and names[place] else str(place + 1): cell
                    for place, cell in enumerate(row)
                    if cell
                }
                yield json.dumps(cells, ensure_ascii=False) + "\n"


def _header(sample: list[Row]) -> Row:
    """Returns the names of the columns, by the rule for tables, or nothing if they have none."""
    width = max(map(len, sample), default=0)
    text = StringIO()
    writer(text, lineterminator="\n").writerows(row + [""] * (width - len(row)) for row in sample)
    try:
        layout = guess_table(text.getvalue().splitlines(keepends=True), "utf-8", ",", None, "")
    except CorpusError:  # it has no letters
        return []
    return [name.strip() for name in sample[0]] if layout.header and sample else []


def _rows(data: Iterable[bytes], string: "Strings") -> Iterator[Row]:
    """Yields the rows of a sheet."""
    row: Row = []
    kind, place, inside, hidden = "", 0, 0, 0
    value: list[str] = []
    for event, name, attributes in events(data):
        if event == "text":
            if inside and not hidden and sum(map(len, value)) < _MAX_CELL:
                value.append(name)
        elif event == "start":
            if name == "row":
                row = []
            elif name == "c":
                kind, value = attributes.get("t", "n"), []
                place = _place(attributes.get("r", ""), len(row))
            inside += name in ("v", "t")
            hidden += name == "rPh"
        elif name == "c" and place < _MAX_COLUMNS:
            row += [""] * (place + 1 - len(row))
            row[place] = _cell(kind, "".join(value), string)
        elif name == "row":
            yield row
        if event == "end":
            inside -= name in ("v", "t")
            hidden -= name == "rPh"


def _place(reference: str, following: int) -> int:
    """Returns the place of a column: of «C5», 2."""
    letters = re.match("[A-Z]{1,3}", reference)
    if letters is None:
        return following
    place = 0
    for letter in letters[0]:
        place = 26 * place + ord(letter) - 64
    return place - 1


def _cell(kind: str, value: str, string: "Strings") -> str:
    if kind == "s":
        return string(int(value)) if value.strip().isdecimal() else ""
    return "" if kind in ("e", "b") else value


class Strings:
    """The strings that cells share, in a file of their own: there may be many."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._ends = array("Q", [0])

    def add(self, text: str) -> None:
        """Adds a string."""
        data = text.encode("utf-8", "replace")
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def __call__(self, number: int) -> str:
        """Returns a string by its number, or an empty one."""
        if number + 1 >= len(self._ends):
            return ""
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode()


@contextmanager
def _strings(file: Path, has_strings: bool) -> Iterator[Strings]:
    with TemporaryFile(prefix="anekdot-") as place:
        strings = Strings(place)
        value: list[str] = []
        inside = hidden = 0
        for event, name, _ in events(blocks(file, _STRINGS)) if has_strings else ():
            if event == "text":
                if inside and not hidden and sum(map(len, value)) < _MAX_CELL:
                    value.append(name)
                continue
            step = 1 if event == "start" else -1
            inside += step * (name == "t")
            hidden += step * (name == "rPh")
            if name == "si" and event == "end":
                strings.add("".join(value))
                value = []
        yield strings
