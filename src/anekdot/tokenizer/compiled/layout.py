"""Documents laid out for the compiled loops."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anekdot.tokenizer.compiled.keys import PADDING, Words, build_masks
from anekdot.tokenizer.compiled.scanner import build_classes
from anekdot.tokenizer.pretokens import to_bytes

Longs = npt.NDArray[np.int64]

CHUNK_SIZE = 1 << 18  # characters of documents that go through the loops together

CLASSES = build_classes()
MASKS = build_masks()
_PADDING_TEXT = "\0" * PADDING


class Layout(NamedTuple):
    """Documents in one array.

    Attributes:
        words: Units of UTF-16, four a word; a zero behind each document, then PADDING zeros.
        bounds: Where each document begins, and where one after the last would, in units.
    """

    words: Words
    bounds: Longs


def lay_out(texts: Sequence[str | bytes], first: int = 0) -> Layout:
    """Lays documents out.

    Args:
        texts: Strings, or bytes that may be malformed.
        first: The number of the first one, for an error.

    Raises:
        TokenizerError: A string holds a lone surrogate.
    """
    joined = b""
    if {*map(type, texts)} == {str}:
        with suppress(UnicodeEncodeError):
            joined = "\0".join([*texts, _PADDING_TEXT]).encode("utf-16-le")  # type: ignore[list-item]
    units = np.frombuffer(joined, np.uint16)
    ends = np.flatnonzero(units == 0)
    if len(ends) != len(texts) + PADDING:  # bytes, zeros inside, or what cannot be encoded
        decoded = (data.decode("utf-8", "surrogateescape") for data in to_bytes(texts, first))
        escaped = [text.replace("\0", "\udc00") for text in decoded]
        joined = "\0".join([*escaped, _PADDING_TEXT]).encode("utf-16-le", "surrogatepass")
        units = np.frombuffer(joined, np.uint16)
        ends = np.flatnonzero(units == 0)
    words = units[: len(units) // 4 * 4].view(np.uint64)
    return Layout(words, np.append(0, ends[: len(texts)] + 1))


Chunk = tuple[list[str | bytes], int]


def chunks(documents: Iterable[str | bytes]) -> Iterator[Chunk]:
    """Yields neighbouring documents of about CHUNK_SIZE together, and the first one's number."""
    chunk: list[str | bytes] = []
    first = size = 0
    for document in documents:
        chunk.append(document)
        size += len(document)
        if size >= CHUNK_SIZE:
            yield chunk, first
            first += len(chunk)
            chunk, size = [], 0
    if chunk:
        yield chunk, first
