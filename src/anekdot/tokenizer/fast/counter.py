"""Documents to pretoken counts, on all cores and within a limit of memory.

Each thread counts into a table of its own. A table that would outgrow its share of the memory
is written to temporary files, one for each part of the keys, and started anew; in the end the
parts are added up one after another. The counts are exact either way.
"""

import struct
import zlib
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import numpy as np

from anekdot.numba_jit import Bytes, Longs, Units, Words64
from anekdot.tokenizer.fast.counting import (
    COUNT,
    END_OF_DOCUMENT,
    NUMBER,
    TOO_LONG,
    ChunkPretokens,
    PretokenCounts,
    absorb,
    count_cuts,
    keys_to_utf8,
    locate,
)
from anekdot.tokenizer.fast.keys import KEY_WORDS, empty_table
from anekdot.tokenizer.fast.packed_documents import (
    MASKS,
    STEPS,
    Chunk,
    chunks,
    classes_of,
    hash_documents,
    pack_documents,
)
from anekdot.tokenizer.fast.scanner import cut
from anekdot.tokenizer.pretokens import PatternName

MIN_TABLE_SLOTS = 1 << 14
SPILL_PARTS = 16
ROWS_PER_READ = 1 << 16
ROW_WORDS = NUMBER + 1  # the words of a slot that are in use
MAX_KEPT_PRETOKENS = 1 << 23  # pretokens: 32 MB

_LONG_HEADER = struct.Struct("<QQ")  # bytes and count of a long pretoken


class PretokenCounter:
    """Counts in one thread.

    Args:
        max_bytes: Memory that it may take; None for no limit.
        spill: Where it writes its counts when it would need more.
    """

    def __init__(self, max_bytes: int | None, spill: "Spill") -> None:
        self.max_bytes = max_bytes
        self.spill = spill
        self._clear()

    def _clear(self) -> None:
        self.table = empty_table(MIN_TABLE_SLOTS)
        self.used = 0
        self.long: Counter[bytes] = Counter()
        self.long_numbers: dict[bytes, int] = {}
        self.long_bytes = 0

    def add(self, chunk: Chunk, classes: Bytes) -> ChunkPretokens:
        """Counts the pretokens of some documents and returns them by this counter's numbers.

        Args:
            chunk: The documents.
            classes: The class of every code point.
        """
        words, n_units, _ = pack_documents(*chunk)
        units = words.view(np.uint16)
        ends = np.empty(n_units + 1, np.int32)
        n_pretokens = cut(units, n_units, classes, STEPS, ends)
        ends = ends[: n_pretokens + 1]
        numbers = np.empty(n_pretokens, np.int32)
        state = np.array([0, self.used])
        while True:
            count_cuts(words, ends, MASKS, self.table, numbers, state)
            self.used = int(state[1])
            if state[0] == n_pretokens:
                break
            self._grow()
            state[1] = self.used
        for place in np.flatnonzero(numbers == TOO_LONG):
            numbers[place] = self._add_long(units[ends[place] : ends[place + 1]])
        if self.max_bytes is not None and self.long_bytes > self.max_bytes // 4:
            self.empty()
        return ChunkPretokens(hash_documents(chunk[0]), numbers)

    def _add_long(self, units: Units) -> int:
        """Counts a pretoken that no key can hold, and returns its number."""
        text = units.tobytes().decode("utf-16-le", "surrogatepass")
        pretoken = text.replace("\udc00", "\0").encode("utf-8", "surrogateescape")
        if pretoken not in self.long:
            self.long_numbers[pretoken] = TOO_LONG - len(self.long)
            self.long_bytes += len(pretoken)
        self.long[pretoken] += 1
        return self.long_numbers[pretoken]

    def absorb(self, rows: Words64) -> None:
        """Adds the rows of another counter."""
        while self.used + len(rows) > 3 * len(self.table) // 4:
            self._grow()
        self.used += int(absorb(self.table, rows))

    def _grow(self) -> None:
        """Doubles the table, or empties it if there is no memory for that."""
        larger = 2 * len(self.table)
        if self.max_bytes is not None and 2 * larger * self.table.itemsize * 8 > self.max_bytes:
            self.empty()
            if 2 * self.table.nbytes >= self.max_bytes:
                return
            larger = 2 * len(self.table)
        table = empty_table(larger)
        absorb(table, self.table)
        self.table = table

    def empty(self) -> None:
        """Writes everything to files and starts anew."""
        self.spill.write(self.rows(), self.long)
        self._clear()

    def slots(self) -> Longs:
        """Returns the slots in use, the most frequent pretoken first."""
        used = np.flatnonzero(self.table[:, KEY_WORDS - 1])
        return used[np.argsort(self.table[used, COUNT])[::-1]]

    def rows(self) -> Words64:
        """Returns the slots in use without their unused words, in the order of ``slots``."""
        return self.table[self.slots(), :ROW_WORDS]

    def counts(self) -> PretokenCounts:
        """Returns the counts so far."""
        slots = self.slots()
        keys = np.ascontiguousarray(self.table[slots, :KEY_WORDS])
        lengths = (keys[:, -1] >> np.uint64(56)).astype(np.int64)
        data = np.empty(3 * lengths.sum() + 1, np.uint8)
        size = keys_to_utf8(keys.view(np.uint16), lengths, data)
        counts = self.table[slots, COUNT].astype(np.int64)
        return PretokenCounts(
            np.append(data[:size], np.frombuffer(b"".join(self.long), np.uint8)),
            np.append(lengths, np.array([*map(len, self.long)], np.int64)),
            np.append(counts, np.array([*self.long.values()], np.int64)),
        )


