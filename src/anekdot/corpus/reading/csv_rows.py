"""Lines of CSV to rows; a quote that is never closed costs its row, not the rest of the file."""

import csv
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from anekdot.corpus.documents import Layout, column_error
from anekdot.corpus.reading.columns import split_column

MAX_ROW_SIZE = 12 << 20
"""The longest line of a row in bytes, and the longest row in characters."""


class TooLong(str):
    """The beginning of a line that is too long to be held."""


def rows(
    lines: Iterable[str], delimiter: str, escaped: bool = False, quote: str = '"'
) -> Iterator[tuple[int, list[str] | str]]:
    """Yields each row that is not blank, with the number of its first line, from 1.

    Args:
        lines: The lines, with their ends.
        delimiter: What separates cells; with a space behind it if that is no part of them.
        escaped: Whether a backslash stands before quotes inside cells.
        quote: What stands around cells that hold delimiters.

    Yields:
        The cells; of a row that cannot be split, its first line as a string.
    """
    source = _Lines(iter(lines))
    number = 1
    open_reader = partial(_reader, source, delimiter, escaped, quote)
    reader = open_reader()
    while True:
        source.taken.clear()
        try:
            cells: list[str] | str = _next(reader)
        except StopIteration:
            line = source.pull()
            if line is None:
                return
            cells, source.taken[:] = line, [line]
            reader = open_reader()
        except csv.Error:
            cells = _literal(source.taken[0], delimiter, quote)
            source.give_back_all_but_one()
            reader = open_reader()
        if cells:
            yield number, cells
        number += len(source.taken)


def column_places(layout: Layout, names: Sequence[str], name: str) -> list[list[int]]:
    """Returns the places of the text columns of a table, counted from 0.

    Args:
        layout: The layout of the table.
        names: The cells of its first row.
        name: The name of the file in messages.

    Returns:
        For each of the layout's columns, those that are joined.

    Raises:
        CorpusError: No column has the name.
    """
    stripped = [each.strip() for each in names]
    known = stripped if layout.header else [str(place + 1) for place in range(len(names))]
    columns = [split_column(each, known) for each in (layout.column or "1", *layout.others)]
    for each in itertools.chain(*columns):
        if each not in known:
            raise column_error(f"{name} has no column {each!r}.", stripped)
    return [[known.index(each) for each in group] for group in columns]


def joined(cells: list[str], width: int, place: int, delimiter: str) -> list[str]:
    """Returns a row of a width, in which the cell at a place was split at its own delimiters."""
    end = len(cells) - (width - 1 - place)
    return [*cells[:place], delimiter.join(cells[place:end]), *cells[end:]]


def trimmed(cells: list[str], width: int) -> list[str]:
    """Returns a row without the empty cells at its end that are beyond a width."""
    end = len(cells)
    while end > width and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def names_delimiter(line: str) -> bool:
    """Whether a first line only names the delimiter, as Excel writes it."""
    line = line.strip("\r\n")
    return len(line) == 5 and line.startswith("sep=")


def _reader(
    source: Iterator[str], delimiter: str, escaped: bool, quote: str
) -> Iterator[list[str]]:
    return csv.reader(
        source,
        delimiter=delimiter[0],
        escapechar="\\" if escaped else None,
        quotechar=quote,
        skipinitialspace=len(delimiter) > 1,
        strict=True,
    )


def _next(reader: Iterator[list[str]]) -> list[str]:
    previous = csv.field_size_limit(MAX_ROW_SIZE)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(previous)


def _literal(line: str, delimiter: str, quote: str) -> list[str] | str:
    """Returns the cells of a line whose quotes may be part of its texts, or the line itself."""
    if delimiter != "\t" and line.count(quote) % 2:
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
        if isinstance(line, TooLong) or (self.taken and self._size > MAX_ROW_SIZE):
            self._waiting.appendleft(line)
            raise StopIteration
        self.taken.append(line)
        return line

    def pull(self) -> str | None:
        """Returns the next line, or None at the end."""
        return self._waiting.popleft() if self._waiting else next(self._source, None)

    def give_back_all_but_one(self) -> None:
        """Puts all lines of a broken row but the first back, to be read again."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
