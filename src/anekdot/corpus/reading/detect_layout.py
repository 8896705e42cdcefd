"""Guesses about how documents stand in a file: what separates them, which column is the text."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from anekdot.corpus.documents import Layout, column_error
from anekdot.corpus.reading.csv_rows import names_delimiter, rows
from anekdot.corpus.reading.lines import MARKERS
from anekdot.errors import CorpusError

TEXT_NAMES = (
    *("text", "joke", "body", "content", "anecdote", "anekdot", "story", "document", "sentence"),
    *("текст", "анекдот", "анекдоты", "шутка", "содержание", "тело"),
)
"""How people name the column of the texts, the surest name first."""

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
    if separator in ("line", "blank line", "file"):
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
