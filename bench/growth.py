"""How time and memory of anekdot prepare grow with the texts, within a limit of memory.

    .venv/bin/python bench/growth.py 1 5

Texts of made-up words, few of whose word 4-grams meet again, one in twenty of them once more with
a word changed, are written as JSON lines, as many gigabytes as asked. The memory is that of the
command and all its processes together, looked at ten times a second.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from cyclopts import App

GIGABYTE = 1_000_000_000
FILE = GIGABYTE // 4
SYLLABLES = [a + b for a, b in product("бвгдзклмнпрст", "аеиоуыя")]
WORDS = ["".join(parts) for parts in product(SYLLABLES[::3], SYLLABLES, SYLLABLES[1::3])]
app = App(help="Measure how anekdot prepare grows with the texts.")


def texts(seed: int) -> Iterator[str]:
    """Yields made-up texts without end, a twentieth of them once more with a word changed."""
    chance, draw = random.Random(seed), np.random.default_rng(seed)
    while True:
        lengths = draw.integers(8, 60, 10_000)
        # frequent words are far more frequent than rare ones, as in any language
        places = (len(WORDS) ** draw.random(int(lengths.sum()))).astype(np.int64) - 1
        first = 0
        for length in lengths.tolist():
            chosen = [WORDS[place] for place in places[first : first + length].tolist()]
            first += length
            yield " ".join(chosen) + "."
            if chance.random() < 0.05:
                chosen[chance.randrange(length)] = "вдруг"
                yield " ".join(chosen) + "!"


def write_texts(folder: Path, size: int) -> int:
    """Writes files of made-up texts of some bytes in all; returns how many texts."""
    count = written = 0
    endless = texts(size)
    while written < size:
        with (folder / f"{written // FILE:03d}.jsonl").open("wb") as file:
            while file.tell() < min(FILE, size - written):
                lines = (
                    json.dumps({"text": next(endless)}, ensure_ascii=False) for _ in range(999)
                )
                file.write(("\n".join(lines) + "\n").encode())
                count += 999
            written += file.tell()
    return count


def tree_memory(root: int) -> tuple[int, int]:
    """Returns the resident bytes of a process and its descendants: all, and shared pages once."""
    waiting, resident, proportional = [root], 0, 0
    while waiting:
        pid = waiting.pop()
        try:
            fields = Path(f"/proc/{pid}/smaps_rollup").read_text().split()
            resident += int(fields[fields.index("Rss:") + 1]) * 1024
            proportional += int(fields[fields.index("Pss:") + 1]) * 1024
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except (OSError, ValueError):
            continue
    return resident, proportional


@app.default
def main(*sizes: int, memory: str = "1GiB", place: Path | None = None) -> None:
    """Prepare corpora of several sizes.

    Args:
        sizes: Gigabytes.
        memory: The limit that is given to the command.
        place: A folder with room for ten times the largest.
    """
    heads = [
        "GB",
        "texts",
        "kept",
        "seconds",
        "seconds a GB",
        "peak RSS, MB",
        "shared pages once, MB",
    ]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for size in sizes:
        with TemporaryDirectory(dir=place) as name:
            folder = Path(name)
            (folder / "texts").mkdir()
            count = write_texts(folder / "texts", size * GIGABYTE)
            command = [sys.executable, "-m", "anekdot", "prepare", str(folder / "texts")]
            command += ["--out", str(folder / "out"), "--memory", memory]
            start = time.perf_counter()
            process = subprocess.Popen(command, env={**os.environ, "COLUMNS": "100"})
            peaks = 0, 0
            while process.poll() is None:
                peaks = tuple(map(max, peaks, tree_memory(process.pid)))
                time.sleep(0.1)
            seconds = time.perf_counter() - start
            if process.returncode:
                sys.exit(process.returncode)
            manifest = json.loads((folder / "out" / "manifest.json").read_text("utf-8"))
            kept = sum(manifest["documents"].values())
            cells = [f"{size}", f"{count:,}", f"{kept:,}", f"{seconds:.0f}"]
            cells += [f"{seconds / size:.0f}", *(f"{peak / 1e6:,.0f}" for peak in peaks)]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    app()
