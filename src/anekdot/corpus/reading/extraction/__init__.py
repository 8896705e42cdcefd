"""The text of files that hold more than text: pages, documents of an office, books, tables, dumps.

Each kind has one reader, which yields fragments of plain text: paragraphs as lines, a line break
inside a paragraph as a vertical tab (as word processors write it), or rows as JSON lines. From
there on they are read as any text file or any JSON lines. Nothing is run, fetched or computed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from xml.parsers.expat import ExpatError

from anekdot.corpus.documents import Piece
from anekdot.corpus.reading.extraction import epub, html, paragraphs, pdf, sql, subtitles, xlsx
from anekdot.corpus.reading.files import label, unpacked_file
from anekdot.errors import CorpusError

_BLOCK_CHARACTERS = 1 << 16


@dataclass(frozen=True)
class Extractor:
    """How the text of one kind of file is read.

    Attributes:
        fragments: Yields the text of a file, given its path and the table that is wanted, if any.
        format: What the fragments are together: "txt" or "jsonl".
    """

    fragments: Callable[[Path, str | None], Iterator[str]]
    format: str = "txt"


EXTRACTORS = {
    "html": Extractor(html.fragments),
    "epub": Extractor(epub.fragments),
    "docx": Extractor(paragraphs.docx),
    "odt": Extractor(paragraphs.odt),
    "fb2": Extractor(paragraphs.fb2),
    "pdf": Extractor(pdf.fragments),
    "srt": Extractor(subtitles.fragments),
    "xlsx": Extractor(xlsx.fragments, "jsonl"),
    "sql": Extractor(sql.fragments, "jsonl"),
}
"""The readers, by kind of file."""


def extracted(piece: Piece) -> Iterator[bytes]:
    """Yields the text of a file as UTF-8, in blocks, without blank ones at the start.

    Raises:
        CorpusError: It is damaged, or is not what its name says.
    """
    assert piece.extraction is not None
    with _opened(piece) as file:
        texts = EXTRACTORS[piece.extraction].fragments(file, piece.table)
        yield from dropwhile(bytes.isspace, _blocks(texts))


def text_head(blocks: Iterator[bytes], size: int) -> bytes:
    """Returns the first bytes of a text, at most ``size``, to whole lines."""
    found = bytearray()
    for block in blocks:
        found += block
        if len(found) >= size:
            return bytes(found[: found.rfind(b"\n", 0, size) + 1] or found[:size])
    return bytes(found)


def main_table(piece: Piece) -> tuple[str | None, list[str]]:
    """Returns the table of a dump with the most text, and the names of the others."""
    with _opened(piece) as file:
        letters = sql.letters(file)
    ranked = sorted(letters, key=lambda table: -letters[table])
    return (ranked[0], ranked[1:]) if ranked else (None, [])


@contextmanager
def _opened(piece: Piece) -> Iterator[Path]:
    """Yields a file that can be read in any order; what goes wrong with it is a CorpusError."""
    with unpacked_file(Path(piece.path), piece.member, piece.compression) as file:
        try:
            yield file
        except CorpusError as error:
            cause = error.cause.replace(label(file), piece.name)
            raise CorpusError(cause, error.remedy) from error
        except (ExpatError, ValueError, KeyError, RecursionError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            cause = f"{piece.name} cannot be read: {reason}."
            raise CorpusError(
                cause, "Open it in its program, and save its text as .txt."
            ) from error


def _blocks(fragments: Iterator[str]) -> Iterator[bytes]:
    held: list[str] = []
    size = 0
    for fragment in fragments:
        held.append(fragment)
        size += len(fragment)
        if size >= _BLOCK_CHARACTERS:
            yield "".join(held).encode("utf-8", "replace")
            held, size = [], 0
    if held:
        yield "".join(held).encode("utf-8", "replace")
