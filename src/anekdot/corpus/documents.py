"""What is passed around while files are read: documents, layouts, and pieces of files."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
        stripped: What stood around the text and is no part of it: its kinds, each with an example.
    """

    text: str
    source: str
    line: int
    obscene: bool = False
    fault: str | None = None
    stripped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How documents stand in a file.

    Attributes:
        format: "txt", "chat", "jsonl", "json", "csv" or "parquet".
        encoding: "utf-8", "utf-16-le" and the like for the whole file; of a single-byte
            encoding, what lines that are not UTF-8 are likely in.
        separator: Of txt, "line", "blank line", "2 blank lines", "file" (which is one text), or
            what stands between texts; of csv, the delimiter; of chat, the messenger; of json and
            jsonl, the path to the records, as JSON.
        inline: Whether the separator of a txt may stand inside a line.
        pattern: Of txt, a regular expression: where a line begins with it, a text begins, and
            what it matches is no part of the text. The separator is then an example.
        rising: Whether only numbers that rise count, of those that the pattern finds.
        instead: Of txt, another separator that is nearly as likely, if any.
        hanging: Whether the lines of a text but for its first are indented, as in lists.
        front: Whether front matter stands above the texts of a txt, and is left out.
        unwrap: Whether the lines of a paragraph are joined.
        listed: Whether each line of a txt is a string of a program's list, in quotes.
        fields: Of txt, a regular expression of the names of the fields of a record.
        header: Whether the first row of a csv names the columns.
        column: The column or key that holds the text; without a header, its number from 1.
            Several that make one text have commas between.
        others: Columns of records that have no text in that one.
        nested: The path from a record to records of its kind in it, such as answers to a comment.
        chat: The messenger whose messages the records are, if any.
        unread: What else holds texts, and is not read.
        escaped: Of csv, whether a backslash stands before quotes inside cells.
        quote: Of csv, what stands around cells that hold delimiters.
        width: Of csv, the cells of a row whose text may hold delimiters without quotes, or 0.
        skip: Of csv, the lines above the table.
        prefix: A regular expression of what stands before each text, and is no part of it.
        breaks: Whether line breaks are written out, as a backslash and an n.
        strip: What the user wants out of each text: a line, or a regular expression between /.
    """

    format: str
    encoding: str = "utf-8"
    separator: str = "line"
    inline: bool = False
    pattern: str | None = None
    rising: bool = False
    instead: str = ""
    hanging: bool = False
    front: bool = False
    unwrap: bool = False
    listed: bool = False
    fields: str | None = None
    header: bool = True
    column: str | None = None
    others: list[str] = field(default_factory=list)
    nested: str = ""
    chat: str = ""
    unread: list[str] = field(default_factory=list)
    escaped: bool = False
    quote: str = '"'
    width: int = 0
    skip: int = 0
    prefix: str | None = None
    breaks: bool = False
    strip: str | None = None


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
