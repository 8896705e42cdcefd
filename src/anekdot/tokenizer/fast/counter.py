"""Documents to pretoken counts, on all cores and within a limit of memory.

Each thread counts into a table of its own. A table that would outgrow its share of the
memory goes to temporary files, one for each part of the keys, and is begun anew; in the
end the parts are added up one after another. The counts are exact either way.
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
from typing import NamedTuple

import numpy as np

from anekdot.numba_jit import Bytes, Ints, Longs, Words64
from anekdot.tokenizer.fast.counting import (
    COUNT,
    END_OF_DOCUMENT,
    NUMBER,
    TOO_LONG,
    absorb,
    count_cuts,
    keys_to_utf8,
    locate,
)
from anekdot.tokenizer.fast.keys import KEY_WORDS, empty_table
from anekdot.tokenizer.fast.layout import (
    CLASSES,
    MASKS,
    STEPS,
    Chunk,
    chunks,
    hash_documents,
    lay_out,
)
from anekdot.tokenizer.fast.scanner import cut

SMALLEST_TABLE = 1 << 14  # slots
PARTS = 16
ROWS = 1 << 16  # of a part that are read together
WIDTH = NUMBER + 1  # words of a slot that are in use
MOST_RECORDED = 1 << 23  # pretokens: 32 MB

_RECORD = struct.Struct("<QQ")  # bytes and count of a long pretoken


class Record(NamedTuple):
    """Which pretokens the documents of one chunk have.

    Attributes:
        hashes: Of the documents.
        pretokens: Numbers of all of them, END_OF_DOCUMENT behind each document.
    """

    hashes: Longs
    pretokens: Ints


class PretokenCounts(NamedTuple):
    """How often each pretoken occurs.

    Attributes:
        data: The bytes of all pretokens.
        lengths: Bytes of each.
        counts: Occurrences of each.
        records: Of the chunks in order, unless there was too much to keep.
    """

    data: Bytes
    lengths: Longs
    counts: Longs
    records: Sequence[Record] = ()


class PretokenCounter:
    """Counts in one thread.

    Args:
        most_bytes: Memory that it may take; None for any.
        spill: Where it puts what it has counted when it needs more.
    """

    def __init__(self, most_bytes: int | None, spill: "Spill") -> None:
        self.most_bytes = most_bytes
        self.spill = spill
        self._clear()

    def _clear(self) -> None:
        self.table = empty_table(SMALLEST_TABLE)
        self.used = 0
        self.long: Counter[bytes] = Counter()
        self.long_numbers: dict[bytes, int] = {}
        self.long_bytes = 0

    def add(self, chunk: Chunk) -> Record:
        """Counts the pretokens of some documents; the record has this counter's numbers."""
        words, n_units, _ = lay_out(*chunk)
        units = words.view(np.uint16)
        ends = np.empty(n_units + 1, np.int32)
        n_pretokens = cut(units, n_units, CLASSES, STEPS, ends)
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
            units_of_it = units[ends[place] : ends[place + 1]].tobytes()
            text = units_of_it.decode("utf-16-le", "surrogatepass")
            word = text.replace("\udc00", "\0").encode("utf-8", "surrogateescape")
            if word not in self.long:
                self.long_numbers[word] = TOO_LONG - len(self.long)
                self.long_bytes += len(word)
            self.long[word] += 1
            numbers[place] = self.long_numbers[word]
        if self.most_bytes is not None and self.long_bytes > self.most_bytes // 4:
            self.empty()
        return Record(hash_documents(chunk[0]), numbers)

    def absorb(self, rows: Words64) -> None:
        """Adds the rows of another counter."""
        while self.used + len(rows) > 3 * len(self.table) // 4:
            self._grow()
        self.used += int(absorb(self.table, rows))

    def _grow(self) -> None:
        """Doubles the table, or empties it where there is no memory for that."""
        larger = 2 * len(self.table)
        if self.most_bytes is not None and 2 * larger * self.table.itemsize * 8 > self.most_bytes:
            self.empty()
            if 2 * self.table.nbytes >= self.most_bytes:
                return
            larger = 2 * len(self.table)
        table = empty_table(larger)
        absorb(table, self.table)
        self.table = table

    def empty(self) -> None:
        """Puts everything into files."""
        self.spill.write(self.rows(), self.long)
        self._clear()

    def slots(self) -> Longs:
        """Returns the slots in use, that of the most frequent pretoken first."""
        used = np.flatnonzero(self.table[:, KEY_WORDS - 1])
        return used[np.argsort(self.table[used, COUNT])[::-1]]

    def rows(self) -> Words64:
        """Returns what is in use of the table, in the order of ``slots``."""
        return self.table[self.slots(), :WIDTH]

    def counts(self) -> PretokenCounts:
        """Returns what was counted so far."""
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
    """Counts in temporary files: the parts hold different keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.used = False
        self._lock = Lock()

    def write(self, rows: Words64, long: Counter[bytes]) -> None:
        """Appends counts to the files."""
        parts = rows[:, :KEY_WORDS].sum(axis=1) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(60)
        records: list[list[bytes]] = [[] for _ in range(PARTS)]
        for word, count in long.items():
            records[zlib.crc32(word) % PARTS] += (_RECORD.pack(len(word), count), word)
        with self._lock:
            self.used = True
            for part in range(PARTS):
                with (self.folder / f"{part}.rows").open("ab") as file:
                    rows[parts == part].tofile(file)
                with (self.folder / f"{part}.long").open("ab") as file:
                    file.writelines(records[part])

    def read(self) -> Iterator[PretokenCounts]:
        """Yields the sums of one part after another."""
        for part in range(PARTS):
            counter = PretokenCounter(None, self)
            with (self.folder / f"{part}.rows").open("rb") as file:
                while len(block := np.fromfile(file, np.uint64, ROWS * WIDTH)):
                    counter.absorb(block.reshape(-1, WIDTH))
            with (self.folder / f"{part}.long").open("rb") as file:
                while header := file.read(_RECORD.size):
                    length, count = _RECORD.unpack(header)
                    counter.long[file.read(length)] += count
            yield counter.counts()


def count_pretokens(
    documents: Iterable[str | bytes], threads: int, memory_limit: int | None
) -> PretokenCounts:
    """Counts the pretokens of all documents.

    Args:
        documents: Strings or bytes; read once, a few at a time.
        threads: Threads that count.
        memory_limit: Bytes that the tables of all threads may take; None for any number.
    """
    share = None if memory_limit is None else memory_limit // threads
    with TemporaryDirectory(prefix="anekdot-") as folder, ThreadPoolExecutor(threads) as pool:
        spill = Spill(Path(folder))
        idle = [PretokenCounter(share, spill) for _ in range(threads)]

        def add(chunk: Chunk) -> tuple[PretokenCounter, Record]:
            counter = idle.pop()  # there are as many as threads
            try:
                return counter, counter.add(chunk)
            finally:
                idle.append(counter)

        waiting: deque[Future[tuple[PretokenCounter, Record]]] = deque()
        records: list[tuple[PretokenCounter, Record]] = []
        room = MOST_RECORDED if memory_limit is None else 0
        for chunk in chain(chunks(documents), repeat(None, 2 * threads + 1)):
            if chunk is not None:
                waiting.append(pool.submit(add, chunk))
            if waiting and (chunk is None or len(waiting) > 2 * threads):
                record = waiting.popleft().result()
                room -= len(record[1].pretokens)
                records.append(record)
                if room < 0:
                    records.clear()
        if spill.used or (memory_limit is not None and threads > 1):
            for counter in idle:
                counter.empty()
            parts = zip(*spill.read(), strict=True)
            data, lengths, found = map(np.concatenate, islice(parts, 3))
            return PretokenCounts(data, lengths, found)
        return join(idle, records)


def join(
    counters: Sequence[PretokenCounter], records: Sequence[tuple[PretokenCounter, Record]]
) -> PretokenCounts:
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
    long_places = {word: place for place, word in enumerate(total.long, len(slots))}
    numbered = {}
    for counter, rows, long in before:
        by_number = np.full(len(rows) + len(long) + 1, END_OF_DOCUMENT, np.int32)
        locate(total.table, places, rows, by_number)
        for word in long:
            by_number[counter.long_numbers[word]] = long_places[word]
        numbered[id(counter)] = by_number
    for counter, record in records:
        record.pretokens[:] = numbered[id(counter)][record.pretokens]
    return counts._replace(records=[record for _, record in records])
