"""Documents to pretoken counts, on all cores and within a limit of memory.

Each thread counts into a table of its own. A table that would outgrow its share of the
memory goes to temporary files, one for each part of the keys, and is begun anew; in the
end the parts are added up one after another. The counts are exact either way.
"""

import struct
import zlib
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import NamedTuple

import numpy as np

from anekdot.tokenizer.compiled.arrays import Bytes, Longs, Words
from anekdot.tokenizer.compiled.counting import COUNT, absorb, count_cuts, keys_to_utf8
from anekdot.tokenizer.compiled.keys import KEY_WORDS, empty_table
from anekdot.tokenizer.compiled.layout import CLASSES, MASKS, STEPS, Chunk, chunks, lay_out
from anekdot.tokenizer.compiled.scanner import cut

SMALLEST_TABLE = 1 << 14  # slots
PARTS = 16
ROWS = 1 << 16  # of a part that are read together

_RECORD = struct.Struct("<QQ")  # bytes and count of a long pretoken


class PretokenCounts(NamedTuple):
    """How often each pretoken occurs.

    Attributes:
        keys: The key of each, zeros where it is too long for one.
        data: The bytes of all pretokens.
        lengths: Bytes of each.
        counts: Occurrences of each.
    """

    keys: Words
    data: Bytes
    lengths: Longs
    counts: Longs


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
        self.long_bytes = 0

    def add(self, chunk: Chunk) -> None:
        """Counts the pretokens of some documents."""
        words, n_units, _ = lay_out(*chunk)
        units = words.view(np.uint16)
        ends = np.empty(n_units + 1, np.int32)
        n_pretokens = cut(units, n_units, CLASSES, STEPS, ends)
        ends = ends[: n_pretokens + 1]
        long = np.empty(n_pretokens, np.int32)
        state = np.array([0, self.used, 0])
        while True:
            count_cuts(words, ends, MASKS, self.table, long, state)
            self.used = int(state[1])
            if state[0] == n_pretokens:
                break
            self._grow()
            state[1] = self.used
        for number in long[: state[2]]:
            text = (
                units[ends[number] : ends[number + 1]]
                .tobytes()
                .decode("utf-16-le", "surrogatepass")
            )
            word = text.replace("\udc00", "\0").encode("utf-8", "surrogateescape")
            self.long[word] += 1
            self.long_bytes += len(word)
        if self.most_bytes is not None and self.long_bytes > self.most_bytes // 4:
            self.empty()

    def absorb(self, rows: Words) -> None:
        """Adds counts: words of the key, then the count."""
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

    def rows(self) -> Words:
        """Returns keys and counts of the table."""
        return self.table[self.table[:, KEY_WORDS - 1] != 0, : COUNT + 1]

    def counts(self) -> PretokenCounts:
        """Returns what was counted so far."""
        rows = self.rows()
        keys = np.concatenate(
            [rows[:, :KEY_WORDS], np.zeros((len(self.long), KEY_WORDS), np.uint64)]
        )
        lengths = (keys[:, -1] >> np.uint64(56)).astype(np.int64)
        data = np.empty(3 * lengths.sum() + 1, np.uint8)
        size = keys_to_utf8(keys.view(np.uint16), lengths, data)
        lengths[len(rows) :] = [*map(len, self.long)]
        return PretokenCounts(
            keys,
            np.append(data[:size], np.frombuffer(b"".join(self.long), np.uint8)),
            lengths,
            np.append(rows[:, COUNT].astype(np.int64), np.array([*self.long.values()], np.int64)),
        )


class Spill:
    """Counts in temporary files: the parts hold different keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.used = False
        self._lock = Lock()

    def write(self, rows: Words, long: Counter[bytes]) -> None:
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
                width = COUNT + 1
                while len(block := np.fromfile(file, np.uint64, ROWS * width)):
                    counter.absorb(block.reshape(-1, width))
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

        def add(chunk: Chunk) -> None:
            counter = idle.pop()  # there are as many as threads
            try:
                counter.add(chunk)
            finally:
                idle.append(counter)

        waiting: deque[Future[None]] = deque()
        for chunk in chunks(documents):
            waiting.append(pool.submit(add, chunk))
            if len(waiting) > 2 * threads:
                waiting.popleft().result()
        for future in waiting:
            future.result()
        if spill.used or (memory_limit is not None and threads > 1):
            for counter in idle:
                counter.empty()
            return PretokenCounts(*map(np.concatenate, zip(*spill.read(), strict=True)))
        total, *others = idle
        for counter in others:
            total.absorb(counter.rows())
            total.long.update(counter.long)
        return total.counts()
