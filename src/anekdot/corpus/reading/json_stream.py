"""The records of a JSON file, one after another, whatever its size."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

MAX_RECORD_CHARACTERS = 8 << 20
"""The longest record that is read; twice as much may be held."""

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


class JsonText:
    """A JSON text of which only the part around one value is held.

    Args:
        texts: The text, in blocks.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)
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
                if self._text[end : end + 1] in _ENDS or not self._more():  # a number may go on
                    self._place = end
                    return value

    def beginning(self) -> str:
        """Returns the next characters, without consuming them."""
        return self._text[self._place : self._place + 400]

    def skip_to(self, pattern: re.Pattern[str]) -> bool:
        """Skips to the end of the first match after the next character; False if there is none."""
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


def values(texts: Iterable[str], separator: str) -> Iterator[Any]:
    """Yields the records of a JSON file, and a `Broken` for each that is not JSON.

    Args:
        texts: The file, in blocks.
        separator: "[]" for the items of an array, "{}" for one value after another, else
            the key of the array in an object.
    """
    source = JsonText(texts)
    if separator != "{}" and not _enter(source, separator):
        if source.next_character():
            yield Broken(source.beginning())
        return
    while source.next_character() not in ("", "" if separator == "{}" else "]"):
        try:
            yield source.value()
        except ValueError:
            yield Broken(source.beginning())
            if not source.skip_to(_NEXT):
                return


def array_key(texts: Iterable[str]) -> str | None:
    """Returns the first key of an object under which an array stands, or None."""
    source = JsonText(texts)
    return next((key for key in _keys(source) if source.next_character() == "["), None)


def _enter(source: JsonText, separator: str) -> bool:
    """Goes to the first item of the array; returns whether there is an array."""
    if separator != "[]":
        next((key for key in _keys(source) if key == separator), None)
    return source.take("[")


def _keys(source: JsonText) -> Iterator[str]:
    """Yields the keys of an object; each value is skipped when the next key is asked for."""
    if not source.take("{"):
        return
    try:
        while source.next_character() == '"':
            key = source.value()
            if not source.take(":"):
                return
            yield key
            source.next_character()
            source.value()
    except ValueError:
        return
