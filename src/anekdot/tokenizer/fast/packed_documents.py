"""Documents packed into one array for the fast loops."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple

import numpy as np

from anekdot.errors import TokenizerError
from anekdot.numba_jit import Bytes, Longs, Words64
from anekdot.tokenizer.fast.keys import PADDING, build_masks
from anekdot.tokenizer.fast.scanner import build_classes, build_steps
from anekdot.tokenizer.pretokens import PatternName, to_bytes

CHUNK_SIZE = 1 << 18  # characters of documents that go through the loops together

STEPS = build_steps()
MASKS = build_masks()
_PADDING_TEXT = "\0" * PADDING


@cache
def classes_of(pattern: PatternName) -> Bytes:
    """Returns the class of every code point, see ``scanner.build_classes``, built once."""
    return build_classes(pattern)


class PackedDocuments(NamedTuple):
    """Documents in one array.

    Attributes:
        words: Units of UTF-16, four a word; a zero after each document, then PADDING zeros.
        n_units: Number of units, without the padding.
        n_documents: Number of documents.
    """

    words: Words64
    n_units: int
    n_documents: int


def pack_documents(texts: Sequence[str | bytes], first: int = 0) -> PackedDocuments:
    """Packs documents into one array.

    Args:
        texts: Strings, or bytes, which may be malformed UTF-8.
        first: The number of the first document, for error messages.

    Raises:
        TokenizerError: A string holds a lone surrogate, or one is longer than two billion units.
    """
    data = b""
    if {*map(type, texts)} == {str}:
        with suppress(UnicodeEncodeError):
            data = "\0".join([*texts, _PADDING_TEXT]).encode("utf-16-le")  # type: ignore[list-item]
    units = np.frombuffer(data, np.uint16)
    if len(units) - np.count_nonzero(units) != len(texts) + PADDING:
        # bytes, zeros inside, or what cannot be encoded
        decoded = (text.decode("utf-8", "surrogateescape") for text in to_bytes(texts, first))
        escaped = [text.replace("\0", "\udc00") for text in decoded]
        data = "\0".join([*escaped, _PADDING_TEXT]).encode("utf-16-le", "surrogatepass")
        units = np.frombuffer(data, np.uint16)
    if len(units) > np.iinfo(np.int32).max:
        raise TokenizerError(
            f"Document {first + 1} or a later one is too long: {len(units):,} UTF-16 units.",
            "Cut it into pieces of less than a gigabyte.",
        )
    words = units[: len(units) // 4 * 4].view(np.uint64)
    return PackedDocuments(words, len(units) - PADDING, len(texts))


def hash_documents(texts: Sequence[str | bytes]) -> Longs:
    """Returns Python's own hashes of documents, which differ from process to process."""
    return np.fromiter(map(hash, texts), np.int64, len(texts))


Chunk = tuple[Sequence[str | bytes], int]


def chunks(documents: Iterable[str | bytes]) -> Iterator[Chunk]:
    """Yields consecutive documents, about CHUNK_SIZE together, and the number of the first."""
    chunk: list[str | bytes] = []
    first = size = 0
    for document in documents:
        chunk.append(document)
        size += len(document) + 1
        if size >= CHUNK_SIZE:
            yield chunk, first
            first += len(chunk)
            chunk, size = [], 0
    if chunk:
        yield chunk, first
