"""The tokenizer beside its peers: time, memory, and whether the results are the same.

    python3 -m venv build/bench
    build/bench/bin/pip install -r bench/tokenizer-peers.txt -e '.[fast]'
    build/bench/bin/python bench/tokenizer.py texts.jsonl.gz

Every measurement is a process of its own, bound to as many processors as it may use threads. It
loads the texts, warms up on made-up English, and only then looks at the clock: caches are cold,
and what Numba compiles is compiled. What compiling costs is measured by itself, as first use.
"""

import ctypes
import gc
import json
import math
import os
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from cyclopts import App
from tokenizer_peers import FIRST, OURS, PEERS, Job, train_gigatoken
from tokenizer_tables import (
    EDGE_SIZE,
    EDGE_VOCABULARY,
    THREADS,
    Key,
    Samples,
    describe,
    tables,
    write,
)

from anekdot.corpus.reading import read
from anekdot.tokenizer import Tokenizer
from anekdot.tokenizer.pretokens import PATTERNS

VOCABULARIES = (1024, 8192, 32768)
TIMEOUT = 3600  # seconds for one measurement
# Qwen2's own contractions, by which peers with a hand-written scanner know the pattern. Where no
# U+017F follows an apostrophe they split as ours do.
QWEN2 = PATTERNS["qwen2"].replace(PATTERNS["qwen2"].split("|[^")[0], "(?i:'s|'t|'re|'ve|'m|'ll|'d)")
# Enough to be worth compiling for.
WARM_UP = [f"Sentence {n} was made up, wasn't it? It isn't Russian.\n" for n in range(150_000)]
LETTERS = "".join(random.Random(0).choices("абвгдежзиклмнопрстуфхцчшщыэюя", k=2 * EDGE_SIZE))
RUNS = {"one letter": "а", "spaces": " ", "line ends": "\n", "combining accents": "\u0301"}
EDGES = {"random letters": LETTERS, **{name: one * 2 * EDGE_SIZE for name, one in RUNS.items()}}

Measured = tuple[list[tuple[str, str, float]], str]  # (table, row, value) each; a note
app = App(help="Measure the tokenizer beside its peers and write tables into a Markdown file.")


def measure_training(job: Job) -> Measured:
    """Measures seconds, and megabytes of memory above what was in use before."""
    train, texts, warm_up = PEERS[job.peer].train, job.texts(), WARM_UP
    if train is train_gigatoken:
        texts, warm_up = (b"\0".join(map(str.encode, some)) for some in (texts, warm_up))
    train(warm_up, 270, job.threads)
    before = peak_memory(reset=True)
    seconds, trained = timed(train, texts, job.vocab_size, job.threads)
    row = f"{job.scale} × text, V {job.vocab_size}, threads {job.threads}"
    values = [("time", row, seconds)]
    if not math.isnan(rise := peak_memory() - before):
        values.append(("memory", row, rise))
    ours = Tokenizer.load(job.path("tokenizer.json"))
    others = set(trained()) - set(map(ours.token_bytes, range(ours.vocab_size)))
    return values, f"{len(others)} of its tokens are not ours" if others else ""


def measure_first_use(job: Job) -> Measured:
    """Measures seconds of training without any machine code, as a new installation does."""
    train, texts = PEERS[job.peer].train, job.texts()
    rows = (f"V {job.vocab_size}, nothing compiled yet", f"V {job.vocab_size}, the same again")
    with TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder  # before anything is compiled
        return [("use", row, timed(train, texts, job.vocab_size, 1)[0]) for row in rows], ""


