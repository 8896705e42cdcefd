"""Books: the text of the chapters of an EPUB, in the order of reading."""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from anekdot.corpus.reading.extraction import html
from anekdot.corpus.reading.extraction.xml_events import events
from anekdot.corpus.reading.files import blocks, members
from anekdot.corpus.reading.lines import text_blocks

_CONTAINER = "META-INF/container.xml"
_CHAPTER = re.compile(r".*\.(x?html?|xml)", re.IGNORECASE)
_NO_CHAPTER = re.compile(r"(.*/)?(nav|toc|cover|titlepage)[^/]*", re.IGNORECASE)


def fragments(file: Path, _: str | None = None) -> Iterator[str]:
    """Yields the text of all chapters; of all pages in the order of their names without a spine."""
    found = members(file)
    chapters = _spine(file, found)
    if not chapters or not {*chapters} <= {*found}:
        pages = [name for name in found if _CHAPTER.fullmatch(name) and "META-INF/" not in name]
        chapters = sorted(pages, key=_natural)
    for chapter in chapters:
        if not _NO_CHAPTER.fullmatch(chapter):
            yield from html.paragraphs(text_blocks(blocks(file, chapter), "utf-8-sig"))
            yield "\n"


def _spine(file: Path, found: list[str]) -> list[str]:
    """Returns the chapters in the order of reading, or nothing if the book does not say."""
    if _CONTAINER not in found:
        return []
    package = next(
        (each["full-path"] for kind, name, each in events(blocks(file, _CONTAINER))
         if (kind, name) == ("start", "rootfile") and "full-path" in each), None,
    )  # fmt: skip
    if package not in found:
        return []
    places: dict[str, str] = {}
    order: list[str] = []
    for kind, name, each in events(blocks(file, package)):
        if kind == "start" and name == "item" and "html" in each.get("media-type", ""):
            place = posixpath.join(posixpath.dirname(package), unquote(each.get("href", "")))
            if each.get("properties") != "nav":
                places[each.get("id", "")] = posixpath.normpath(place)
        elif kind == "start" and name == "itemref":
            order.append(each.get("idref", ""))
    return [places[each] for each in order if each in places]


def _natural(name: str) -> list[tuple[int, str]]:
    """Orders names by the numbers in them: chapter2 before chapter10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
