"""metrics.jsonl: what a run reports, one JSON object per line.

Every record has ``kind`` and ``step``, and further keys by kind:

- step: steps (of the run), loss (nats per token), bits_per_byte, learning_rate,
  tokens_per_second, seconds (spent on steps), seconds_left (until the end of everything),
  epoch, memory (bytes), gradient_norm (mean of the steps, before clipping), clipped (the share
  of the steps whose gradient was clipped, from 0 to 1)
- skip: steps (those whose loss or gradient was not finite, or whose spike was skipped)
- overflow: steps (those that changed nothing because a gradient was infinite in float16),
  loss_scale (from now on)
- spike: at (the step), loss, usual (the mean of those before)
- return: a rollback: after (the step that diverged), rate_scale (the lr_scale from now on)
- evaluation: loss (nats per token), perplexity, bits_per_byte, best (whether a new best model)
- sample: text (its seed is the step), copied (its longest span that is also in a training text)
- interruption: nothing; a signal came, and the run stops after this step
- display: error; the run could no longer be shown, and went on unseen
"""

import json
import math
from pathlib import Path
from typing import Any

from anekdot.atomic_files import staged, sync
from anekdot.training.state import TrainingState

Record = dict[str, Any]

_NEEDED: dict[str, dict[str, type | tuple[type, ...]]] = {  # to draw and to judge a run
    "step": dict.fromkeys(("loss", "bits_per_byte", "learning_rate", "epoch"), (int, float)),
    "evaluation": dict.fromkeys(("loss", "perplexity", "bits_per_byte"), (int, float)),
    "sample": {"text": str, "copied": str},
}


def append(path: Path, record: Record) -> None:
    """Adds one record."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def make_durable(path: Path) -> None:
    """Flushes all records so far, and the file's name, to the disk."""
    if path.exists():
        sync(path)
        sync(path.parent)


def read(path: Path) -> list[Record]:
    """Returns all whole records; a line that is damaged or was cut short is left out."""
    if not path.exists():
        return []
    records = []
    # not splitlines: U+2028 and its kind may stand in a text
    for line in path.read_text("utf-8", errors="replace").split("\n"):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if _is_whole(record):
            records.append(record)
    return records


def _is_whole(record: object) -> bool:
    """Whether a record has what its readers look for."""
    if not (isinstance(record, dict) and isinstance(record.get("kind"), str)):
        return False
    needed = {"step": int, **_NEEDED.get(record["kind"], {})}
    return all(
        isinstance(record.get(name), kind) and _is_usual(record[name])
        for name, kind in needed.items()
    )


def _is_usual(value: object) -> bool:
    """Whether a value is not one of those that only a forged record has."""
    if isinstance(value, int):
        return not isinstance(value, bool) and 0 <= value < 1 << 53
    return True


def best_after(records: list[Record], state: TrainingState) -> tuple[int, float | None] | None:
    """Returns step and bits per byte of the model that later steps than a state's have left.

    Without a validation split the last model counts as the best, and has no bits per byte.

    Args:
        records: Of the run, up to where it was killed.
        state: Of the checkpoint that it goes on from.

    Returns:
        None where that model is known already, or there is none.
    """
    evaluations = [record for record in records if record["kind"] == "evaluation"]
    if not evaluations and state.best_bits_per_byte is None:
        steps = [record["step"] for record in records if record["kind"] == "step"]
        last = max(steps, default=0)
        return (last, None) if last > max(state.step, state.overtake_step) else None
    left = [
        (record["bits_per_byte"], record["step"])
        for record in evaluations
        if record["step"] > state.last_evaluation
        and record.get("best") is True
        and 0 <= record["bits_per_byte"] < math.inf
    ]
    bits, step = min(left, default=(math.inf, 0))
    known = state.overtake_bits_per_byte
    return (step, bits) if bits < (math.inf if known is None else known) else None


def truncate_after(path: Path, state: TrainingState) -> None:
    """Drops the records of what a resumed run will do again."""
    last = {"evaluation": state.last_evaluation, "sample": state.last_sample}
    kept = [
        record for record in read(path) if record["step"] <= last.get(record["kind"], state.step)
    ]
    with staged(path) as draft:
        draft.write_text(
            "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in kept),
            "utf-8",
            errors="backslashreplace",  # half a surrogate pair, as JSON may write it
        )
