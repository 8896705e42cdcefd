"""The documents of a corpus: in the work folder of a preparation, and in a prepared folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anekdot.corpus.database import database, fetch_integer, parquet, write_parquet
from anekdot.corpus.plan import Plan
from anekdot.corpus.splitting import SPLITS, Split
from anekdot.tokenizer.signs import Counts, count_characters

PROCESSED = "processed"
"""The folder, in a work folder, with a folder of results for each task of the plan."""

DOCUMENTS = "documents.parquet"
COUNTS = "counts.json"
"""How many documents there are, and how many of them each rule of cleaning repaired."""

FETCH_DOCUMENTS = 1 << 13  # documents fetched together
_SPLIT_NAMES = " ".join(f"WHEN {number} THEN '{split}'" for number, split in enumerate(SPLITS))

DocumentBatch = tuple[NDArray[np.uint8], NDArray[np.object_]]
"""The splits of some documents, by their place in SPLITS, and their texts."""


def task_name(number: int) -> str:
    """Returns the name of the folder with the results of a task."""
    return f"{number:06d}"


@dataclass(frozen=True, kw_only=True)
class Collection:
    """The documents of a corpus in its work folder.

    Attributes:
        work: The folder.
        plan: What was read, and how.
        selection: The file that says which documents stay; see `deduplicate`.
        memory: Bytes that DuckDB may take.
    """

    work: Path
    plan: Plan
    selection: Path
    memory: int

    @property
    def processed(self) -> Path:
        """The folder with the results of all tasks."""
        return self.work / PROCESSED

    def kept(self) -> Iterator[DocumentBatch]:
        """Yields the documents that stay, in the order of the input, a batch at a time."""
        with database(self.work / ".spill", memory=self.memory) as connection:
            for number in range(len(self.plan.tasks)):
                name = task_name(number)
                n_documents = json.loads((self.processed / name / COUNTS).read_text("utf-8"))[
                    "texts"
                ]
                for first in range(number << 32, (number << 32) + n_documents, FETCH_DOCUMENTS):
                    span = f"document BETWEEN {first} AND {first + FETCH_DOCUMENTS - 1}"
                    columns = connection.execute(
                        f"""
                        SELECT chosen.split, text FROM (
                            FROM {parquet(self.processed, f"{name}/{DOCUMENTS}")} WHERE {span}
                        ) JOIN (
                            FROM {parquet(self.work, self.selection.name)}
                            WHERE reason = '' AND {span}
                        ) AS chosen USING (document) ORDER BY document
                        """
                    ).fetchnumpy()
                    yield columns["split"], columns["text"]

    def count(self, split: Split | None = None) -> int:
        """Returns how many documents stay, in one split or in all."""
        chosen = "" if split is None else f"AND split = {SPLITS.index(split)}"
        with database(self.work / ".spill", memory=self.memory) as connection:
            return fetch_integer(
                connection,
                f"""
                SELECT count(*) FROM {parquet(self.work, self.selection.name)}
                WHERE reason = '' {chosen}
                """,
            )

    def dropped(self) -> dict[str, int]:
        """Returns how many documents were dropped, by reason, the most frequent first."""
        with database(self.work / ".spill", memory=self.memory) as connection:
            rows = connection.execute(
                f"""
                SELECT reason, count(*) FROM (
                    SELECT reason FROM {parquet(self.processed, f"*/{DOCUMENTS}")}
                    UNION ALL SELECT reason FROM {parquet(self.work, self.selection.name)}
                ) WHERE reason <> '' GROUP BY reason ORDER BY count(*) DESC, reason
                """
            ).fetchall()
        return dict(rows)

    def write_index(self, path: Path) -> None:
        """Writes where every document came from and what became of it, as Parquet.

        The columns: ``document``, ``source``, ``line``; ``side``, its split; ``place``, its
        number in the shard of that split, or NULL; ``reason``, why it was dropped, or ""; and
        ``cluster``, the document that was kept in its place, or itself.
        """
        with database(self.work / ".spill", memory=self.memory) as connection:
            write_parquet(
                connection,
                f"""
                SELECT document, source, line, CASE split {_SPLIT_NAMES} END AS side,
                    CASE WHEN coalesce(chosen.reason, read.reason) = '' THEN row_number() OVER (
                        PARTITION BY coalesce(chosen.reason, read.reason) = '', split
                        ORDER BY document
                    ) - 1 END AS place,
                    coalesce(chosen.reason, read.reason) AS reason,
                    coalesce(cluster, document) AS cluster
                FROM {parquet(self.processed, f"*/{DOCUMENTS}")} AS read
                LEFT JOIN (
                    SELECT document, reason, cluster
                    FROM {parquet(self.work, self.selection.name)}
                ) AS chosen USING (document)
                ORDER BY document
                """,
                path,
                ", COMPRESSION zstd",
            )

    @cached_property
    def characters(self) -> dict[Split, Counts]:
        """How often each character occurs in the documents of each split that stay."""
        counts = {split: count_characters([]) for split in SPLITS}
        for splits, texts in self.kept():
            for number, split in enumerate(SPLITS):
                counts[split] += count_characters(texts[splits == number])
        return counts

    def training_texts(self) -> Iterator[str]:
        """Yields the texts of the training split."""
        for splits, texts in self.kept():
            yield from texts[splits == SPLITS.index("train")]


def source_of(folder: Path, number: int) -> str:
    """Says which file and line a training document came from."""
    with database(folder / ".spill") as connection:
        rows = connection.execute(
            f"""
            SELECT source, line FROM {parquet(folder, "documents.parquet")}
            WHERE reason = '' AND side = 'train' AND place = {number}
            """
        ).fetchall()
    return ", ".join(f"{source}:{line}" for source, line in rows)
