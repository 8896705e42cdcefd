"""What a source stands for: a file, a folder or pattern, an address, or standard input.

Files are fetched from other machines only when their address is named as a source.
"""

import glob
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from anekdot.atomic_files import staged
from anekdot.corpus.reading.addresses import address, check_address, is_remote
from anekdot.corpus.reading.files import ZIP, find_compression, head, label, refuse_irregular
from anekdot.corpus.reading.first_bytes import reason_no_text
from anekdot.corpus.reading.given import Texts, looks_like_text
from anekdot.corpus.reading.names import (
    ARCHIVE,
    ENDINGS,
    FORMATS,
    Skipped,
    check_format,
    ending,
    reason_unread,
)
from anekdot.errors import CorpusError

Source = Path | str | Texts
"""A file, a folder of files, a pattern such as ``texts/*.txt``, an address that begins with
``https://`` or ``http://``, ``"-"`` for standard input, or texts that were given."""

STANDARD_INPUT = "standard input"
KEPT_INPUT = "standard-input"

OWN_FILES = ("model.safetensors", "manifest.json", "plan.json")
"""Files by which bundles and prepared folders, finished or not, are known among texts."""


def find_files(source: Source, skipped: Skipped | None = None) -> list[Source]:
    """Lists what a source stands for, sorted: itself, or the texts of a folder or pattern.

    Args:
        source: A file, a folder, a pattern, an address, or "-" for standard input.
        skipped: Called with each file of a folder or pattern that is not read, and why; hidden
            ones are not mentioned.

    Raises:
        CorpusError: The source does not exist, cannot be read, holds no file in a known
            format, or is neither a file nor a folder.
    """
    if isinstance(source, Texts):
        return [source]
    if is_remote(source):
        check_address(str(source))
        return [source]
    if str(source) == "-":
        return [source]
    if found := re.match("([a-z][a-z0-9+.-]+)://", str(source), re.IGNORECASE):
        cause = f"{address(str(source))} is not fetched: {found[1]} is not known."
        raise CorpusError(cause, "Give a file, or an address that begins with https:// or http://.")
    if source == "":
        raise CorpusError("The name of a source is empty.", FORMATS)
    path = Path(source)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return _of_folder(path, skipped)
        refuse_irregular(path)
    except (OSError, ValueError) as error:
        if looks_like_text(str(source)) and not _has_match(str(source)):
            cause = f"«{label(path)[:60]}» is no file, but looks like a text."
            raise CorpusError(cause, "Write texts into a file; in Python, give a list.") from error
        return _of_pattern(path, error, skipped)
    check_format(path.name, label(path))
    return [path]


def keep_standard_input(folder: Path) -> Path:
    """Copies standard input, which cannot be read twice, to a file in a folder.

    Raises:
        CorpusError: It is closed, or cannot be read or written.
    """
    path = folder / KEPT_INPUT
    if sys.stdin is None:
        raise CorpusError("Standard input is closed.", "Pipe the texts into the command.")
    try:
        start = sys.stdin.buffer.read(1 << 20)
        if not start and path.exists():  # nothing was piped in again: the texts stand here alone
            return path
        with staged(path) as draft, draft.open("wb") as file:
            file.write(start)
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
    except (OSError, ValueError) as error:
        cause = f"Standard input cannot be kept: {error}."
        raise CorpusError(cause, "Write the texts into a file.") from error
    return path


def _of_folder(folder: Path, skipped: Skipped | None) -> list[Source]:
    found = sorted(path for path in _walk(folder, skipped) if _is_read(path, folder, skipped))
    if not found:
        raise CorpusError(f"{label(folder)} has no file in a known format.", FORMATS)
    return list(found)


def _of_pattern(pattern: Path, error: Exception, skipped: Skipped | None) -> list[Source]:
    """Lists the files of a pattern; if there is none, says why the source cannot be read."""
    name = label(pattern)
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        reason = getattr(error, "strerror", None) or str(error)
        raise CorpusError(f"{name} cannot be read: {reason}.", "Check the file.") from error
    if not glob.has_magic(str(pattern)):
        raise CorpusError(f"{name} does not exist.", FORMATS) from error
    found = sorted(map(Path, glob.glob(str(pattern), recursive=True)))
    known = [path for path in found if _is_read(path, path.parent, skipped)]
    if not known:
        raise CorpusError(f"{name} matches no file in a known format.", FORMATS) from error
    return list(known)


def _has_match(pattern: str) -> bool:
    return glob.has_magic(pattern) and next(glob.iglob(pattern), None) is not None


def _is_read(path: Path, folder: Path, skipped: Skipped | None) -> bool:
    """Whether a file of a folder or pattern is read: by its name, else by its first bytes."""
    if not path.is_file():
        return False
    reason = reason_unread(path.name)
    if reason is None and path.is_symlink():
        reason = _reason_of_link(path, folder)
    if reason is None and ending(path.name) not in (*ENDINGS, ARCHIVE):
        reason = _reason_unknown(path)
    if reason and skipped:
        skipped(label(path), reason)
    return reason is None


def _reason_of_link(path: Path, folder: Path) -> str | None:
    """Returns why a link is not read, if what it leads to says so."""
    target = path.resolve()
    is_inside = target.is_relative_to(folder.resolve())
    return reason_unread(target.name) or (None if is_inside else "leads out of the folder")


def _reason_unknown(path: Path) -> str | None:
    """Returns why a file is not read whose name says nothing."""
    start = head(path, None, find_compression(path), size=1 << 16)
    is_archive = start.startswith(ZIP) and not path.suffix
    return None if is_archive else reason_no_text(start)


def _walk(folder: Path, skipped: Skipped | None) -> Iterator[Path]:
    """Yields the files below a folder, without hidden ones, links to folders, and ours."""

    def refuse(error: OSError) -> None:
        cause = f"{label(Path(error.filename))} cannot be read: {error.strerror}."
        raise CorpusError(cause, "Check its permissions.") from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        if Path(parent) != folder and any(own in names for own in OWN_FILES):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            if skipped and (Path(parent) / name).is_symlink():
                skipped(label(Path(parent) / name), "a link to a folder")
        yield from (Path(parent) / name for name in names if not name.startswith("."))
