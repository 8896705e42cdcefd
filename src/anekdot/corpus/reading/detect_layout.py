"""Guesses about how documents stand in a file: what separates them, which column is the text."""

import re
from collections.abc import Sequence
from dataclasses import replace

from anekdot.corpus.documents import Layout, column_error
from anekdot.corpus.reading.columns import FIELD_NAMES, TEXT_NAMES, Choice, choose, split_column
from anekdot.corpus.reading.dialects import guess_dialect, sample_rows
from anekdot.corpus.reading.lines import ESCAPED


def guess_table(
    lines: Sequence[str], encoding: str, separator: str | None, column: str | None, name: str
) -> Layout:
    """Guesses the delimiter of a table, whether its first row is a header, and its texts.

    Args:
        lines: Its first lines, with their ends.
        encoding: Its encoding.
        separator: The delimiter, if the user named one; longer ones are meant for text files.
        column: The column, if the user named it: its name, or its number from 1.
        name: The name of the file in messages.

    Raises:
        CorpusError: No column has letters, or the named one is not there.
    """
    named = ESCAPED.get(separator or "", separator) or ""
    delimiter = named if len(named) == 1 and named not in '\r\n"' else None
    dialect = guess_dialect(lines, delimiter, TEXT_NAMES)
    sample = sample_rows(lines, dialect)
    layout = Layout(
        format="csv",
        encoding=encoding,
        separator=dialect.delimiter,
        column=column,
        escaped=dialect.escaped,
        quote=dialect.quote,
        skip=dialect.skip,
        width=dialect.width if dialect.is_open else 0,
    )
    if not sample:
        return layout
    return _with_columns(layout, sample, column, name)


def _with_columns(layout: Layout, sample: list[list[str]], column: str | None, name: str) -> Layout:
    """Returns the layout of a table with its columns, and whether its first row names them."""
    names = [cell.strip() for cell in sample[0]]
    numbers = [*map(str, range(1, len(names) + 1))]
    choice = (
        _named_columns(names, numbers, column, name)
        if column
        else _choose(names, sample[1:]) or _choose(numbers, sample)
    )
    if choice is None:
        raise column_error(f"{name} has no column with letters.", names)
    by_name = column and any(each in names for each in split_column(column, names))
    place = _places(names, numbers, choice.column)[-1]
    header = bool(by_name) or _is_header(names, place, sample[1:])
    if not header and not column:
        choice = _choose(numbers, sample) or choice
    shown = names if header else numbers
    column = ",".join(shown[place] for place in _places(names, numbers, choice.column))
    return replace(
        layout, header=header, column=column, others=[*choice.others], unread=[*choice.left]
    )


def _named_columns(names: list[str], numbers: list[str], column: str, name: str) -> Choice:
    """Returns the columns that the user named, by their names or numbers."""
    for each in split_column(column, names):
        if each not in names and each not in numbers:
            raise column_error(f"{name} has no column {each!r}.", names)
    return Choice(column, (), (), 0, known=True)


def _places(names: list[str], numbers: list[str], column: str) -> list[int]:
    """Returns the places of columns, by their names or else their numbers."""
    return [
        names.index(each) if each in names else numbers.index(each)
        for each in split_column(column, names)
    ]


def _choose(names: list[str], sample: list[list[str]]) -> Choice | None:
    columns: dict[str, list[str]] = {name: [] for name in names}
    for cells in sample:
        for name, cell in zip(names, cells, strict=False):
            if cell.strip():
                columns[name].append(cell)
    return choose(columns, {name: len(texts) for name, texts in columns.items()}, len(sample))


def _is_header(names: list[str], place: int, sample: list[list[str]]) -> bool:
    """Whether a first row names the columns: it does not look like the texts below it."""
    if any(name.lower() in FIELD_NAMES for name in names):
        return True
    if len(set(names)) < len(names) or any(not name or len(name) > 40 for name in names):
        return False
    if any(re.fullmatch(r"[-+\d.,:/\s]+", name) for name in names):
        return False
    texts = [cells[place] for cells in sample if len(cells) == len(names)]
    if not texts or re.search(r"[.!?…]$|[.!?,:;] ", names[place]):
        return not texts
    return len(names[place]) * 2 <= sum(map(len, texts)) / len(texts)
