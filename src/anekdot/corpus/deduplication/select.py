"""Which documents stay where there are exact duplicates and near-duplicates, mostly in SQL.

Exact duplicates have the same normal form; the longest version stays. Near-duplicates are
defined in `near_duplicates`; a test text is preferred to a validation text, that to a training
text, and within a split the one with more shingles.

Only shingles that several documents hold matter, and a document can be the shorter one of a pair
only if at least half of its shingles are such. That excludes most documents; the rest are
compared exactly.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anekdot.atomic_files import staged
from anekdot.corpus.collection import DOCUMENTS
from anekdot.corpus.database import database, fetch_integer, insert, literal, parquet, write_parquet
from anekdot.corpus.deduplication.near_duplicates import (
    MIN_SHARED,
    NONE,
    Shared,
    find_duplicates,
    group_by_text,
)
from anekdot.corpus.processing import SHINGLES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXACT_DUPLICATE = "exact duplicate"
NEAR_DUPLICATE = "near-duplicate"
LEAK = "near-duplicate of a held-out text"

FETCH_ROWS = 1 << 21  # rows fetched together
BYTES_PER_SHINGLE = 64  # what a shingle takes while a range is compared

Run = Callable[[Callable[[int], None], int], None]
"""Calls a function with every number below a given one, in any order and any process."""


def deduplicate(
    processed: Path, work: Path, *, memory: int, memory_per_process: int, run: Run
) -> Path:
    """Decides which of the processed documents stay.

    Args:
        processed: The folder with the results of all tasks.
        work: A folder for intermediate results; those that are there already are used.
        memory: Bytes that DuckDB may take.
        memory_per_process: Bytes that DuckDB may take in each process that `run` uses.
        run: Calls a function with many numbers; see Run.

    Returns:
        A Parquet file, ordered by ``document``: its ``split``; the ``reason`` why it is dropped,
        or ""; and its ``cluster``, the document that is kept in its place, or itself.
    """
    selection = work / "selection.parquet"
    if selection.exists():
        return selection
    with database(work / ".spill", memory=memory) as connection:
        _find_exact(connection, processed, work / "exact.parquet")
        n_shingles = fetch_integer(
            connection, f"SELECT coalesce(sum(n_shingles), 0) FROM {parquet(work, 'exact.parquet')}"
        )
    n_ranges = 1 + n_shingles * BYTES_PER_SHINGLE // memory_per_process
    shared = work / f"shared-{n_ranges}"
    shared.mkdir(exist_ok=True)
    run(partial(find_shared, processed, shared, n_ranges, memory_per_process), n_ranges)
    with database(work / ".spill", memory=memory // 2) as connection:
        _rank(connection, work, shared)
        duplicate_of = find_duplicates(_fetch_shared(connection, work))
        _write_selection(connection, work, duplicate_of, selection)
    return selection


def _find_exact(connection: "DuckDBPyConnection", processed: Path, path: Path) -> None:
    """Writes every kept document with ``duplicate_of``, the version of it that stays."""
    if path.exists():
        return
    _write_once(
        connection,
        f"""
        SELECT document, split, n_shingles, n_chars, first_value(document) OVER (
            PARTITION BY key_high, key_low ORDER BY n_chars DESC, document
        ) AS duplicate_of
        FROM {parquet(processed, f"*/{DOCUMENTS}")} WHERE reason = '' ORDER BY document
        """,
        path,
    )


def find_shared(processed: Path, folder: Path, n_ranges: int, memory: int, number: int) -> None:
    """Writes the shingles of a range that several documents hold, and these documents.

    Args:
        processed: The folder with the results of all tasks.
        folder: Where to write: a folder beside ``exact.parquet``.
        n_ranges: Into how many ranges all shingles are divided.
        memory: Bytes that DuckDB may take.
        number: The number of the range.
    """
    path = folder / f"{number:06d}.parquet"
    if path.exists():
        return
    first, stop = ((n << 64) // n_ranges for n in (number, number + 1))
    with database(folder / f".spill-{number}", memory=memory, threads=1) as connection:
        connection.execute(
            f"""
            CREATE TABLE held AS
            SELECT shingle, document FROM {parquet(processed, f"*/{SHINGLES}")}
            ANTI JOIN (
                FROM {parquet(folder.parent, "exact.parquet")} WHERE duplicate_of <> document
            ) USING (document)
            WHERE shingle BETWEEN {first} AND {stop - 1}
            """
        )
        _write_once(
            connection,
            """
            SELECT shingle, document FROM held
            SEMI JOIN (
                SELECT shingle FROM held GROUP BY shingle HAVING count(*) > 1
            ) USING (shingle)
            ORDER BY shingle, document
            """,
            path,
        )


def _rank(connection: "DuckDBPyConnection", work: Path, shared: Path) -> None:
    """Makes the tables of the shingles and the documents that have to be compared."""
    connection.execute(
        f"""
        CREATE VIEW exact AS FROM {parquet(work, "exact.parquet")};
        CREATE VIEW shared AS FROM {parquet(shared, "*.parquet")};
        CREATE TABLE shorter AS SELECT document FROM exact JOIN (
            SELECT document, count(*) AS n_shared FROM shared GROUP BY document
        ) USING (document) WHERE n_shared >= greatest({MIN_SHARED}, (n_shingles + 1) // 2);
        CREATE TABLE wanted AS
            SELECT DISTINCT shingle FROM shared SEMI JOIN shorter USING (document);
        CREATE TABLE holding AS
            SELECT shingle, document FROM shared SEMI JOIN wanted USING (shingle);
        CREATE TABLE ranked AS SELECT document, split, n_shingles, (row_number() OVER (
            ORDER BY split DESC, n_shingles DESC, n_chars DESC, document
        ) - 1)::INTEGER AS rank
        FROM exact SEMI JOIN holding USING (document);
        """
    )
    _write_once(
        connection,
        """
        SELECT holders, shingle, rank FROM holding
        JOIN ranked USING (document)
        JOIN (
            SELECT shingle, count(*)::INTEGER AS holders FROM holding GROUP BY shingle
        ) USING (shingle)
        ORDER BY holders, shingle, rank
        """,
        work / "holding.parquet",
    )
    connection.execute("DROP TABLE holding; DROP TABLE wanted; DROP TABLE shorter")


def _fetch_shared(connection: "DuckDBPyConnection", work: Path) -> Shared:
    """Fetches the tables as arrays, a batch of rows at a time."""
    ranked = connection.execute("SELECT split, n_shingles FROM ranked ORDER BY rank").fetchnumpy()
    holding = parquet(work, "holding.parquet")
    n_rows = fetch_integer(connection, f"SELECT count(*) FROM {holding}")
    n_shingles = fetch_integer(connection, f"SELECT count(DISTINCT shingle) FROM {holding}")
    counts = connection.execute(
        f"SELECT count(*)::BIGINT AS held FROM {holding} GROUP BY rank ORDER BY rank"
    ).fetchnumpy()["held"]
    starts = np.append(0, np.cumsum(counts, dtype=np.int64))
    shingles, ends = np.empty(n_rows, np.int32), starts[:-1].copy()
    holders = np.zeros(n_shingles + 1, np.int64)
    number, last = -1, None
    for first in range(0, n_rows, FETCH_ROWS):
        rows = connection.execute(
            f"""
            SELECT holders, shingle, rank
            FROM read_parquet({literal(work / "holding.parquet")}, file_row_number = true)
            WHERE file_row_number >= {first} AND file_row_number < {first + FETCH_ROWS}
            ORDER BY file_row_number
            """
        ).fetchnumpy()
        is_new = np.diff(rows["shingle"], prepend=rows["shingle"][:1]) != 0
        is_new[0] = rows["shingle"][0] != last
        numbers = number + np.cumsum(is_new, dtype=np.int32)
        holders[numbers[is_new] + 1] = rows["holders"][is_new]
        group_by_text(numbers.astype(np.int32), rows["rank"], ends, shingles)
        number, last = int(numbers[-1]), rows["shingle"][-1]
    return Shared(
        shingles,
        starts,
        np.cumsum(holders),
        ranked["n_shingles"].astype(np.int32),
        int(np.count_nonzero(ranked["split"])),
    )


def _write_selection(
    connection: "DuckDBPyConnection", work: Path, duplicate_of: NDArray[np.int32], path: Path
) -> None:
    """Writes which documents stay, and why the others do not."""
    near = np.flatnonzero(duplicate_of != NONE).astype(np.int32)
    connection.execute("CREATE TABLE near (rank INTEGER, kept_rank INTEGER)")
    insert(connection, "near", {"rank": near, "kept_rank": duplicate_of[near]})
    _write_once(
        connection,
        f"""
        WITH pairs AS (
            SELECT a.document, b.document AS cluster, a.split <> b.split AS leaks FROM near
            JOIN ranked a ON a.rank = near.rank JOIN ranked b ON b.rank = near.kept_rank
        )
        SELECT exact.document, exact.split, CASE
            WHEN exact.duplicate_of <> exact.document THEN '{EXACT_DUPLICATE}'
            WHEN pairs.leaks THEN '{LEAK}'
            WHEN pairs.cluster IS NOT NULL THEN '{NEAR_DUPLICATE}'
            ELSE ''
        END AS reason, coalesce(pairs.cluster, exact.duplicate_of) AS cluster
        FROM exact LEFT JOIN pairs ON pairs.document = exact.duplicate_of
        ORDER BY exact.document
        """,
        path,
    )


def _write_once(connection: "DuckDBPyConnection", query: str, path: Path) -> None:
    """Writes the rows of a query into a Parquet file that is whole or not there."""
    with staged(path) as draft:
        write_parquet(connection, query, draft)
