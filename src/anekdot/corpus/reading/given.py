"""Texts that a program gives in place of files: a list, a column of pandas or Polars."""

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from anekdot.errors import CorpusError

NAME = "the texts given"


@dataclass(frozen=True)
class Texts:
    """Texts that were given.

    Attributes:
        lines: The texts as JSON lines.
    """

    lines: bytes

    def __str__(self) -> str:
        return NAME

    @property
    def sha256(self) -> str:
        """The hash of the lines."""
        return sha256(self.lines).hexdigest()

    def keep(self, folder: Path) -> Path:
        """Writes the texts into a folder; returns the file."""
        path = folder / f"texts-{self.sha256[:16]}.jsonl"
        if not path.exists() or path.stat().st_size != len(self.lines):
            path.write_bytes(self.lines)
        return path


def as_source(source: Any) -> Path | str | Texts:
    """Returns a source as files are named, or the texts that it holds.

    Args:
        source: A path, or any iterable of strings; what is missing in it, such as NaN, counts
            as a text that is dropped.

    Raises:
        CorpusError: It is something else.
    """
    if isinstance(source, str | Path | Texts):
        return source
    if isinstance(source, os.PathLike):
        return os.fsdecode(source)
    kind = type(source).__name__
    if hasattr(source, "columns") or isinstance(source, Mapping):
        cause = f"A {kind} has several columns."
        raise CorpusError(cause, 'Give the one with the texts, such as frame["text"].')
    if isinstance(source, bytes | bytearray) or not isinstance(source, Iterable):
        raise CorpusError(f"A {kind} is no source of texts.", "Give paths, or a list of strings.")
    texts = [*source]
    if any(isinstance(text, os.PathLike) for text in texts) or _are_files(texts):
        raise CorpusError("A list holds texts, not names of files.", "Give each file by itself.")
    lines = [json.dumps(_as_text(text, n), ensure_ascii=True) for n, text in enumerate(texts, 1)]
    return Texts("".join(f"{line}\n" for line in lines).encode("ascii"))


def looks_like_text(source: str) -> bool:
    """Whether a string that names no file is rather a text.

    >>> looks_like_text("my jokes.txt"), looks_like_text("Кот спит. Пёс ест.")
    (False, True)
    """
    words = source.split()
    if "\n" in source or (len(words) > 2 and source[-1:] in '.!?…»"'):
        return True
    return len(words) > 8 or (len(words) > 3 and not re.search(r"[/\\*]|\.\w{1,8}$", source))


def _are_files(texts: list[Any]) -> bool:
    names = [text for text in texts if isinstance(text, str) and 0 < len(text) < 256]
    return bool(names) and len(names) == len(texts) and all(map(_is_file, names[:100]))


def _is_file(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def _as_text(value: Any, number: int) -> str | None:
    """Returns a text, or None where it is missing."""
    if isinstance(value, str):
        return value
    is_nan = isinstance(value, float) and math.isnan(value)
    if value is None or is_nan or type(value).__name__ in ("NAType", "NaTType"):
        return None
    cause = f"Text {number:,} is no string, but {type(value).__name__}: {value!r:.40}."
    raise CorpusError(cause, "Give strings.")
