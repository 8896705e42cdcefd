"""The records of a JSON file of any size, wherever they stand in it."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

MAX_RECORD_CHARACTERS = 8 << 20
"""The longest record that is read; twice as much may be held."""

MAX_DEPTH = 40
"""How deep records may stand."""

Step = str | Sequence[str] | None
"""A key; or every item and value, but for those under some keys; or None, the keys themselves."""

Path = Sequence[Step]
"""The way from the top of a JSON file to its records."""

_SMALL = 1 << 16  # characters of a value that is always held
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[\s,\ufeff]*")
_ASSIGNMENT = re.compile(
    r"""\s*(?:export\s+default\s+|(?:(?:export\s+)?(?:const|let|var)\s+)?[A-Za-z_$][\w.$\[\]"']{0,99}
    \s*=\s*)(?=[\[{])""",
    re.VERBOSE,
)
_ENDS = frozenset(" \t\r\n,:]}")
_NEXT = re.compile(r"\n\s*(?=[{\"])|\}\s*,\s*(?=\{)")  # a record may follow a broken one
_NEXT_OBJECT = re.compile(r"(?:\n|\}\s*,)\s*(?=\{)")
_NEXT_PAIR = re.compile(r"(?:\n|\}\s*,)\s*(?=\"(?:[^\"\\\n]|\\.){0,300}\"\s*:\s*\{)")


@dataclass(frozen=True)
class Broken:
    """A record that is not JSON.

    Attributes:
        text: How it begins.
    """

    text: str


def without_assignment(text: str) -> str:
    """Returns the beginning of a JSON text without «name =», as programs and archives have it.

    >>> without_assignment("window.YTD.tweets.part0 = [")
    '['
    """
    match = _ASSIGNMENT.match(text.lstrip("\ufeff"))
    return text.lstrip("\ufeff")[match.end() :] if match else text


class JsonText:
    """A JSON text of which only the part around one value is held.

    Args:
        texts: The text, in blocks.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        rest = iter(texts)
        self._texts = chain([without_assignment(next(rest, ""))], rest)
        self._text = ""
        self._place = 0

    def next_character(self) -> str:
        """Returns the next character that is neither white space nor a comma, or "" at the end."""
        while True:
            space = _SPACE.match(self._text, self._place)
            assert space is not None
            self._place = space.end()
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._more():
                return ""

    def take(self, character: str) -> bool:
        """Consumes the next character if it is this one."""
        found = self.next_character() == character
        self._place += found
        return found

    def held(self) -> tuple[Any] | None:
        """Consumes the next value if it is small, or else happens to be held as a whole."""
        while len(self._text) - self._place < _SMALL and self._more():
            pass
        try:
            value, end = _DECODER.raw_decode(self._text, self._place)
        except (ValueError, RecursionError):
            return None
        if end == len(self._text) and self._more():  # a number may go on
            return self.held()
        self._place = end
        return (value,)

    def value(self) -> Any:
        """Consumes one value and returns it.

        Raises:
            ValueError: There is none, or it is too long.
        """
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
            except RecursionError as error:
                raise ValueError("nested too deeply") from error
            except json.JSONDecodeError as error:
                if not self._is_cut(error) or not self._more():
                    raise
            else:
                if self._text[end : end + 1] in _ENDS or not self._more():
                    self._place = end
                    return value

    def children(self) -> Iterator[str | None]:
        """Yields the key of each child of the next object, or None for each item of an array.

        Whoever asks for the next one has consumed the child. A value without children is skipped.

        Raises:
            ValueError: The next value is neither, or a key is not one.
        """
        if self.take("["):
            while self.next_character() not in ("", "]"):
                yield None
            self._place += 1
        elif self.take("{"):
            while self.next_character() not in ("", "}"):
                key = self.value()
                if not isinstance(key, str) or not self.take(":"):
                    raise ValueError("no key")
                self.next_character()
                yield key
            self._place += 1
        else:
            self.value()

    def skip(self) -> None:
        """Consumes one value of any size and depth.

        Raises:
            ValueError: There is none, or a string in it is too long.
        """
        depth = 0
        while character := self.next_character():
            if character in "]}:":
                self._place += 1
                depth -= character != ":"
            elif character not in "[{":
                self.value()
            elif depth > MAX_DEPTH or not self.held():
                self._place += 1
                depth += 1
            if depth <= 0:
                return

    def beginning(self) -> str:
        """Returns the next characters, without consuming them."""
        return self._text[self._place : self._place + 400]

    def skip_broken(self, *, key: str | None = "", is_item: bool = False) -> bool:
        """Skips to where a record may follow a broken one; False if there is no such place.

        Args:
            key: The key of the broken one, or None for an item of an array.
            is_item: Whether the broken one is a child of an array or object.
        """
        pattern = _NEXT
        if is_item and self._text.startswith("{", self._place):
            pattern = _NEXT_OBJECT if key is None else _NEXT_PAIR
        self._place += 1
        while True:
            match = pattern.search(self._text, self._place)
            if match and (match.end() < len(self._text) or not self._more()):
                self._place = match.end()
                return True
            if not match:
                self._place = max(self._place, len(self._text) - 1000)
                if not self._more():
                    self._place = len(self._text)
                    return False

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated") or error.pos > len(self._text) - 16

    def _more(self) -> bool:
        """Reads as much again as is held, up to the limit; returns whether there was any."""
        rest = self._text[self._place :]
        if len(rest) > MAX_RECORD_CHARACTERS:
            return False
        parts, size = [rest], 0
        for text in self._texts:
            parts.append(text)
            size += len(text)
            if size > len(rest):
                break
        self._text, self._place = "".join(parts), 0
        return size > 0


def values(texts: Iterable[str], path: Path) -> Iterator[Any]:
    """Yields the records of a JSON file, and a `Broken` for each that is not JSON.

    Args:
        texts: The file, in blocks: one value, or one after another.
        path: Where the records stand in each value.
    """
    source = JsonText(texts)
    while source.next_character():
        try:
            yield from _below(source, path)
        except ValueError:
            yield Broken(source.beginning())
            if not source.skip_broken():
                return


def pick(value: Any, path: Path) -> Iterator[Any]:
    """Yields the records of a JSON value that is held as a whole."""
    if not path:
        yield value
    elif path[0] is None:
        for key, child in value.items() if isinstance(value, dict) else ():
            yield _with_answer(key, child)
    elif isinstance(value, dict):
        for key, child in value.items():
            if _leads(path[0], key):
                yield from pick(child, path[1:])
    elif isinstance(value, list) and not isinstance(path[0], str):
        for child in value:
            yield from pick(child, path[1:])


def _below(source: JsonText, path: Path) -> Iterator[Any]:
    """Yields the records below the next value; what is held is faster to walk in memory."""
    if not path:
        yield source.value()
        return
    if held := source.held():
        yield from pick(held[0], path)
        return
    step, rest = path[0], path[1:]
    for key in source.children():
        try:
            if step is None:
                yield _with_answer(key, source.value())
            elif not _leads(step, key):
                source.skip()
            elif rest:
                yield from _below(source, rest)
            else:
                yield source.value()
        except ValueError:
            yield Broken(source.beginning())
            if not source.skip_broken(key=key, is_item=True):
                return


def _with_answer(key: str | None, value: Any) -> Any:
    """Returns a key that is a text, with the sentence below it, if there is one."""
    return f"{key}\n{value}" if isinstance(value, str) and len(value.split()) > 2 else key


def _leads(step: str | Sequence[str], key: str | None) -> bool:
    return key == step if isinstance(step, str) else key not in step
