"""Standard streams that are closed, or that can no longer be written.

What is shown beside the work may fail without ending it: the reader of a pipe goes away, the
disk of a log is full, the terminal is closed.
"""

import io
import os
import sys
from typing import Any, TextIO, cast

from anekdot.text_output import HarmlessStream


class View(io.FileIO):
    """A file for people to watch; when it cannot be written, it is given up, and no error comes.

    Attributes:
        lost: Why it was given up, if it was.
    """

    lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Writes to the file as long as that works."""
        try:
            return super().write(data) or len(data)  # None: its reader is slow, and we do not wait
        except OSError as error:
            self.lost = error
            _silence(self.fileno())
            return len(data)


def open_streams() -> None:
    """Opens the three streams: in UTF-8, none closed, harmless, standard error a `View`."""
    is_closed = [stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)]
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # or else a file of ours would get the number, and what is printed
            os.open(os.devnull, os.O_RDWR)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if is_closed[number]:
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115 (stays open)
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):  # Windows would write a file in its code page
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.stderr = as_view(sys.stderr)
    if is_closed[2]:
        _view(sys.stderr).lost = OSError("it is closed")
    sys.stdout, sys.stderr = _harmless(sys.stdout), _harmless(sys.stderr)


def as_view(stream: TextIO) -> TextIO:
    """Returns a text stream that gives its file up instead of failing, where it has a plain one."""
    if isinstance(stream, HarmlessStream):
        return _harmless(as_view(stream.rich_proxied_file))
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if type(raw) is not io.FileIO or raw.fileno() > 2:  # a console of Windows, a test's capture
        return stream
    let_go(stream)
    return io.TextIOWrapper(
        io.BufferedWriter(View(raw.fileno(), "w", closefd=False)),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )


def lost_view() -> OSError | None:
    """Returns why standard error was given up, if it was."""
    return getattr(_view(sys.stderr), "lost", None)


def let_go(stream: TextIO) -> None:
    """Flushes a stream; what cannot be written is dropped, or the end of Python would complain."""
    try:
        stream.flush()
    except OSError:
        _silence(stream.fileno())


def _harmless(stream: TextIO) -> TextIO:
    return stream if isinstance(stream, HarmlessStream) else cast(TextIO, HarmlessStream(stream))


def _view(stream: TextIO) -> "View":
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)  # type: ignore[return-value]


def _silence(number: int) -> None:
    """Lets everything that is written to a file descriptor vanish."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)
