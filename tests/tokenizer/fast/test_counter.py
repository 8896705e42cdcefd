import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.errors import TokenizerError
from anekdot.tokenizer.fast import counter, packed_documents
from anekdot.tokenizer.fast.counter import PretokenCounter, Spill
from anekdot.tokenizer.fast.counting import ChunkPretokens, PretokenCounts
from anekdot.tokenizer.trainer import count_pretokens
from tests.support.strategies import DATA, DOCUMENTS, TEXTS

WORDS = st.integers(0, 300).map(lambda n: f" {'абвгд'[n % 5] * (n % 40)}{n}")
SMALL_TABLE = 64
FEW_NEW = st.lists((TEXTS | DATA | WORDS).map(lambda text: text[:12]), max_size=60)


def as_dict(counts: PretokenCounts) -> dict[bytes, int]:
    """Returns counts as the plain version does."""
    data, place, found = counts.data.tobytes(), 0, {}
    for length, count in zip(counts.lengths.tolist(), counts.counts.tolist(), strict=True):
        pretoken = data[place : place + length]
        assert pretoken not in found
        found[pretoken] = count
        place += length
    assert place == len(data)
    return found


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which temporary files are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def spills(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of short pretokens in each spill."""
    return watch_spills(monkeypatch)


def watch_spills(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sizes: list[int] = []
    write = Spill.write

    def watched(self: Spill, rows: counter.Words64, long: Counter[bytes]) -> None:
        sizes.append(len(rows))
        write(self, rows, long)

    monkeypatch.setattr(Spill, "write", watched)
    return sizes


def russian_words(n: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices("абвгдежзий", k=chance.randint(3, 20))) for _ in range(n)]


@given(DOCUMENTS, st.sampled_from((1, 2, 5)), st.integers(1, 40), st.randoms())
@settings(max_examples=150)
def test_equals_the_plain_version(
    documents: list[str | bytes], threads: int, chunk: int, chance: random.Random
) -> None:
    expected = count_pretokens(documents)
    chance.shuffle(documents)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_documents, "CHUNK_SIZE", chunk)
        assert as_dict(counter.count_pretokens_fast(iter(documents), threads, None)) == expected


@given(FEW_NEW, st.sampled_from((1, 2, 5)), st.sampled_from((1, 20_000, 100_000, 10**6)))
@settings(max_examples=300)
def test_small_tables_that_grow_and_spill_lose_nothing(
    documents: list[str | bytes], threads: int, memory_limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_documents, "CHUNK_SIZE", 20)
        patch.setattr(counter, "MIN_TABLE_SLOTS", SMALL_TABLE)
        found = counter.count_pretokens_fast(documents, threads, memory_limit)
    assert as_dict(found) == count_pretokens(documents)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_spilling_many_times_changes_nothing_and_leaves_no_file(
    threads: int, temporary: Path, spills: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "MIN_TABLE_SLOTS", 1024)
    monkeypatch.setattr(packed_documents, "CHUNK_SIZE", 1000)
    words = russian_words(8000)
    documents = [" ".join(words[n : n + 50]) for n in range(0, 8000, 40)]
    expected = count_pretokens(documents)
    random.Random(threads).shuffle(documents)
    assert as_dict(counter.count_pretokens_fast(documents, threads, 1)) == expected
    assert len(spills) > 10 + threads
    assert sum(spills) > 5000
    assert not [*temporary.iterdir()]


@pytest.mark.parametrize("memory_limit", [None, 1, 400, 10_000])
def test_pretokens_of_every_length(memory_limit: int | None, spills: list[int]) -> None:
    lengths = (*range(1, 81), 1000, 5000, 70_000)
    documents = [letter * length for length in lengths for letter in "ab"] * 2
    documents += [b"\xd0\xb6" * (length // 2) for length in lengths] * 3
    found = as_dict(counter.count_pretokens_fast(documents, 2, memory_limit))
    assert found == count_pretokens(documents)
    assert found[b"a" * 31] == found[b"b" * 32] == found[b"a" * 33] == 2
    assert bool(spills) == (memory_limit is not None)


def test_pretokens_that_differ_in_zero_bytes_or_their_last_byte_only() -> None:
    documents = [b"\0" * n for n in range(1, 40)]
    documents += [b"!" * n + bytes([last]) for n in range(40) for last in b'!"#\0\xff']
    assert as_dict(counter.count_pretokens_fast(documents, 1, None)) == count_pretokens(documents)


def test_pretokens_that_differ_in_one_letter_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "MIN_TABLE_SLOTS", SMALL_TABLE)
    for size, n in [(14, n) for n in range(15)] + [(30, n) for n in range(31)]:
        documents = ["a" * n + letter + "a" * (size - n) for letter in "abcdefgж" * 2]
        found = as_dict(counter.count_pretokens_fast(documents, 1, None))
        assert sorted(found.values()) == [2] * 8


def test_no_documents_and_empty_documents() -> None:
    for documents in ([], [""], [b"", "", b""]):
        assert as_dict(counter.count_pretokens_fast(documents, 2, None)) == {}
        assert as_dict(counter.count_pretokens_fast(documents, 2, 1)) == {}


@pytest.mark.parametrize("memory_limit", [None, 1])
def test_documents_that_break_off_leave_no_file(
    memory_limit: int | None, temporary: Path, spills: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "MIN_TABLE_SLOTS", SMALL_TABLE)
    monkeypatch.setattr(packed_documents, "CHUNK_SIZE", 10)

    def breaking() -> Iterator[str]:
        for word in russian_words(1000):
            yield word[:12]
        assert any(temporary.iterdir())
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        counter.count_pretokens_fast(breaking(), 2, memory_limit)
    assert bool(spills) == (memory_limit is not None)
    assert not [*temporary.iterdir()]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_lone_surrogate_names_its_document_and_leaves_no_file(
    threads: int, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_documents, "CHUNK_SIZE", 10)
    documents = [*russian_words(100), "да\ud800", *russian_words(100)]
    with pytest.raises(TokenizerError, match=r"Document 100 .* character 2"):
        counter.count_pretokens_fast(documents, threads, 1)
    assert not [*temporary.iterdir()]


def test_threads_that_did_not_spill_may_together_exceed_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counter, "MIN_TABLE_SLOTS", SMALL_TABLE)
    monkeypatch.setattr(packed_documents, "CHUNK_SIZE", 1)
    both, add = Barrier(2), PretokenCounter.add

    def one_each(self: PretokenCounter, *args: Any) -> ChunkPretokens:
        both.wait(900)
        return add(self, *args)

    monkeypatch.setattr(PretokenCounter, "add", one_each)
    documents = [" ".join(word[:12] for word in russian_words(40, seed)) for seed in (1, 2)]
    table = SMALL_TABLE * 64  # bytes
    found = counter.count_pretokens_fast(documents, 2, 2 * 3 * table)
    assert as_dict(found) == count_pretokens(documents)


MANY_NEW = """
from itertools import islice, product
from anekdot.tokenizer.fast import counter, packed_documents
packed_documents.CHUNK_SIZE = 1
words = map("".join, product("abcdefghijklmnopqrstuvwxyz", repeat=4))
documents = [" ".join(islice(words, {n_words})) for _ in range({n_documents})]
counts = counter.count_pretokens_fast(documents, {threads}, {memory_limit})
print(len(counts.counts), counts.counts.sum())
"""


@pytest.mark.parametrize(
    ("n_words", "n_documents", "threads", "memory_limit"),
    [(20_000, 1, 1, None), (20_000, 1, 1, 1), (10_000, 2, 2, 1 << 20), (40_000, 3, 2, 1 << 22)],
)
def test_documents_with_more_new_pretokens_than_a_table_has_slots_come_to_an_end(
    n_words: int, n_documents: int, threads: int, memory_limit: int | None
) -> None:
    script = MANY_NEW.format(
        n_words=n_words, n_documents=n_documents, threads=threads, memory_limit=memory_limit
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, timeout=900
    )
    total = b"%d" % (n_words * n_documents)  # no word stands twice
    assert done.stdout.split() == [total, total]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("threads", "memory_limit"), [(1, None), (2, None), (5, None), (1, 1 << 22), (5, 1 << 23)]
)
def test_equals_the_plain_version_on_the_corpus(
    corpus: list[str], threads: int, memory_limit: int | None, spills: list[int]
) -> None:
    shuffled = random.Random(threads).sample(corpus, len(corpus))
    found = as_dict(counter.count_pretokens_fast(shuffled, threads, memory_limit))
    assert found == count_pretokens(corpus)
    assert len(spills) >= 10 if memory_limit else not spills
