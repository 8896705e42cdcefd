"""The records of a JSON file, one after another, whatever its size."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

LIMIT = 8 << 20
"""The longest record that is read, in characters; twice as much may be held."""

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[\s,\ufeff]*")
_ENDS = frozenset(" \t\r\n,:]}")
_NEXT = re.compile(r"\n\s*(?=[{\"])|\}\s*,\s*(?=\{)")  # a record may follow a broken one


@dataclass(frozen=True)
class Broken:
    """A record that is not JSON.

    Attributes:
        text: How it begins.
    """

    text: str


class Window:
    """A JSON text of which only the part around one value is held.

    Args:
        texts: The text, in blocks.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)
        self._text = ""
        self._place = 0

    def next_character(self) -> str:
        """Returns the next character that is no white space and no comma, "" at the end."""
        while True:
            space = _SPACE.match(self._text, self._place)
            assert space is not None
            self._place = space.end()
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._more():
                return ""

    def take(self, character: str) -> bool:
        """Passes the next character if it is this one."""
        found = self.next_character() == character
        self._place += found
        return found

    def value(self) -> Any:
        """Passes one value and returns it.

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
                if self._text[end : end + 1] in _ENDS or not self._more():  # a number may go on
                    self._place = end
                    return value

    def beginning(self) -> str:
        """Returns the next characters, without passing them."""
        return self._text[self._place : self._place + 400]

    def skip_to(self, pattern: re.Pattern[str]) -> bool:
        """Passes all until after a match that begins beyond the next character, if there is one."""
        self._place += 1
        while True:
            match = pattern.search(self._text, self._place)
            if match and (match.end() < len(self._text) or not self._more()):
                self._place = match.end()
                return True
            if not match:
                self._place = max(self._place, len(self._text) - 1000)
                if not self._more():
                    return False

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated") or error.pos > len(self._text) - 16

    def _more(self) -> bool:
        """Reads as much as is held, up to the limit; tells whether there was any."""
        rest = self._text[self._place :]
        if len(rest) > LIMIT:
            return False
        parts, size = [rest], 0
        for text in self._texts:
            parts.append(text)
            size += len(text)
            if size > len(rest):
                break
        self._text, self._place = "".join(parts), 0
        return size > 0


def values(texts: Iterable[str], separator: str) -> Iterator[Any]:
    """Yields the records of a JSON file, and a `Broken` for each that is none.

    Args:
        texts: The file, in blocks.
        separator: "[]" for the items of an array, "{}" for one value after another, else
            the key of the array in an object.
    """
    window = Window(texts)
    if separator != "{}" and not _enter(window, separator):
        if window.next_character():
            yield Broken(window.beginning())
        return
    while window.next_character() not in ("", "" if separator == "{}" else "]"):
        try:
            yield window.value()
        except ValueError:
            yield Broken(window.beginning())
            if not window.skip_to(_NEXT):
                return


def array_key(texts: Iterable[str]) -> str | None:
    """Returns the first key of an object under which an array stands, or None."""
    window = Window(texts)
    return next((key for key in _keys(window) if window.next_character() == "["), None)


def _enter(window: Window, separator: str) -> bool:
    """Goes to the first item of the array, or tells that there is none."""
    if separator != "[]":
        next((key for key in _keys(window) if key == separator), None)
    return window.take("[")


def _keys(window: Window) -> Iterator[str]:
    """Yields the keys of an object; each value is passed when the next key is asked for."""
    if not window.take("{"):
        return
    try:
        while window.next_character() == '"':
            key = window.value()
            if not window.take(":"):
                return
            yield key
            window.next_character()
            window.value()
    except ValueError:
        return
