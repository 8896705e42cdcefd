"""What is passed around while files are read: documents, layouts, and pieces of files."""

from collections.abc import Sequence
from dataclasses import dataclass

from anekdot.errors import CorpusError

MAX_FAULT_CHARACTERS = 200
"""How much is kept of a record that could not be read."""


@dataclass(frozen=True, slots=True)
class Document:
    """One text as it stood in its file, or the excerpt of a record that could not be read.

    Attributes:
        text: The text, decoded and not yet cleaned; of a fault, at most 200 characters.
        source: The file as the user knows it: "a.txt", "a.zip/b.txt", "standard input".
        line: The line of the file where the text starts, counted from 1; in JSON arrays and
            Parquet, the number of the record.
        obscene: Whether the record itself says that it is obscene.
        fault: Why the record could not be read, such as "not JSON".
    """

    text: str
    source: str
    line: int
    obscene: bool = False
    fault: str | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How documents stand in a file.

    Attributes:
        format: "txt", "jsonl", "json", "csv" or "parquet".
        encoding: "utf-8", "utf-16-le" and the like for the whole file; of a single-byte
            encoding, what lines that are not UTF-8 are likely in.
        separator: Of txt, "line", "blank line", "file" (which is one text), or what stands
            between texts; of csv, the delimiter; of json, "[]" (an array), "{}" (an object a
            text), or the key of an array.
        inline: Whether the separator of a txt may stand inside a line.
        header: Whether the first row of a csv names the columns.
        column: The column or key that holds the text; without a header, its number from 1.
    """

    format: str
    encoding: str = "utf-8"
    separator: str = "line"
    inline: bool = False
    header: bool = True
    column: str | None = None


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A file, a member of an archive, or a range of a file's bytes, which is read by itself.

    Attributes:
        path: The file.
        member: The name inside a zip archive.
        name: What its documents give as their source.
        layout: How documents stand in it.
        compression: The ending that stands for its compression, such as ".gz", if any.
        extraction: The kind of file that its text is extracted from, such as "docx", if it is
            no text itself.
        table: The table of a dump that is read.
        start: The first byte.
        stop: The byte after the last, or None for the end.
        line: The line of the file at which it starts, from 1.
    """

    path: str
    member: str | None = None
    name: str
    layout: Layout = Layout(format="txt")
    compression: str | None = None
    extraction: str | None = None
    table: str | None = None
    start: int = 0
    stop: int | None = None
    line: int = 1


def column_error(cause: str, names: Sequence[str]) -> CorpusError:
    """Returns the error of a file whose texts are in no known column, with its columns."""
    shown = ", ".join(f"«{name[:40]}»" for name in names[:20])
    return CorpusError(cause, f"Name the column of the texts, one of: {shown}.")


def broken(text: str, source: str, line: int, fault: str) -> Document:
    """Returns the document of a record that could not be read."""
    return Document(text[:MAX_FAULT_CHARACTERS].strip(), source, line, fault=fault)
