"""Which files a prepared folder was made from, and whether they are still the same.

``sources.json`` stands beside the manifest, which does not name it: the same texts give the same
manifest, wherever and whenever they are read. Folders of before have none.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256 as new_sha256
from pathlib import Path
from typing import Any

from anekdot.atomic_files import sha256
from anekdot.callbacks import Notice
from anekdot.corpus.manifest import Manifest
from anekdot.corpus.plan import Plan
from anekdot.corpus.reading.addresses import is_remote, kept_name
from anekdot.corpus.reading.files import label
from anekdot.corpus.reading.given import Texts
from anekdot.corpus.reading.sources import KEPT_INPUT, STANDARD_INPUT, Source, find_files
from anekdot.errors import CorpusError, refuse_difference

SOURCES = "sources.json"

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file of texts.

    Attributes:
        name: As people know it.
        path: Where it lies, whatever the current folder is; "" for standard input.
        size: In bytes.
        changed: When, in nanoseconds.
        sha256: Of its bytes; "" where they changed while they were read.
    """

    name: str
    path: str
    size: int
    changed: int = 0
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class _Named:
    """What the user named as a source.

    Attributes:
        name: As it was written.
        path: Where it lies; "" for an address or standard input.
        files: What it stands for; none for an address, which is not fetched again.
    """

    name: str
    path: str
    files: list[_File]


def record_sources(sources: Sequence[Source], plan: Plan, work: Path, folder: Path) -> None:
    """Writes down what a prepared folder was made from.

    Args:
        sources: What the user named.
        plan: How it was read.
        work: The work folder of the preparation, with the copy of standard input.
        folder: Where ``sources.json`` is written.
    """
    named = [_as_planned(source, plan, work) for source in sources]
    record = {"prepared": time.strftime("%Y-%m-%d %H:%M"), "sources": [*map(asdict, named)]}
    (folder / SOURCES).write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def check_sources(
    folder: Path, sources: Sequence[Source], *, shown_as: Path, notice: Notice
) -> None:
    """Compares what the user names now with what a prepared folder was made from.

    Texts are the same wherever they lie; changes of them are said.

    Args:
        folder: The prepared folder.
        sources: What the user names now.
        shown_as: The folder that a message names.
        notice: Receives a sentence where some texts were changed, added or deleted.

    Raises:
        ConfigurationError: Other sources are named.
        CorpusError: A source does not exist, and was not among those of before either.
    """
    record = _load(folder)
    if record is None:
        before, now = Manifest.load(folder).sources, [*map(kept_name, sources)]
        refuse_difference(shown_as, {"sources": before}, {"sources": now})
        return
    date, known = record
    found = [_as_found(source, known) for source in sources]
    left, new, same = _compare(known, found)
    for here, there in ((found, known), (known, found)):
        if not all(_has_counterpart(each, there, same) for each in here):
            for source, each in zip(sources, found, strict=True):
                if not each.files and each.path:
                    find_files(source)  # which says what is wrong with it
            names = [[each.name for each in some] for some in (known, found)]
            refuse_difference(shown_as, {"sources": names[0]}, {"sources": names[1]})
    if left or new:
        notice(f"{_described(left, new)} since; this run goes on with the texts of {date}.")


def _as_planned(source: Source, plan: Plan, work: Path) -> _Named:
    """Returns what a source stood for when it was read."""
    if is_remote(source):
        return _Named(name=kept_name(source), path="", files=[])
    if isinstance(source, Texts):
        return _of_texts(source)
    if str(source) == "-":
        size, digest = plan.states[str(work / KEPT_INPUT)]
        kept = _File(name=STANDARD_INPUT, path="", size=size, sha256=str(digest))
        return _Named(name="-", path="", files=[kept])
    files = []
    for path in map(Path, map(str, find_files(source))):
        if str(path) in plan.states:
            size, changed = plan.states[str(path)]
            file = _look(path)
            is_same = (file.size, file.changed) == (size, changed)
            digest = sha256(path) if is_same else ""
            files.append(replace(file, size=size, changed=int(changed), sha256=digest))
    return _Named(name=kept_name(source), path=_place(Path(source)), files=files)


