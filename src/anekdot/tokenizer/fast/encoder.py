"""Batches of documents to flat ids, on all cores."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from anekdot.callbacks import Progress
from anekdot.numba_jit import Ids, Longs, Words64
from anekdot.tokenizer.fast.counting import ChunkPretokens
from anekdot.tokenizer.fast.encoding import (
    COPIED_AT_ONCE,
    allocate_buffers,
    encode_documents,
    encode_known_pretokens,
    gather,
)
from anekdot.tokenizer.fast.keys import SLOT_WORDS, empty_table
from anekdot.tokenizer.fast.packed_documents import (
    MASKS,
    STEPS,
    Chunk,
    chunks,
    classes_of,
    hash_documents,
    pack_documents,
)
from anekdot.tokenizer.fast.segmenting import Vocabulary
from anekdot.tokenizer.fast.trainer import Segmentation
from anekdot.tokenizer.pretokens import PatternName

CACHE_SLOTS = 1 << 18  # of 64 bytes: 16 MB a thread


class FastEncoder:
    """Encodes in machine code; each thread has a cache, which is kept between calls.

    Args:
        vocabulary: The tokenizer's.
        dtype: Type of the ids that are returned.
        pattern: What splits documents into pretokens.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        dtype: type[np.unsignedinteger],
        pattern: PatternName = "qwen2",
    ) -> None:
        self._vocabulary = vocabulary
        self._dtype = dtype
        self._tables = (classes_of(pattern), STEPS, MASKS)
        self._idle_caches: list[Words64] = []
        self._known_chunks: Sequence[ChunkPretokens] = ()

    def remember(self, segmentation: Segmentation) -> None:
        """Takes what training knows about its documents; they are then encoded by copying."""
        counts, segmented = segmentation
        starts = np.empty(len(counts.lengths) + 1, np.int64)
        known = np.empty(len(counts.data) + COPIED_AT_ONCE, self._dtype)
        gather(counts.lengths, segmented, self._vocabulary.lengths, known, starts)
        self._known_ids = (known[: starts[-1] + COPIED_AT_ONCE].copy(), starts)
        self._known_chunks = counts.chunks

    def encode(
        self, documents: Sequence[str | bytes], threads: int, progress: Progress | None
    ) -> tuple[Ids, Longs]:
        """Returns the ids of all documents, and where each document's begin."""
        parts = []
        done = 0
        with ThreadPoolExecutor(threads) as pool:
            each = map if threads == 1 else pool.map
            for part in each(self._encode_chunk, self._chunks(documents)):
                parts.append(part)
                done += len(part[1]) - 1
                if progress is not None:
                    progress(done, len(documents), "documents encoded")
        return join(parts, self._dtype)

    def _chunks(
        self, documents: Sequence[str | bytes]
    ) -> Iterator[tuple[Chunk, ChunkPretokens | None]]:
        """Yields chunks of documents, with their pretokens for as long as training saw the same."""
        known_chunks, self._known_chunks = self._known_chunks, ()
        first = 0
        for known in known_chunks:
            texts = documents[first : first + len(known.hashes)]
            if not np.array_equal(known.hashes, hash_documents(texts)):
                break
            yield (texts, first), known
            first += len(texts)
        for texts, number in chunks(documents[first:]):
            yield (texts, first + number), None

    def _encode_chunk(self, item: tuple[Chunk, ChunkPretokens | None]) -> tuple[Ids, Longs]:
        chunk, known = item
        texts, _ = chunk
        offsets = np.empty(len(texts) + 1, np.int64)
        if known is not None:
            ids = np.empty(3 * sum(map(len, texts)) + COPIED_AT_ONCE, self._dtype)
            n_ids = encode_known_pretokens(known.pretokens, *self._known_ids, ids, offsets)
            return ids[:n_ids], offsets
        packed = pack_documents(*chunk)
        ids = np.empty(3 * packed.n_units + SLOT_WORDS * 4, self._dtype)
        try:
            cache = self._idle_caches.pop()
        except IndexError:
            cache = empty_table(CACHE_SLOTS)
        n_ids = encode_documents(
            packed,
            self._tables,
            self._vocabulary,
            (cache, cache.view(self._dtype)),
            allocate_buffers(packed.n_units),
            ids,
            offsets,
        )
        self._idle_caches.append(cache)
        return ids[:n_ids], offsets


def join(parts: Sequence[tuple[Ids, Longs]], dtype: type[np.unsignedinteger]) -> tuple[Ids, Longs]:
    """Returns the ids of all parts in one array, and their offsets shifted accordingly."""
    ids = np.concatenate([ids for ids, _ in parts] or [np.empty(0, dtype)])
    offsets = [np.zeros(1, np.int64)]
    for _, local in parts:
        offsets.append(local[1:] + offsets[-1][-1])
    return ids, np.concatenate(offsets)
