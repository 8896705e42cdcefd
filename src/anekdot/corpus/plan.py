"""What is read, and by which tasks: planned once, and kept in the work folder."""

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median_low

from anekdot.atomic_files import LOCK, escape_surrogates, remove, sha256, staged
from anekdot.corpus.cleaning import MIN_LENGTH, clean, length
from anekdot.corpus.config import PreparationConfig, Rules
from anekdot.corpus.documents import Layout, Piece
from anekdot.corpus.reading import Source, pieces, read_piece
from anekdot.errors import CorpusError

TASK_BYTES = 16 << 20  # bytes of input that one task reads
PLAN = "plan.json"
SAMPLED_PIECES, SAMPLED_TEXTS = 20, 1000  # by which it is seen how short texts are ...
MIN_SAMPLED = 10  # ... if there are so many texts

State = tuple[int, int | str]
"""The size of a file, and when it was changed or its hash."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is read, and how.

    Attributes:
        rules: What is done with each document.
        tasks: What is read, in order: the pieces of each task.
        states: The size of each file, and when it was changed.
        notices: What was guessed about the files.
        unread: Files that are not read, and why.
    """

    rules: Rules
    tasks: list[list[Piece]]
    states: dict[str, State]
    notices: list[str]
    unread: dict[str, str]

    @property
    def is_small(self) -> bool:
        """Whether there is too little to read for several processes."""
        return sum(size for size, _ in self.states.values()) <= TASK_BYTES


def make_plan(
    sources: Sequence[Source], work: Path, config: PreparationConfig, max_download: int
) -> Plan:
    """Plans the work, and deletes what an earlier plan left unless the plan is the same."""
    notices: list[str] = []
    unread: dict[str, str] = {}
    found = pieces(
        sources,
        work=work,
        separator=config.separator,
        column=config.column,
        encoding=config.encoding,
        strip=config.strip,
        without=config.rules.without,
        size=TASK_BYTES,
        max_download=max_download,
        notice=notices.append,
        skipped=unread.__setitem__,
    )
    if not found:
        raise CorpusError("No texts were named.", "Name a file, a folder, or - .")
    rules = config.rules
    rules = dataclasses.replace(rules, min_length=_min_length(found, rules, notices))
    states = {piece.path: _state(Path(piece.path), work) for piece in found}
    plan = Plan(
        rules=rules,
        tasks=_tasks(found, states),
        states=states,
        notices=notices,
        unread=unread,
    )
    _publish(plan, work)
    return plan


def _publish(plan: Plan, work: Path) -> None:
    """Writes a plan, and deletes what another one has left."""
    path = work / PLAN
    text = escape_surrogates(json.dumps(dataclasses.asdict(plan), ensure_ascii=False, indent=1))
    text += "\n"
    if not path.exists() or path.read_text("utf-8") != text:
        for item in work.iterdir():
            if item.name != LOCK and str(item) not in plan.states:
                remove(item)
        with staged(path) as draft:
            draft.write_text(text, "utf-8")


def load_plan(work: Path) -> Plan:
    """Returns the plan of a work folder."""
    record = json.loads((work / PLAN).read_text("utf-8"))
    return Plan(
        rules=Rules(**record["rules"]),
        tasks=[
            [Piece(**{**each, "layout": Layout(**each["layout"])}) for each in task]
            for task in record["tasks"]
        ],
        states=record["states"],
        notices=record["notices"],
        unread=record["unread"],
    )


def _min_length(found: Sequence[Piece], rules: Rules, notices: list[str]) -> int:
    """Returns the shortest text to keep, and says so if it is a shorter one than usual."""
    if "too short" in rules.without:
        return MIN_LENGTH
    chosen = found[:: -(-len(found) // SAMPLED_PIECES)]
    each = -(-SAMPLED_TEXTS // len(chosen))
    texts = (clean(d.text, rules.without) for p in chosen for d in islice(read_piece(p), each))
    lengths = [*filter(None, map(length, texts))]
    if len(lengths) < MIN_SAMPLED or (median := median_low(lengths)) >= 2 * MIN_LENGTH:
        return MIN_LENGTH
    limit = max(1, median // 3)
    notices.append(
        f"Half of the texts have at most {median} characters, so the shortest text that is kept "
        f"has {limit}, not {MIN_LENGTH}."
    )
    return limit


def _tasks(found: Sequence[Piece], states: dict[str, State]) -> list[list[Piece]]:
    """Groups small pieces: a task for each of many small files would take long."""
    members = Counter(piece.path for piece in found if piece.member is not None)
    tasks: list[list[Piece]] = []
    left = 0
    for piece in found:
        stop = states[piece.path][0] if piece.stop is None else piece.stop
        size = (stop - piece.start) // members.get(piece.path, 1)
        if not tasks or size > left:
            tasks.append([])
            left = TASK_BYTES
        tasks[-1].append(piece)
        left -= size
    return tasks


def _state(path: Path, work: Path) -> State:
    """Returns what changes when a file changes: its size, and its time stamp or its hash."""
    facts = path.stat()
    return facts.st_size, sha256(path) if path.parent == work else facts.st_mtime_ns
