"""The same text twice, and texts in another wording: which documents stay, as SQL over digests.

Exact duplicates have the same normal form; the longest version stays. Near-duplicates are
defined in `near_duplicates`; a held-out text stays rather than one for training, a test text
rather than one for validation, and else the one with more grams.

Only grams that several documents hold can make near-duplicates, and a document can be the
shorter one of a pair only if at least half of its grams are of these. Most documents fall out
so; what is left is compared exactly.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anekdot.atomic_files import staged
from anekdot.corpus.database import database, insert, literal, parquet
from anekdot.corpus.deduplication.near_duplicates import (
    MIN_SHARED,
    NONE,
    Shared,
    find_twins,
    group_by_text,
)
from anekdot.corpus.processing import DOCUMENTS, GRAMS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXACT_DUPLICATE = "exact duplicate"
NEAR_DUPLICATE = "near-duplicate"
LEAK = "near-duplicate of a held-out text"

ROWS = 1 << 21  # fetched together
GRAM = 64  # bytes that a gram takes while a range is compared

Run = Callable[[Callable[[int], None], int], None]
"""Calls a function with each number below one, in any order, in this process or in others."""


def deduplicate(digests: Path, work: Path, *, memory: int, memory_of_each: int, run: Run) -> Path:
    """Decides on all documents that their digests keep.

    Args:
        digests: The folder with the digests.
        work: A folder for what is found on the way; files that are there already stay.
        memory: Bytes that DuckDB may take.
        memory_of_each: Bytes that DuckDB may take in each process that `run` uses.
        run: See Run.

    Returns:
        A Parquet file, ordered by ``document``: its ``side``, the ``reason`` why it is dropped
        (or ""), and the ``cluster``: the document that stays for it, or itself.
    """
    selection = work / "selection.parquet"
    if selection.exists():
        return selection
    with database(work / ".spill", memory=memory) as connection:
        _find_exact(connection, digests, work / "exact.parquet")
        n_grams = _number(
            connection, f"SELECT coalesce(sum(n_grams), 0) FROM {parquet(work, 'exact.parquet')}"
        )
    n_ranges = 1 + n_grams * GRAM // memory_of_each
    shared = work / f"shared-{n_ranges}"
    shared.mkdir(exist_ok=True)
    run(partial(find_shared, digests, shared, n_ranges, memory_of_each), n_ranges)
    with database(work / ".spill", memory=memory // 2) as connection:
        _rank(connection, work, shared)
        twins = find_twins(_fetch_shared(connection, work))
        _write_selection(connection, work, twins, selection)
    return selection


def _find_exact(connection: "DuckDBPyConnection", digests: Path, path: Path) -> None:
    """Writes every kept document with its ``twin``: the version of it that stays."""
    if path.exists():
        return
    _copy(
        connection,
        f"""
        SELECT document, side, n_grams, n_chars, first_value(document) OVER (
            PARTITION BY key_high, key_low ORDER BY n_chars DESC, document
        ) AS twin
        FROM {parquet(digests, f"*/{DOCUMENTS}")} WHERE reason = '' ORDER BY document
        """,
        path,
    )


def find_shared(digests: Path, folder: Path, n_ranges: int, memory: int, number: int) -> None:
    """Writes the grams of a range that several documents hold, with these.

    Args:
        digests: The folder with the digests.
        folder: Where to write, in the folder with the exact duplicates.
        n_ranges: Into how many ranges all grams are divided.
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
            CREATE TABLE held AS SELECT gram, document FROM {parquet(digests, f"*/{GRAMS}")}
            ANTI JOIN (
                FROM {parquet(folder.parent, "exact.parquet")} WHERE twin <> document
            ) USING (document)
            WHERE gram BETWEEN {first} AND {stop - 1}
            """
        )
        _copy(
            connection,
            """
            SELECT gram, document FROM held
            SEMI JOIN (SELECT gram FROM held GROUP BY gram HAVING count(*) > 1) USING (gram)
            ORDER BY gram, document
            """,
            path,
        )


def _rank(connection: "DuckDBPyConnection", work: Path, shared: Path) -> None:
    """Makes the tables of the grams and the documents that have to be compared."""
    connection.execute(
        f"""
        CREATE VIEW exact AS FROM {parquet(work, "exact.parquet")};
        CREATE VIEW shared AS FROM {parquet(shared, "*.parquet")};
        CREATE TABLE shorter AS SELECT document FROM exact JOIN (
            SELECT document, count(*) AS n_shared FROM shared GROUP BY document
        ) USING (document) WHERE n_shared >= greatest({MIN_SHARED}, (n_grams + 1) // 2);
        CREATE TABLE asked AS
            SELECT DISTINCT gram FROM shared SEMI JOIN shorter USING (document);
        CREATE TABLE holding AS SELECT gram, document FROM shared SEMI JOIN asked USING (gram);
        CREATE TABLE ranked AS SELECT document, side, n_grams, (row_number() OVER (
            ORDER BY side DESC, n_grams DESC, n_chars DESC, document
        ) - 1)::INTEGER AS rank
        FROM exact SEMI JOIN holding USING (document);
        """
    )
    _copy(
        connection,
        """
        SELECT holders, gram, rank FROM holding
        JOIN ranked USING (document)
        JOIN (SELECT gram, count(*)::INTEGER AS holders FROM holding GROUP BY gram) USING (gram)
        ORDER BY holders, gram, rank
        """,
        work / "holding.parquet",
    )
    connection.execute("DROP TABLE holding; DROP TABLE asked; DROP TABLE shorter")


def _fetch_shared(connection: "DuckDBPyConnection", work: Path) -> Shared:
    """Fetches the tables as arrays, some rows at a time."""
    ranked = connection.execute("SELECT side, n_grams FROM ranked ORDER BY rank").fetchnumpy()
    holding = parquet(work, "holding.parquet")
    n_rows = _number(connection, f"SELECT count(*) FROM {holding}")
    n_grams = _number(connection, f"SELECT count(DISTINCT gram) FROM {holding}")
    counts = connection.execute(
        f"SELECT count(*)::BIGINT AS held FROM {holding} GROUP BY rank ORDER BY rank"
    ).fetchnumpy()["held"]
    starts = np.append(0, np.cumsum(counts, dtype=np.int64))
    grams, ends = np.empty(n_rows, np.int32), starts[:-1].copy()
    holders = np.zeros(n_grams + 1, np.int64)
    number, last = -1, None
    for first in range(0, n_rows, ROWS):
        rows = connection.execute(
            f"""
            SELECT holders, gram, rank
            FROM read_parquet({literal(work / "holding.parquet")}, file_row_number = true)
            WHERE file_row_number >= {first} AND file_row_number < {first + ROWS}
            ORDER BY file_row_number
            """
        ).fetchnumpy()
        is_new = np.diff(rows["gram"], prepend=rows["gram"][:1]) != 0
        is_new[0] = rows["gram"][0] != last
        numbers = number + np.cumsum(is_new, dtype=np.int32)
        holders[numbers[is_new] + 1] = rows["holders"][is_new]
        group_by_text(numbers.astype(np.int32), rows["rank"], ends, grams)
        number, last = int(numbers[-1]), rows["gram"][-1]
    return Shared(
        grams,
        starts,
        np.cumsum(holders),
        ranked["n_grams"].astype(np.int32),
        int(np.count_nonzero(ranked["side"])),
    )


def _write_selection(
    connection: "DuckDBPyConnection", work: Path, twins: NDArray[np.int32], path: Path
) -> None:
    """Writes what was decided on all documents."""
    near = np.flatnonzero(twins != NONE).astype(np.int32)
    connection.execute("CREATE TABLE near (rank INTEGER, twin_rank INTEGER)")
    insert(connection, "near", {"rank": near, "twin_rank": twins[near]})
    _copy(
        connection,
        f"""
        WITH pairs AS (
            SELECT a.document, b.document AS cluster, a.side <> b.side AS leaks FROM near
            JOIN ranked a ON a.rank = near.rank JOIN ranked b ON b.rank = near.twin_rank
        )
        SELECT exact.document, exact.side, CASE
            WHEN exact.twin <> exact.document THEN '{EXACT_DUPLICATE}'
            WHEN pairs.leaks THEN '{LEAK}'
            WHEN pairs.cluster IS NOT NULL THEN '{NEAR_DUPLICATE}'
            ELSE ''
        END AS reason, coalesce(pairs.cluster, exact.twin) AS cluster
        FROM exact LEFT JOIN pairs ON pairs.document = exact.twin
        ORDER BY exact.document
        """,
        path,
    )


def _number(connection: "DuckDBPyConnection", query: str) -> int:
    (row,) = connection.execute(query).fetchall()
    return int(row[0])


def _copy(connection: Any, query: str, path: Path) -> None:
    with staged(path) as draft:
        connection.execute(f"COPY ({query}) TO {literal(draft)} (FORMAT parquet)")
