"""Text for people: durations in words, and foreign text that no terminal obeys.

Names, columns, keys, error messages and what a model tells are all foreign. They are made
harmless where they leave the program, and nowhere before: the command line puts a
`HarmlessStream` in front of standard output and standard error.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, TextIO

MAX_MESSAGE = 2_000
"""Characters of the longest message; a name in it may be of any length."""

# Control characters other than \t and \n, line ends that only Unicode knows, marks that turn the
# direction of what follows, and halves of surrogate pairs, of which names in other encodings
# are made.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]"
)


def duration(seconds: float) -> str:
    """Returns a duration in its two largest units.

    >>> duration(5.4), duration(65), duration(3725), duration(200_000)
    ('5 s', '1 min 5 s', '1 h 2 min', '2 days 7 h')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} {'day' if days == 1 else 'days'} {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def harmless(text: str) -> str:
    r"""Replaces what a terminal would obey instead of showing it; lines and tabs stay.

    >>> harmless("\x1b[2Jкот\u202e\n")
    '�[2Jкот�\n'
    """
    return _OBEYED.sub("\ufffd", text)


def one_line(message: str) -> str:
    """Returns a message as one line that is not too long, with its beginning and its end."""
    line = re.sub(r"[\t\n\r]+", " ", message)
    if len(line) <= MAX_MESSAGE:
        return line
    end = MAX_MESSAGE // 4
    return f"{line[: MAX_MESSAGE - end]} … {line[-end:]}"


def json_line(value: Any) -> str:
    r"""Returns a value as JSON in one line, with escapes for what a terminal would obey.

    >>> json_line({"text": "кот\x9b\n"})
    '{"text": "кот\\u009b\\n"}'
    """
    line = json.dumps(value, ensure_ascii=False)
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", line)


class HarmlessStream:
    """A text stream that passes on what is harmless, and is the stream it wraps in all else.

    What rich draws goes to the wrapped stream itself, for it consists of control characters;
    `anekdot.cli.console` makes harmless what is drawn.
    """

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        """Writes a text."""
        return self.rich_proxied_file.write(harmless(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)