def measure_encoding(job: Job) -> Measured:
    """Measures megabytes per second of a first and a second pass, and compares the ids."""
    encode, texts = PEERS[job.peer].encoder(job), job.texts()
    ours = stored(job.path("ids.npz"))
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    encode(WARM_UP)
    values, others = [], 0
    for table in "first" if job.threads == 1 else "batch", "warm":
        seconds, result = timed(encode, texts)
        row = f"V {job.vocab_size}" + f", threads {job.threads}" * (table == "warm")
        values.append((table, row, megabytes / seconds))
        pairs = zip(by_document(result), ours, strict=True)
        others = max(others, sum(not np.array_equal(*pair) for pair in pairs))
        del result
    return values, f"ids of {others} documents differ" if others else ""


def measure_after(job: Job) -> Measured:
    """Measures megabytes per second: ours right after training on the texts, others at first."""
    make = PEERS[job.peer].after
    encode, texts = make(job), job.texts()
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    if job.peer != OURS:
        encode(WARM_UP)
    seconds, _ = timed(encode, texts)
    return [("after", f"V {job.vocab_size}, threads {job.threads}", megabytes / seconds)], ""


def measure_prompts(job: Job) -> Measured:
    """Measures microseconds for a prompt of 20 characters: 2,000 new ones, then the same again."""
    encode = PEERS[job.peer].prompt(job)
    prompts = [text[:20] for text in job.texts() if len(text) >= 20][:3000]
    values = []
    for row, some in (("", prompts[:1000]), ("new", prompts[1000:]), ("again", prompts[1000:])):
        seconds, _ = timed(lambda some=some: [encode(prompt) for prompt in some])
        values.append(("prompt", row, seconds / len(some) * 1e6))
    return values[1:], ""


