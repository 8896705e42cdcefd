"""Deduplication beside its peers: seconds, memory, and how many near-duplicates are found.

    python3 -m venv build/bench
    build/bench/bin/pip install -r bench/corpus-peers.txt -e '.[fast]'
    build/bench/bin/python bench/corpus.py texts.jsonl.gz

Every measurement is a process of its own. It loads the cleaned texts, one in twenty of them once
more in another wording, and then looks at the clock: from texts to what is a duplicate. The peers
say which texts may be duplicates, by 128 permutations of the same word 4-grams; nobody compares
what they found, which anekdot does, and exactly.
"""

import gc
import json
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from cyclopts import App
from tokenizer import peak_memory
from tokenizer_tables import version, write

from anekdot.corpus.cleaning import clean
from anekdot.corpus.database import database, parquet
from anekdot.corpus.deduplication.fingerprints import fingerprints
from anekdot.corpus.deduplication.select import deduplicate
from anekdot.corpus.processing import ProcessedBatch, write_tables
from anekdot.corpus.reading import read
from anekdot.corpus.splitting import words

PERMUTATIONS, THRESHOLD = 128, 0.5
OURS = "anekdot"
MUST = {"datasketch": 5.0, "rensa": 1.0}  # times our speed
app = App(help="Measure deduplication beside its peers and write tables into a Markdown file.")


def ours(texts: list[str]) -> list[bool]:
    """Returns which texts are duplicates of others that stay."""
    memory = 1 << 30
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "processed" / "0").mkdir(parents=True)
        keys, hashes, counts = fingerprints(texts)
        columns = {
            "source": [""] * len(texts),
            "line": np.zeros(len(texts), np.int64),
            "text": [""] * len(texts),
            "reason": [""] * len(texts),
            "obscene": np.zeros(len(texts), np.bool_),
            "split": np.zeros(len(texts), np.uint8),
            "key_high": np.ascontiguousarray(keys[:, 0]),
            "key_low": np.ascontiguousarray(keys[:, 1]),
            "n_chars": np.array([*map(len, texts)], np.int32),
        }
        with database(folder / "spill", memory=memory) as connection:
            batch = ProcessedBatch(columns, hashes, counts)
            write_tables(connection, [batch], 0, folder / "processed" / "0")
        path = deduplicate(
            folder / "processed",
            folder,
            memory=memory,
            memory_per_process=memory,
            run=lambda find, count: [find(number) for number in range(count)],
        )
        with database(folder / "spill") as connection:
            rows = connection.execute(
                f"SELECT reason <> '' AS goes FROM {parquet(folder, path.name)} ORDER BY document"
            ).fetchnumpy()
    return list(rows["goes"].tolist())


def shingles(text: str) -> list[str]:
    """Returns the word 4-grams of a text."""
    sequence = words(text)
    return [" ".join(sequence[first : first + 4]) for first in range(len(sequence) - 3)]


def rensa(texts: list[str]) -> list[bool]:
    """Returns which texts share a band with others, by rensa's fastest way."""
    from rensa import RMinHash, RMinHashLSH

    sets = [shingles(text) for text in texts]
    digests = RMinHash.digest_matrix_from_token_sets(sets, PERMUTATIONS, 1)
    index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=64)
    return list(index.query_duplicate_flags_matrix_one_shot(digests))


def datasketch(texts: list[str]) -> list[bool]:
    """Returns which texts share a band with others."""
    from datasketch import MinHash, MinHashLSH

    sets = [[shingle.encode() for shingle in shingles(text)] for text in texts]
    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    hashes = list(MinHash.generator(sets, num_perm=PERMUTATIONS))
    with index.insertion_session() as session:
        for number, one in enumerate(hashes):
            session.insert(number, one)
    return [len(index.query(one)) > 1 for one in hashes]


ENGINES: dict[str, Callable[[list[str]], list[bool]]] = {
    OURS: ours,
    "rensa": rensa,
    "datasketch": datasketch,
}


def reworded(text: str, chance: random.Random) -> str:
    """Returns a text with a few words changed, taken out, or put in."""
    changed = text.split(" ")
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(changed))
        changed[place : place + 1] = chance.choice([[], ["вдруг"], [changed[place], "уже"]])
    return " ".join(changed) or text


