"""How the rows of a table are written: the delimiter, quotes inside quotes, lines above it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from anekdot.corpus.reading.csv_rows import joined, names_delimiter, rows, trimmed

DELIMITERS = (",", ";", "\t", "|")

_SAMPLE_ROWS = 200  # by which a table is judged
_MAX_ABOVE = 20  # rows that are no part of the table
_MIN_ROWS = 3  # of a table that is not called one
_MAX_NAME = 40  # characters of the name of a column
_AFTER_MARK = re.compile(r'\s+[^\s"]')
_NUMBERED = re.compile(r"(\d+)([;|,])[^\s\d]")
_MARKDOWN_RULE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?)?\s*")
_ANKI = re.compile(r"#separator:(\w+|.)", re.IGNORECASE)
_ANKI_NAMES = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "colon": ":", "space": " "}
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
    elif not delimiter and lines and (found := _ANKI.match(lines[0])):
        delimiter = _ANKI_NAMES.get(found[1].lower(), found[1])
    fits = [
        max((_judged(lines, each, names) for each in _quoting(lines, sign)), key=lambda fit: fit[0])
        for sign in ([delimiter] if delimiter else [*_spaced(lines), *DELIMITERS])
    ]
    share, best = max(fits, key=_quality)
    return best if share or not best.width else best._replace(skip=0, width=1, is_open=True)


def _quality(fit: tuple[float, Dialect]) -> tuple[float, bool, int]:
    """Orders dialects by the share of whole rows; tabs are hardly ever part of a text."""
    share, dialect = fit
    return round(share, 1), share > 0 and dialect.delimiter == "\t", dialect.width


def is_list(lines: Sequence[str], names: Sequence[str]) -> bool:
    """Whether what is called a table is none: its delimiters are punctuation, or it has none."""
    first = next(filter(str.strip, lines), "").strip(' "\r\n').lower()
    quoted = sum(line.lstrip().startswith('"') for line in lines)
    dialect = guess_dialect(lines, None, names)
    return dialect.width < 2 and first not in names and not names_delimiter(first) and not quoted


def sample_rows(lines: Sequence[str], dialect: Dialect) -> list[list[str]]:
    """Returns the first rows of a table that can be split into cells."""
    table = _rows(lines, dialect)
    below = (cells for number, cells in table if number > dialect.skip)
    found = [*islice((cells for cells in below if isinstance(cells, list)), _SAMPLE_ROWS)]
    if not dialect.is_open:
        return found
    width = dialect.width
    found = [trimmed(cells, width) for cells in found]
    return [joined(cells, width, width - 1, dialect.delimiter) for cells in found]


def is_table(lines: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a text file is a table: equally many tabs a line, or a header and rows like it."""
    filled = [line.rstrip("\r\n") for line in lines if line.strip()]
    if len(filled) < _MIN_ROWS:
        return False
    if _ANKI.match(filled[0]) or _is_markdown(filled) or _starts_with_numbers(filled):
        return True
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


def _is_markdown(lines: Sequence[str]) -> bool:
    """Whether most lines are rows with bars, and the second is a rule below the names."""
    rules = (n for n, line in enumerate(lines[:_MAX_ABOVE]) if _MARKDOWN_RULE.fullmatch(line))
    rows = lines[max(next(rules, len(lines)) - 1, 0) :]
    return 2 * len(rows) > len(lines) and all("|" in line for line in rows)


def _starts_with_numbers(lines: Sequence[str]) -> bool:
    """Whether each line is a number of its own, a delimiter with no space behind it, and a text."""
    found = [match for line in lines if (match := _NUMBERED.match(line))]
    numbers, signs = {match[1] for match in found}, {match[2] for match in found}
    return len(signs) == 1 and len(numbers) >= _MOST * len(lines)


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
    if _ANKI.match(lines[0]):
        above = sum(line.startswith("#") for line in lines[:_MAX_ABOVE])
    skip = table[above][0] - 1 if above else 0
    widths = [
        len(trimmed(cells, len(table[above][1])))
        if isinstance(cells, list) and not _is_torn(cells, lines[n - 1], dialect)
        else 0
        for n, cells in table[above:]
    ]
    if not widths or widths[0] < 2:
        return 0.0, dialect._replace(skip=skip)
    whole = [cells for _, cells in table[above:] if isinstance(cells, list)]
    known = sorted(filter(None, widths))
    has_names = _has_names(whole[0], names)
    usual = known[len(known) // 20]
    is_led = has_names or (usual > widths[0] and _is_prose(whole[1:], any))
    narrow = widths[0] if is_led else usual
    wide = [cells for cells in whole if len(trimmed(cells, narrow)) > narrow]
    has_prose = _is_prose(wide, any)
    is_cut = not has_names and widths[0] == known[-1] and not has_prose
    enough = 1 if has_prose else max(_MIN_ROWS, _MANY * len(widths))
    is_open = 1 < narrow <= widths[0] and len(wide) >= enough and not is_cut
    share = widths.count(widths[0]) / len(widths)
    if not has_names and _is_prose(whole) and not _are_numbered(whole):
        share = 0.0
    return share, dialect._replace(skip=skip, width=narrow, is_open=is_open)


def _is_torn(cells: Sequence[str], line: str, dialect: Dialect) -> bool:
    """Whether a row has quotes that could not be read, so that it is its line as it stands."""
    is_literal = dialect.delimiter.join(cells) == line.rstrip("\r\n")
    return is_literal and any(cell.lstrip().startswith(dialect.quote) for cell in cells)


def _spaced(lines: Sequence[str]) -> Iterator[str]:
    """Yields the delimiters after which there is a space before a quote."""
    for delimiter in DELIMITERS[:2]:
        if 2 * sum(f'"{delimiter} "' in line for line in lines) > len(lines):
            yield f"{delimiter} "


def _has_names(cells: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row names the columns, one of them as people name texts."""
    return any(cell.strip(" \"'").lower() in names for cell in cells) and (
        max(map(len, cells)) < _MAX_NAME
    )


def _is_prose(
    table: Sequence[Sequence[str]], count: Callable[[Iterable[bool]], bool] = all
) -> bool:
    """Whether delimiters are punctuation in most rows that have any: a space stands after them."""
    split = [found for cells in table if (found := [*filter(str.strip, cells[1:])])]
    spaced = sum(count(_AFTER_MARK.match(cell) is not None for cell in cells) for cells in split)
    return 2 * spaced > len(split)


def _are_numbered(table: Sequence[Sequence[str]]) -> bool:
    """Whether rows begin with a number each."""
    return sum(cells[0].strip().isdecimal() for cells in table) >= _MOST * (len(table) - 1)


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
