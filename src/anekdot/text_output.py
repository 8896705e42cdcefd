"""Text for people: durations in words, and texts without control characters."""

import re
import sys


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


def escape_control_characters(text: str) -> str:
    """Replaces control characters, which a young model writes and a terminal would obey."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\ufffd", text)


def for_output(text: str) -> str:
    """Returns a text as standard output takes it: safe for a terminal, unchanged for a file."""
    return escape_control_characters(text) if sys.stdout.isatty() else text
