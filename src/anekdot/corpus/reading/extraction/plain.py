"""The text of a file in whatever encoding it is."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from anekdot.corpus.reading.encodings import decode, detect_encoding, is_mostly_utf8, is_wide
from anekdot.corpus.reading.files import blocks, head
from anekdot.corpus.reading.lines import batches, text_blocks, without_byte_order_mark

_SEEN_BYTES = 1 << 20  # by which the encoding is guessed
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?([\w-]+)""", re.IGNORECASE)


def text_of(file: Path) -> Iterator[str]:
    """Yields the text of a file in blocks: in the encoding that it is in, or that it declares."""
    start = head(file, size=_SEEN_BYTES)
    encoding = detect_encoding(start) or "utf-8"
    if not is_wide(encoding):
        declared = _declared(start[:4096])
        encoding = "utf-8" if is_mostly_utf8(start) else declared or encoding
    return text_blocks(without_byte_order_mark(blocks(file), encoding), encoding)


def lines(file: Path) -> Iterator[str]:
    """Yields the lines of a file, each decoded by itself."""
    encoding = detect_encoding(head(file, size=_SEEN_BYTES)) or "utf-8"
    data = without_byte_order_mark(blocks(file), encoding)
    if is_wide(encoding):
        data = (text.encode() for text in text_blocks(data, encoding))
        encoding = "utf-8"
    for batch, _ in batches(data):
        yield from decode(batch, encoding)


def _declared(start: bytes) -> str | None:
    """Returns the encoding that a page names, if Python knows it."""
    found = _DECLARED.search(start)
    try:
        name = codecs.lookup(found[1].decode("ascii")).name if found else None
        if name is None or name.startswith("utf"):
            return None
        "".encode(name)  # some are no encodings of text
    except (LookupError, UnicodeError):
        return None
    return name
