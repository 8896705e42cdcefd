"""Blocks of bytes to lines, and the lines that separate the texts of a txt file.

Line ends are universal, and no line is longer than can be held.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise

from anekdot.corpus.documents import Layout
from anekdot.corpus.reading.encodings import is_transcoded
from anekdot.corpus.reading.numbering import Counter

MAX_LINE_BYTES = 4 << 20
"""The longest line that is held."""

MARKERS = (
    ("<|startoftext|>", "<|endoftext|>"),
    ("<|begin_of_text|>", "<|end_of_text|>"),
    ("<|begin|>", "<|end|>"),
    ("<bos>", "<eos>"),
    ("[BOS]", "[EOS]"),
    ("<s>", "</s>"),
)
"""What other programs put before and after a text."""

ESCAPED = {
    **{"\\n": "line", "\n": "line", "\\n\\n": "blank line", "\n\n": "blank line"},
    **{"\\n\\n\\n": "2 blank lines", "\n\n\n": "2 blank lines"},
    **{"\\t": "\t", "tab": "\t", "\\f": "\f", "\\0": "\0"},
}
"""What may be written for a separator that is hard to type."""

_BLANKS = (b"\xc2\xa0", b"\xe2\x80\x8b", b"\xef\xbb\xbf")  # no-break, zero-width, mark in UTF-8
_SHOWN = 1024  # bytes of a longer line that are kept
_TAIL = 256  # bytes at its end, where a separator may have begun


def batches(
    blocks: Iterable[bytes], *, limit: int = MAX_LINE_BYTES, separators: Sequence[bytes] = ()
) -> Iterator[tuple[list[bytes], bool]]:
    r"""Yields the lines of a file in batches, each line with its end.

    Args:
        blocks: The bytes, in blocks of at most ``limit``.
        limit: The longest line that is held, in bytes.
        separators: What ends a line besides ``\n``, ``\r\n`` and ``\r``.

    Yields:
        The lines; and whether there is only one, longer than ``limit`` and shortened.
    """
    split = _splitter(separators)
    ends = (b"\n", *separators)
    rest, long = b"", False
    for block in blocks:
        lines = split(rest + block)
        rest = lines.pop() if lines and not lines[-1].endswith(ends) else b""
        if lines and (long or len(lines[0]) > limit):
            yield [_shortened(lines.pop(0))], True
            long = False
        if lines:
            yield lines, False
        if len(rest) > limit:
            rest, long = _shortened(rest), True
    if rest:
        long = long or len(rest) > limit
        yield [_shortened(rest) if long else rest], long


def text_blocks(blocks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Yields the text of a file in one encoding; what is not in it becomes U+FFFD."""
    decoder = getincrementaldecoder(encoding)("replace")
    for block in blocks:
        yield decoder.decode(block)
    yield decoder.decode(b"", True)


