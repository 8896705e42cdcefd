"""Blocks of bytes to documents: text, JSON lines, JSON and CSV, one document held at a time."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from anekdot.corpus.documents import Document, Layout, broken
from anekdot.corpus.reading.chats import JSON_CHATS, SERVICE, messages
from anekdot.corpus.reading.csv_rows import (
    MAX_ROW_SIZE,
    TooLong,
    column_places,
    joined,
    names_delimiter,
    rows,
    trimmed,
)
from anekdot.corpus.reading.encodings import decode, is_transcoded
from anekdot.corpus.reading.first_bytes import CONTROLS, is_binary
from anekdot.corpus.reading.json_stream import Broken, Path, pick, values
from anekdot.corpus.reading.json_texts import join, record_text
from anekdot.corpus.reading.lines import (
    MAX_LINE_BYTES,
    batches,
    separator_test,
    separators,
    start_splitter,
    text_blocks,
)

NOT_JSON = "not JSON"
NO_TEXT = "no text"
WRONG_CELLS = "wrong number of cells"
BROKEN_QUOTES = "broken quotes"
TOO_LONG_LINE = "too long a line"
TOO_LONG_TEXT = "too long a text"
NOT_TEXT = "not text"


def documents(blocks: Iterable[bytes], layout: Layout, name: str, line: int) -> Iterator[Document]:
    """Yields the documents of a file in any format but Parquet, or of a piece of it.

    Args:
        blocks: Its bytes, without a byte order mark.
        layout: How documents stand in it.
        name: What the documents give as their source.
        line: The number of its first line.
    """
    if layout.format == "json":
        return _read_json(blocks, layout, name)
    if is_transcoded(layout.encoding):
        blocks = (text.encode() for text in text_blocks(blocks, layout.encoding))
        layout = replace(layout, encoding="utf-8")
    if layout.format == "csv":
        return _read_csv(blocks, layout, name)
    if layout.format == "jsonl":
        return _read_jsonl(blocks, layout, name, line)
    if layout.format == "chat":
        return messages(_numbered(blocks, layout, line), layout.separator, name)
    if layout.separator == "line" and layout.pattern is None:
        return _read_lines(blocks, layout, name, line)
    return _read_groups(blocks, layout, name, line)


def decoded(lines: list[bytes], long: bool, encoding: str) -> Iterator[tuple[str, str | None]]:
    """Yields the text of each line of a batch, and why it cannot be used, if so."""
    garbage = is_binary_somewhere(lines)
    for line, text in zip(lines, decode(lines, encoding), strict=True):
        fault = TOO_LONG_LINE if long else NOT_TEXT if garbage and is_binary(line) else None
        yield text, fault


def is_binary_somewhere(lines: list[bytes]) -> bool:
    """Whether lines have any control characters at all."""
    block = b"".join(lines)
    return len(block.translate(None, CONTROLS)) < len(block)


def record_document(record: object, layout: Layout, name: str, number: int) -> Document:
    """Returns the document of a JSON record: a string, or an object with one."""
    obscene = False
    if isinstance(record, dict):
        obscene = record.get("obscene") is True
        text = record.get(layout.column)
        if layout.chat and not JSON_CHATS[layout.chat][1](record):
            return broken(_shown(record), name, number, SERVICE)
    else:
        text = record
    if not isinstance(text, str) or not text:
        text = record_text(record, [layout.column or "", *layout.others])
    if text is not None:
        return Document(text, name, number, obscene)
    return broken(_shown(record), name, number, NO_TEXT)


def _shown(record: object) -> str:
    try:
        return json.dumps(record, ensure_ascii=False)
    except RecursionError:
        return "[...]"


def _read_lines(
    blocks: Iterable[bytes], layout: Layout, name: str, number: int
) -> Iterator[Document]:
    for lines, long in batches(blocks):
        for text, fault in decoded(lines, long, layout.encoding):
            if fault:
                yield broken(text, name, number, fault)
            elif stripped := text.strip():
                yield Document(stripped, name, number)
            number += 1


def _read_groups(
    blocks: Iterable[bytes], layout: Layout, name: str, number: int
) -> Iterator[Document]:
    """Yields texts of several lines: the parts between separators."""
    parts: list[str] = []
    first, size = number, 0
    fault: str | None = None
    for line, text, flaw, ends in _parts(blocks, layout, number):
        if not parts:
            first, size, fault = line, 0, None
        size += len(text)
        fault = fault or flaw or (TOO_LONG_TEXT if size > MAX_LINE_BYTES else None)
        if (parts or text.strip()) and (not fault or not parts):
            parts.append(text)
        if ends and parts:
            whole = "".join(parts).strip()
            yield broken(whole, name, first, fault) if fault else Document(whole, name, first)
            parts = []


def _parts(
    blocks: Iterable[bytes], layout: Layout, number: int
) -> Iterator[tuple[int, str, str | None, bool]]:
    """Yields what stands between line ends and separators, with the numbers of the lines.

    Yields:
        The line, the text, its fault, and whether a separator follows.
    """
    inside = separators(layout) if layout.inline else ()
    is_separator = separator_test(layout)
    split = start_splitter(layout)
    for whole, long in batches(blocks, separators=inside):
        lines = whole
        if split:
            lines, ends = split(whole)
            contents = [b"" if end else line for line, end in zip(lines, ends, strict=True)]
        elif layout.inline:
            ends = [line.endswith(inside) for line in lines]
            contents = [_without(line, inside) for line in lines]
        else:
            ends = [is_separator(line) for line in lines]
            contents = [b"" if end else line for line, end in zip(lines, ends, strict=True)]
        texts = decoded(contents, long, layout.encoding)
        for line, (text, fault), end in zip(lines, texts, ends, strict=True):
            yield number, text, fault, end
            number += line.endswith((b"\n", b"\r"))
    yield number, "", None, True


def _without(line: bytes, ends: tuple[bytes, ...]) -> bytes:
    for end in ends:
        line = line.removesuffix(end)
    return line


def _numbered(
    blocks: Iterable[bytes], layout: Layout, number: int
) -> Iterator[tuple[int, str, str | None]]:
    """Yields the lines of a file with their numbers, and why they cannot be used, if so."""
    for lines, long in batches(blocks):
        for text, fault in decoded(lines, long, layout.encoding):
            yield number, text, fault
            number += 1


def _read_jsonl(
    blocks: Iterable[bytes], layout: Layout, name: str, number: int
) -> Iterator[Document]:
    path: Path = json.loads(layout.separator)
    nested: Path | None = json.loads(layout.nested or "null")
    for line, text, fault in _numbered(blocks, layout, number):
        if fault:
            yield broken(text, name, line, fault)
        elif text.strip():
            try:
                value = json.loads(text.lstrip("\ufeff"))
            except (ValueError, RecursionError):
                yield broken(text, name, line, NOT_JSON)
            else:
                for record in pick(value, path):
                    for each in _with_answers(record, nested):
                        yield record_document(each, layout, name, line)


def _read_json(blocks: Iterable[bytes], layout: Layout, name: str) -> Iterator[Document]:
    texts = text_blocks(blocks, layout.encoding)
    nested: Path | None = json.loads(layout.nested or "null")
    for number, value in enumerate(values(texts, json.loads(layout.separator)), 1):
        if isinstance(value, Broken):
            yield broken(value.text, name, number, NOT_JSON)
        else:
            for record in _with_answers(value, nested):
                yield record_document(record, layout, name, number)


def _with_answers(record: object, nested: Path | None) -> Iterator[object]:
    """Yields a record, and the records of its kind in it, at any depth."""
    waiting = [record]
    while waiting:
        each = waiting.pop()
        yield each
        if nested:
            waiting += reversed([*pick(each, nested)])


def _read_csv(blocks: Iterable[bytes], layout: Layout, name: str) -> Iterator[Document]:
    table = rows(_csv_lines(blocks, layout), layout.separator, layout.escaped, layout.quote)
    width, places = 0, [[0]]
    for number, row in table:
        if isinstance(row, str):
            fault = TOO_LONG_LINE if isinstance(row, TooLong) else BROKEN_QUOTES
            yield broken(row, name, number, fault)
            continue
        cells = row
        if not width:
            width, places = len(cells), column_places(layout, cells, name)
            width = layout.width or width
            if layout.header:
                continue
        cells = trimmed(cells, width)
        if layout.width and len(cells) > width:
            cells = joined(cells, width, places[0][-1], layout.separator)
        if width == 1:
            yield Document(layout.separator.join(cells), name, number)
        elif len(cells) != width and not _is_short(cells, width, places):
            yield broken(layout.separator.join(cells), name, number, WRONG_CELLS)
        else:
            yield Document(_cells_text(cells, places), name, number)


def _cells_text(cells: list[str], places: list[list[int]]) -> str:
    texts = (join([cells[place] for place in group if place < len(cells)]) for group in places)
    return next(filter(str.strip, filter(None, texts)), "")


def _is_short(cells: list[str], width: int, places: list[list[int]]) -> bool:
    """Whether a row lacks cells behind its text, which is then the longest of those it has."""
    longest = max(range(len(cells)), key=lambda place: len(cells[place]))
    return len(cells) < width and longest in places[0]


def _csv_lines(blocks: Iterable[bytes], layout: Layout) -> Iterator[str]:
    first, above = True, layout.skip
    for lines, long in batches(blocks, limit=MAX_ROW_SIZE):
        texts = decode(lines, layout.encoding)
        if first and names_delimiter(texts[0]):
            texts[0] = "\n"
        first = False
        texts[:above] = ["\n"] * min(above, len(texts))
        above -= min(above, len(texts))
        yield from map(TooLong, texts) if long else texts
