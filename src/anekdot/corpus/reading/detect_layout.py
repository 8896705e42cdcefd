"""Guesses about how documents stand in a file: what separates them, which column is the text."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from anekdot.corpus.documents import Layout, column_error
from anekdot.corpus.reading.columns import FIELD_NAMES, Choice, choose, split_column
from anekdot.corpus.reading.csv_rows import names_delimiter, rows
from anekdot.corpus.reading.lines import MARKERS
from anekdot.errors import CorpusError

DELIMITERS = (",", ";", "\t", "|")

_SURE_MARKERS = tuple(pair for pair in MARKERS if pair[0] != "<s>")  # HTML has <s> too
_RULE = re.compile(r"%%?|[*#~]|([-*=_~#+•—–])(?: ?\1){2,79}")
_MAX_MEAN_LINES = 40  # of the texts between separators
_SAMPLE_ROWS = 200  # by which the columns are judged
_ESCAPED = {"\\n": "line", "\\n\\n": "blank line", "\n": "line", "\n\n": "blank line", "\\t": "\t"}


def guess_separator(lines: Sequence[str]) -> tuple[str, bool]:
    """Guesses what stands between the texts of a file.

    Args:
        lines: Its first lines.

    Returns:
        "line", "blank line", a rule such as "%" or "* * *", or a marker such as
        "<|endoftext|>"; and whether it may stand inside a line.
    """
    for start, end in _SURE_MARKERS:
        counts = [sum(line.count(marker) for line in lines) for marker in (start, end)]
        if sum(counts) > 1:
            return (start if counts[0] > counts[1] else end), True
    stripped = [line.strip() for line in lines]
    rules = Counter(line for line in stripped if _RULE.fullmatch(line))
    if rules:
        rule, _ = rules.most_common(1)[0]
        texts = [list(text) for is_rule, text in groupby(stripped, rule.__eq__) if not is_rule]
        filled = [sum(map(bool, text)) for text in texts if any(text)]
        if len(filled) > 1 and sum(filled) <= _MAX_MEAN_LINES * len(filled):
            return rule, False
    return ("blank line" if _stands_in_blocks(stripped) else "line"), False


def named_separator(separator: str, lines: Iterable[str]) -> tuple[str, bool]:
    r"""Returns a separator that the user named, and whether it stands inside lines.

    ``\n`` and ``\n\n`` may be written for "line" and "blank line".

    Raises:
        CorpusError: It is empty, or spans several lines.
    """
    separator = _ESCAPED.get(separator, separator)
    if separator in ("line", "blank line"):
        return separator, False
    marker = separator.strip() or separator
    if not marker or "\n" in marker or "\r" in marker:
        cause = f"{separator!r} cannot separate texts."
        raise CorpusError(cause, "Name one line, such as ***, or write: blank line")
    return marker, not any(line.strip() == marker for line in lines)


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
    named = _ESCAPED.get(separator or "", separator) or ""
    delimiter = named if len(named) == 1 and named not in '\r\n"' else _delimiter(lines)
    sample = _sample([lines[0] if not names_delimiter(lines[0]) else "\n", *lines[1:]], delimiter)
    layout = Layout(format="csv", encoding=encoding, separator=delimiter, column=column)
    if not sample:
        return layout
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


def _stands_in_blocks(lines: Iterable[str]) -> bool:
    """Whether the texts are blocks between blank lines, rather than lines.

    Blocks of several lines mean blank-line separation, as long as they are short: a stray
    blank line in a one-per-line file makes few blocks, and long ones. The fewer the blocks,
    the shorter they must be, up to a mean of ten lines.
    """
    blocks = count = 0
    inside = False
    for line in lines:
        filled = bool(line)
        blocks += filled and not inside
        count += filled
        inside = filled
    return 1 < blocks < count <= blocks * min(2 * blocks, 10)


def _delimiter(lines: Sequence[str]) -> str:
    """Returns the delimiter with which most rows have as many cells as the first."""
    if lines and names_delimiter(lines[0]):
        return lines[0].strip("\r\n")[-1]

    def fit(delimiter: str) -> tuple[float, int]:
        widths = [len(cells) for cells in _sample(lines, delimiter)]
        if not widths or widths[0] < 2:
            return 0, 0
        return round(widths.count(widths[0]) / len(widths), 1), widths[0]

    return max(DELIMITERS, key=fit)


def _sample(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    found = (cells for _, cells in rows(lines, delimiter) if isinstance(cells, list))
    return [cells for cells, _ in zip(found, range(_SAMPLE_ROWS), strict=False)]


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
