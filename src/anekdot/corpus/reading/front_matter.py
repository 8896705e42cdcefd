"""Front matter: what Obsidian, Jekyll and Hugo write about a text above it, between rules."""

import re
from collections.abc import Iterable, Iterator

_RULES = {
    b"---": rb"[\w \x80-\xff-]{1,40}:(?:\s|\Z)",
    b"+++": rb"[\w.\[\]\x80-\xff-]{1,40}(?:\s*=|\Z)",
}
_MAX_LINES = 200


def front_lines(start: bytes) -> int:
    """Returns how many lines of front matter a file begins with, its rules included, or 0.

    Each line names a field, each another, or goes on with one. Where the next text begins
    with one of them, the rules separate texts such as «Q: …» and «A: …».

    Args:
        start: The first bytes of the file, in UTF-8 or in an encoding of single bytes.
    """
    rule = start[:3]
    if rule not in _RULES:
        return 0
    lines = start[: 1 << 16].splitlines()[: _MAX_LINES + 1]
    ends = [place for place, line in enumerate(lines) if place and line.rstrip() == rule]
    if lines[0].rstrip() != rule or not ends:
        return 0
    field = re.compile(_RULES[rule])
    names = [line for line in lines[1 : ends[0]] if line.strip() and not _goes_on(line)]
    found = [match[0] for line in names if (match := field.match(line))]
    text = next((line for line in lines[ends[0] + 1 :] if line.strip()), b"")
    whole = 0 < len(names) == len(found) == len({*found})
    again = field.match(text)
    return ends[0] + 1 if whole and not (again and again[0] in found) else 0


def without_front_matter(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yields the blocks of a file with blank lines in place of its front matter."""
    rest = iter(blocks)
    first = next(rest, b"")
    if count := front_lines(first):
        lines = first.splitlines(keepends=True)
        first = b"\n" * count + b"".join(lines[count:])
    yield first
    yield from rest


def _goes_on(line: bytes) -> bool:
    return line[:1].isspace() or line.startswith((b"- ", b"#", b"]", b"}"))
