"""The paragraphs of documents that are XML: Word, LibreOffice, FictionBook."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from anekdot.corpus.reading.extraction.xml_events import events
from anekdot.corpus.reading.files import blocks, members


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


@dataclass(frozen=True)
class _Vocabulary:
    """What the elements of a kind of document are.

    Attributes:
        text: Those whose characters are text.
        lines: Those after which a line ends.
        breaks: Line breaks inside a paragraph.
        spaces: White space.
        hidden: Those whose whole content is left out.
    """

    text: frozenset[str]
    lines: frozenset[str]
    breaks: frozenset[str]
    spaces: frozenset[str]
    hidden: frozenset[str]


_DOCX = _Vocabulary(
    text=_names("t"),
    lines=_names("p"),
    breaks=_names("br cr"),
    spaces=_names("tab ptab"),
    hidden=_names("pPr rPr moveFrom Fallback sectPr"),
)
_ODT = _Vocabulary(
    text=_names("p h"),
    lines=_names("p h"),
    breaks=_names("line-break"),
    spaces=_names("tab s"),
    hidden=_names("tracked-changes annotation note-citation sequence-decls"),
)
_FB2 = _Vocabulary(
    text=_names("p v subtitle text-author td th"),
    lines=_names("p v subtitle text-author td th empty-line stanza poem section cite"),
    breaks=frozenset(),
    spaces=frozenset(),
    hidden=_names("description binary title stylesheet"),
)
_WORD_PART = re.compile(r"word/document\d*\.xml")


def docx(file: Path, _: str | None = None) -> Iterator[str]:
    """Yields the text of a document of Word, as it is with all changes accepted."""
    part = next((name for name in members(file) if _WORD_PART.fullmatch(name)), None)
    if part is None:
        raise ValueError("it has no word/document.xml")
    return _fragments(blocks(file, part), _DOCX)


def odt(file: Path, _: str | None = None) -> Iterator[str]:
    """Yields the text of a document of LibreOffice."""
    return _fragments(blocks(file, "content.xml"), _ODT)


def fb2(file: Path, _: str | None = None) -> Iterator[str]:
    """Yields the text of a book in FictionBook, without its titles."""
    return _fragments(blocks(file), _FB2)


def _fragments(data: Iterable[bytes], known: _Vocabulary) -> Iterator[str]:
    hidden = inside = 0
    for kind, name, _ in events(data):
        if kind == "text":
            if inside and not hidden:
                yield name.replace("\n", " ").replace("\v", " ")
        elif kind == "start":
            hidden += name in known.hidden
            inside += name in known.text
            if name in known.breaks and not hidden:
                yield "\v"
            elif name in known.spaces and not hidden:
                yield " "
        else:
            if name in known.lines and not hidden:
                yield "\n"
            hidden -= name in known.hidden
            inside -= name in known.text
