"""From sources to selected documents: plan, process, deduplicate, each step once.

Intermediate results are kept in a work folder, so that an interrupted preparation goes on where
it stopped: the plan, the results of each of its tasks, and the selection among all documents.
Other sources or rules start over.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path

from anekdot.atomic_files import LOCK, exclusive, holds_files, is_taken, staged, sync
from anekdot.bundle import TOKENIZER
from anekdot.callbacks import Notice, Progress
from anekdot.corpus.collection import PROCESSED, Collection, task_name
from anekdot.corpus.config import PreparationConfig
from anekdot.corpus.database import MIN_MEMORY
from anekdot.corpus.deduplication.select import deduplicate
from anekdot.corpus.manifest import Manifest, hash_files
from anekdot.corpus.plan import Plan, load_plan, make_plan
from anekdot.corpus.processing import process_documents
from anekdot.corpus.provenance import record_sources
from anekdot.corpus.reading import Source, read_piece
from anekdot.corpus.reading.addresses import kept_name
from anekdot.corpus.reading.remote import MAX_DOWNLOAD
from anekdot.corpus.report import write_report
from anekdot.corpus.report.warnings import remedy
from anekdot.corpus.tokenization import train_tokenizer, write_shards
from anekdot.corpus.workers import Call, cluster, run_all
from anekdot.errors import ConfigurationError, CorpusError
from anekdot.machine import available_cores, physical_memory
from anekdot.run_folder import MANIFEST
from anekdot.tokenizer.tokenizer import Tokenizer

PROCESS_BYTES = 200 << 20  # what Python, NumPy, Numba and a batch of texts take in a process


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """Keeps other processes out of the folder of a preparation; yields the work folder in it.

    Raises:
        ConfigurationError: The folder holds something else, or another process works in it.
    """
    work = out / "work"
    is_half = (work / LOCK).exists() and not (out / MANIFEST).exists()
    is_bare = work.is_dir() and not holds_files(out)  # killed before it had its lock
    if out.resolve() == Path.cwd() or (is_taken(out) and not is_half and not is_bare):
        raise ConfigurationError(
            f"{out} is not empty, or is the current folder.",
            "Name a folder that does not exist yet.",
        )

    def is_disposable() -> bool:
        return (out / MANIFEST).exists() or not (work / PROCESSED).exists()

    with exclusive(work, activity="preparing", is_disposable=is_disposable):
        yield work


def collect(
    sources: Sequence[Source],
    work: Path,
    config: PreparationConfig,
    *,
    memory: int | None = None,
    ray: str | None = None,
    max_download: int = MAX_DOWNLOAD,
    progress: Progress | None = None,
    notice: Notice | None = None,
) -> Collection:
    """Reads, cleans, splits and deduplicates the documents of some sources.

    Args:
        sources: Files, folders, patterns, addresses, or "-" for standard input.
        work: The work folder.
        config: What is done with each document, and how files are read.
        memory: Bytes that all processes together should stay within; half of the machine's
            memory unless given.
        ray: The address of a Ray cluster, or "local".
        max_download: Bytes of the largest file that is downloaded.
        progress: Called as pieces are read and compared.
        notice: Called with what was guessed about the files, a sentence each.

    Raises:
        CorpusError: A source cannot be read, or no text is left.
    """
    plan = make_plan(sources, work, config, max_download)
    if notice:
        for sentence in plan.notices:
            notice(sentence)
    collection = _carry_out(plan, work, memory or physical_memory() // 2, ray, progress)
    if not collection.count():
        raise _nothing_left(collection)
    return collection


def write_result(
    collection: Collection,
    out: Path,
    config: PreparationConfig,
    sources: Sequence[Source],
    *,
    tokenizer: Tokenizer | None,
    progress: Progress | None,
) -> Manifest:
    """Trains a tokenizer if there is none, encodes all documents and publishes the results.

    Args:
        collection: The selected documents.
        out: The prepared folder.
        config: How they were prepared.
        sources: What the user named.
        tokenizer: One that exists already, if any.
        progress: Called with (done, total, unit).

    Raises:
        CorpusError: No document fell to the training split.
    """
    if not collection.count("train"):
        raise _nothing_left(collection)
    result = collection.work / "result"
    with staged(result) as draft:
        draft.mkdir()
        if tokenizer is None:
            path = collection.work / TOKENIZER
            tokenizer = train_tokenizer(collection, config.vocab_size, path, progress)
        tokenizer.save(draft / TOKENIZER)
        tokens = write_shards(collection, tokenizer, draft, progress)
        collection.write_index(draft / "documents.parquet")
        report = write_report(collection, tokenizer, tokens, draft)
        manifest = Manifest(
            sources=[*map(kept_name, sources)],
            settings=dataclasses.asdict(config),
            texts_in=report.texts_in,
            dropped=report.dropped,
            documents=report.documents,
            tokens=tokens,
            vocab_size=tokenizer.vocab_size,
            files=hash_files(draft),
        )
        manifest.save(draft)
        record_sources(sources, collection.plan, collection.work, draft)
    for item in sorted(result.iterdir(), key=lambda item: item.name == MANIFEST):
        item.replace(out / item.name)  # the manifest last
    sync(out)
    return manifest


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


def _nothing_left(collection: Collection) -> CorpusError:
    """Returns the error of a corpus without a text to train on."""
    dropped, n_kept = collection.dropped(), collection.count()
    n_dropped = sum(dropped.values())
    if n_kept:
        return CorpusError(
            f"Of {n_kept} texts ({n_dropped} more were dropped) none fell to the training split.",
            "Give more texts, or --validation 0 --test 0 to train on all.",
        )
    reasons = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
    cause = f"No text is left of {n_dropped} ({reasons or 'nothing was read'})."
    return CorpusError(cause, remedy(dropped))


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
