"""From sources to chosen documents: plan, digest, deduplicate, each step once.

What is found on the way stands in a work folder, so that a preparation that was stopped goes
on where it was: the plan, a digest of each load of pieces, and what was decided on all
documents. Other sources or rules begin anew.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anekdot.atomic_files import HeldError, holds_files, is_taken, locked, sync
from anekdot.callbacks import Notice, Progress
from anekdot.corpus.config import Rules
from anekdot.corpus.database import SMALLEST, database, literal, parquet
from anekdot.corpus.deduplication.select import deduplicate
from anekdot.corpus.manifest import MANIFEST
from anekdot.corpus.plan import LOCK, Plan, load_plan, make_plan
from anekdot.corpus.processing import COUNTS, DOCUMENTS, digest, digest_name
from anekdot.corpus.reading import Source, read_piece
from anekdot.corpus.splitting import SPLITS, Split, check_fractions
from anekdot.corpus.workers import cluster, run_all
from anekdot.errors import ConfigurationError, CorpusError
from anekdot.machine import available_cores, physical_memory

PROCESS = 200 << 20  # bytes that Python, NumPy, Numba and a batch of texts take in a process
_SIDE_NAMES = " ".join(f"WHEN {number} THEN '{side}'" for number, side in enumerate(SPLITS))
BATCH = 1 << 13  # documents that are fetched together

Batch = tuple[NDArray[np.uint8], NDArray[np.object_]]
"""The sides of some documents, by their place in SPLITS, and their texts."""


@dataclass(frozen=True, kw_only=True)
class Collection:
    """The documents of a corpus in its work folder.

    Attributes:
        work: The folder.
        plan: How they were read.
        selection: What was decided on each, see `deduplicate`.
        memory: Bytes that DuckDB may take.
    """

    work: Path
    plan: Plan
    selection: Path
    memory: int

    @property
    def digests(self) -> Path:
        """The folder with the digests of all loads."""
        return self.work / "digests"

    def kept(self) -> Iterator[Batch]:
        """Yields the documents that stay, in the order of the input, some at a time."""
        with database(self.work / ".spill", memory=self.memory) as connection:
            for number in range(len(self.plan.loads)):
                name = digest_name(number)
                n_documents = json.loads((self.digests / name / COUNTS).read_text("utf-8"))["texts"]
                for first in range(number << 32, (number << 32) + n_documents, BATCH):
                    span = f"document BETWEEN {first} AND {first + BATCH - 1}"
                    columns = connection.execute(
                        f"""
                        SELECT chosen.side, text FROM (
                            FROM {parquet(self.digests, f"{name}/{DOCUMENTS}")} WHERE {span}
                        ) JOIN (
                            FROM {parquet(self.work, self.selection.name)}
                            WHERE reason = '' AND {span}
                        ) AS chosen USING (document) ORDER BY document
                        """
                    ).fetchnumpy()
                    yield columns["side"], columns["text"]

    def count(self, side: Split | None = None) -> int:
        """Returns how many documents stay, on one side or on all."""
        chosen = "" if side is None else f"AND side = {SPLITS.index(side)}"
        with database(self.work / ".spill", memory=self.memory) as connection:
            rows = connection.execute(
                f"""
                SELECT count(*) FROM {parquet(self.work, self.selection.name)}
                WHERE reason = '' {chosen}
                """
            ).fetchall()
        return int(rows[0][0])

    def dropped(self) -> dict[str, int]:
        """Returns how many documents were dropped, by reason, the most frequent first."""
        with database(self.work / ".spill", memory=self.memory) as connection:
            rows = connection.execute(
                f"""
                SELECT reason, count(*) FROM (
                    SELECT reason FROM {parquet(self.digests, f"*/{DOCUMENTS}")}
                    UNION ALL SELECT reason FROM {parquet(self.work, self.selection.name)}
                ) WHERE reason <> '' GROUP BY reason ORDER BY count(*) DESC, reason
                """
            ).fetchall()
        return dict(rows)

    def write_index(self, path: Path) -> None:
        """Writes where every document came from and what became of it, as Parquet.

        The columns: ``document``, ``source``, ``line``, ``side``; ``place``, its number in the
        shard of its side, or NULL; ``reason`` why it was dropped, or ""; and ``cluster``, the
        document that stays for it, or itself.
        """
        with database(self.work / ".spill", memory=self.memory) as connection:
            connection.execute(
                f"""
                COPY (
                    SELECT document, source, line, CASE side {_SIDE_NAMES} END AS side,
                        CASE WHEN coalesce(chosen.reason, read.reason) = '' THEN row_number() OVER (
                            PARTITION BY coalesce(chosen.reason, read.reason) = '', side
                            ORDER BY document
                        ) - 1 END AS place,
                        coalesce(chosen.reason, read.reason) AS reason,
                        coalesce(cluster, document) AS cluster
                    FROM {parquet(self.digests, f"*/{DOCUMENTS}")} AS read
                    LEFT JOIN (
                        SELECT document, reason, cluster
                        FROM {parquet(self.work, self.selection.name)}
                    ) AS chosen USING (document)
                    ORDER BY document
                ) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)
                """
            )

    def training_texts(self) -> Iterator[str]:
        """Yields the texts of the training split."""
        for sides, texts in self.kept():
            yield from texts[sides == SPLITS.index("train")]


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """Holds the folder of a preparation and yields the work folder in it.

    Raises:
        ConfigurationError: It holds something else, or another process works in it.
    """
    work, existed = out / "work", out.exists()
    is_half = (work / LOCK).exists() and not (out / MANIFEST).exists()
    is_bare = work.is_dir() and not holds_files(out)  # killed before it had its lock
    if out.resolve() == Path.cwd() or (is_taken(out) and not is_half and not is_bare):
        raise ConfigurationError(
            f"{out} is not empty, or is the current folder.",
            "Name a folder that does not exist yet.",
        )
    work.mkdir(parents=True, exist_ok=True)
    try:
        with locked(work / LOCK):
            yield work
    except HeldError as holder:
        raise ConfigurationError(
            f"Another process is preparing {out}: {holder}.", "Wait for it, or name another folder."
        ) from None
    finally:
        if (out / MANIFEST).exists() or not (work / "digests").exists():
            shutil.rmtree(work, ignore_errors=True)
            with suppress(OSError):
                if not existed:
                    out.rmdir()


def publish(result: Path, out: Path) -> None:
    """Moves a finished preparation out of its work folder, the manifest last."""
    for item in sorted(result.iterdir(), key=lambda item: item.name == MANIFEST):
        item.replace(out / item.name)
    sync(out)


def collect(
    sources: Sequence[Source],
    work: Path,
    *,
    rules: Rules,
    separator: str | None = None,
    column: str | None = None,
    memory: int | None = None,
    ray: str | None = None,
    progress: Progress | None = None,
    notice: Notice | None = None,
) -> Collection:
    """Reads, cleans, splits and deduplicates the documents of some sources.

    Args:
        sources: Files, folders, patterns, or "-" for standard input.
        work: The work folder.
        rules: What is done with each document.
        separator: What stands between the texts of a text file, if it is not to be guessed.
        column: The column or key that holds the text, if it is not to be guessed.
        memory: Bytes that all processes together should stay within; half of what the machine
            has unless given.
        ray: The address of a Ray cluster, or "local".
        progress: Called as pieces are read and compared.
        notice: Told what was guessed about a file.

    Raises:
        ConfigurationError: The shares of the held-out splits cannot work.
        CorpusError: A source cannot be read, or no text is left.
    """
    check_fractions(rules.validation, rules.test)
    memory = memory or physical_memory() // 2
    plan = make_plan(sources, work, rules, separator=separator, column=column)
    for sentence in plan.notices:
        if notice:
            notice(sentence)
    workers = 1 if plan.is_small else min(available_cores(), max(1, (memory // PROCESS - 1) // 2))
    each = max(SMALLEST, (memory - (workers + 1) * PROCESS) // workers)

    def run(function: Any, count: int, what: str, missing: Sequence[int] | None = None) -> None:
        numbers = range(count) if missing is None else missing

        def done(number: int) -> None:
            if progress:
                progress(count - len(numbers) + number, count, what)

        run_all(function, numbers, workers=workers, ray=ray is not None, done=done)

    digests, n_loads = work / "digests", len(plan.loads)
    missing = [number for number in range(n_loads) if not (digests / digest_name(number)).exists()]
    with cluster(ray, workers):
        run(partial(digest_load, work, each), n_loads, "pieces read", missing)
        selection = deduplicate(
            digests,
            work,
            memory=memory - PROCESS,
            memory_of_each=each,
            run=lambda find, count: run(find, count, "parts compared"),
        )
    collection = Collection(
        work=work, plan=plan, selection=selection, memory=(memory - PROCESS) // 2
    )
    if not collection.count():
        dropped = collection.dropped()
        reasons = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
        raise CorpusError(
            f"No text is left of {sum(dropped.values())} ({reasons or 'nothing read'}).",
            "Bring texts of at least a sentence.",
        )
    return collection


def digest_load(work: Path, memory: int, number: int) -> None:
    """Digests a load of the plan in a work folder."""
    plan = load_plan(work)
    digest(
        chain.from_iterable(map(read_piece, plan.loads[number])),
        number,
        folder=work / "digests",
        rules=plan.rules,
        memory=memory,
    )