def _as_found(source: Source, known: list[_Named]) -> _Named:
    """Returns what a source stands for now."""
    if is_remote(source):
        return _Named(name=kept_name(source), path="", files=[])
    if isinstance(source, Texts):
        return _of_texts(source)
    if str(source) == "-":
        sizes = [file.size for each in known for file in each.files]
        return _Named(name="-", path="", files=_piped(max(sizes, default=0)))
    try:
        files = [_look(Path(str(path))) for path in find_files(source)]
    except (CorpusError, OSError):
        files = []
    return _Named(name=kept_name(source), path=_place(Path(source)), files=files)


def _of_texts(source: Texts) -> _Named:
    file = _File(name=str(source), path="", size=len(source.lines), sha256=source.sha256)
    return _Named(name=str(source), path="", files=[file])


def _look(path: Path) -> _File:
    facts = path.stat()
    changed = facts.st_mtime_ns
    return _File(name=label(path), path=_place(path), size=facts.st_size, changed=changed)


def _place(path: Path) -> str:
    return os.path.realpath(path)


def _piped(size: int) -> list[_File]:
    """Returns standard input as a file, read no further than to see that it is a larger one."""
    if sys.stdin is None or sys.stdin.isatty():
        return []
    digest, total = new_sha256(), 0
    while total <= size and (block := sys.stdin.buffer.read(_BLOCK_BYTES)):
        digest.update(block)
        total += len(block)
    return [_File(name=STANDARD_INPUT, path="", size=total, sha256=digest.hexdigest())]


def _compare(
    known: list[_Named], found: list[_Named]
) -> tuple[list[_File], list[_File], set[_File]]:
    """Returns the files that are known only, those that are found only, and those that are both.

    A file that has the place, the size and the time of a known one is not read.
    """
    by_size: dict[int, list[_File]] = {}
    for file in (file for each in known for file in each.files):
        by_size.setdefault(file.size, []).append(file)
    new, same = [], set()
    for file in (file for each in found for file in each.files):
        alike = by_size.get(file.size, [])
        twin = next((other for other in alike if _is_same(file, other)), None)
        if twin is None:
            new.append(file)
        else:
            alike.remove(twin)
            same |= {file, twin}
    left = [file for alike in by_size.values() for file in alike]
    if any(each.name == "-" and not each.files for each in found):  # nothing was piped in again
        left = [file for file in left if file.name != STANDARD_INPUT]
    return left, new, same


def _is_same(file: _File, known: _File) -> bool:
    if file.path and (file.path, file.changed) == (known.path, known.changed):
        return True
    return bool(known.sha256) and (file.sha256 or sha256(Path(file.path))) == known.sha256


def _has_counterpart(each: _Named, others: list[_Named], same: set[_File]) -> bool:
    """Whether a source is named among others, or lies at the same place, or shares a text file."""
    names, places = {other.name for other in others}, {other.path for other in others} - {""}
    return each.name in names or each.path in places or not same.isdisjoint(each.files)


def _described(left: list[_File], new: list[_File]) -> str:
    """Says which files were changed, added or deleted."""
    added = {file.path or file.name: file.name for file in new}
    gone = {file.path or file.name: file.name for file in left}
    for place in added.keys() - gone.keys():  # the folder may have moved meanwhile
        twins = [other for other in gone if other not in added and gone[other] == added[place]]
        if twins:
            gone[place] = gone.pop(twins[0])
    changed = sorted(added[place] for place in added.keys() & gone.keys())
    clauses = [
        (changed, "has changed", "have changed"),
        (sorted(added[place] for place in added.keys() - gone.keys()), "is new", "are new"),
        (sorted(gone[place] for place in gone.keys() - added.keys()), "is gone", "are gone"),
    ]
    return ", ".join(
        f"{', '.join(names[:3])}{f' and {len(names) - 3:,} more' if len(names) > 3 else ''} "
        f"{one if len(names) == 1 else several}"
        for names, one, several in clauses
        if names
    )


def _load(folder: Path) -> tuple[str, list[_Named]] | None:
    """Returns the date and the sources of a prepared folder, where there is a whole record."""
    try:
        record: Any = json.loads((folder / SOURCES).read_text("utf-8"))
        named = [
            _Named(
                name=str(each["name"]),
                path=str(each["path"]),
                files=[_File(**file) for file in each["files"]],
            )
            for each in record["sources"]
        ]
        if any(
            not isinstance(getattr(file, name), kind)
            for each in named
            for file in each.files
            for name, kind in _File.__annotations__.items()
        ):
            return None
        return str(record["prepared"]), named
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
