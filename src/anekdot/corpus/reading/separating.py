"""What separates the texts of a txt file, in bytes: for reading and for cutting it."""

from collections.abc import Callable

from anekdot.corpus.documents import Layout
from anekdot.corpus.reading.encodings import is_wide

MARKERS = (
    ("<|startoftext|>", "<|endoftext|>"),
    ("<|begin_of_text|>", "<|end_of_text|>"),
    ("<|begin|>", "<|end|>"),
    ("<bos>", "<eos>"),
    ("[BOS]", "[EOS]"),
    ("<s>", "</s>"),
)
"""What other programs put before and after a text."""

_BLANKS = (b"\xc2\xa0", b"\xe2\x80\x8b", b"\xef\xbb\xbf")  # no-break, zero-width, mark in UTF-8


def separators(layout: Layout) -> tuple[bytes, ...]:
    """Returns what separates the texts: the rule, or the markers, in the encodings of the file."""
    texts = next((pair for pair in MARKERS if layout.separator in pair), (layout.separator,))
    encodings = ["utf-8"] if is_wide(layout.encoding) else ["utf-8", layout.encoding]
    found = (text.encode(encoding, "ignore") for text in texts for encoding in encodings)
    return tuple(dict.fromkeys(filter(None, found)))


def separator_test(layout: Layout) -> Callable[[bytes], bool]:
    """Returns the function that tells whether a whole line separates texts."""
    if layout.separator == "blank line":
        return _is_blank
    rules = frozenset(separators(layout))
    return lambda line: line.strip() in rules


def can_overlap(layout: Layout) -> bool:
    """Tells whether two separators may share bytes, as «--» does with itself in «---»."""
    found = separators(layout)
    return any(
        second.startswith(first[start:])
        for first in found
        for second in found
        for start in range(1, len(first))
    )


def _is_blank(line: bytes) -> bool:
    line = line.strip()
    if len(line) < 64 and line.startswith(_BLANKS):
        for blank in _BLANKS:
            line = line.replace(blank, b"")
        return not line.strip()
    return not line