def without_byte_order_mark(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yields the blocks of a file without the byte order mark at its start."""
    rest = iter(blocks)
    first = next(rest, b"")
    if encoding.startswith("utf"):
        first = first.removeprefix("\ufeff".encode(encoding))
    yield first
    yield from rest


def lines_of(text: str) -> list[str]:
    r"""Returns the lines of a text with their ends, at ``\n``, ``\r\n`` and ``\r`` only."""
    return re.findall(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+", text)


def count_lines(blocks: Iterable[bytes]) -> int:
    r"""Counts the line ends of a file: ``\n``, ``\r\n`` and ``\r``."""
    count, last = 0, b""
    for block in blocks:
        count += block.count(b"\n")
        if b"\r" in block:
            count += block.count(b"\r") - block.count(b"\r\n")
        count -= last == b"\r" and block.startswith(b"\n")
        last = block[-1:]
    return count


def separators(layout: Layout) -> tuple[bytes, ...]:
    """Returns what separates the texts, a rule or markers, in the encodings of the file."""
    texts = next((pair for pair in MARKERS if layout.separator in pair), (layout.separator,))
    return tuple(found for text in texts for found in _encoded(text, layout.encoding))


def names_lines(separator: str | None) -> bool:
    """Whether a separator that the user named stands between texts, not between cells."""
    return len(ESCAPED.get(separator or "", separator) or "") > 1


def blank_lines(separator: str) -> int:
    """Returns how many blank lines a separator is, or 0 if it is something else."""
    found = re.fullmatch(r"(\d?\d )?blank lines?", separator)
    return int(found[1] or 1) if found else 0


def separator_test(layout: Layout) -> Callable[[bytes], bool]:
    """Returns a function that says of line after line whether texts are separated there."""
    count = blank_lines(layout.separator)
    if count == 1:
        return _is_blank
    if count:
        return _gap_test(count)
    if layout.separator == "file":
        return lambda line: False
    rules = frozenset(separators(layout))
    return lambda line: line.strip() in rules


def start_splitter(
    layout: Layout,
) -> Callable[[list[bytes]], tuple[list[bytes], list[bool]]] | None:
    """Returns a function that parts what begins a text from its line, if a layout has a pattern.

    Returns:
        The function: it returns the lines and their parts, and which parts only begin a text.
    """
    pattern = start_pattern(layout)
    if pattern is None:
        return None
    counter = Counter() if layout.rising else None

    def split(lines: list[bytes]) -> tuple[list[bytes], list[bool]]:
        parts, begins = [], []
        for line in lines:
            match = pattern.match(line)
            if match and (not counter or counter.counts(int(match[match.lastindex or 0]))):
                parts += [match[0], line[match.end() :]]
                begins += [True, False]
            else:
                parts.append(line)
                begins.append(False)
        return parts, begins

    return split


def start_pattern(layout: Layout) -> re.Pattern[bytes] | None:
    """Returns what a line begins with where a text begins, in the encodings of the file."""
    if layout.pattern is None:
        return None
    return re.compile(b"[ \\t]*(?:" + b"|".join(_encoded(layout.pattern, layout.encoding)) + b")")


def can_overlap(layout: Layout) -> bool:
    """Whether two separators may share bytes, as «--» does with itself in «---»."""
    found = separators(layout)
    return any(
        second.startswith(first[start:])
        for first in found
        for second in found
        for start in range(1, len(first))
    )


def _encoded(text: str, encoding: str) -> list[bytes]:
    """Returns a text in the encodings that lines of a file may have, where it can be written."""
    found = []
    for each in ("utf-8",) if is_transcoded(encoding) else ("utf-8", encoding):
        with suppress(UnicodeEncodeError):
            found.append(text.encode(each))
    return [*dict.fromkeys(filter(None, found))]


def _gap_test(count: int) -> Callable[[bytes], bool]:
    """Returns a function that says whether a line is the last of so many blank ones in a row."""
    seen = 0

    def ends_gap(line: bytes) -> bool:
        nonlocal seen
        seen = seen + 1 if _is_blank(line) else 0
        return seen == count

    return ends_gap


def _is_blank(line: bytes) -> bool:
    line = line.strip()
    if len(line) < 64 and line.startswith(_BLANKS):
        for blank in _BLANKS:
            line = line.replace(blank, b"")
        return not line.strip()
    return not line


def _shortened(line: bytes) -> bytes:
    return line if len(line) <= _SHOWN + _TAIL else line[:_SHOWN] + b" ... " + line[-_TAIL:]


def _splitter(separators: Sequence[bytes]) -> Callable[[bytes], list[bytes]]:
    if not separators:
        return lambda block: block.splitlines(keepends=True)
    end = re.compile(b"|".join([*map(re.escape, separators), b"\r\n?", b"\n"]))

    def split(block: bytes) -> list[bytes]:
        bounds = [0, *(match.end() for match in end.finditer(block)), len(block)]
        return [block[start:stop] for start, stop in pairwise(bounds) if start < stop]

    return split
