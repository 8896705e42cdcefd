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
from anekdot.corpus.reading.files import COMPRESSIONS, label, refuse_irregular
from anekdot.errors import CorpusError

Source = Path | str
"""A file, a folder of files, a pattern such as ``texts/*.txt``, an address that begins with
``https://`` or ``http://``, or ``"-"`` for standard input."""

STANDARD_INPUT = "standard input"
KEPT_INPUT = "standard-input"

ENDINGS = {
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
"""Formats by the ending of a file; each may be compressed, or in a zip archive."""

ARCHIVE = ".zip"

OWN_FILES = ("model.safetensors", "manifest.json", "plan.json")
"""Files by which bundles and prepared folders, finished or not, are known among texts."""

# Files that are never texts, though their first bytes may look like it.
_FOREIGN = re.compile(
    r"\.(png|jpe?g|gif|webp|bmp|tiff?|ico|svg|pdf|djvu|docx?|rtf|odt|xlsx?|ods|pptx?|epub|mobi"
    r"|mp[34]|ogg|wav|flac|avi|mkv|exe|dll|so|bin|dat|pkl|pickle|np[yz]|pt|safetensors|db|sqlite"
    r"|7z|rar|tar|tgz|iso)"
)
_FORMATS = (
    f"Bring {', '.join(ENDINGS)} (each may be compressed: {', '.join(COMPRESSIONS)}, {ARCHIVE}), "
    "a folder of them, or - for a pipe."
)


def find_files(source: Source) -> list[Source]:
    """Lists what a source stands for, sorted: itself, or a folder's or pattern's known files.

    Raises:
        CorpusError: The source does not exist, cannot be read, holds no file in a known
            format, or is neither a file nor a folder.
    """
    if is_remote(source):
        check_address(str(source))
        return [source]
    if str(source) == "-":
        return [source]
    if found := re.match("([a-z][a-z0-9+.-]+)://", str(source), re.IGNORECASE):
        cause = f"{address(str(source))} is not fetched: {found[1]} is not known."
        raise CorpusError(cause, "Give a file, or an address that begins with https:// or http://.")
    if source == "":
        raise CorpusError("The name of a source is empty.", _FORMATS)
    path = Path(source)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return _of_folder(path)
        refuse_irregular(path)
    except (OSError, ValueError) as error:
        return _of_pattern(path, error)
    if _FOREIGN.fullmatch(ending(path.name)):
        raise CorpusError(f"{label(path)} is not in a known format.", _FORMATS)
    return [path]


def ending(name: str) -> str:
    """Returns the ending of a file's or member's name in lower case, without a compression's."""
    path = Path(name.partition("\0")[0].lower().replace("\\", "/"))
    return Path(path.stem).suffix if path.suffix in COMPRESSIONS else path.suffix


def no_text(name: str) -> CorpusError:
    """Returns the error of a file that holds no text."""
    return CorpusError(f"{name} holds no text.", _FORMATS)


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


def _of_folder(folder: Path) -> list[Source]:
    found = sorted(path for path in _walk(folder) if _is_known(path))
    if not found:
        raise CorpusError(f"{label(folder)} has no file in a known format.", _FORMATS)
    return list(found)


def _of_pattern(pattern: Path, error: Exception) -> list[Source]:
    """Lists the files of a pattern; if there is none, says why the source cannot be read."""
    name = label(pattern)
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        reason = getattr(error, "strerror", None) or str(error)
        raise CorpusError(f"{name} cannot be read: {reason}.", "Check the file.") from error
    if not glob.has_magic(str(pattern)):
        raise CorpusError(f"{name} does not exist.", _FORMATS) from error
    found = sorted(map(Path, glob.glob(str(pattern), recursive=True)))
    known = [path for path in found if _is_known(path)]
    if not known:
        raise CorpusError(f"{name} matches no file in a known format.", _FORMATS) from error
    return list(known)


def _is_known(path: Path) -> bool:
    return ending(path.name) in (*ENDINGS, ARCHIVE) and path.is_file()


def _walk(folder: Path) -> Iterator[Path]:
    """Yields the files below a folder, without hidden ones, links to folders, and ours."""

    def refuse(error: OSError) -> None:
        cause = f"{label(Path(error.filename))} cannot be read: {error.strerror}."
        raise CorpusError(cause, "Check its permissions.") from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        if Path(parent) != folder and any(own in names for own in OWN_FILES):
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent) / name for name in names if not name.startswith("."))
