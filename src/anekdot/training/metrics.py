"""metrics.jsonl: the one record of a run, a JSON object a line.

Every record has ``kind`` and ``step``, and besides, by kind:

- step: steps (of the run), loss (nats a token), learning_rate, tokens_per_second, seconds
- evaluation: loss (nats a token), perplexity, bits_per_byte, best (whether a new best model)
- sample: text
- interruption: nothing; Ctrl-C came, and the run stops after this step
"""

import json
from pathlib import Path
from typing import Any

from anekdot.store import staged

Record = dict[str, Any]


def append(path: Path, record: Record) -> None:
    """Adds one record."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read(path: Path) -> list[Record]:
    """Returns all whole records; a line that a crash cut short is left out."""
    if not path.exists():
        return []
    records = []
    # not splitlines: U+2028 and its kind may stand in a text
    for line in path.read_text("utf-8", errors="replace").split("\n"):
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


def forget_after(path: Path, step: int) -> None:
    """Drops the records of steps that a resumed run will take again."""
    kept = [record for record in read(path) if record["step"] <= step]
    with staged(path) as draft:
        draft.write_text(
            "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in kept), "utf-8"
        )


def write_samples(path: Path, samples: Path) -> None:
    """Writes all samples of a run as Markdown, for people."""
    texts = [
        f"## Step {record['step']}\n\n{record['text']}\n\n"
        for record in read(path)
        if record["kind"] == "sample"
    ]
    with staged(samples) as draft:
        draft.write_text("".join(texts), "utf-8")
