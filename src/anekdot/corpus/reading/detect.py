"""What a file is, detected once from its first bytes: its format, encoding and layout."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from anekdot.corpus.documents import Layout, Piece
from anekdot.corpus.reading.chats import text_chat
from anekdot.corpus.reading.description import described
from anekdot.corpus.reading.detect_layout import guess_table
from anekdot.corpus.reading.encodings import (
    decode,
    detect_encoding,
    is_mostly_utf8,
    is_transcoded,
)
from anekdot.corpus.reading.extraction import EXTRACTORS, extracted, main_table, text_head
from anekdot.corpus.reading.files import (
    ZIP,
    blocks,
    find_compression,
    head,
    label,
    members,
    unpacked_file,
)
from anekdot.corpus.reading.first_bytes import holds_text, is_page, markup, reason_no_text
from anekdot.corpus.reading.foreign_encodings import exact
from anekdot.corpus.reading.formats import first_character, format_of, json_value
from anekdot.corpus.reading.front_matter import front_lines
from anekdot.corpus.reading.json_layout import layout_of
from anekdot.corpus.reading.json_shape import Shape, survey
from anekdot.corpus.reading.lines import (
    lines_of,
    names_lines,
    text_blocks,
    without_byte_order_mark,
)
from anekdot.corpus.reading.names import (
    ARCHIVE,
    ENDINGS,
    TABLE,
    Skipped,
    ending,
    no_text,
    reason_unread,
)
from anekdot.corpus.reading.parquet import MAGIC as PARQUET
from anekdot.corpus.reading.parquet import guess_layout
from anekdot.corpus.reading.separators import guess_separator, named_separator
from anekdot.errors import CorpusError

HEAD_BYTES = 4 << 20
"""Bytes of a file from which its layout is guessed."""

_BLANK = {
    "txt": Layout(format="txt"),
    "jsonl": Layout(format="jsonl", separator="[]", column="text"),
    "json": Layout(format="json", separator="[[]]", column="text"),
    "csv": Layout(format="csv", separator=",", header=False, column="1"),
}


class _Named(NamedTuple):
    """What the user named; the rest is guessed."""

    separator: str | None
    column: str | None
    encoding: str | None


def examine(
    path: Path,
    *,
    separator: str | None = None,
    column: str | None = None,
    encoding: str | None = None,
    name: str | None = None,
    skipped: Skipped = lambda name, reason: None,
) -> tuple[list[Piece], list[tuple[str, str]]]:
    """Finds out how documents stand in a file, or in each member of a zip archive.

    Args:
        path: The file.
        separator: What separates texts, or cells, if the user named it.
        column: The column or key of the texts, if the user named it: its name or number.
        encoding: The encoding, if the user named it.
        name: The name that messages carry, instead of the path.
        skipped: Called with each member that is not read, and why.

    Returns:
        The file, or each member of the archive, as a piece; and each name with what was guessed.

    Raises:
        CorpusError: The file cannot be read, is damaged, or holds no texts.
    """
    name, named = name or label(path), _Named(separator, column, encoding)
    if not _is_archive(path, compression := find_compression(path)):
        piece, guess = _examine(path, None, compression, name, named=named, skipped=skipped)
        return [piece], [(name, guess)]
    return _examine_members(path, name, named, skipped)


def _examine_members(
    path: Path, name: str, named: _Named, skipped: Skipped
) -> tuple[list[Piece], list[tuple[str, str]]]:
    """Examines the files of a zip archive."""
    found: list[Piece] = []
    guesses: list[tuple[str, str]] = []
    for member in members(path):
        inner = label(path, member).replace(label(path), name, 1)
        compression = find_compression(path, member)
        if reason := _reason_unread(path, member, compression):
            skipped(inner, reason)
        else:
            piece, guess = _examine(path, member, compression, inner, named=named, skipped=skipped)
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
    named: _Named,
    skipped: Skipped,
) -> tuple[Piece, str]:
    """Returns a file or member as a piece, and what was guessed about it."""
    known = ENDINGS.get(ending(member or path.name))
    piece = Piece(path=str(path), member=member, name=name, compression=compression)
    start = b"" if known in EXTRACTORS else head(path, member, compression, size=HEAD_BYTES)
    if known in (None, "txt") and is_page(start):
        known = "html"
    if known in EXTRACTORS:
        piece = replace(piece, extraction=known, table=_table(piece, known, skipped))
        start = text_head(extracted(piece), HEAD_BYTES)
        format = EXTRACTORS[known].format
        layout = _text_layout(start, format, name, named._replace(encoding=None))
        guess = described(layout, format) if start else _nothing_found(known)
        return replace(piece, layout=layout), guess
    whole = blocks(path, member, compression) if len(start) >= HEAD_BYTES else None
    start = _whole_lines(start)
    if known == "parquet" or start.startswith(PARQUET):
        with unpacked_file(path, member, compression) as file:
            layout = guess_layout(file, named.column, name)
    else:
        layout = _text_layout(start, known, name, named, whole=whole)
    guess = described(layout, known)
    if layout.format == "csv" and names_lines(named.separator):
        guess = f"{guess[:-1]} (--separator '{named.separator}' is for text files)."
    return replace(piece, layout=layout), guess


def _nothing_found(known: str) -> str:
    """Says that there is nothing to read in a file."""
    hint = ": a scan has to be recognised (OCR) first" if known == "pdf" else ""
    return f"no text was found in this {known}{hint}."


def _table(piece: Piece, kind: str, skipped: Skipped) -> str | None:
    """Returns the table of a dump with the most text; the others are not read."""
    if kind != "sql":
        return None
    table, others = main_table(piece)
    for other in others:
        skipped(f"{piece.name}/{other}", f"{TABLE} «{table}»")
    return table


def _text_layout(
    start: bytes,
    known: str | None,
    name: str,
    named: _Named,
    *,
    whole: Iterable[bytes] | None = None,
) -> Layout:
    """Guesses the layout of a file that is no Parquet from its first bytes.

    Of a large JSON object more is read, since the texts may stand behind something else.
    """
    encoding = _encoding(start, known, name, named)
    lines, front = _below_front_matter(_lines(start, encoding), encoding)
    if is_transcoded(encoding) and not _reads_well(lines):
        cause = f"{name} is not in {named.encoding or encoding}."
        raise CorpusError(cause, "Name its encoding, such as --encoding cp1250.")
    if not "".join(lines).strip():
        return replace(_BLANK[known or "txt"], encoding=encoding)
    format = format_of(lines, known, named.separator)
    if format == "csv":
        layout = guess_table(lines, encoding, named.separator, named.column, name)
    elif format == "chat":
        layout = Layout(format="chat", encoding=encoding, separator=text_chat(lines) or "")
    elif format == "txt":
        layout = _separated(lines, named.separator)
        layout = replace(layout, encoding=encoding, front=front)
    else:
        if format == "json" and is_mostly_utf8(start):
            encoding = "utf-8"  # it is decoded as a whole
        sample: Iterable[str] = lines
        if format == "json" and whole and first_character(lines) == "{":
            sample = text_blocks(without_byte_order_mark(whole, encoding), encoding)
        layout = _json_layout(format, sample, encoding, named.column, name)
    return layout


def _encoding(start: bytes, known: str | None, name: str, named: _Named) -> str:
    """Returns the encoding of a text file; refuses what is no plain text."""
    encoding = exact(named.encoding) if named.encoding else detect_encoding(start)
    if not holds_text(start, encoding):
        raise no_text(name)
    if encoding is None:
        cause = f"The encoding of {name} cannot be told."
        raise CorpusError(cause, "Name it, such as --encoding cp1250.")
    if known in (None, "txt") and (found := markup(start)):
        raise CorpusError(f"{name} holds {found[0]}, which is not read.", found[1])
    return encoding


def _separated(lines: list[str], separator: str | None) -> Layout:
    return named_separator(separator, lines) if separator else guess_separator(lines)


def _below_front_matter(lines: list[str], encoding: str) -> tuple[list[str], bool]:
    """Returns lines without the front matter above them, and whether there was any."""
    count = 0 if is_transcoded(encoding) else front_lines("".join(lines[:999]).encode())
    return lines[count:], count > 0


def _whole_lines(start: bytes) -> bytes:
    """Returns the first bytes of a file without the last line, which is cut off."""
    return start[: start.rfind(b"\n") + 1] or start if len(start) >= HEAD_BYTES else start


def _lines(start: bytes, encoding: str) -> list[str]:
    """Returns the first lines of a file as text."""
    start = b"".join(without_byte_order_mark([start], encoding))
    if is_transcoded(encoding):
        return lines_of(start.decode(encoding, "replace"))
    return decode(start.splitlines(keepends=True), encoding)


def _reads_well(lines: list[str]) -> bool:
    """Whether few characters of lines could not be decoded."""
    text = "".join(lines)
    strange = len(text) - len(text.encode("ascii", "ignore"))
    return 10 * text.count("\ufffd") <= strange + 20


def _json_layout(
    format: str, lines: Iterable[str], encoding: str, column: str | None, name: str
) -> Layout:
    """Returns where the texts stand in a JSON file, or in each line of JSON lines."""
    if format == "json":
        shape = survey(lines)
    else:
        shape = Shape()
        for line in lines:
            shape.add(json_value(line.lstrip("\ufeff")))
    return replace(layout_of(shape, format, column, name), encoding=encoding)
