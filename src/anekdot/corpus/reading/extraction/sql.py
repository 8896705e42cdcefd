"""Dumps of databases: the rows of INSERT and COPY statements, which are read and never run."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from anekdot.corpus.reading.extraction.plain import text_of
from anekdot.corpus.reading.files import head

_MAX_STATEMENT = 8 << 20
"""Characters of the longest value, comment or name that is held."""

_TOKEN = r"""
    (?P<space> \s++ | --[^\n]*+\n? | \#[^\n]*+\n? | /\*.*?\*/ )
  | (?P<string> [NnEe]?'(?:%s)*+' )
  | (?P<name> `[^`]*+` | "[^"]*+" | \[[^\]\n]*+\] | [^\W\d][\w$]*+ )
  | (?P<sign> [-+.\w]++ | . )
"""
_BACKSLASHES = re.compile(_TOKEN % r"[^'\\]++ | '' | \\.", re.VERBOSE | re.DOTALL)
_QUOTES = re.compile(_TOKEN % "[^']++ | ''", re.VERBOSE | re.DOTALL)
_HAS_BACKSLASHES = re.compile(rb"`|\bENGINE\s*=|MySQL|MariaDB|\\'[^,)\s;]|\bE'", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "", "Z": "", "b": "", "f": "\f", "v": "\v"}
_NO_COLUMN = re.compile(
    "primary|unique|key|index|constraint|foreign|check|fulltext|spatial|exclude|like", re.IGNORECASE
)
_WORDS = re.compile(r"[^\W\d_]{2,}\s[^\W\d_]+\S*\s[^\W\d_]+")
_SERIALISED = re.compile(r"\s*(?:[aOs]:\d+:|[{<\[])")

_OPENINGS = ("'", '"', "`", "[", "/*")

Row = tuple[str, dict[str, str | None]]
"""The table, and the values of the row by column."""


def fragments(file: Path, table: str | None = None) -> Iterator[str]:
    """Yields the rows of a table of a dump as JSON lines; of all tables unless one is named."""
    for found, row in _rows(file):
        if table in (None, found):
            yield json.dumps(row, ensure_ascii=False) + "\n"


def letters(file: Path) -> Counter[str]:
    """Returns how many letters stand in the sentences of each table."""
    counts: Counter[str] = Counter()
    for table, row in _rows(file):
        counts[table] += sum(
            sum(map(str.isalpha, value))
            for value in row.values()
            if value and _WORDS.search(value) and not _SERIALISED.match(value)
        )
    return counts


class _Scanner:
    """The tokens of a dump, of which only the part around one is held."""

    def __init__(self, texts: Iterable[str], token: re.Pattern[str]) -> None:
        self._texts = iter(texts)
        self._text = ""
        self._place = 0
        self._token = token

    def string(self, text: str) -> str:
        """Returns what a quoted string says."""
        inner = text[text.index("'") + 1 : -1]
        if self._token is _BACKSLASHES or text[0] in "Ee":
            return _unescape(inner)
        return inner.replace("''", "'")

    def next(self) -> tuple[str, str]:
        """Returns the kind and the text of the next token, or two empty strings at the end."""
        while True:
            match = self._token.match(self._text, self._place)
            if (match is None or match.end() == len(self._text) or self._is_cut(match)) and (
                len(self._text) - self._place < _MAX_STATEMENT and self._more()
            ):
                continue
            if match is None:
                return "", ""
            self._place = match.end()
            if match.lastgroup != "space":
                return str(match.lastgroup), match[0]

    def line(self) -> str | None:
        """Returns the next line without its end, or None at the end."""
        while (end := self._text.find("\n", self._place)) < 0:
            if len(self._text) - self._place > _MAX_STATEMENT or not self._more():
                end = len(self._text)
                break
        if self._place == len(self._text):
            return None
        line = self._text[self._place : end]
        self._place = min(end + 1, len(self._text))
        return line.removesuffix("\r")

    def _is_cut(self, match: re.Match[str]) -> bool:
        """Whether a quote or comment begins whose end is not held yet."""
        return match.lastgroup == "sign" and self._text.startswith(_OPENINGS, match.start())

    def _more(self) -> bool:
        text = next(self._texts, None)
        if text is None:
            return False
        self._text, self._place = self._text[self._place :] + text, 0
        return True


def _rows(file: Path) -> Iterator[Row]:
    has_backslashes = _HAS_BACKSLASHES.search(head(file, size=1 << 20))
    scanner = _Scanner(text_of(file), _BACKSLASHES if has_backslashes else _QUOTES)
    columns: dict[str, list[str]] = {}
    while (token := scanner.next())[0]:
        word = token[1].upper()
        if word == "CREATE":
            _read_create(scanner, columns)
        elif word in ("INSERT", "REPLACE"):
            yield from _read_insert(scanner, columns)
        elif word == "COPY":
            yield from _read_copy(scanner)


def _read_create(scanner: _Scanner, columns: dict[str, list[str]]) -> None:
    """Notes the columns of a table that is created."""
    words: list[str] = []
    while (token := scanner.next())[0] and token[1] not in ("(", ";"):
        words.append(token[1])
    if token[1] != "(" or "TABLE" not in map(str.upper, words[:4]):
        return
    found, depth, is_first = [], 1, True
    while depth and (token := scanner.next())[0]:
        if token[0] == "name" and depth == 1 and is_first and not _NO_COLUMN.fullmatch(token[1]):
            found.append(_bare(token[1]))
        is_first = depth == 1 and token[1] == ","
        depth += (token[1] == "(") - (token[1] == ")")
    columns[_bare(words[-1])] = found


def _read_insert(scanner: _Scanner, columns: dict[str, list[str]]) -> Iterator[Row]:
    table, names = "", []
    while (token := scanner.next())[0] and token[1].upper() not in ("VALUES", "VALUE"):
        if token[1] == ";" or token[1].upper() == "SELECT":
            return
        if token[1] == "(":
            names = [_bare(name) for name in _until_closed(scanner) if name != ","]
        elif token[0] == "name":
            table = _bare(token[1])
    names = names or columns.get(table, [])
    while scanner.next()[1] == "(":
        values = [*_values(scanner)]
        keys = names if len(names) >= len(values) else map(str, range(1, len(values) + 1))
        yield table, dict(zip(keys, values, strict=False))
        if scanner.next()[1] != ",":
            return


def _until_closed(scanner: _Scanner) -> Iterator[str]:
    while (token := scanner.next())[0] and token[1] != ")":
        yield token[1]


def _values(scanner: _Scanner) -> Iterator[str | None]:
    """Yields the values of a row; what is neither a string nor a number is None."""
    tokens: list[tuple[str, str]] = []
    depth = 1
    while depth and (token := scanner.next())[0]:
        depth += (token[1] == "(") - (token[1] == ")")
        if depth == 0 or (depth == 1 and token[1] == ","):
            yield _value(scanner, tokens)
            tokens = []
        else:
            tokens.append(token)


def _value(scanner: _Scanner, tokens: list[tuple[str, str]]) -> str | None:
    strings = [text for kind, text in tokens if kind == "string"]
    if len(strings) == 1:  # perhaps after a charset, or before a cast
        return scanner.string(strings[0])
    return tokens[0][1] if len(tokens) == 1 and tokens[0][0] == "sign" else None


def _read_copy(scanner: _Scanner) -> Iterator[Row]:
    words: list[str] = []
    while (token := scanner.next())[0] and token[1] != ";":
        words.append(token[1])
    upper = [*map(str.upper, words)]
    if "STDIN" not in upper or "(" not in words:
        return
    first, last = words.index("("), words.index(")")
    table = _bare(words[first - 1])
    names = [_bare(word) for word in words[first + 1 : last] if word != ","]
    scanner.line()
    while (line := scanner.line()) is not None and line != "\\.":
        cells = [None if cell == r"\N" else _unescape(cell) for cell in line.split("\t")]
        yield table, dict(zip(names, cells, strict=False))


def _bare(name: str) -> str:
    """Returns a name without its quotes."""
    return name[1:-1] if name[:1] in ('"', "`", "[") else name


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]) if match[1] else "'", text)
