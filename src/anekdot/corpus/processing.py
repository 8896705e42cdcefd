"""From one task of the plan to clean documents and their shingles on disk: what a worker does.

The results are a folder with ``documents.parquet``, ``shingles.parquet`` and ``counts.json``. They
depend on nothing but the task's documents and the rules, and include every document that was read,
those that are dropped too. The shingles are sorted, so that a range of them is read without the
rest.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anekdot.atomic_files import staged
from anekdot.corpus.cleaning import clean, is_obscene, reason_to_drop, repairs
from anekdot.corpus.collection import COUNTS, DOCUMENTS, task_name
from anekdot.corpus.config import Rules
from anekdot.corpus.database import database, insert, write_parquet
from anekdot.corpus.deduplication.fingerprints import fingerprints
from anekdot.corpus.documents import Document
from anekdot.corpus.splitting import SPLITS, fraction, normalise, split_at

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHINGLES = "shingles.parquet"

MAX_BATCH_CHARACTERS = 1 << 21  # documents are processed in batches of so many characters ...
MAX_BATCH_DOCUMENTS = 1 << 14  # ... or of so many documents
PARQUET_OPTIONS = f", COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {1 << 15}"  # rows
EXCERPT_CHARACTERS = 300  # kept of a document that is dropped
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")  # removed whatever rules are switched off

_COLUMNS = {
    "document": "BIGINT",
    "source": "VARCHAR",
    "line": "BIGINT",
    "text": "VARCHAR",
    "reason": "VARCHAR",
    "obscene": "BOOLEAN",
    "split": "UTINYINT",
    "key_high": "UBIGINT",
    "key_low": "UBIGINT",
    "n_chars": "INTEGER",
    "n_shingles": "INTEGER",
}


def process_documents(
    documents: Iterable[Document],
    number: int,
    *,
    folder: Path,
    rules: Rules,
    memory: int,
) -> None:
    """Cleans and hashes the documents of a task, and writes the results into a folder.

    Args:
        documents: The documents as they were read; consumed a batch at a time.
        number: The task's place in the plan; its documents are numbered from ``number << 32``.
        folder: Where the tasks' folders stand.
        rules: What is done with each document.
        memory: Bytes that DuckDB may take.
    """
    name = task_name(number)
    repaired: Counter[str] = Counter()
    stripped: dict[str, tuple[int, str]] = {}
    batches = (
        _process_batch(_counted(batch, stripped), rules, repaired) for batch in _batches(documents)
    )
    with (
        staged(folder / name) as draft,
        database(folder / f".spill-{name}", memory=memory, threads=1) as connection,
    ):
        draft.mkdir()
        n_texts = write_tables(connection, batches, number << 32, draft)
        counts = {"texts": n_texts, "repaired": repaired, "stripped": stripped}
        (draft / COUNTS).write_text(json.dumps(counts, sort_keys=True), "utf-8")


class ProcessedBatch(NamedTuple):
    """Some processed documents.

    Attributes:
        columns: The columns of the table of documents, the first and the last left out.
        shingles: The shingles of all documents, end to end.
        counts: How many shingles each document has.
    """

    columns: dict[str, Any]
    shingles: NDArray[np.uint64]
    counts: NDArray[np.int32]


def write_tables(
    connection: "DuckDBPyConnection",
    batches: Iterable[ProcessedBatch],
    first: int,
    folder: Path,
) -> int:
    """Writes the tables of a task; returns how many documents there are.

    Args:
        connection: A database that holds the rows until they are written.
        batches: The documents.
        first: The number of the first one.
        folder: Where the tables are written.
    """
    columns = ", ".join(f"{column} {kind}" for column, kind in _COLUMNS.items())
    connection.execute(f"CREATE TABLE documents ({columns})")
    connection.execute("CREATE TABLE shingles (shingle UBIGINT, document BIGINT)")
    n_documents = 0
    for batch in batches:
        numbers = first + n_documents + np.arange(len(batch.counts), dtype=np.int64)
        documents = {"document": numbers, **batch.columns, "n_shingles": batch.counts}
        shingles = {"shingle": batch.shingles, "document": np.repeat(numbers, batch.counts)}
        insert(connection, "documents", documents)
        insert(connection, "shingles", shingles)
        n_documents += len(numbers)
    write_parquet(connection, "FROM documents", folder / DOCUMENTS, PARQUET_OPTIONS)
    write_parquet(
        connection,
        "FROM shingles ORDER BY shingle, document",
        folder / SHINGLES,
        PARQUET_OPTIONS,
    )
    return n_documents


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.text)
        if size >= MAX_BATCH_CHARACTERS or len(batch) == MAX_BATCH_DOCUMENTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _counted(batch: list[Document], stripped: dict[str, tuple[int, str]]) -> list[Document]:
    """Counts by kind from how many documents something was stripped, with the first example."""
    for document in batch:
        for kind, example in document.stripped:
            count, first = stripped.get(kind, (0, example[:EXCERPT_CHARACTERS]))
            stripped[kind] = count + 1, first
    return batch


def _process_batch(batch: list[Document], rules: Rules, repaired: Counter[str]) -> ProcessedBatch:
    """Processes some documents, and counts what was repaired."""
    texts, reasons, obscene, splits = [], [], [], []
    for document in batch:
        raw = _UNWRITABLE.sub("", document.text)
        text, changed = repairs(raw, rules.without)
        repaired.update(changed)
        is_bad = document.obscene or is_obscene(text)
        reason = document.fault or reason_to_drop(
            text, rules.without, script=rules.script, min_length=rules.min_length
        )
        if reason is None and is_bad and rules.no_obscene:
            reason = "obscene"
        texts.append(text if reason is None else text[:EXCERPT_CHARACTERS])
        reasons.append(reason or "")
        obscene.append(is_bad)
        if "alphabet" in changed:  # a rule that is newer than the splits of prepared corpora
            hashed = fraction(normalise(clean(raw, (*rules.without, "alphabet"))))
        else:
            hashed = fraction(normalise(text))
        splits.append(split_at(hashed, rules.validation, rules.test))
    kept = ["" if r else text for text, r in zip(texts, reasons, strict=True)]
    keys, shingles, counts = fingerprints(kept)
    columns = {
        "source": [document.source for document in batch],
        "line": np.array([document.line for document in batch], np.int64),
        "text": texts,
        "reason": reasons,
        "obscene": np.array(obscene),
        "split": np.array([SPLITS.index(split) for split in splits], np.uint8),
        "key_high": np.ascontiguousarray(keys[:, 0]),
        "key_low": np.ascontiguousarray(keys[:, 1]),
        "n_chars": np.array([*map(len, texts)], np.int32),
    }
    return ProcessedBatch(columns, shingles, counts)
