"""What a file is, detected once from its first bytes: its format, encoding and layout."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from anekdot.corpus.documents import Layout, Piece
from anekdot.corpus.reading.detect_layout import (
    TEXT_NAMES,
    guess_separator,
    guess_table,
    named_separator,
    text_key,
)
from anekdot.corpus.reading.encodings import decode, detect_encoding, is_mostly_utf8, is_wide
from anekdot.corpus.reading.extraction import EXTRACTORS, extracted, main_table, text_head
from anekdot.corpus.reading.files import (
    ZIP,
    find_compression,
    head,
    label,
    members,
    unpacked_file,
)
from anekdot.corpus.reading.first_bytes import holds_text, is_page, reason_no_text
from anekdot.corpus.reading.json_stream import Broken, array_key, values
from anekdot.corpus.reading.lines import lines_of, without_byte_order_mark
from anekdot.corpus.reading.names import ARCHIVE, ENDINGS, Skipped, ending, no_text, reason_unread
from anekdot.corpus.reading.parquet import MAGIC as PARQUET
from anekdot.corpus.reading.parquet import guess_column

HEAD_BYTES = 4 << 20
"""Bytes of a file from which its layout is guessed."""

_SAMPLE_RECORDS = 500  # by which the format is recognised
_SEPARATOR_PHRASES = {
    "line": "one text a line",
    "blank line": "texts separated by blank lines",
    "file": "one text a file",
    "\t": "tab",
}
_BLANK = {
    "txt": Layout(format="txt"),
    "jsonl": Layout(format="jsonl", column="text"),
    "json": Layout(format="json", separator="[]", column="text"),
    "csv": Layout(format="csv", separator=",", header=False, column="1"),
}


def examine(
    path: Path,
    *,
    separator: str | None = None,
    column: str | None = None,
    name: str | None = None,
    skipped: Skipped = lambda name, reason: None,
) -> tuple[list[Piece], list[tuple[str, str]]]:
    """Finds out how documents stand in a file, or in each member of a zip archive.

    Args:
        path: The file.
        separator: What separates texts, or cells, if the user named it.
        column: The column or key of the texts, if the user named it: its name, or its number.
        name: The name that messages carry, instead of the path.
        skipped: Called with each member that is not read, and why.

    Returns:
        The file, or each member of the archive, as a piece; and each name with what was guessed.

    Raises:
        CorpusError: The file cannot be read, is damaged, or holds no texts.
    """
    name = name or label(path)
    compression = find_compression(path)
    if not _is_archive(path, compression):
        piece, guess = _examine(
            path, None, compression, name, separator=separator, column=column, skipped=skipped
        )
        return [piece], [(name, guess)]
    found: list[Piece] = []
    guesses: list[tuple[str, str]] = []
    for member in members(path):
        inner = label(path, member).replace(label(path), name, 1)
        compression = find_compression(path, member)
        if reason := _reason_unread(path, member, compression):
            skipped(inner, reason)
        else:
            piece, guess = _examine(
                path,
                member,
                compression,
                inner,
                separator=separator,
                column=column,
                skipped=skipped,
            )
            found.append(piece)
            guesses.append((inner, guess))
    if not found:
        raise no_text(name)
    return found, guesses


def _reason_unread(path: Path, member: str, compression: str | None) -> str | None:
    """Returns why a member of an archive is not read."""
    found = ending(member)
    if found == ARCHIVE:
        return "an archive inside an archive"
    if reason := reason_unread(member):
        return reason
    if found in ENDINGS:
        return None
    return reason_no_text(head(path, member, compression, size=1 << 16))


def _is_archive(path: Path, compression: str | None) -> bool:
    known = ending(path.name)
    return known == ARCHIVE or (
        known not in ENDINGS and head(path, None, compression, size=4) == ZIP
    )


def _examine(
    path: Path,
    member: str | None,
    compression: str | None,
    name: str,
    *,
    separator: str | None,
    column: str | None,
    skipped: Skipped,
) -> tuple[Piece, str]:
    """Returns a file or member as a piece, and what was guessed about it."""
    known = ENDINGS.get(ending(member or path.name))
    piece = Piece(path=str(path), member=member, name=name, compression=compression)
    if known in (None, "txt") and is_page(head(path, member, compression, size=1 << 12)):
        known = "html"
    if known in EXTRACTORS:
        piece = replace(piece, extraction=known, table=_table(piece, known, skipped))
        start = text_head(extracted(piece), HEAD_BYTES)
        format = EXTRACTORS[known].format
        layout = _text_layout(start, format, name, separator, column)
        guess = _guess(layout, format) if start else f"no text was found in this {known}."
        return replace(piece, layout=layout), guess
    start = _whole_lines(head(path, member, compression, size=HEAD_BYTES))
    if known == "parquet" or start.startswith(PARQUET):
        with unpacked_file(path, member, compression) as file:
            layout = Layout(format="parquet", column=guess_column(file, column, name))
    else:
        layout = _text_layout(start, known, name, separator, column)
    return replace(piece, layout=layout), _guess(layout, known)


def _table(piece: Piece, kind: str, skipped: Skipped) -> str | None:
    """Returns the table of a dump with the most text; the others are not read."""
    if kind != "sql":
        return None
    table, others = main_table(piece)
    for other in others:
        skipped(f"{piece.name}/{other}", f"a table beside «{table}»")
    return table


def _text_layout(
    start: bytes, known: str | None, name: str, separator: str | None, column: str | None
) -> Layout:
    """Guesses the layout of a file that is no Parquet from its first bytes."""
    encoding = detect_encoding(start)
    if not holds_text(start, encoding):
        raise no_text(name)
    lines = _lines(start, encoding)
    format = known if known == "csv" else _format(lines, known)
    if not "".join(lines).strip():
        layout = replace(_BLANK[known or "txt"], encoding=encoding)
    elif format == "csv":
        layout = guess_table(lines, encoding, separator, column, name)
    elif format == "txt":
        stands, inline = named_separator(separator, lines) if separator else guess_separator(lines)
        layout = Layout(format="txt", encoding=encoding, separator=stands, inline=inline)
    else:
        if format == "json" and is_mostly_utf8(start):
            encoding = "utf-8"  # it is decoded as a whole
        layout = _json_layout(format, lines, encoding, column, name)
    return layout


def _whole_lines(start: bytes) -> bytes:
    """Returns the first bytes of a file without the last line, which is cut off."""
    return start[: start.rfind(b"\n") + 1] or start if len(start) >= HEAD_BYTES else start


def _lines(start: bytes, encoding: str) -> list[str]:
    """Returns the first lines of a file as text."""
    start = b"".join(without_byte_order_mark([start], encoding))
    if is_wide(encoding):
        return lines_of(start.decode(encoding, "replace"))
    return decode(start.splitlines(keepends=True), encoding)


def _format(lines: list[str], known: str | None) -> str:
    """Tells txt, jsonl and json apart by what the lines are, since names may be wrong."""
    parsed = [_parsed(line) for line in islice(filter(str.strip, lines), _SAMPLE_RECORDS)]
    objects = sum(isinstance(record, dict) for record in parsed)
    if known in (None, "txt"):
        if parsed and objects == len(parsed):
            return "json" if len(parsed) == 1 and _array_of(parsed[0]) else "jsonl"
        records = values(lines, "[]") if "".join(lines[:9]).lstrip().startswith("[") else iter(())
        return "json" if isinstance(next(records, None), dict) else "txt"
    if len(parsed) == 1 and _array_of(parsed[0]):
        return "json"
    if 2 * (objects + sum(isinstance(record, str) for record in parsed)) > len(parsed):
        return "jsonl"
    begins = "".join(lines).lstrip("\ufeff \t\r\n")[:1]
    return "json" if begins and begins in "[{" and not isinstance(parsed[0], dict) else "jsonl"


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _json_layout(
    format: str, lines: list[str], encoding: str, column: str | None, name: str
) -> Layout:
    layout = Layout(format=format, encoding=encoding, separator="{}")
    if format == "json":
        separator = _json_separator(lines)
        layout = replace(layout, separator=separator)
        records: Iterator[object] = values(lines, separator)
    else:
        records = map(_parsed, lines)
    return replace(layout, column=text_key(records, column, name))


def _json_separator(lines: list[str]) -> str:
    """Returns "[]", "{}" or the key of the array, as `json_stream.values` wants it."""
    if "".join(lines[:99]).lstrip("\ufeff \t\r\n").startswith("["):
        return "[]"
    first = next(values(lines, "{}"), None)
    key = array_key(lines) if isinstance(first, Broken) else _array_of(first)
    return key or "{}"


def _array_of(record: object) -> str | None:
    """Returns the key of the array of texts or records in an object that is no record itself."""
    if not isinstance(record, dict):
        return None
    named = {str(key).lower(): value for key, value in record.items()}
    if any(isinstance(named.get(text), str) for text in TEXT_NAMES):
        return None
    size = sum(len(value) for value in record.values() if isinstance(value, str))
    for key, value in record.items():
        if isinstance(value, list) and value:
            texts = [item for item in value if isinstance(item, str)]
            if isinstance(value[0], dict) or sum(map(len, texts)) > size:
                return str(key)
    return None


def _guess(layout: Layout, known: str | None) -> str:
    """Returns what was guessed about a file, as the rest of a sentence."""
    facts = []
    if layout.format != known:
        facts.append(f"read as {layout.format}")
    if layout.format == "txt":
        facts.append(
            _SEPARATOR_PHRASES.get(layout.separator, f"texts separated by «{layout.separator}»")
        )
    elif layout.format in ("csv", "parquet"):
        facts.append(f"text column «{layout.column}»")
    else:
        facts.append(f"texts under the key «{layout.column}»")
    if layout.format == "csv":
        facts += [] if layout.header else ["no header"]
        facts.append(f"separated by «{_SEPARATOR_PHRASES.get(layout.separator, layout.separator)}»")
    if layout.encoding != "utf-8":
        facts.append(f"in {layout.encoding}")
    return f"{', '.join(facts)}."