def near_duplicates(texts: list[str]) -> list[tuple[int, int]]:
    """Returns all pairs of near-duplicates, by comparing all texts that share a shingle."""
    sets = [{*shingles(text)} for text in texts]
    holders: defaultdict[str, list[int]] = defaultdict(list)
    found = []
    for number, own in enumerate(sets):
        shared: Counter[int] = Counter()
        for shingle in own:
            shared.update(holders[shingle])
            holders[shingle].append(number)
        for other, count in shared.items():
            if count >= 3 and 2 * count >= min(len(own), len(sets[other])):
                found.append((other, number))
    return found


@app.command
def one(engine: str, texts: Path, out: Path) -> None:
    """Measure one engine: what the tables are made of."""
    loaded = json.loads(texts.read_text("utf-8"))
    ENGINES[engine](loaded[:2000])  # imports, and compiles
    gc.collect()
    before = peak_memory(reset=True)
    start = perf_counter()
    found = ENGINES[engine](loaded)
    seconds = perf_counter() - start
    memory = peak_memory() - before
    out.write_text(json.dumps({"seconds": seconds, "memory": memory, "found": found}))


@app.default
def main(corpus: Path, *, rounds: int = 3, out: Path = Path("bench/RESULTS.md")) -> None:
    """Measure all engines, round by round.

    Args:
        corpus: Texts, in any format that anekdot reads.
        rounds: How often.
        out: The Markdown file whose section is replaced.
    """
    chance = random.Random(0)
    texts = [clean(document.text) for document in read(corpus)]
    n_texts = len(texts)
    texts += [reworded(text, chance) for text in texts if chance.random() < 0.05]
    pairs = near_duplicates(texts)
    near = {number for pair in pairs for number in pair}
    results: dict[str, list[dict[str, float]]] = {name: [] for name in ENGINES}
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "texts.json").write_text(json.dumps(texts), "utf-8")
        for number in range(rounds):
            for engine in ENGINES:
                result = measure(engine, folder)
                found = {n for n, one in enumerate(result.pop("found")) if one}
                # ours takes one of a pair away; the peers name both
                enough = bool.__or__ if engine == OURS else bool.__and__
                seen = sum(enough(a in found, b in found) for a, b in pairs)
                result["recall"] = 100 * seen / len(pairs)
                result["precision"] = 100 * len(found & near) / len(found)
                results[engine].append(result)
                print(number, engine, result, flush=True)
    write(out, [*describe(n_texts, len(texts), len(pairs), rounds), "", *table(results)])


def measure(engine: str, folder: Path) -> dict[str, float]:
    """Runs one engine in a process of its own."""
    out = folder / "result.json"
    command = [sys.executable, __file__, "one", engine, str(folder / "texts.json"), str(out)]
    subprocess.run(command, check=True)
    return dict(json.loads(out.read_text()))


def describe(n_texts: int, n_all: int, n_near: int, rounds: int) -> list[str]:
    """Returns the head of the section."""
    return [
        "## Deduplication",
        "",
        f"{n_texts:,} cleaned texts and {n_all - n_texts:,} of them once more in another wording; "
        f"{n_near:,} pairs are near-duplicates by the definition. {PERMUTATIONS} permutations of "
        f"word 4-grams for the peers ({', '.join(name + version(name) for name in MUST)}), which "
        "only say what may be a duplicate; ours compares and chooses. Median of "
        f"{rounds} rounds with range; a ratio is taken in a round. Compiling is not "
        "counted: anekdot compiles itself once per version and machine, some ten seconds.",
    ]


def table(results: dict[str, list[dict[str, float]]]) -> list[str]:
    """Returns the rows: seconds, ratio, memory, recall, precision."""
    heads = ["", "seconds", "its time ÷ ours", "must", "memory above the texts, MB"]
    heads += ["pairs found, %", "of what it names, near-duplicates, %"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, rounds in results.items():
        ratios = [a["seconds"] / b["seconds"] for a, b in zip(rounds, results[OURS], strict=True)]
        must = MUST.get(name)
        verdict = "" if must is None else f"≥ {must:g}: {'yes' if median(ratios) >= must else 'no'}"
        cells = [
            name,
            spread([r["seconds"] for r in rounds]),
            spread(ratios) if must else "",
            verdict,
        ]
        cells += [spread([r[key] for r in rounds]) for key in ("memory", "recall", "precision")]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def spread(values: list[float]) -> str:
    """Returns the median of some values, and their range."""
    middle, *ends = (f"{value:.4g}" for value in (median(values), min(values), max(values)))
    return f"{middle} ({'–'.join(ends)})"


if __name__ == "__main__":
    app()
