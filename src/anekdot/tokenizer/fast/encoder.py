"""Batches of documents to flat ids, on all cores."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from anekdot.callbacks import Progress
from anekdot.numba_jit import Ids, Longs, Words64
from anekdot.tokenizer.fast.counter import Record
from anekdot.tokenizer.fast.encoding import FEW, encode_documents, gather, recall, room_for
from anekdot.tokenizer.fast.keys import SLOT_WORDS, empty_table
from anekdot.tokenizer.fast.layout import (
    CLASSES,
    MASKS,
    STEPS,
    Chunk,
    chunks,
    hash_documents,
    lay_out,
)
from anekdot.tokenizer.fast.learning import Segmentation
from anekdot.tokenizer.fast.segmenting import Vocabulary

CACHE_SLOTS = 1 << 18  # of 64 bytes: 16 MB a thread


class CompiledEncoder:
    """Encodes with machine code; each thread has a cache, which is kept between calls.

    Args:
        vocabulary: Of the tokenizer.
        dtype: Of the ids that are returned.
    """

    def __init__(self, vocabulary: Vocabulary, dtype: type[np.unsignedinteger]) -> None:
        self._vocabulary = vocabulary
        self._dtype = dtype
        self._idle: list[Words64] = []
        self._records: Sequence[Record] = ()

    def remember(self, segmentation: Segmentation) -> None:
        """Takes what a training knows about its documents, which are then encoded by copying."""
        counts, segmented = segmentation
        starts = np.empty(len(counts.lengths) + 1, np.int64)
        known = np.empty(len(counts.data) + FEW, self._dtype)
        gather(counts.lengths, segmented, self._vocabulary.lengths, known, starts)
        self._known = (known[: starts[-1] + FEW].copy(), starts)
        self._records = counts.records

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

    def _chunks(self, documents: Sequence[str | bytes]) -> Iterator[tuple[Chunk, Record | None]]:
        """Yields chunks of documents, with records as long as they are those of a training."""
        records, self._records = self._records, ()
        first = 0
        for record in records:
            texts = documents[first : first + len(record.hashes)]
            if not np.array_equal(record.hashes, hash_documents(texts)):
                break
            yield (texts, first), record
            first += len(texts)
        for texts, number in chunks(documents[first:]):
            yield (texts, first + number), None

    def _encode_chunk(self, piece: tuple[Chunk, Record | None]) -> tuple[Ids, Longs]:
        chunk, record = piece
        texts, _ = chunk
        offsets = np.empty(len(texts) + 1, np.int64)
        if record is not None:
            ids = np.empty(3 * sum(map(len, texts)) + FEW, self._dtype)
            n_ids = recall(record.pretokens, *self._known, ids, offsets)
            return ids[:n_ids], offsets
        layout = lay_out(*chunk)
        ids = np.empty(3 * layout.n_units + SLOT_WORDS * 4, self._dtype)
        try:
            table = self._idle.pop()
        except IndexError:
            table = empty_table(CACHE_SLOTS)
        n_ids = encode_documents(
            layout,
            (CLASSES, STEPS, MASKS),
            self._vocabulary,
            (table, table.view(self._dtype)),
            room_for(layout.n_units),
            ids,
            offsets,
        )
        self._idle.append(table)
        return ids[:n_ids], offsets


def join(parts: Sequence[tuple[Ids, Longs]], dtype: type[np.unsignedinteger]) -> tuple[Ids, Longs]:
    """Returns the ids of all parts in one array, and their offsets moved accordingly."""
    ids = np.concatenate([ids for ids, _ in parts] or [np.empty(0, dtype)])
    offsets = [np.zeros(1, np.int64)]
    for _, local in parts:
        offsets.append(local[1:] + offsets[-1][-1])
    return ids, np.concatenate(offsets)
