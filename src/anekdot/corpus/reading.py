"""Formats and encodings: files into documents, one piece of input at a time."""

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from anekdot.errors import CorpusError

FORMATS = "Texts are read from .txt, .jsonl and .csv files, also packed as .gz."
ENDINGS = (".txt", ".jsonl", ".csv")


@dataclass(frozen=True, slots=True)
class Document:
    """One text as it was found.

    Attributes:
        text: Not yet cleaned.
        source: The file.
        line: Where it begins, from 1.
        obscene: Whether the file says so.
    """

    text: str
    source: str
    line: int
    obscene: bool = False


def read(source: Path | str) -> Iterator[Document]:
    """Yields the documents of a file, of all files in a folder, or of standard input.

    Args:
        source: A path, or "-" for standard input, which is JSON lines if it begins with a
            brace, and plain text otherwise.

    Raises:
        CorpusError: There is no such file, it has another format, or a line of it is
            damaged.
    """
    if str(source) == "-":
        data = sys.stdin.buffer.read()
        ending = ".jsonl" if data.lstrip()[:1] == b"{" else ".txt"
        yield from _parse(io.BytesIO(data), ending, "standard input")
        return
    path = Path(source)
    for file in _files(path):
        with _open(file) as binary:
            yield from _parse(binary, _ending(file), str(file))


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise CorpusError(f"There is no file {path}.", "Check the name.")
    if not path.is_dir():
        if not _ending(path):
            raise CorpusError(f"{path} has a format that is not known.", FORMATS)
        return [path]
    found = sorted(file for file in path.rglob("*") if file.is_file() and _ending(file))
    if not found:
        raise CorpusError(f"The folder {path} has no texts.", FORMATS)
    return found


def _ending(path: Path) -> str:
    """Returns which of ENDINGS a name has before an optional .gz, or nothing."""
    name = path.name.lower().removesuffix(".gz")
    return next((ending for ending in ENDINGS if name.endswith(ending)), "")


def _open(path: Path) -> IO[bytes]:
    try:
        opened = gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")
        opened.peek(1)  # type: ignore[union-attr]
    except (OSError, EOFError) as error:
        raise CorpusError(f"{path} cannot be read ({error}).", "Check the file.") from None
    return opened  # type: ignore[return-value]


def _parse(binary: IO[bytes], ending: str, name: str) -> Iterator[Document]:
    parsers = {".txt": _parse_text, ".jsonl": _parse_json_lines, ".csv": _parse_csv}
    return parsers[ending](_lines(binary, name), name)


def _lines(binary: IO[bytes], name: str) -> Iterator[str]:
    """Yields decoded lines with their line ends."""
    number = 0
    try:
        for number, line in enumerate(binary, start=1):
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{name}, line {number}: byte {error.object[error.start]:#04x} is not UTF-8.",
            "Convert the file to UTF-8.",
        ) from None
    except (OSError, EOFError) as error:
        raise CorpusError(
            f"{name} is damaged after line {number} ({error}).", "Pack or copy it again."
        ) from None


def _parse_text(lines: Iterable[str], name: str) -> Iterator[Document]:
    """One document a line, or blocks between blank lines: whichever the file shows."""
    content = [line.rstrip("\r\n") for line in lines]
    if not separated_by_blank_lines(content):
        for number, line in enumerate(content, start=1):
            if line.strip():
                yield Document(line, name, number)
        return
    block: list[str] = []
    for number, line in enumerate([*content, ""], start=1):
        if line.strip():
            block.append(line)
        elif block:
            yield Document("\n".join(block), name, number - len(block))
            block = []


def separated_by_blank_lines(lines: list[str]) -> bool:
    """Guesses how a plain text file separates its documents.

    Blank lines separate where they are regular: at least one for every eight lines of text.
    A file of one document a line has a stray one at most.

    >>> separated_by_blank_lines(["— Как дела?", "— Нормально.", "", "Кот ушёл."])
    True
    >>> separated_by_blank_lines(["Кот ушёл.", "Кот пришёл.", "Кот спит."])
    False
    """
    texts, blocks, in_block = 0, 0, False
    for line in lines:
        full = bool(line.strip())
        texts += full
        blocks += full and not in_block
        in_block = full
    return blocks > 1 and texts <= 8 * blocks


def _parse_json_lines(lines: Iterable[str], name: str) -> Iterator[Document]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{name}, line {number}"
        remedy = 'Every line must be an object such as {"text": "…"}.'
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise CorpusError(f"{place} is no JSON.", remedy) from None
        if not isinstance(record, dict) or "text" not in record:
            raise CorpusError(f'{place} has no "text".', remedy)
        if not isinstance(record["text"], str):
            found = type(record["text"]).__name__
            raise CorpusError(f'{place}: "text" is a {found}, not a string.', remedy)
        yield Document(record["text"], name, number, record.get("obscene") is True)


def _parse_csv(lines: Iterable[str], name: str) -> Iterator[Document]:
    """The column named text, else the column with the longest first cells."""
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(lines)
    try:
        header = next(reader, None)
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise CorpusError(
            f"{name}, line {reader.line_num} is no CSV ({error}).", "Quote the texts."
        ) from None
    if header is None:
        return
    names = [cell.strip().lower() for cell in header]
    if "text" in names:
        column = names.index("text")
    else:
        sample = [row for _, row in rows[:100]]
        column = max(
            range(len(header)), key=lambda c: sum(len(row[c]) for row in sample if c < len(row))
        )
        if not sample or len(header) == 1:
            rows.insert(0, (1, header))  # a single column without the name is all texts
    for number, row in rows:
        if column >= len(row):
            raise CorpusError(
                f"{name}, line {number} has {len(row)} columns, and the texts are in "
                f"column {column + 1}.",
                "Give every row as many columns as the first line.",
            )
        yield Document(row[column], name, number - row[column].count("\n"))
