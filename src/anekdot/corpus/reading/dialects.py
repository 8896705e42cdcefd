"""How the rows of a table are written: the delimiter, quotes inside quotes, lines above it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from anekdot.corpus.reading.csv_rows import joined, names_delimiter, rows

DELIMITERS = (",", ";", "\t", "|")

_SAMPLE_ROWS = 200  # by which a table is judged
_MAX_ABOVE = 20  # rows that are no part of the table
_MIN_ROWS = 3  # of a table that is not called one
_MOST = 0.95
_MANY = 0.2


class Dialect(NamedTuple):
    """How the rows of a table are written.

    Attributes:
        delimiter: What separates cells.
        escaped: Whether a backslash stands before quotes inside cells.
        quote: What stands around cells that hold delimiters.
        skip: The lines above the table.
        width: The cells of a row.
        is_open: Whether a cell holds delimiters, without quotes.
    """

    delimiter: str
    escaped: bool = False
    quote: str = '"'
    skip: int = 0
    width: int = 0
    is_open: bool = False


def guess_dialect(lines: Sequence[str], delimiter: str | None, names: Sequence[str]) -> Dialect:
    """Guesses how the rows of a table are written.

    Args:
        lines: Its first lines, with their ends.
        delimiter: The delimiter, if the user named it.
        names: How people name the column of the texts, in lower case.
    """
    if not delimiter and lines and names_delimiter(lines[0]):
        delimiter = lines[0].strip("\r\n")[-1]
    fits = [
        max((_judged(lines, each, names) for each in _quoting(lines, sign)), key=lambda fit: fit[0])
        for sign in ([delimiter] if delimiter else DELIMITERS)
    ]
    return max(fits, key=lambda fit: (round(fit[0], 1), fit[1].width))[1]


def sample_rows(lines: Sequence[str], dialect: Dialect) -> list[list[str]]:
    """Returns the first rows of a table that can be split into cells."""
    table = _rows(lines, dialect)
    below = (cells for number, cells in table if number > dialect.skip)
    found = [*islice((cells for cells in below if isinstance(cells, list)), _SAMPLE_ROWS)]
    if not dialect.is_open:
        return found
    width = dialect.width
    return [joined(cells, width, width - 1, dialect.delimiter) for cells in found]


def is_table(lines: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a text file is a table: equally many tabs a line, or a header and rows like it."""
    filled = [line.rstrip("\r\n") for line in lines if line.strip()]
    if len(filled) < _MIN_ROWS:
        return False
    tabs = Counter(line.count("\t") for line in filled)
    count, most = tabs.most_common(1)[0]
    if count and most >= _MOST * len(filled):
        return sum(line[0] != "\t" and line[-1] != "\t" for line in filled) >= 0.5 * len(filled)
    header = filled[0].lower()
    for delimiter in DELIMITERS:
        cells = [cell.strip(" \"'") for cell in header.split(delimiter)]
        if len(cells) > 1 and any(cell in names for cell in cells) and max(map(len, cells)) < 30:
            found = [cells for _, cells in islice(_rows(lines, Dialect(delimiter)), _SAMPLE_ROWS)]
            widths = [len(cells) if isinstance(cells, list) else 0 for cells in found]
            return len(widths) >= _MIN_ROWS and widths.count(len(cells)) >= _MOST * len(widths)
    return False


def _quoting(lines: Sequence[str], delimiter: str) -> Iterator[Dialect]:
    """Yields the ways in which a delimiter may be quoted, the likeliest first."""
    sign = re.escape(delimiter)
    starts, ends = (
        sum(re.search(pattern, line.rstrip("\r\n")) is not None for line in lines)
        for pattern in (f"(?:^|{sign})'", f"'(?:{sign}|$)")
    )
    if min(starts, ends) >= max(_MIN_ROWS, _MANY * len(lines)):
        yield Dialect(delimiter, escaped=any("\\'" in line for line in lines), quote="'")
    yield Dialect(delimiter)
    if any('\\"' in line for line in lines):
        yield Dialect(delimiter, escaped=True)


def _judged(lines: Sequence[str], dialect: Dialect, names: Sequence[str]) -> tuple[float, Dialect]:
    """Returns a dialect, and which share of the rows are whole and as wide as the first."""
    table = [*islice(_rows(lines, dialect), _SAMPLE_ROWS)]
    above = _above(table, lines, names)
    skip = table[above][0] - 1 if above else 0
    widths = [
        len(cells) if isinstance(cells, list) and not _is_torn(cells, lines[n - 1], dialect) else 0
        for n, cells in table[above:]
    ]
    if not widths or widths[0] < 2:
        return 0.0, dialect._replace(skip=skip)
    known = sorted(filter(None, widths))
    narrow = known[len(known) // 20]
    wider = sum(width > narrow for width in widths)
    is_open = 1 < narrow <= widths[0] and wider >= max(_MIN_ROWS, _MANY * len(widths))
    share = widths.count(widths[0]) / len(widths)
    return share, dialect._replace(skip=skip, width=narrow, is_open=is_open)


def _is_torn(cells: Sequence[str], line: str, dialect: Dialect) -> bool:
    """Whether a row has quotes that could not be read, so that it is its line as it stands."""
    return dialect.quote in line and dialect.delimiter.join(cells) == line.rstrip("\r\n")


def _above(
    table: Sequence[tuple[int, list[str] | str]], lines: Sequence[str], names: Sequence[str]
) -> int:
    """Returns how many rows stand above the table: narrower ones, before a blank line or names."""
    for place, (number, cells) in enumerate(table[:_MAX_ABOVE]):
        if isinstance(cells, str) or len(cells) < 2:
            continue
        below = table[place:]
        like = sum(len(other) >= len(cells) for _, other in below if isinstance(other, list))
        starts = any(cell.strip().lower() in names for cell in cells) or (
            number > 1 and not lines[number - 2].strip()
        )
        return place if starts and like >= _MOST * len(below) > 1 else 0
    return 0


def _rows(lines: Sequence[str], dialect: Dialect) -> Iterator[tuple[int, list[str] | str]]:
    first = [lines[0] if not names_delimiter(lines[0]) else "\n"] if lines else []
    return rows([*first, *lines[1:]], dialect.delimiter, dialect.escaped, dialect.quote)
