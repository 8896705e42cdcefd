"""One piece of input to clean documents and their grams on disk: what a worker does.

A digest is a folder with ``documents.parquet``, ``grams.parquet`` and ``counts.json``. It depends
on nothing but the piece and the rules, and holds every document that was read, those that are
dropped too. The grams are in order, so that a range of them is read without the rest.
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
from anekdot.corpus.cleaning import is_obscene, reason_to_drop, repairs
from anekdot.corpus.config import Rules
from anekdot.corpus.database import database, insert, literal
from anekdot.corpus.deduplication.fingerprints import fingerprints
from anekdot.corpus.documents import Document
from anekdot.corpus.splitting import SPLITS, fraction, normalise, split_at

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH = 1 << 21  # characters of documents that are digested together
LARGEST_BATCH = 1 << 14  # documents
DOCUMENTS = "documents.parquet"
GRAMS = "grams.parquet"
COUNTS = "counts.json"
"""How many texts there are, and how many of them each rule of cleaning repaired."""
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")  # whatever rule is switched off
ROWS = 1 << 15  # of a file that are read together
EXCERPT = 300  # characters that are kept of a document that is dropped

_COLUMNS = {
    "document": "BIGINT",
    "source": "VARCHAR",
    "line": "BIGINT",
    "text": "VARCHAR",
    "reason": "VARCHAR",
    "obscene": "BOOLEAN",
    "side": "UTINYINT",
    "key_high": "UBIGINT",
    "key_low": "UBIGINT",
    "n_chars": "INTEGER",
    "n_grams": "INTEGER",
}


def digest_name(number: int) -> str:
    """Returns the name of the digest of a piece."""
    return f"{number:06d}"


def digest(
    documents: Iterable[Document],
    number: int,
    *,
    folder: Path,
    rules: Rules,
    memory: int,
) -> None:
    """Cleans and hashes the documents of a piece.

    Args:
        documents: What was read; taken a few at a time.
        number: The piece's place among all; documents are numbered from ``number << 32``.
        folder: Where digests stand.
        rules: What is done with each document.
        memory: Bytes that DuckDB may take.
    """
    name = digest_name(number)
    repaired: Counter[str] = Counter()
    batches = (_digest_batch(batch, rules, repaired) for batch in _batches(documents))
    with (
        staged(folder / name) as draft,
        database(folder / f".spill-{name}", memory=memory, threads=1) as connection,
    ):
        draft.mkdir()
        n_texts = write_tables(connection, batches, number << 32, draft)
        counts = {"texts": n_texts, "repaired": repaired}
        (draft / COUNTS).write_text(json.dumps(counts, sort_keys=True), "utf-8")


class Digested(NamedTuple):
    """Some documents, digested.

    Attributes:
        columns: Those of the table of documents between the first and the last.
        grams: The grams of all documents end to end.
        counts: How many each has.
    """

    columns: dict[str, Any]
    grams: NDArray[np.uint64]
    counts: NDArray[np.int32]


def write_tables(
    connection: "DuckDBPyConnection",
    batches: Iterable[Digested],
    first: int,
    folder: Path,
) -> int:
    """Writes the tables of a digest; returns how many documents there are.

    Args:
        connection: A database, for what has not been written yet.
        batches: The documents.
        first: The number of the first one.
        folder: Where to write.
    """
    columns = ", ".join(f"{column} {kind}" for column, kind in _COLUMNS.items())
    connection.execute(f"CREATE TABLE documents ({columns})")
    connection.execute("CREATE TABLE grams (gram UBIGINT, document BIGINT)")
    n_documents = 0
    for batch in batches:
        numbers = first + n_documents + np.arange(len(batch.counts), dtype=np.int64)
        documents = {"document": numbers, **batch.columns, "n_grams": batch.counts}
        grams = {"gram": batch.grams, "document": np.repeat(numbers, batch.counts)}
        insert(connection, "documents", documents)
        insert(connection, "grams", grams)
        n_documents += len(numbers)
    _copy(connection, "documents", folder / DOCUMENTS)
    _copy(connection, "(FROM grams ORDER BY gram, document)", folder / GRAMS)
    return n_documents


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.text)
        if size >= BATCH or len(batch) == LARGEST_BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _digest_batch(batch: list[Document], rules: Rules, repaired: Counter[str]) -> Digested:
    """Digests some documents, and counts what was repaired."""
    texts, reasons, obscene, sides = [], [], [], []
    for document in batch:
        text, changed = repairs(_UNWRITABLE.sub("", document.text), rules.without)
        repaired.update(changed)
        is_bad = document.obscene or is_obscene(text)
        reason = document.fault or reason_to_drop(text, rules.without, script=rules.script)
        if reason is None and is_bad and rules.no_obscene:
            reason = "obscene"
        texts.append(text if reason is None else text[:EXCERPT])
        reasons.append(reason or "")
        obscene.append(is_bad)
        sides.append(split_at(fraction(normalise(text)), rules.validation, rules.test))
    kept = ["" if r else text for text, r in zip(texts, reasons, strict=True)]
    keys, grams, counts = fingerprints(kept)
    columns = {
        "source": [document.source for document in batch],
        "line": np.array([document.line for document in batch], np.int64),
        "text": texts,
        "reason": reasons,
        "obscene": np.array(obscene),
        "side": np.array([SPLITS.index(side) for side in sides], np.uint8),
        "key_high": np.ascontiguousarray(keys[:, 0]),
        "key_low": np.ascontiguousarray(keys[:, 1]),
        "n_chars": np.array([*map(len, texts)], np.int32),
    }
    return Digested(columns, grams, counts)


def _copy(connection: "DuckDBPyConnection", table: str, path: Path) -> None:
    settings = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROWS}"
    connection.execute(f"COPY {table} TO {literal(path)} ({settings})")
