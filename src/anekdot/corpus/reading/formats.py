"""Whether a file is text, a chat, a table or JSON, by its first lines: its name may be wrong."""

import json
from itertools import islice

from anekdot.corpus.reading.chats import text_chat
from anekdot.corpus.reading.columns import TEXT_NAMES
from anekdot.corpus.reading.dialects import is_list, is_table
from anekdot.corpus.reading.json_stream import values, without_assignment
from anekdot.corpus.reading.lines import names_lines
from anekdot.corpus.reading.separators import guess_separator

_SAMPLE_RECORDS = 500  # by which the format is recognised


def format_of(lines: list[str], known: str | None, separator: str | None) -> str:
    """Returns the format of a file: "txt", "chat", "csv", "json" or "jsonl".

    Args:
        lines: Its first lines, not all of them blank.
        known: The format that its name tells, if any.
        separator: What separates texts, or cells, if the user named it.
    """
    found = _by_lines(lines, known)
    is_called_table = known == "csv" and found == "txt"
    return "csv" if is_called_table and not _is_list(lines, separator) else found


def first_character(lines: list[str]) -> str:
    """Returns the first character of a file that is not white space, or "" if there is none."""
    return without_assignment("".join(lines[:99])).lstrip("\ufeff \t\r\n")[:1]


def json_value(line: str) -> object:
    """Returns what a line of JSON says, or None if it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _by_lines(lines: list[str], known: str | None) -> str:
    """Tells txt, chat, jsonl and json apart by what the lines are, since names may be wrong."""
    parsed = [json_value(line) for line in islice(filter(str.strip, lines), _SAMPLE_RECORDS)]
    objects = sum(isinstance(record, dict) for record in parsed)
    begins = first_character(lines)
    if known in (None, "txt", "csv"):
        if parsed and objects == len(parsed):
            return "json" if len(parsed) == 1 else "jsonl"
        first = next(values(lines, [[]] if begins == "[" else []), None) if begins else None
        if isinstance(first, dict) and (begins == "[" or not objects):
            return "json"
        table = "csv" if is_table(lines, TEXT_NAMES) else "txt"
        return "chat" if text_chat(lines) else table
    if known == "json" and len(parsed) == 1:
        return "json"
    records = sum(isinstance(record, dict | list | str) for record in parsed)
    if 2 * records > len(parsed) and not (len(parsed) == 1 and isinstance(parsed[0], list)):
        return "jsonl"
    return "json" if begins and begins in "[{" and not isinstance(parsed[0], dict) else "jsonl"


def _is_list(lines: list[str], separator: str | None) -> bool:
    """Whether texts only are called a table: the user says what stands between, or it is seen."""
    if not is_list(lines, TEXT_NAMES):
        return False
    return names_lines(separator) or guess_separator(lines).separator != "line"
