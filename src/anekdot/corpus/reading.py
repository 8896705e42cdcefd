"""Files to documents: text, JSON lines and CSV, plain or gzipped, in folders or from a pipe.

Every reader is a generator that holds one document at a time; only standard input,
which cannot be read twice, is held whole.
"""

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, cast

from anekdot.callbacks import Notice
from anekdot.errors import CorpusError

Source = Path | str
"""A file, a folder of files, or ``"-"`` for standard input."""

OWN_FILES = ("model.safetensors", "manifest.json")
"""What a bundle, or a prepared folder, inside a folder of texts is known by."""

_CONVERT = "Convert it to UTF-8, for example: iconv -f CP1251 -t UTF-8 old.txt > new.txt"


@dataclass(frozen=True, slots=True)
class Document:
    """One text as it stood in its file.

    Attributes:
        text: The text, not yet cleaned.
        source: The file's path, or "standard input".
        line: The line of the file where the text starts, counted from 1.
        obscene: Whether the record itself says that it is obscene.
    """

    text: str
    source: str
    line: int
    obscene: bool = False


class Layout(StrEnum):
    """How documents stand in a plain text file."""

    LINES = "one document a line"
    BLOCKS = "documents separated by blank lines"


@dataclass(frozen=True)
class Lines:
    """The lines of a UTF-8 file with their ends; each iteration is a fresh pass.

    Attributes:
        name: The name that documents and messages carry.
        open: Opens the bytes at their start.
    """

    name: str
    open: Callable[[], BinaryIO]

    def __iter__(self) -> Iterator[str]:
        number = 0
        try:
            with self.open() as file:
                for number, line in enumerate(file, 1):
                    text = line.decode("utf-8")
                    yield text.removeprefix("\ufeff") if number == 1 else text
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            cause = f"{self.name}, line {number}: byte 0x{byte:02x} is not UTF-8."
            raise CorpusError(cause, _CONVERT) from error
        except (OSError, EOFError, zlib.error) as error:
            cause = f"{self.name} cannot be read after line {number}: {error}."
            raise CorpusError(cause, "Check the file and its permissions.") from error


def read(source: Source, notice: Notice | None = None) -> Iterator[Document]:
    """Reads the documents of a file, of a folder's files in sorted order, or of standard input.

    Args:
        source: A .txt, .jsonl or .csv file, each also with .gz; a folder; or "-".
        notice: Told how the documents of each text file are separated, which is a guess.

    Raises:
        CorpusError: Nothing readable is there, at once; or a file is damaged, when its
            turn comes.
    """
    return chain.from_iterable(read_file(path, notice) for path in files(source))


def read_file(source: Source, notice: Notice | None = None) -> Iterator[Document]:
    """Reads the documents of one file, or of standard input.

    Raises:
        CorpusError: The file cannot be read, is not UTF-8, or has a broken record.
    """
    if str(source) == "-":
        content = sys.stdin.buffer.read()
        lines = Lines("standard input", lambda: io.BytesIO(content))
        looks_like_json = all(line.startswith("{") for line in lines if line.strip())
        return (_read_jsonl if looks_like_json else _read_txt)(lines, notice)
    path = Path(source)
    lines = Lines(str(path), lambda: _open(path))
    return _READERS[_ending(path)](lines, notice)


def files(source: Source) -> list[Source]:
    """Lists what a source stands for: itself, or a folder's readable files, sorted.

    Raises:
        CorpusError: The source does not exist, has an unknown ending, or is a folder
            without a readable file.
    """
    formats = f"Bring {', '.join(_READERS)} (each may be .gz), a folder of them, or - for a pipe."
    if str(source) == "-":
        return [source]
    path = Path(source)
    if path.is_dir():
        inside = (item for item in path.rglob("*") if not _is_ours_or_hidden(item, path))
        found = sorted(item for item in inside if _ending(item) in _READERS and item.is_file())
        if not found:
            raise CorpusError(f"{path} has no file in a known format.", formats)
        return list(found)
    if not path.exists():
        raise CorpusError(f"{path} does not exist.", formats)
    if _ending(path) not in _READERS:
        raise CorpusError(f"{path} is in no known format.", formats)
    return [path]


