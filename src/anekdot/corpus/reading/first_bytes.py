"""What the first bytes of a file say: whether it is text, and whose."""

import re

from anekdot.corpus.reading.encodings import detect_encoding, is_wide
from anekdot.corpus.reading.files import COMPRESSIONS, ZIP
from anekdot.corpus.reading.names import NO_TEXT, PROGRAM, SECRET

# What text files do not hold, but for a few strays: control characters other than
# \t \n \v \f \r and escape, which colours terminals.
CONTROLS = bytes({*range(32), 127} - {9, 10, 11, 12, 13, 27})

_FOREIGN = (
    *(b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"OggS", b"ID3", b"{\\rtf"),
    *(ZIP, b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"7z\xbc\xaf", b"Rar!", b"\x7fELF", b"MZ\x90"),
    *(b"SQLite format", *COMPRESSIONS.values()),
)
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html)\b", re.I | re.S
)
_XML = re.compile(rb"\s*<(?:\?xml|rss|feed|opml|en-export)\b", re.I)
_MAIL = re.compile(
    rb"From \S+ .*\d{4}\r?\n[\w-]+: |(?:[\w-]+:.*\r?\n(?:[ \t].*\r?\n)*){0,40}MIME-Version:", re.I
)
_SECRET = re.compile(rb"\s*-----BEGIN |ssh-(?:rsa|ed25519|dss) A|\[default\]\s+aws_", re.I)
_PROGRAM = re.compile(rb"#!\s*/|\s*<\?(?:php|xml)\b|\s*<!DOCTYPE (?!html)", re.I)


def is_binary(data: bytes) -> bool:
    """Whether bytes are not text, by their control characters."""
    controls = len(data) - len(data.translate(None, CONTROLS))
    return controls > 8 and controls * 20 > len(data)


def holds_text(start: bytes, encoding: str | None) -> bool:
    """Whether a file with these first bytes is text, in an encoding if that can be told."""
    is_wide_text = encoding is not None and is_wide(encoding)
    return not start.startswith(_FOREIGN) and (is_wide_text or not is_binary(start))


def is_page(start: bytes) -> bool:
    """Whether a file is a page of HTML, whatever it is called."""
    return _PAGE.match(start.removeprefix(b"\xef\xbb\xbf")) is not None


def markup(start: bytes) -> tuple[str, str] | None:
    """Returns what a text file holds that is no plain text, and what to do with it."""
    start = start.removeprefix(b"\xef\xbb\xbf")
    if _XML.match(start):
        return "XML", "Convert it to .csv or .jsonl."
    return ("mail", "Save its texts as .txt or .html.") if _MAIL.match(start) else None


def reason_no_text(start: bytes) -> str | None:
    """Returns why a file of a folder is not read whose name says nothing about it."""
    if not start.strip() or not holds_text(start, detect_encoding(start[: 1 << 16])):
        return NO_TEXT
    if _SECRET.match(start):
        return SECRET
    return PROGRAM if _PROGRAM.match(start) and not is_page(start) else None
