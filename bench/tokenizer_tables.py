"""The tables of bench/tokenizer.py."""

import os
import platform
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from statistics import median

import numpy as np
from tokenizer_peers import OURS, PEERS

EDGE_SIZE, EDGE_VOCABULARY = 200_000, 8192
THREADS = 2
Key = tuple[str, str, str]  # table, row, peer
Samples = dict[Key, dict[int, float]]  # values by round
Bounds = dict[str, tuple[float | None, float | None]]
ENCODERS: Bounds = dict.fromkeys(("gigatoken", "splintr-rs", "quicktok-v1", "tiktoken"), (1.2, 2.5))
TIME: Bounds = {"rustbpe": (0.5, None), "tokenizers": (0.15, None), "gigatoken": (None, 0.7)}
MEMORY: Bounds = {"rustbpe": (1, None), "tokenizers": (0.5, None)}
AFTER: Bounds = {"gigatoken": (5, None)}
# Of each table: its title; whether ours is to be less or more; by peer what the ratio of ours to
# it must be, and should be. Where the peer is ours, that bounds the value itself.
TABLES: dict[str, tuple[str, str, Bounds]] = {
    "time": ("Training: seconds", "≤", TIME),
    "use": ("Training, first use: seconds, compiling included", "≤", {}),
    "memory": ("Training: peak memory above the loaded text, MB", "≤", MEMORY),
    "first": ("Encoding, first pass, one thread: MB/s", "≥", ENCODERS),
    "batch": (f"Encoding, first pass, {THREADS} threads: MB/s", "≥", {"gigatoken": (1.5, None)}),
    "scaling": (f"The same, % of {THREADS} times one thread", "≥", {OURS: (None, 85)}),
    "warm": ("Encoding the same again: MB/s", "≥", {"gigatoken": (0.5, 1)}),
    "after": ("Encoding right after training; gigatoken, first pass: MB/s", "≥", AFTER),
    "prompt": ("A prompt of 20 characters: µs", "≤", {"tiktoken": (2, 1)}),
    "edge": (f"{EDGE_SIZE:,} characters without a break: ms", "≤", {"tiktoken": (1, None)}),
    "growth": ("Twice as many of them: time, relative", "≤", {OURS: (2.2, None)}),
}


def describe(texts: list[str]) -> list[str]:
    """Returns the head of the section: what was measured, on what, and how each was called."""
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    return [
        "## Tokenizer",
        "",
        f"{len(texts):,} texts, {megabytes:.1f} MB. {machine()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, Numba{version('numba')}. "
        "Each value is the median of all rounds, with its range; a ratio is taken in a round, "
        f"{OURS} to its neighbour. V is the size of the vocabulary. Compiling is not counted, "
        f"except as first use: {OURS} compiles itself once per version and machine, the others "
        "come compiled. Right after training the ids are remembered from it, which a first pass of "
        "another program cannot do.",
        "",
        *(f"- {name}{version(name)}: {peer.how}" for name, peer in PEERS.items()),
    ]


def machine() -> str:
    """Returns the processors, with those of their features that matter here, and the system."""
    about = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else platform.processor()
    model = re.findall(r"model name\s*: (.*)", about)
    flags = sorted(
        {"avx2", "avx512f", "avx512bw", "avx512vbmi", "avx512_bf16", "amx_tile"} & {*about.split()}
    )
    return f"{os.cpu_count()} processors ({', '.join([*model[:1], *flags])}), {platform.system()}"


def version(package: str) -> str:
    """Returns the installed version of a package, and a space before it."""
    with suppress(metadata.PackageNotFoundError):
        return f" {metadata.version(package)}"
    return ", from its sources"


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