def measure_edges(job: Job) -> Measured:
    """Measures milliseconds for hard texts, and how they grow when there is twice as much.

    It takes the best of three calls, each with a little less text: some peers remember even the
    longest pretoken.
    """
    encode = PEERS[job.peer].encoder(job)
    encode(WARM_UP)
    values, others = [], []
    for (name, text), ours in zip(EDGES.items(), stored(job.path("edges.npz")), strict=True):
        half, whole = (
            [timed(encode, [text[skipped:end]]) for skipped in range(3)]
            for end in (EDGE_SIZE, 2 * EDGE_SIZE)
        )
        once, twice = (min(seconds for seconds, _ in calls) for calls in (half, whole))
        values += [("edge", name, once * 1e3), ("growth", name, twice / once)]
        if not np.array_equal(by_document(whole[0][1])[0], ours):
            others.append(name)
    return values, f"ids of {', '.join(others)} differ" if others else ""


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Returns the seconds that a call took, without garbage collection, and its result."""
    gc.collect()
    gc.disable()
    start = perf_counter()
    result = function(*arguments)
    return perf_counter() - start, result


def peak_memory(reset: bool = False) -> float:
    """Returns the most megabytes in use since the last reset, where the system tells."""
    try:
        if reset:
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
    except (OSError, AttributeError, TypeError):
        return math.nan
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def by_document(result: Any) -> Sequence[Any]:
    """Returns the ids of each document: from lists, (ids, offsets), or an awkward array."""
    if isinstance(result, list):
        return result
    layout = getattr(result, "layout", None)
    ids, offsets = (layout.content.data, layout.offsets.data) if layout else result
    if isinstance(ids, bytes):
        ids, offsets = np.frombuffer(ids, np.uint32), np.frombuffer(offsets, np.uint64)
    return np.split(ids, offsets[1:-1].astype(np.int64))


def stored(path: Path) -> Sequence[Any]:
    """Reads the ids that ours gave for each document."""
    with np.load(path) as file:
        return by_document((file["ids"], file["offsets"]))


MEASURES = {
    "train": measure_training,
    "use": measure_first_use,
    "encode": measure_encoding,
    "after": measure_after,
    "prompt": measure_prompts,
    "edge": measure_edges,
}
ROLES = {
    "encode": "encoder",
    "edge": "encoder",
    "use": "train",
}  # what a peer needs for each; else its name


@app.command(show=False)
def measure(spec: str) -> None:
    """Makes one measurement in this process and prints it."""
    job = Job(*json.loads(spec))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-job.threads :])
    print(json.dumps(MEASURES[job.task](job)))


def run(job: Job) -> tuple[Measured, str]:
    """Makes one measurement in a process of its own; returns it, or what went wrong."""
    command = [sys.executable, __file__, "measure", json.dumps(job)]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(job.threads)}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return ([], ""), f"not done in {TIMEOUT} seconds"
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1]), ""
    last = [f"exit status {done.returncode}", *done.stderr.strip().splitlines()][-1]
    return ([], ""), re.sub(r"(/[\w.@-]+){2,}", "…", last)[:200]  # no path of this machine


def prepare(root: Path, texts: list[str], vocabularies: set[int]) -> None:
    """Trains ours once and writes what the measurements read."""
    (root / "texts.json").write_text(json.dumps(texts))
    merges = Tokenizer.train(texts, max(vocabularies)).merges
    for size in vocabularies:
        folder = root / str(size)
        folder.mkdir()
        tokenizer = Tokenizer(merges[: size - FIRST])
        tokenizer.save(folder / "tokenizer.json")
        file = (folder / "tokenizer.json").read_bytes()
        pattern, known = (json.dumps(text).encode() for text in (PATTERNS["qwen2"], QWEN2))
        (folder / "qwen2.json").write_bytes(file.replace(pattern, known))
        for name, some in {"ids": texts, "edges": list(EDGES.values())}.items():
            ids, offsets = tokenizer.encode_batch(some)
            np.savez(folder / name, ids=ids, offsets=offsets)


def turns(rounds: int, root: str) -> Iterator[tuple[int, Job]]:
    """Yields all jobs with their rounds; in each round the programs go in another order."""
    tasks = [
        *product(["train"], [1], VOCABULARIES, (1, THREADS)),
        ("train", 10, EDGE_VOCABULARY, THREADS),
        ("use", 1, VOCABULARIES[0], 1),
        *product(["encode"], [1], VOCABULARIES, (1, THREADS)),
        *product(["after"], [1], [EDGE_VOCABULARY], (1, THREADS)),
        ("prompt", 1, EDGE_VOCABULARY, 1),
        ("edge", 1, EDGE_VOCABULARY, 1),
    ]
    for n, task in product(range(rounds), tasks):
        names = [name for name, peer in PEERS.items() if getattr(peer, ROLES.get(task[0], task[0]))]
        names = [OURS] if task[0] == "use" else names  # the others are compiled when installed
        first = n % len(names)
        for name in names[first:] + names[:first]:
            yield n, Job(*task, name, root)


@app.default
def main(
    corpus: Path,
    *,
    rounds: int = 5,
    documents: int | None = None,
    out: Path = Path("bench/RESULTS.md"),
) -> None:
    """Measures everything; what is known so far always stands in the file of the results.

    Args:
        corpus: Texts in any form that anekdot reads.
        rounds: How often each measurement is made.
        documents: Take only so many.
        out: The file of the results; other sections of it stay.
    """
    texts = [document.text for document in read(corpus)][:documents]
    head = describe(texts)
    samples: Samples = defaultdict(dict)
    notes: dict[Key, str] = {}
    failures: Counter[str] = Counter()
    with TemporaryDirectory() as root:
        prepare(Path(root), texts, {*VOCABULARIES, EDGE_VOCABULARY})
        for n, job in turns(rounds, root):
            (values, note), error = run(job)
            print(f"round {n + 1} of {rounds}:", *job[:-1], error or values, note, flush=True)
            for table, row, value in values:
                samples[table, row, job.peer][n] = value
                notes[table, row, job.peer] = note
            if error:
                failures[f"- {job.peer} cannot {job.task}: {error}"] += 1
            failed = [f"{text} ({count} times)" for text, count in failures.items()]
            write(out, [*head, "", *failed, *tables(samples, notes)])


if __name__ == "__main__":
    app()
