"""What reading a file came to, checked for all that holds in any case."""

import bz2
import gzip
import io
import lzma
import sys
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from warnings import catch_warnings, simplefilter

from anekdot.corpus.documents import MAX_FAULT_CHARACTERS, Document
from anekdot.corpus.reading import read
from anekdot.errors import CorpusError

zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}


def outcome(path: Path) -> list[Document] | CorpusError:
    """Reads a file; any exception but a CorpusError fails the test."""
    try:
        documents = list(read(path))
    except CorpusError as error:
        check_error(error)
        return error
    for document in documents:
        assert isinstance(document.text, str)
        assert document.line > 0
        assert document.fault is None or len(document.text) <= MAX_FAULT_CHARACTERS
    return documents


def check_error(error: CorpusError) -> None:
    assert error.cause.endswith(".")
    assert error.remedy
    assert "\n" not in str(error)


def good(documents: list[Document] | CorpusError) -> list[str]:
    """Returns the texts that were read."""
    assert isinstance(documents, list), documents
    return [document.text for document in documents if document.fault is None]


def faults(documents: list[Document] | CorpusError) -> list[tuple[int, str]]:
    """Returns the line and the reason of each fault."""
    assert isinstance(documents, list), documents
    return [(document.line, document.fault) for document in documents if document.fault]


def zipped(members: dict[str, bytes] | list[tuple[str, bytes]]) -> bytes:
    """Returns an archive; of a list, several members may have one name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, catch_warnings():
        simplefilter("ignore")  # zipfile's, of a name that is there already
        for name, data in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, data)
    return buffer.getvalue()
