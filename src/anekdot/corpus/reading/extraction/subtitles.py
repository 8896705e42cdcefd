"""Subtitles, of SubRip and WebVTT: what is said in each, without numbers and times."""

import re
from collections.abc import Iterator
from pathlib import Path

from anekdot.corpus.reading.extraction.plain import lines

_TIME = re.compile(r"\s*(?:\d+:)?\d+:\d\d[,.]\d+ *--> *(?:\d+:)?\d+:\d\d[,.]\d+")
_MARK = re.compile(r"\{\\[^}]*\}|</?(?:[ibuvc]|font)\b[^>]*>", re.IGNORECASE)


def fragments(file: Path, _: str | None = None) -> Iterator[str]:
    """Yields a paragraph for each subtitle."""
    is_said, is_first = False, True
    for line in lines(file):
        stripped = line.strip()
        if _TIME.match(line):
            is_said, is_first = True, True
        elif not stripped:
            yield "" if is_first or not is_said else "\n"
            is_said = False
        elif is_said and (text := _MARK.sub("", stripped)):
            yield text if is_first else f"\v{text}"
            is_first = False
    yield "\n"