class Spill:
    """Counts in temporary files, in parts that hold different keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.used = False
        self._lock = Lock()

    def write(self, rows: Words64, long: Counter[bytes]) -> None:
        """Appends counts to the files."""
        parts = rows[:, :KEY_WORDS].sum(axis=1) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(60)
        long_rows: list[list[bytes]] = [[] for _ in range(SPILL_PARTS)]
        for pretoken, count in long.items():
            row = (_LONG_HEADER.pack(len(pretoken), count), pretoken)
            long_rows[zlib.crc32(pretoken) % SPILL_PARTS] += row
        with self._lock:
            self.used = True
            for part in range(SPILL_PARTS):
                with (self.folder / f"{part}.rows").open("ab") as file:
                    rows[parts == part].tofile(file)
                with (self.folder / f"{part}.long").open("ab") as file:
                    file.writelines(long_rows[part])

    def read(self) -> Iterator[PretokenCounts]:
        """Yields the sums of one part after another."""
        for part in range(SPILL_PARTS):
            counter = PretokenCounter(None, self)
            with (self.folder / f"{part}.rows").open("rb") as file:
                while len(block := np.fromfile(file, np.uint64, ROWS_PER_READ * ROW_WORDS)):
                    counter.absorb(block.reshape(-1, ROW_WORDS))
            with (self.folder / f"{part}.long").open("rb") as file:
                while header := file.read(_LONG_HEADER.size):
                    length, count = _LONG_HEADER.unpack(header)
                    counter.long[file.read(length)] += count
            yield counter.counts()


Counted = tuple[PretokenCounter, ChunkPretokens]  # a chunk and the counter that numbered it


def count_pretokens_fast(
    documents: Iterable[str | bytes],
    threads: int,
    memory_limit: int | None,
    pattern: PatternName = "qwen2",
) -> PretokenCounts:
    """Counts the pretokens of all documents.

    Args:
        documents: Strings or bytes; read once, a few at a time.
        threads: Threads that count.
        memory_limit: Bytes that the tables of all threads may take; None for no limit.
        pattern: What splits documents into pretokens.
    """
    share = None if memory_limit is None else memory_limit // threads
    with TemporaryDirectory(prefix="anekdot-") as folder:
        spill = Spill(Path(folder))
        counters = [PretokenCounter(share, spill) for _ in range(threads)]
        max_kept = MAX_KEPT_PRETOKENS if memory_limit is None else 0
        counted = count_chunks(counters, chunks(documents), classes_of(pattern), max_kept)
        if spill.used or (memory_limit is not None and threads > 1):
            for counter in counters:
                counter.empty()
            parts = zip(*spill.read(), strict=True)
            data, lengths, found = map(np.concatenate, islice(parts, 3))
            return PretokenCounts(data, lengths, found)
        return join(counters, counted)


def count_chunks(
    counters: Sequence[PretokenCounter], documents: Iterator[Chunk], classes: Bytes, max_kept: int
) -> list[Counted]:
    """Counts chunks of documents, in one thread per counter.

    Returns:
        The pretokens of all chunks in order; nothing if there are more than ``max_kept``.
    """
    idle = [*counters]

    def add(chunk: Chunk) -> Counted:
        counter = idle.pop()  # there are as many as threads
        try:
            return counter, counter.add(chunk, classes)
        finally:
            idle.append(counter)

    waiting: deque[Future[Counted]] = deque()
    kept: list[Counted] = []
    max_waiting = 2 * len(counters)
    with ThreadPoolExecutor(len(counters)) as pool:
        for chunk in chain(documents, repeat(None, max_waiting + 1)):
            if chunk is not None:
                waiting.append(pool.submit(add, chunk))
            if waiting and (chunk is None or len(waiting) > max_waiting):
                counted = waiting.popleft().result()
                max_kept -= len(counted[1].pretokens)
                kept.append(counted)
                if max_kept < 0:
                    kept.clear()
    return kept


def join(counters: Sequence[PretokenCounter], counted: Sequence[Counted]) -> PretokenCounts:
    """Returns what all counters have counted together."""
    total = counters[0]
    before = [(counter, counter.rows(), list(counter.long)) for counter in counters]
    for counter, rows, _ in before[1:]:
        total.absorb(rows)
        total.long.update(counter.long)
    counts = total.counts()
    slots = total.slots()
    places = np.empty(len(total.table), np.int64)
    places[slots] = np.arange(len(slots))
    long_places = {pretoken: place for place, pretoken in enumerate(total.long, len(slots))}
    places_by_counter = {}
    for counter, rows, long in before:
        by_number = np.full(len(rows) + len(long) + 1, END_OF_DOCUMENT, np.int32)
        locate(total.table, places, rows, by_number)
        for pretoken in long:
            by_number[counter.long_numbers[pretoken]] = long_places[pretoken]
        places_by_counter[id(counter)] = by_number
    for counter, chunk in counted:
        chunk.pretokens[:] = places_by_counter[id(counter)][chunk.pretokens]
    return counts._replace(chunks=[chunk for _, chunk in counted])
