"""Lines of CSV to rows; a quote that is never closed costs its row, not the rest of the file."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from anekdot.corpus.documents import Layout
from anekdot.errors import CorpusError

LIMIT = 12 << 20
"""The longest row, in bytes of a line and in characters."""


class TooLong(str):
    """The beginning of a line that is too long to be held."""


def rows(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yields each row that is not blank, with the number of its first line, from 1.

    Yields:
        The cells; of a row that cannot be split, its first line as a string.
    """
    source = _Lines(iter(lines))
    number = 1
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        source.taken.clear()
        try:
            cells: list[str] | str = _next(reader)
        except StopIteration:
            line = source.pull()
            if line is None:
                return
            cells, source.taken[:] = line, [line]
            reader = csv.reader(source, delimiter=delimiter, strict=True)
        except csv.Error:
            cells = _literal(source.taken[0], delimiter)
            source.give_back_all_but_one()
            reader = csv.reader(source, delimiter=delimiter, strict=True)
        if cells:
            yield number, cells
        number += len(source.taken)


def column_place(layout: Layout, names: Sequence[str], name: str) -> int:
    """Returns where a table's texts stand among its columns, from 0.

    Args:
        layout: The layout of the table.
        names: The cells of its first row.
        name: The name that messages carry.

    Raises:
        CorpusError: No column has the name.
    """
    column = layout.column or "1"
    stripped = [each.strip() for each in names]
    if layout.header and column in stripped:
        return stripped.index(column)
    if column.isdecimal() and not layout.header and int(column) <= len(names):
        return int(column) - 1
    shown = ", ".join(f"«{each[:40]}»" for each in stripped[:20])
    cause = f"{name} has no column {column!r}."
    raise CorpusError(cause, f"Name the column of the texts, one of: {shown}.")


def names_delimiter(line: str) -> bool:
    """Tells whether a first line is there only to name the delimiter, as Excel writes it."""
    line = line.strip("\r\n")
    return len(line) == 5 and line.startswith("sep=")


def _next(reader: Iterator[list[str]]) -> list[str]:
    previous = csv.field_size_limit(LIMIT)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(previous)


def _literal(line: str, delimiter: str) -> list[str] | str:
    """Returns the cells of a line whose quotes are part of its texts, if they may be."""
    if delimiter != "\t" and line.count('"') % 2:
        return line
    return line.rstrip("\r\n").split(delimiter)


class _Lines:
    """Lines for a CSV reader, which can be given back when a row turns out to be broken.

    Attributes:
        taken: The lines of the row that is being read.
    """

    def __init__(self, source: Iterator[str]) -> None:
        self.taken: list[str] = []
        self._source = source
        self._waiting: deque[str] = deque()
        self._size = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if not self.taken:
            self._size = 0
        line = self.pull()
        if line is None:
            raise StopIteration
        self._size += len(line)
        if isinstance(line, TooLong) or (self.taken and self._size > LIMIT):
            self._waiting.appendleft(line)
            raise StopIteration
        self.taken.append(line)
        return line

    def pull(self) -> str | None:
        """Returns the next line, or None at the end."""
        return self._waiting.popleft() if self._waiting else next(self._source, None)

    def give_back_all_but_one(self) -> None:
        """Makes all lines of a broken row but its first lines to be read again."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
