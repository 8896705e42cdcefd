"""From sources to selected documents: plan, process, deduplicate, each step once.

Intermediate results are kept in a work folder, so that an interrupted preparation goes on where
it stopped: the plan, the results of each of its tasks, and the selection among all documents.
Other sources or rules start over.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path

from anekdot.atomic_files import HeldError, holds_files, is_taken, locked, sync
from anekdot.callbacks import Notice, Progress
from anekdot.corpus.collection import PROCESSED, Collection, task_name
from anekdot.corpus.config import Rules
from anekdot.corpus.database import MIN_MEMORY
from anekdot.corpus.deduplication.select import deduplicate
from anekdot.corpus.manifest import MANIFEST
from anekdot.corpus.plan import LOCK, Plan, load_plan, make_plan
from anekdot.corpus.processing import process_documents
from anekdot.corpus.reading import Source, read_piece
from anekdot.corpus.splitting import check_fractions
from anekdot.corpus.workers import Call, cluster, run_all
from anekdot.errors import ConfigurationError, CorpusError
from anekdot.machine import available_cores, physical_memory

PROCESS_BYTES = 200 << 20  # what Python, NumPy, Numba and a batch of texts take in a process


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
        if (out / MANIFEST).exists() or not (work / PROCESSED).exists():
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
        sources: Files, folders, patterns, addresses, or "-" for standard input.
        work: The work folder.
        rules: What is done with each document.
        separator: What stands between the texts of a text file; guessed unless given.
        column: The column or key that holds the text; guessed unless given.
        memory: Bytes that all processes together should stay within; half of the machine's
            memory unless given.
        ray: The address of a Ray cluster, or "local".
        progress: Called as pieces are read and compared.
        notice: Called with what was guessed about the files, a sentence each.

    Raises:
        ConfigurationError: The shares of the held-out splits are impossible.
        CorpusError: A source cannot be read, or no text is left.
    """
    check_fractions(rules.validation, rules.test)
    plan = make_plan(sources, work, rules, separator=separator, column=column)
    if notice:
        for sentence in plan.notices:
            notice(sentence)
    collection = _carry_out(plan, work, memory or physical_memory() // 2, ray, progress)
    if not collection.count():
        raise _nothing_left(collection.dropped())
    return collection


def _carry_out(
    plan: Plan, work: Path, memory: int, ray: str | None, progress: Progress | None
) -> Collection:
    """Processes the tasks of a plan that are not done yet, and selects among all documents."""
    workers, memory_per_process = _share_memory(memory, 1 if plan.is_small else available_cores())

    def run(function: Call, numbers: Sequence[int], total: int, unit: str) -> None:
        def done(count: int) -> None:
            if progress:
                progress(total - len(numbers) + count, total, unit)

        run_all(function, numbers, workers=workers, ray=ray is not None, done=done)

    processed, n_tasks = work / PROCESSED, len(plan.tasks)
    missing = [number for number in range(n_tasks) if not (processed / task_name(number)).exists()]
    with cluster(ray, workers):
        run(partial(process_task, work, memory_per_process), missing, n_tasks, "pieces read")
        selection = deduplicate(
            processed,
            work,
            memory=memory - PROCESS_BYTES,
            memory_per_process=memory_per_process,
            run=lambda find, count: run(find, range(count), count, "parts compared"),
        )
    memory_left = (memory - PROCESS_BYTES) // 2
    return Collection(work=work, plan=plan, selection=selection, memory=memory_left)


def _share_memory(memory: int, max_workers: int) -> tuple[int, int]:
    """Returns how many processes to use, and the bytes that DuckDB may take in each of them."""
    workers = min(max_workers, max(1, (memory // PROCESS_BYTES - 1) // 2))
    return workers, max(MIN_MEMORY, (memory - (workers + 1) * PROCESS_BYTES) // workers)


def _nothing_left(dropped: dict[str, int]) -> CorpusError:
    """Returns the error of a corpus all of whose texts were dropped."""
    reasons = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
    n_texts = sum(dropped.values())
    cause = (
        f"All {n_texts} texts were dropped ({reasons})."
        if n_texts
        else "No texts were found (0 read)."
    )
    return CorpusError(cause, "Bring texts of at least a sentence.")


def process_task(work: Path, memory: int, number: int) -> None:
    """Processes a task of the plan in a work folder."""
    plan = load_plan(work)
    process_documents(
        chain.from_iterable(map(read_piece, plan.tasks[number])),
        number,
        folder=work / PROCESSED,
        rules=plan.rules,
        memory=memory,
    )
