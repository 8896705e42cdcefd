"""Zip archives: their members, each under a name of its own, and names as people know them."""

import zipfile
from collections import Counter
from contextlib import suppress
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=2)  # an archive, and a document in it that is an archive itself
def open_archive(
    path: Path, mtime: int, size: int
) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """Opens an archive once for all its members: its list of names may be long.

    Args:
        path: The archive.
        mtime: When it was changed, so that it is opened anew after that.
        size: Its bytes, likewise.

    Returns:
        The archive, and its files by name. Where several have one name, a NUL, which no name
        can hold, and a number follow all but the first.
    """
    archive, seen = zipfile.ZipFile(path), Counter[str]()
    infos: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        if not info.filename.endswith("/"):  # is_dir fails where there is no name
            seen[info.filename] += 1
            number = seen[info.filename]
            infos[f"{info.filename}\0{number}" if number > 1 else info.filename] = info
    return archive, infos


def is_hidden(name: str) -> bool:
    """Whether a member is one of those that systems add for themselves."""
    parts = name.replace("\\", "/").split("/")
    return any(part.startswith((".", "__MACOSX")) and part not in (".", "..") for part in parts)


def readable(member: str) -> str:
    r"""Returns a member's name; zipfile takes cp866, in which Russian names are, for cp437.

    >>> readable("a.txt\0" "2")
    'a.txt (2)'
    """
    name, _, number = member.partition("\0")
    with suppress(UnicodeError):
        russian = name.encode("cp437").decode("cp866")
        if any("а" <= letter <= "я" for letter in russian):
            name = russian
    return f"{name} ({number})" if number else name
