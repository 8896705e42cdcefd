"""What is read, and in which pieces: found out once, and kept in the work folder."""

import dataclasses
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anekdot.atomic_files import sha256, staged
from anekdot.corpus.config import Rules
from anekdot.corpus.documents import Layout, Piece
from anekdot.corpus.reading import Source, pieces
from anekdot.errors import CorpusError

PIECE = 16 << 20  # bytes of input that are read together
LOCK = "lock"
PLAN = "plan.json"

State = tuple[int, int | str]
"""The size of a file, and when it was changed or its hash."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is read, and how.

    Attributes:
        rules: What is done with each document.
        loads: What is read, in order; the pieces of a load together.
        states: Size of each file, and when it was changed.
        notices: What was guessed about the files.
    """

    rules: Rules
    loads: list[list[Piece]]
    states: dict[str, State]
    notices: list[str]

    @property
    def is_small(self) -> bool:
        """Whether there is too little to read for several processes."""
        return sum(size for size, _ in self.states.values()) <= PIECE


def make_plan(
    sources: Sequence[Source],
    work: Path,
    rules: Rules,
    *,
    separator: str | None,
    column: str | None,
) -> Plan:
    """Plans the work, and clears what an earlier plan left unless it was the same."""
    notices: list[str] = []
    found = pieces(
        sources, work=work, separator=separator, column=column, size=PIECE, notice=notices.append
    )
    if not found:
        raise CorpusError("No texts were named.", "Name a file, a folder, or - .")
    states = {piece.path: _state(Path(piece.path), work) for piece in found}
    plan = Plan(
        rules=rules,
        loads=_loads(found, states),
        states=states,
        notices=notices,
    )
    path = work / PLAN
    text = json.dumps(dataclasses.asdict(plan), ensure_ascii=False, indent=1) + "\n"
    if not path.exists() or path.read_text("utf-8") != text:
        for item in work.iterdir():
            if item.is_dir():
                shutil.rmtree(item)
            elif item.name != LOCK and str(item) not in states:
                item.unlink()
        with staged(path) as draft:
            draft.write_text(text, "utf-8")
    return plan


def load_plan(work: Path) -> Plan:
    """Returns the plan of a work folder."""
    record = json.loads((work / PLAN).read_text("utf-8"))
    return Plan(
        rules=Rules(**record["rules"]),
        loads=[
            [Piece(**{**each, "layout": Layout(**each["layout"])}) for each in load]
            for load in record["loads"]
        ],
        states=record["states"],
        notices=record["notices"],
    )


def _loads(found: Sequence[Piece], states: dict[str, State]) -> list[list[Piece]]:
    """Puts small pieces together: a digest of each of many small files would take long."""
    members = Counter(piece.path for piece in found if piece.member is not None)
    loads: list[list[Piece]] = []
    left = 0
    for piece in found:
        stop = states[piece.path][0] if piece.stop is None else piece.stop
        size = (stop - piece.start) // members.get(piece.path, 1)
        if not loads or size > left:
            loads.append([])
            left = PIECE
        loads[-1].append(piece)
        left -= size
    return loads


def _state(path: Path, work: Path) -> State:
    """Returns what changes when a file does: its size, and when it was changed or its hash."""
    facts = path.stat()
    return facts.st_size, sha256(path) if path.parent == work else facts.st_mtime_ns
