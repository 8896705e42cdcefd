"""One pile, and what should come out of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """What a sensible person accepts.

    Attributes:
        texts: All texts, cleaned, in any order.
        said: What must be found in the notices, whatever the case of its letters.
    """

    texts: list[str]
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """A symbolic link in place of a file.

    Attributes:
        target: Where it leads, relative to its own folder.
    """

    target: str


File = bytes | Link


@dataclass(frozen=True)
class Case:
    """A file or a folder as people have it.

    Attributes:
        fault: The kind of reading that it tries, F1 to F16, or "kept" for what must stay right.
        name: What it is, in words.
        files: Its files by their names; those that begin with ``../`` lie outside of it.
        source: What the user names: a file or folder, relative to where the files lie.
        answers: What is right; empty if the pile must be refused.
        flags: What the user gives with it, as fields of the preparation.
        refusal: What a refusal may say instead, if its remedy is no flag.
    """

    fault: str
    name: str
    files: Mapping[str, File]
    source: str
    answers: tuple[Answer, ...]
    flags: Mapping[str, str] = field(default_factory=dict)
    refusal: str | None = None

    @property
    def has_links(self) -> bool:
        """Whether one of the files is a link."""
        return any(isinstance(content, Link) for content in self.files.values())

    def write(self, folder: Path) -> Path:
        """Writes the files into a new folder; returns the path of the source."""
        for name, content in self.files.items():
            path = folder / "pile" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Link):
                path.symlink_to(content.target)
            else:
                path.write_bytes(content)
        return folder / "pile" / self.source


def case(
    fault: str,
    name: str,
    files: Mapping[str, bytes | str | Link],
    texts: Iterable[str] | Answer | None,
    *,
    also: Iterable[Iterable[str] | Answer] = (),
    source: str | None = None,
    flags: Mapping[str, str] | None = None,
    refusal: str | None = None,
) -> Case:
    """Returns a case; strings are written in UTF-8, and a single file is the source."""
    packed = {n: c.encode() if isinstance(c, str) else c for n, c in files.items()}
    answers = () if texts is None else (texts, *also)
    return Case(
        fault=fault,
        name=name,
        files=packed,
        source=source if source is not None else next(iter(files)) if len(files) == 1 else ".",
        answers=tuple(a if isinstance(a, Answer) else Answer([*a]) for a in answers),
        flags=flags or {},
        refusal=refusal,
    )
