"""Documents laid out for the compiled loops."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from anekdot.tokenizer.compiled.keys import PADDING, Words, build_masks
from anekdot.tokenizer.compiled.scanner import build_classes, build_kinds

Longs = npt.NDArray[np.int64]

CHUNK_BYTES = 1 << 18  # documents that go through the loops together

CLASSES = build_classes()
KINDS = build_kinds(CLASSES, well_formed=True)
MASKS = build_masks()


def lay_out(documents: Sequence[bytes]) -> tuple[Words, Longs]:
    """Returns documents in one array, a zero byte behind each, and where each begins."""
    bounds = np.zeros(len(documents) + 1, np.int64)
    np.cumsum([len(document) + 1 for document in documents], out=bounds[1:])
    joined = b"\0".join(documents)
    words = np.zeros((len(joined) + PADDING) // 8 + 1, np.uint64)
    words.view(np.uint8)[: len(joined)] = np.frombuffer(joined, np.uint8)
    return words, bounds


def chunks(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yields neighbouring documents of about CHUNK_BYTES together."""
    chunk: list[bytes] = []
    size = 0
    for document in documents:
        chunk.append(document)
        size += len(document)
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
