"""The tokenizer beside its peers: time, memory, and whether the results are the same.

    python3 -m venv build/bench
    build/bench/bin/pip install -r bench/tokenizer-peers.txt -e '.[fast]'
    build/bench/bin/python bench/tokenizer.py texts.jsonl.gz

Every measurement is a process of its own, bound to as many processors as it may use threads. It
loads the texts, warms up on made-up English, and only then looks at the clock: caches are cold.
"""

import ctypes
import gc
import json
import math
import os
import platform
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module, metadata
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from cyclopts import App

from anekdot.corpus.reading import read
from anekdot.tokenizer import Tokenizer
from anekdot.tokenizer.pretokens import PATTERN
from anekdot.tokenizer.vocabulary import BYTE_CHARACTERS, SPECIALS

OURS, FIRST = "anekdot", 259  # our name, and the first id that is learned
SCALES, VOCABULARIES, THREADS = (1, 10), (1024, 8192, 32768), 2
TIMEOUT = 3600  # seconds for one measurement
# Qwen2's own contractions, by which peers with a hand-written scanner know the pattern. Where no
# U+017F follows an apostrophe they split as ours do.
QWEN2 = PATTERN.replace(PATTERN.split("|[^")[0], "(?i:'s|'t|'re|'ve|'m|'ll|'d)")
# Enough to be worth compiling for.
WARM_UP = [f"Sentence {n} was made up, wasn't it? It isn't Russian.\n" for n in range(150_000)]
EDGE_SIZE, EDGE_VOCABULARY = 200_000, 8192
LETTERS = "".join(random.Random(0).choices("абвгдежзиклмнопрстуфхцчшщыэюя", k=2 * EDGE_SIZE))
RUNS = {"one letter": "а", "spaces": " ", "line ends": "\n", "combining accents": "\u0301"}
EDGES = {"random letters": LETTERS, **{name: one * 2 * EDGE_SIZE for name, one in RUNS.items()}}

Encode = Callable[[list[str]], Any]  # gives ids in a form that ``by_document`` knows
Learned = Callable[[], list[bytes]]  # the learned tokens, asked for after the clock
Measured = tuple[list[tuple[str, str, float]], str]  # (table, row, value) each; a note
Key = tuple[str, str, str]  # table, row, peer
Samples = dict[Key, dict[int, float]]  # values by round
app = App(help="Measure the tokenizer beside its peers and write tables into a Markdown file.")


class Job(NamedTuple):
    """What the process of one measurement is told."""

    task: str
    scale: int
    vocab_size: int
    threads: int
    peer: str
    root: str

    def path(self, name: str) -> Path:
        """Returns where a file of this vocabulary is."""
        return Path(self.root, str(self.vocab_size), name)

    def texts(self) -> list[str]:
        """Reads the documents; beyond scale 1, shuffled copies of them one after another."""
        texts: list[str] = json.loads(Path(self.root, "texts.json").read_text())
        if self.scale == 1:
            return texts
        shuffles = (random.Random(n).sample(texts, len(texts)) for n in range(self.scale))
        return [text.encode().decode() for shuffle in shuffles for text in shuffle]


def train_anekdot(texts: list[str], vocab_size: int, threads: int) -> Learned:
    """Trains ours."""
    tokenizer = Tokenizer.train(texts, vocab_size, threads=threads)
    return lambda: [tokenizer.token_bytes(id) for id in range(FIRST, tokenizer.vocab_size)]


def train_hugging_face(texts: list[str], vocab_size: int, threads: int) -> Learned:
    """Trains Hugging Face tokenizers, which learn the same; its threads are Rayon's."""
    hf = import_module("tokenizers")
    peer, byte_level = hf.Tokenizer(hf.models.BPE()), hf.pre_tokenizers.ByteLevel
    split = hf.pre_tokenizers.Split(hf.Regex(PATTERN), "isolated")
    peer.pre_tokenizer = hf.pre_tokenizers.Sequence([split, byte_level(False, use_regex=False)])
    options = {"special_tokens": list(SPECIALS), "initial_alphabet": byte_level.alphabet()}
    trainer = hf.trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, **options)
    peer.train_from_iterator(texts, trainer)
    values = {character: byte for byte, character in BYTE_CHARACTERS.items()}
    tokens = map(peer.id_to_token, range(FIRST, peer.get_vocab_size()))
    return lambda: [bytes(map(values.__getitem__, token)) for token in tokens]


def train_rustbpe(texts: list[str], vocab_size: int, threads: int) -> Learned:
    """Trains rustbpe, which has no special tokens and breaks ties by other ids."""
    peer = import_module("rustbpe").Tokenizer()
    peer.train_from_iterator(iter(texts), vocab_size - len(SPECIALS), pattern=PATTERN)
    return lambda: [bytes(token) for token, _ in peer.get_mergeable_ranks()[256:]]


def train_gigatoken(joined: bytes, vocab_size: int, threads: int) -> Learned:
    """Trains gigatoken, which splits by a pattern of its own."""
    train = import_module("gigatoken").train_bpe
    merges = train(joined, vocab_size, list(SPECIALS), separator=b"\0")[1]
    return lambda: [left + right for left, right in merges]


