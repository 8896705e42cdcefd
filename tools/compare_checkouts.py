"""Shows that two checkouts do the same, to the bit: python tools/compare_checkouts.py OLD [NEW].

Each prepares the same texts, trains the same tiny model in float32 on one thread and tells the
same texts of the pretrained model; and a run that OLD began and a signal stopped is finished by
NEW. Both run under this interpreter, each with its own ``src``.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from safetensors.numpy import load_file

PROMPTS = ("", "Студент МФТИ на экзамене", "Приходит программист", "— Доктор,", "Сидят", "Жена")
SEEDS = 3  # a prompt
FIELDS = {
    **{"n-layer": 2, "n-head": 4, "n-kv-head": 2, "hidden-dim": 32, "intermediate-dim": 64},
    **{"context-length": 64, "batch-size": 8, "warmup-steps": 5, "steps": 150, "dropout": 0.1},
    **{"precision": "fp32", "evaluate-every": 30, "sample-every": 60, "checkpoint-every": 40},
}
FLAGS = [part for name, value in FIELDS.items() for part in (f"--{name}", value)]
TIMES = {"seconds", "seconds_left", "tokens_per_second", "memory"}
NAMES = ("Студент", "Профессор", "Кот", "Программист", "Сосед", "Бабушка", "Врач", "Моряк")
VERBS = ("спрашивает", "отвечает", "вздыхает", "думает", "поёт", "молчит", "смеётся")
THINGS = ("про экзамен", "о погоде", "про обед", "о смысле жизни", "про зарплату")


def write_texts(folder: Path) -> None:
    """Writes texts of several kinds, some twice, some nearly the same, some to be dropped."""
    texts = [
        f"{NAMES[i % 8]} номер {i} {VERBS[i // 8 % 7]} {THINGS[i // 56 % 5]}"
        + (f".\n— И что? — говорит {NAMES[i * 5 % 8]} в {i % 24} часов." if i % 3 == 0 else ".")
        for i in range(900)
    ]
    folder.mkdir()
    (folder / "a.txt").write_text("\n\n".join([*texts[:400], *texts[:9], "www.x.ru"]), "utf-8")
    (folder / "b.txt").write_bytes(
        "\n".join(t.replace("\n", " ") for t in texts[300:600]).encode("cp1251")
    )
    records = [{"id": i, "text": text} for i, text in enumerate(texts[600:])]
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (folder / "c.jsonl").write_text(lines, "utf-8")


def run(checkout: Path, *arguments: object, stop_at: str | None = None) -> str:
    """Runs ``anekdot`` of a checkout; SIGTERM follows once standard error shows some words."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "anekdot", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(checkout / "src"), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
        )
        while stop_at is not None and process.poll() is None:
            errors.seek(0)
            if stop_at in errors.read():
                process.send_signal(signal.SIGTERM)
                break
            time.sleep(0.01)
        out = process.communicate()[0]
        errors.seek(0)
        expected = 128 + signal.SIGTERM if stop_at else 0
        assert process.returncode == expected, errors.read()
    return out


def metrics(bundle: Path) -> list[dict]:
    """Returns the records of a run without what a clock says, and without its interruption."""
    lines = (bundle / "run/metrics.jsonl").read_text("utf-8").split("\n")
    records = [json.loads(line) for line in lines if line]
    return [
        {name: value for name, value in record.items() if name not in TIMES}
        for record in records
        if record["kind"] != "interruption"
    ]


def weights(bundle: Path) -> dict[str, bytes]:
    """Returns the arrays of a bundle."""
    return {name: a.tobytes() for name, a in load_file(bundle / "model.safetensors").items()}


def documents(folder: Path) -> list[tuple]:
    """Returns the rows of documents.parquet under the names of its columns."""
    import duckdb  # noqa: PLC0415 (slow)

    found = duckdb.sql(f"FROM '{folder / 'documents.parquet'}'")
    return [tuple(found.columns), *found.fetchall()]


def main() -> None:
    """Prints a line for each thing that is compared, and fails at the first difference."""
    checkouts = {"old": Path(sys.argv[1]).resolve()}
    checkouts["new"] = Path(sys.argv[2] if len(sys.argv) > 2 else ".").resolve()
    found: dict[str, list[object]] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.chdir(root)
        write_texts(root / "texts")
        for age, checkout in checkouts.items():
            run(
                checkout, "prepare", "texts", "--out", age, "--vocab-size", 400, "--validation", 0.1
            )
            shards = sorted((root / age).glob("*.npy"))
            found.setdefault("shards", []).append([(s.name, s.read_bytes()) for s in shards])
            found.setdefault("tokenizer", []).append((root / age / "tokenizer.json").read_bytes())
            found.setdefault("documents", []).append(documents(root / age))
            bundle = root / f"{age}-model"
            run(checkout, "train", age, "--out", bundle, *FLAGS)
            found.setdefault("metrics", []).append(metrics(bundle))
            found.setdefault("weights", []).append(weights(bundle))
            texts = [
                run(checkout, "generate", prompt, "--seed", seed)
                for prompt in PROMPTS
                for seed in range(SEEDS)
            ]
            found.setdefault(f"{len(texts)} texts of the pretrained model", []).append(texts)
        run(checkouts["old"], "train", "old", "--out", "on", *FLAGS, stop_at="step 60 ")
        run(checkouts["new"], "train", "old", "--out", "on", *FLAGS)
        found["metrics of a run that the old code began and the new one finished"] = [
            metrics(root / "old-model"),
            metrics(root / "on"),
        ]
        found["its weights"] = [weights(root / "old-model"), weights(root / "on")]
    for what, (old, new) in found.items():
        assert old == new, f"{what}: not the same"
        print(f"{what}: the same")


main()
