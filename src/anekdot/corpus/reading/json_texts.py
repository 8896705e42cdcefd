"""The text of a JSON record: under a key at any depth, in pieces or lines, or of several keys."""

from collections.abc import Sequence
from typing import Any

_PIECE_TYPES = frozenset(
    (
        *("plain", "bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre"),
        *("link", "text_link", "mention", "mention_name", "hashtag", "cashtag", "bot_command"),
        *("email", "phone", "bank_card", "custom_emoji", "blockquote"),
        *("text", "input_text", "output_text"),
    )
)
_PIECE_KEYS = frozenset(
    ("type", "text", "href", "url", "user_id", "document_id", "language", "collapsed")
)
_MISSING = frozenset(("[removed]", "[deleted]", "[удалено]", "nan", "null", "none", "<na>", "#n/a"))
"""What programs write where there is no text."""

_TURNS = (("role", "content"), ("from", "value"))
_UNSAID = frozenset(("system", "tool", "function", "developer"))


def record_text(record: Any, columns: Sequence[str]) -> str | None:
    r"""Returns the text of a record, or None.

    Args:
        record: A string, which is the text itself; or what holds it.
        columns: Where texts may be; the first that has one counts. Those joined by commas
            make one text.

    >>> record_text({"title": "Кот", "body": ["спит ", {"text": "дома"}]}, ["text", "title,body"])
    'Кот\nспит дома'
    """
    if isinstance(record, str):
        return record
    found = None
    for column in columns:
        names = [column] if has(record, column) else column.split(",")
        texts = [text_of(lookup(record, name)) for name in names]
        text = join(texts)
        if text:
            return text
        found = text if found is None else found
    return found


def join(texts: Sequence[str | None]) -> str | None:
    """Joins what there is of the parts of a text, one a line; None if there is no part."""
    parts = ["" if is_missing(text) else text for text in texts if text is not None]
    filled = [text.strip() for text in parts if text.strip()]
    if len(filled) < 2:
        return max(parts, key=len, default=None)
    return "\n".join(
        part
        for part, rest in zip(filled, [*filled[1:], ""], strict=True)
        if not _begins(rest, part)
    )


def is_missing(text: str) -> bool:
    """Whether a text only says that there is none, as «[removed]» and «nan» do."""
    return text.strip().lower() in _MISSING


def has(record: Any, name: str) -> bool:
    """Whether a record has a key or position of this very name."""
    return isinstance(record, dict) and name in record


def lookup(record: Any, name: str) -> Any:
    """Returns what a record holds under a name, or None.

    Args:
        record: An object, or an array.
        name: A key, keys parted by dots, the number of an item from 1, or a role in a talk.
    """
    if not name:
        return record
    if isinstance(record, dict):
        if name in record:
            return record[name]
        head, _, rest = name.partition(".")
        return lookup(record[head], rest) if rest and head in record else None
    if isinstance(record, list):
        head, _, rest = name.partition(".")
        if head.isdecimal():
            found = record[int(head) - 1] if 0 < int(head) <= len(record) else None
            return lookup(found, rest) if rest else found
        return [turn for turn in record if is_turn(turn) and role(turn) == name] or None
    return None


def text_of(value: Any) -> str | None:
    r"""Returns the text of a string, or of an array of lines, pieces, or turns of a talk.

    >>> text_of(["Купил ", {"type": "bold", "text": "зонт"}])
    'Купил зонт'
    >>> text_of(["— Да?", "— Нет."])
    '— Да?\n— Нет.'
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return None
    parts = [part for part in map(_part, value) if part is not None]
    if not parts or any(isinstance(item, int | float) for item in value):
        return None
    turns = any(map(is_turn, value))
    flows = not turns and (
        any(isinstance(item, dict) for item in value) or any(part.endswith("\n") for part in parts)
    )
    return ("" if flows else "\n").join(parts)


def is_pieces(value: Any) -> bool:
    """Whether an array is one text in pieces, as messengers store what is formatted."""
    pieces = [item for item in value if isinstance(item, dict)]
    return (
        bool(pieces)
        and all(isinstance(item, str | dict) for item in value)
        and all(isinstance(piece.get("text"), str) for piece in pieces)
        and all(
            piece.get("type") in _PIECE_TYPES
            if len(pieces) == len(value)
            else piece.keys() <= _PIECE_KEYS
            for piece in pieces
        )
    )


def is_turn(item: Any) -> bool:
    """Whether an item is one turn of a talk: who speaks, and what."""
    return isinstance(item, dict) and any(
        isinstance(item.get(who), str) and what in item for who, what in _TURNS
    )


def role(turn: dict[str, Any]) -> str | None:
    """Returns who speaks, such as "user" or "gpt"."""
    return next((turn[who] for who, what in _TURNS if who in turn and what in turn), None)


def is_said(turn: dict[str, Any]) -> bool:
    """Whether a turn belongs to the talk, rather than to the program that led it."""
    return role(turn) not in _UNSAID


def _part(item: Any) -> str | None:
    if not isinstance(item, dict):
        return item if isinstance(item, str) else None
    if is_turn(item):
        what = next(what for who, what in _TURNS if who in item and what in item)
        return text_of(item[what]) if is_said(item) else None
    text = item.get("text")
    return text if isinstance(text, str) else None


def _begins(text: str, start: str) -> bool:
    """Whether a text begins with a title that was cut from it."""
    start = start.rstrip("….")
    return len(start) > 20 and text.startswith(start)