def guess_layout(lines: Iterable[str]) -> Layout:
    """Guesses whether a text file's documents are its lines or its blank-line separated blocks.

    Blocks of several lines mean blank-line separation, as long as they are short: a stray
    blank line in a one-per-line file makes few blocks, and long ones. The fewer the blocks,
    the shorter they must be, up to a mean of ten lines.
    """
    blocks = count = 0
    inside = False
    for line in lines:
        filled = bool(line.strip())
        blocks += filled and not inside
        count += filled
        inside = filled
    separated = 1 < blocks < count <= blocks * min(2 * blocks, 10)
    return Layout.BLOCKS if separated else Layout.LINES


def _open(path: Path) -> BinaryIO:
    zipped = path.suffix.lower() == ".gz"
    return cast(BinaryIO, gzip.GzipFile(path)) if zipped else path.open("rb")


def _is_ours_or_hidden(path: Path, folder: Path) -> bool:
    """Whether a file lies in a bundle or a prepared folder of ours, or is hidden."""
    way = path.relative_to(folder)
    above = [folder / parent for parent in way.parents][:-1]
    ours = any((parent / name).exists() for parent in above for name in OWN_FILES)
    return ours or any(part.startswith(".") for part in way.parts)


def _ending(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _read_txt(lines: Lines, notice: Notice | None) -> Iterator[Document]:
    layout = guess_layout(lines)
    if notice:
        notice(f"{lines.name}: read as {layout}.")
    block: list[str] = []
    for number, line in enumerate(chain(lines, [""]), 1):
        if block and (layout is Layout.LINES or not line.strip()):
            yield Document("".join(block).strip(), lines.name, number - len(block))
            block = []
        if line.strip():
            block.append(line)


def _read_jsonl(lines: Lines, notice: Notice | None) -> Iterator[Document]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{lines.name}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            remedy = 'Write one object a line: {"text": "..."}'
            raise CorpusError(f"{place}: not JSON ({error}).", remedy) from error
        text = record.get("text") if isinstance(record, dict) else None
        if not isinstance(text, str):
            cause = f'{place}: the record has no string under the key "text".'
            raise CorpusError(cause, 'Write one object a line: {"text": "..."}')
        yield Document(text, lines.name, number, record.get("obscene") is True)


def _read_csv(lines: Lines, notice: Notice | None) -> Iterator[Document]:
    rows = _csv_rows(lines)
    _, header = next(rows, (0, []))
    first_rows = list(islice(rows, 100))
    if not first_rows:
        return
    column = _text_column(header, [cells for _, cells in first_rows], lines.name)
    if notice:
        notice(f"{lines.name}: read the column {header[column]!r}.")
    for number, cells in chain(first_rows, rows):
        if len(cells) != len(header):
            cause = f"{lines.name}, line {number}: {len(cells)} cells under {len(header)} names."
            raise CorpusError(cause, "Put texts with separators in them into double quotes.")
        yield Document(cells[column], lines.name, number)


def _csv_rows(lines: Lines) -> Iterator[tuple[int, list[str]]]:
    """Yields each row that is not blank, with the line where it starts."""
    header = next(iter(lines), "")
    rows = csv.reader(lines, delimiter=max(",;\t", key=header.count), strict=True)
    start = 1
    try:
        for cells in rows:
            if cells:
                yield start, cells
            start = rows.line_num + 1
    except csv.Error as error:
        cause = f"{lines.name}, line {start}: not CSV ({error})."
        raise CorpusError(cause, "Check the quotes of this row.") from error


def _text_column(header: list[str], rows: list[list[str]], name: str) -> int:
    """Finds the column named ``text``, else the one with the most letters."""
    names = [cell.strip().lower() for cell in header]
    if "text" in names:
        return names.index("text")
    letters = [0] * len(header)
    for cells in rows:
        for column, cell in enumerate(cells[: len(header)]):
            letters[column] += sum(map(str.isalpha, cell))
    if not any(letters):
        raise CorpusError(f"{name} has no column with letters.", "Name the text's column: text")
    return letters.index(max(letters))


_READERS: dict[str, Callable[[Lines, Notice | None], Iterator[Document]]] = {
    ".txt": _read_txt,
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
}