def encode_anekdot(job: Job) -> Encode:
    """Makes our encoder."""
    tokenizer = Tokenizer.load(job.path("tokenizer.json"))
    return lambda texts: tokenizer.encode_batch(texts, threads=job.threads)


def encode_gigatoken(job: Job) -> Encode:
    """Makes gigatoken's encoder; its threads are Rayon's."""
    file = job.path("qwen2.json")
    return import_module("gigatoken").Tokenizer.from_json(file.read_bytes()).encode_batch


def encode_splintr(job: Job) -> Encode:
    """Makes splintr's encoder; its threads are Rayon's. By our own pattern it is slower."""
    return import_module("splintr").from_json(str(job.path("qwen2.json"))).encode_batch_flat


def encode_quicktok(job: Job) -> Encode:
    """Makes quicktok's encoder, which compares itself with Hugging Face's on the way."""
    quicktok = import_module("quicktok")
    with TemporaryDirectory() as folder:
        quicktok.import_tokenizer(str(job.path("qwen2.json")), "ours", folder)
        encode = quicktok.Tokenizer("ours", folder).encode_batch
    return lambda texts: encode(texts, job.threads)


def encode_tiktoken(job: Job) -> Encode:
    """Makes tiktoken's encoder: a loop in each thread, as its own batch takes twice as long."""
    ours = Tokenizer.load(job.path("tokenizer.json"))
    ranks = {ours.token_bytes(id): id for id in range(len(SPECIALS), ours.vocab_size)}
    options = {"pat_str": PATTERN, "mergeable_ranks": ranks, "special_tokens": {}}
    encode = import_module("tiktoken").Encoding("ours", **options).encode_ordinary

    def encode_parts(texts: list[str]) -> list[list[int]]:
        size = -(-len(texts) // job.threads)
        parts = [texts[start : start + size] for start in range(0, len(texts), size)]
        with ThreadPoolExecutor(job.threads) as pool:
            done = pool.map(lambda part: list(map(encode, part)), parts)
            return [ids for part in done for ids in part]

    return encode_parts if job.threads > 1 else lambda texts: list(map(encode, texts))


class Peer(NamedTuple):
    """One program: what is called, how it trains, how its encoder is made."""

    how: str
    train: Callable[[Any, int, int], Learned] | None = None
    encoder: Callable[[Job], Encode] | None = None


_GIGATOKEN = "`train_bpe` of joined bytes, by a pattern of its own; `encode_batch`, by Qwen2's"
PEERS = {
    OURS: Peer("`Tokenizer.train`; `encode_batch`", train_anekdot, encode_anekdot),
    "gigatoken": Peer(_GIGATOKEN, train_gigatoken, encode_gigatoken),
    "tokenizers": Peer("`train_from_iterator`", train_hugging_face),
    "rustbpe": Peer("`train_from_iterator`", train_rustbpe),
    "splintr-rs": Peer("`encode_batch_flat`, by Qwen2's pattern", encoder=encode_splintr),
    "quicktok-v1": Peer("`encode_batch`, by Qwen2's pattern", encoder=encode_quicktok),
    "tiktoken": Peer("a loop over `encode_ordinary` in each thread", encoder=encode_tiktoken),
}

Bounds = dict[str, tuple[float | None, float | None]]
ENCODERS: Bounds = dict.fromkeys(("gigatoken", "splintr-rs", "quicktok-v1", "tiktoken"), (1.2, 2.5))
TIME: Bounds = {"rustbpe": (0.5, None), "tokenizers": (0.15, None), "gigatoken": (None, 0.7)}
MEMORY: Bounds = {"rustbpe": (1, None), "tokenizers": (0.5, None)}
# Of each table: its title; whether ours is to be less or more; by peer what the ratio of ours to
# it must be, and should be. Where the peer is ours, that bounds the value itself.
TABLES: dict[str, tuple[str, str, Bounds]] = {
    "time": ("Training: seconds", "≤", TIME),
    "memory": ("Training: peak memory above the loaded text, MB", "≤", MEMORY),
    "first": ("Encoding, first pass, one thread: MB/s", "≥", ENCODERS),
    "batch": (f"Encoding, first pass, {THREADS} threads: MB/s", "≥", {"gigatoken": (1.5, None)}),
    "scaling": (f"The same, % of {THREADS} times one thread", "≥", {OURS: (None, 85)}),
    "warm": ("Encoding the same again: MB/s", "≥", {"gigatoken": (0.5, 1)}),
    "edge": (f"{EDGE_SIZE:,} characters without a break: ms", "≤", {"tiktoken": (1, None)}),
    "growth": ("Twice as many of them: time, relative", "≤", {OURS: (2.2, None)}),
}


def measure_training(job: Job) -> Measured:
    """Measures seconds, and megabytes of memory above what was in use before."""
    train, texts, warm_up = PEERS[job.peer].train, job.texts(), WARM_UP
    if train is train_gigatoken:
        texts, warm_up = (b"\0".join(map(str.encode, some)) for some in (texts, warm_up))
    train(warm_up, 270, job.threads)
    before = peak_memory(reset=True)
    seconds, learned = timed(train, texts, job.vocab_size, job.threads)
    row = f"{job.scale} × text, V {job.vocab_size}, threads {job.threads}"
    values = [("time", row, seconds)]
    if not math.isnan(rise := peak_memory() - before):
        values.append(("memory", row, rise))
    ours = Tokenizer.load(job.path("tokenizer.json"))
    others = set(learned()) - set(map(ours.token_bytes, range(ours.vocab_size)))
    return values, f"{len(others)} of its tokens are not ours" if others else ""


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


MEASURES = {"train": measure_training, "encode": measure_encoding, "edge": measure_edges}
ROLES = {"train": "train", "encode": "encoder", "edge": "encoder"}  # what a peer needs for each


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
        pattern, known = (json.dumps(text).encode() for text in (PATTERN, QWEN2))
        (folder / "qwen2.json").write_bytes(file.replace(pattern, known))
        for name, some in {"ids": texts, "edges": list(EDGES.values())}.items():
            ids, offsets = tokenizer.encode_batch(some)
            np.savez(folder / name, ids=ids, offsets=offsets)


def turns(rounds: int, root: str) -> Iterator[tuple[int, Job]]:
    """Yields all jobs with their rounds; in each round the programs go in another order."""
    tasks = [
        *product(["train"], SCALES, VOCABULARIES, (1, THREADS)),
        *product(["encode"], [1], VOCABULARIES, (1, THREADS)),
        ("edge", 1, EDGE_VOCABULARY, 1),
    ]
    for n, task in product(range(rounds), tasks):
        names = [name for name, peer in PEERS.items() if getattr(peer, ROLES[task[0]])]
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


def describe(texts: list[str]) -> list[str]:
    """Returns the head of the section: what was measured, on what, and how each was called."""
    about = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else platform.processor()
    model = re.findall(r"model name\s*: (.*)", about)
    flags = sorted({"avx2", "avx512f", "avx512bw", "avx512vbmi", "amx_tile"} & {*about.split()})
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    return [
        "## Tokenizer",
        "",
        f"{len(texts):,} texts, {megabytes:.1f} MB. {os.cpu_count()} processors "
        f"({', '.join([*model[:1], *flags])}), {platform.system()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {version('numba')}. "
        "Each value is the median of all rounds, with its range; a ratio is taken in a round, "
        f"{OURS} to its neighbour. V is the size of the vocabulary.",
        "",
        *(f"- {name} {version(name)}: {peer.how}" for name, peer in PEERS.items()),
    ]


def version(package: str) -> str:
    """Returns the installed version of a package."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return "(not installed as a package)"


def tables(samples: Samples, notes: dict[Key, str]) -> Iterator[str]:
    """Yields the lines of all tables."""
    for (table, row, peer), values in list(samples.items()):
        if table == "batch":
            one = samples.get(("first", row, peer), {})
            percent = {n: 100 / THREADS * values[n] / one[n] for n in values if n in one}
            samples["scaling", row, peer] = percent
    for table, (title, sign, bounds) in TABLES.items():
        yield f"\n### {title}\n\n| | | median (range) | {OURS} ÷ it | must | should |"
        yield "|---|---|---|---|---|---|"
        keys = [key for key in samples if key[0] == table]
        rows = list(dict.fromkeys(row for _, row, _ in keys))
        for key in sorted(keys, key=lambda key, rows=rows: rows.index(key[1])):
            _, row, peer = key
            ours = samples.get((table, row, OURS), {})
            common = [n for n, value in samples[key].items() if value > 0 and n in ours]
            ratios = [ours[n] / samples[key][n] for n in common if peer != OURS]
            judged = list(ours.values()) if peer == OURS else ratios
            verdicts = [verdict(judged, sign, bound) for bound in bounds.get(peer, (None, None))]
            name = f"{peer}: {notes[key]}" if notes.get(key) else peer
            cells = [row, name, spread(samples[key].values()), spread(ratios), *verdicts]
            yield f"| {' | '.join(cells)} |"


def spread(values: Collection[float]) -> str:
    """Returns median and range.

    >>> spread([1, 2, 1234])
    '2 (1–1,234)'
    """
    if not values:
        return ""
    middle, *ends = (
        f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
        for value in (median(values), min(values), max(values))
    )
    return f"{middle} ({'–'.join(ends)})"


def verdict(values: Sequence[float], sign: str, bound: float | None) -> str:
    """Says whether a median keeps within a bound."""
    if bound is None or not values:
        return ""
    kept = median(values) <= bound if sign == "≤" else median(values) >= bound
    return f"{sign} {bound}: {'yes' if kept else '**no**'}"


def write(out: Path, lines: list[str]) -> None:
    """Puts a section into a Markdown file, in the place of the one with the same heading."""
    old = out.read_text(encoding="utf-8") if out.exists() else "# Benchmarks\n"
    parts = re.split(r"(?m)^(?=## )", old)
    place = next((n for n, part in enumerate(parts) if part.startswith(lines[0])), len(parts))
    parts[place : place + 1] = ["\n".join(lines)]
    out.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
