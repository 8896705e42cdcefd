"""From sources to documents: which files there are, their pieces, and the documents of a piece.

A file is examined once, from its first bytes; after that, each piece of it can be read by
itself, in any process. Every reader holds one record at a time.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from anekdot.callbacks import Notice
from anekdot.corpus.cleaning import clean, reason_to_drop
from anekdot.corpus.documents import Document, Layout, Piece
from anekdot.corpus.reading.addresses import address, is_remote
from anekdot.corpus.reading.chunks import cut
from anekdot.corpus.reading.detect import examine
from anekdot.corpus.reading.extraction import extracted
from anekdot.corpus.reading.files import blocks, label, unpacked_file
from anekdot.corpus.reading.front_matter import without_front_matter
from anekdot.corpus.reading.given import NAME as GIVEN
from anekdot.corpus.reading.given import Texts
from anekdot.corpus.reading.lines import without_byte_order_mark
from anekdot.corpus.reading.names import Skipped, describe_unread
from anekdot.corpus.reading.parquet import read_parquet
from anekdot.corpus.reading.readers import documents
from anekdot.corpus.reading.remote import MAX_DOWNLOAD, fetch
from anekdot.corpus.reading.small_files import one_text_a_file
from anekdot.corpus.reading.sources import STANDARD_INPUT, Source, find_files, keep_standard_input
from anekdot.corpus.reading.wrappers import (
    SAMPLED_TEXTS,
    has_wrappers,
    remarks,
    unwrapped_document,
    wrappers,
)
from anekdot.errors import CorpusError

__all__ = [
    "Document",
    "Layout",
    "Piece",
    "Source",
    "clean_texts",
    "examine",
    "find_files",
    "pieces",
    "read",
    "read_piece",
]

PIECE_BYTES = 32 << 20
"""Into how large pieces a large file is cut."""


def read(source: Source, notice: Notice | None = None) -> Iterator[Document]:
    """Reads the documents of a file, of a folder's or pattern's files in order, or of a pipe.

    Args:
        source: A file, a folder, a pattern, an address, or "-" for standard input.
        notice: Called with what was guessed about each file.

    Raises:
        CorpusError: At once if there is nothing to read; if a file is damaged, when its turn
            comes.
    """
    return _read(_found(source, notice), notice)


def clean_texts(
    *sources: Source,
    separator: str | None = None,
    column: str | None = None,
    encoding: str | None = None,
    notice: Notice | None = None,
    max_download: int = MAX_DOWNLOAD,
) -> Iterator[str]:
    """Yields the texts of some sources, cleaned and without those of no use for training.

    For what needs neither splits nor shards: an evaluation, or a tokenizer alone.

    Args:
        sources: Files, folders, patterns, addresses, or "-" for standard input.
        separator: What separates texts, or cells, if the user named it.
        column: The column or key of the texts, if the user named it.
        encoding: The encoding, if the user named it.
        notice: Called with what was guessed about each file.
        max_download: Bytes of the largest file that is downloaded.

    Raises:
        CorpusError: A source cannot be read.
    """
    for source in sources:
        calls = {"separator": separator, "column": column, "encoding": encoding}
        found = _found(source, notice)
        for document in _read(found, notice, **calls, max_download=max_download):
            text = clean(document.text)
            if document.fault is None and reason_to_drop(text) is None:
                yield text


def pieces(
    sources: Iterable[Source],
    *,
    separator: str | None = None,
    column: str | None = None,
    encoding: str | None = None,
    strip: str | None = None,
    without: Sequence[str] = (),
    size: int = PIECE_BYTES,
    notice: Notice | None = None,
    skipped: Skipped | None = None,
    work: Path | None = None,
    max_download: int = MAX_DOWNLOAD,
) -> list[Piece]:
    """Examines all files of some sources and cuts the large ones into pieces.

    The same files give the same pieces; read in order, they give all documents in order.

    Args:
        sources: Files, folders, patterns, addresses, or "-" for standard input.
        separator: What separates texts, or cells, if the user named it.
        column: The column or key of the texts, if the user named it.
        encoding: The encoding, if the user named it.
        strip: A line that is left out of each text, or its beginning and a *.
        without: The names of the cleaning rules that are switched off.
        size: Bytes of a piece, at least.
        notice: Called with what was guessed, a sentence for all files with the same layout.
        skipped: Called with each file that is not read, and why.
        work: A folder for copies of standard input and of remote files, needed for these only;
            it must stay until the last piece is read.
        max_download: Bytes of the largest file that is downloaded.

    Raises:
        CorpusError: No source is named, or one does not exist, is damaged or holds no texts.
    """
    unread: dict[str, str] = {}
    paths = [path for source in sources for path in find_files(source, unread.__setitem__)]
    if not paths:
        raise CorpusError("No texts were named.", "Name a file, a folder, or - .")
    if [*map(str, paths)].count("-") > 1:
        raise CorpusError("Standard input is named twice.", "It can be read once: name it once.")
    wholes: list[tuple[Piece, str, str]] = []
    for path in paths:
        file, name = _local_file(path, work, max_download)
        whole, guessed = examine(
            file,
            separator=separator,
            column=column,
            encoding=encoding,
            name=name,
            skipped=unread.__setitem__,
        )
        wholes += [(piece, *guess) for piece, guess in zip(whole, guessed, strict=True)]
    if separator is None:
        wholes = one_text_a_file(wholes)
    guesses: dict[str, list[str]] = {}
    found: list[Piece] = []
    for bare, named, guess in wholes:
        if named != GIVEN:  # of which nothing was guessed
            guesses.setdefault(guess, []).append(named)
        piece, said = _with_wrappers(bare, strip, without)
        for remark in said:
            guesses.setdefault(remark, []).append(piece.name)
        found += cut(piece, size)
    if notice:
        for guess, names in guesses.items():
            notice(f"{_together(names)}: {guess}")
        if unread:
            notice(describe_unread(unread))
    if skipped:
        for name, reason in unread.items():
            skipped(name, reason)
    return found


def read_piece(piece: Piece) -> Iterator[Document]:
    """Reads the documents of a piece; the same piece always gives the same documents.

    Raises:
        CorpusError: The file has become unreadable, or is damaged further on.
    """
    path, layout = Path(piece.path), piece.layout
    if layout.format == "parquet":
        with unpacked_file(path, piece.member, piece.compression) as file:
            yield from read_parquet(file, layout, piece.name)
        return
    if piece.extraction:
        drawn = documents(extracted(piece), layout, piece.name, piece.line)
        found: Iterator[Document] = (replace(d, text=d.text.replace("\v", "\n")) for d in drawn)
    else:
        data = blocks(path, piece.member, piece.compression, piece.start, piece.stop)
        if piece.start == 0:
            data = without_byte_order_mark(data, layout.encoding)
            data = without_front_matter(data) if layout.front else data
        found = documents(data, layout, piece.name, piece.line)
    yield from (unwrapped_document(d, layout) for d in found) if has_wrappers(layout) else found


def _with_wrappers(
    piece: Piece, strip: str | None, without: Sequence[str]
) -> tuple[Piece, list[str]]:
    """Returns a file with what stands around its texts, and what is to be said about that."""
    piece = replace(piece, layout=replace(piece.layout, strip=strip))
    first = [d.text for d in islice(read_piece(piece), SAMPLED_TEXTS) if d.fault is None]
    layout = wrappers(piece.layout, first, without)
    return replace(piece, layout=layout), remarks(layout, first)


def _found(source: Source, notice: Notice | None) -> list[Source]:
    """Lists the files of a source, after it was said which are not read."""
    unread: dict[str, str] = {}
    found = find_files(source, unread.__setitem__)
    if unread and notice:
        notice(describe_unread(unread))
    return found


def _read(paths: Iterable[Source], notice: Notice | None, **named: Any) -> Iterator[Document]:
    with tempfile.TemporaryDirectory(prefix="anekdot-") as folder:
        work = Path(folder)
        for path in paths:
            for piece in pieces([path], notice=notice, work=work, **named):
                yield from read_piece(piece)


def _local_file(source: Source, work: Path | None, max_download: int) -> tuple[Path, str]:
    """Returns a file, after it was copied into a folder if need be, and its name in messages."""
    if isinstance(source, Texts):
        assert work is not None, "texts that are given need a folder"
        return source.keep(work), str(source)
    if str(source) == "-":
        assert work is not None, "standard input needs a folder"
        return keep_standard_input(work), STANDARD_INPUT
    if is_remote(source):
        assert work is not None, "a download needs a folder"
        return fetch(str(source), work, max_download), address(str(source))
    return Path(source), label(Path(source))


def _together(names: list[str]) -> str:
    """Returns the names of some files, or the first one and how many more there are."""
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1:,} more"
