"""Documents laid out for the compiled loops."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anekdot.tokenizer.compiled.keys import PADDING, Words, build_masks
from anekdot.tokenizer.compiled.scanner import Bytes, build_classes, build_kinds
from anekdot.tokenizer.pretokens import to_bytes

Longs = npt.NDArray[np.int64]

CHUNK_SIZE = 1 << 17  # characters of documents that go through the loops together

CLASSES = build_classes()
WELL_FORMED = build_kinds(CLASSES, well_formed=True)
ANY = build_kinds(CLASSES, well_formed=False)
MASKS = build_masks()
_PADDING_TEXT = "\0" * PADDING


class Layout(NamedTuple):
    """Documents in one array.

    Attributes:
        words: The documents, each with a zero byte behind it, then PADDING bytes.
        bounds: Where each document begins, and where one after the last would.
        first_kinds: What a byte's value tells about it, see ``scanner.build_kinds``.
    """

    words: Words
    bounds: Longs
    first_kinds: Bytes


def lay_out(texts: Sequence[str | bytes], first: int = 0) -> Layout:
    """Lays documents out.

    Args:
        texts: Strings, or bytes that may be malformed.
        first: The number of the first one, for an error.

    Raises:
        TokenizerError: A string holds a lone surrogate.
    """
    if {*map(type, texts)} == {str}:
        try:  # all at once: a third of the time
            joined = "\0".join([*texts, _PADDING_TEXT]).encode()  # type: ignore[list-item]
        except UnicodeEncodeError:
            joined = b"\0".join(to_bytes(texts, first))  # which names the document
        kinds = WELL_FORMED
    else:
        joined = b"\0".join([*to_bytes(texts, first), _PADDING_TEXT.encode()])
        kinds = WELL_FORMED if _is_well_formed(joined) else ANY
    ends = np.flatnonzero(np.frombuffer(joined, np.uint8) == 0)
    if len(ends) != len(texts) + PADDING:  # a document holds a zero byte
        ends = np.cumsum([len(document) + 1 for document in to_bytes(texts)]) - 1
    words = np.frombuffer(joined, np.uint64, len(joined) // 8)
    return Layout(words, np.append(0, ends[: len(texts)] + 1), kinds)


def _is_well_formed(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


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
