"""Guesses about how documents stand in a file: what separates them, which column is the text."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from anekdot.corpus.documents import Layout, column_error
from anekdot.corpus.reading.dialects import guess_dialect, sample_rows
from anekdot.corpus.reading.lines import ESCAPED

TEXT_NAMES = (
    *("text", "joke", "body", "content", "anecdote", "anekdot", "story", "document", "sentence"),
    *("текст", "анекдот", "анекдоты", "шутка", "содержание", "тело"),
)
"""How people name the column of the texts, the surest name first."""


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
    delimiter, sample = dialect.delimiter, sample_rows(lines, dialect)
    if not sample:
        return Layout(format="csv", encoding=encoding, separator=delimiter, column=column)
    names = [cell.strip() for cell in sample[0]]
    place = _named_column(names, column, name) if column else _text_column(names, sample[1:])
    if place is None:
        place = _text_column([""] * len(names), sample)
    if place is None:
        raise column_error(f"{name} has no column with letters.", names)
    header = column in names or _is_header(names, place, sample[1:])
    return Layout(
        format="csv",
        encoding=encoding,
        separator=delimiter,
        header=header,
        column=names[place] if header else str(place + 1),
        escaped=dialect.escaped,
        skip=dialect.skip,
        width=dialect.width if dialect.is_open else 0,
    )


def text_key(records: Iterable[object], key: str | None, name: str) -> str:
    """Returns the key under which JSON records hold their texts.

    Args:
        records: The first records; those that are no objects do not count.
        key: The key, if the user named it.
        name: The name of the file in messages.

    Raises:
        CorpusError: No record has the named key.
    """
    letters: Counter[str] = Counter()
    for record in records:
        for found, value in record.items() if isinstance(record, Mapping) else ():
            letters[found] += _letters(value) if isinstance(value, str) else 0
    if key is not None:
        if letters and key not in letters:
            raise column_error(f"{name} has no key {key!r}.", list(letters))
        return key
    return best_column(letters) or TEXT_NAMES[0]


def best_column(letters: Mapping[str, int]) -> str | None:
    """Returns the column with a name for texts, else the one with the most letters, or None."""
    known = [
        found
        for wanted in TEXT_NAMES
        for found in letters
        if found.strip().lower() == wanted and letters[found]
    ]
    if known:
        return known[0]
    best = max(letters, key=letters.__getitem__, default=None)
    return best if best is not None and letters[best] else None


def _named_column(names: list[str], column: str, name: str) -> int:
    if column in names:
        return names.index(column)
    if column.isdecimal() and 0 < int(column) <= len(names):
        return int(column) - 1
    raise column_error(f"{name} has no column {column!r}.", names)


def _text_column(names: list[str], sample: list[list[str]]) -> int | None:
    known = [name.lower() for name in names]
    for wanted in TEXT_NAMES:
        if wanted in known:
            return known.index(wanted)
    letters = [0] * len(names)
    for cells in sample:
        for place, cell in enumerate(cells[: len(names)]):
            letters[place] += _letters(cell)
    return letters.index(max(letters)) if any(letters) else None


def _is_header(names: list[str], place: int, sample: list[list[str]]) -> bool:
    """Whether a first row names the columns: it does not look like the texts below it."""
    if any(name.lower() in TEXT_NAMES for name in names):
        return True
    if len(set(names)) < len(names) or any(not name or len(name) > 40 for name in names):
        return False
    if any(re.fullmatch(r"[-+\d.,:/\s]+", name) for name in names):
        return False
    texts = [cells[place] for cells in sample if len(cells) == len(names)]
    if not texts or re.search(r"[.!?…]$|[.!?,:;] ", names[place]):
        return not texts
    return len(names[place]) * 2 <= sum(map(len, texts)) / len(texts)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text[:10_000]))
