"""A file's bytes in blocks: plain, compressed or inside a zip archive, within limits.

Nothing is unpacked to the disk, and no more is held than a block.
"""

import bz2
import gzip
import lzma
import os
import stat
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

from anekdot.errors import CorpusError

BLOCK = 1 << 20
"""Bytes of a block."""

BOMB_SIZE = 1 << 30
BOMB_RATIO = 1_000
"""What unpacks to more than both, in bytes and in times its packed size, is refused."""

COMPRESSIONS = {
    ".gz": b"\x1f\x8b",
    ".bz2": b"BZh",
    ".xz": b"\xfd7zXZ\x00",
    ".zst": b"\x28\xb5\x2f\xfd",
}
"""Endings of compressed files, and the bytes with which such a file starts."""

ZIP = b"PK\x03\x04"

_XZ_MEMORY = 256 << 20  # the strongest preset needs 65 MB; a header may claim 4 GB
_REMEDY = "Check the file and its permissions."


def blocks(
    path: Path, member: str | None = None, start: int = 0, stop: int | None = None
) -> Iterator[bytes]:
    """Yields the unpacked bytes of a file, or of a member of a zip archive, in blocks.

    Args:
        path: A regular file.
        member: The name of a member as `members` gives it.
        start: The first byte to read; only of a plain file.
        stop: The byte after the last, or None for the end; only of a plain file.

    Raises:
        CorpusError: The file cannot be opened, is damaged, or unpacks to far more than its size.
    """
    with _told(path, member), ExitStack() as stack:
        if member is None:
            file: BinaryIO = stack.enter_context(_open_regular(path))
            packed, ending = os.fstat(file.fileno()).st_size, compression(path)
        else:
            archive = _archive(path)
            info = archive.getinfo(member)
            _refuse_encrypted(path, info)
            file = cast(BinaryIO, stack.enter_context(archive.open(info)))
            packed, ending = info.compress_size, _compression_by_name(member)
        if ending is None and member is None:
            yield from _plain(file, start, stop)
            return
        unpacked = _unpacked(file, ending) if ending else iter(lambda: file.read(BLOCK), b"")
        yield from _guarded(unpacked, packed, label(path, member))


def head(path: Path, member: str | None = None, size: int = 4 << 20) -> bytes:
    """Returns the first unpacked bytes of a file, at most ``size``, without blank blocks before.

    Raises:
        CorpusError: As `blocks`; but a file that is cut off later is still read.
    """
    found = bytearray()
    try:
        for block in blocks(path, member):
            found += block if found or block.strip() else b""
            if len(found) >= size:
                break
    except CorpusError:
        if not found:
            raise
    return bytes(found[:size])


def compression(path: Path) -> str | None:
    """Returns the ending of the compression of a file, known by its name or its first bytes.

    Raises:
        OSError: It cannot be read.
    """
    named = _compression_by_name(path.name)
    if named:
        return named
    with _open_regular(path) as file:
        start = file.read(10)
    for ending, magic in COMPRESSIONS.items():
        if start.startswith(magic) and (ending != ".bz2" or start[4:] == b"1AY&SY"):
            return ending
    return None


def members(path: Path) -> list[str]:
    """Lists the files in a zip archive by name, the hidden ones left out.

    Raises:
        CorpusError: It is damaged, encrypted, or unpacks to far more than its size.
    """
    with _told(path, None):
        infos = {info.filename: info for info in _archive(path).infolist() if not info.is_dir()}
        size = path.stat().st_size
    shown = [info for name, info in infos.items() if not _is_hidden(name)]
    for info in shown:
        _refuse_encrypted(path, info)
    _refuse_bomb(sum(info.file_size for info in shown), size, label(path))
    return sorted(info.filename for info in shown)


def label(path: Path, member: str | None = None) -> str:
    """Returns a file's name as people know it, safe to print and to store.

    >>> label(Path("jokes.zip"), "../../etc/cats.txt")
    'jokes.zip/etc/cats.txt'
    """
    name = os.fsencode(path).decode("utf-8", "replace")
    if member is not None:
        parts = _readable(member).replace("\\", "/").split("/")
        name += "/" + "/".join(part for part in parts if part not in ("", ".", ".."))
    return "".join(character if character.isprintable() else "\ufffd" for character in name)


def refuse_irregular(path: Path) -> None:
    """Refuses what is no regular file, without opening it: a pipe, a device, a socket.

    Raises:
        CorpusError: It is one.
        OSError: There is nothing, or its folder cannot be searched.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        cause = f"{label(path)} is no regular file."
        raise CorpusError(cause, "Give a file, a folder, or - for a pipe.")


def _open_regular(path: Path) -> BinaryIO:
    refuse_irregular(path)
    return path.open("rb")


def _plain(file: BinaryIO, start: int, stop: int | None) -> Iterator[bytes]:
    file.seek(start)
    left = sys.maxsize if stop is None else stop - start
    while left > 0 and (block := file.read(min(BLOCK, left))):
        left -= len(block)
        yield block


def _unpacked(file: BinaryIO, ending: str) -> Iterator[bytes]:
    if ending == ".gz":
        with gzip.GzipFile(fileobj=file) as unpacking:
            yield from iter(lambda: unpacking.read(BLOCK), b"")
    elif ending == ".bz2":
        yield from _streams(file, bz2.BZ2Decompressor)
    elif ending == ".xz":
        yield from _streams(file, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY))
    else:
        yield from _streams(file, _zstd().ZstdDecompressor)


def _streams(file: BinaryIO, decompressor: Callable[[], Any]) -> Iterator[bytes]:
    """Yields what one compressed stream after another holds."""
    packed = file.read(BLOCK)
    while packed:
        stream = decompressor()
        while not stream.eof:
            if stream.needs_input and not packed:
                packed = file.read(BLOCK)
                if not packed:
                    raise EOFError("it is cut off")
            block = stream.decompress(packed, BLOCK)
            packed = b""
            if block:
                yield block
        packed = (stream.unused_data or file.read(BLOCK)).lstrip(b"\0")
        while not packed and (more := file.read(BLOCK)):
            packed = more.lstrip(b"\0")


def _zstd() -> Any:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return import_module(name)
    except ImportError as error:
        cause = "A .zst file needs a package that is not installed."
        raise CorpusError(cause, "Install it with: pip install backports.zstd") from error


def _guarded(unpacked: Iterator[bytes], packed: int, name: str) -> Iterator[bytes]:
    size = 0
    for block in unpacked:
        size += len(block)
        _refuse_bomb(size, packed, name)
        yield block


def _refuse_bomb(size: int, packed: int, name: str) -> None:
    if size > BOMB_SIZE and size > BOMB_RATIO * packed:
        limit = f"{BOMB_SIZE >> 20:,} MiB, and {BOMB_RATIO:,} times its size of {packed:,} bytes"
        cause = f"{name} unpacks to more than {limit}."
        raise CorpusError(cause, "If that is right, unpack it first.")


def _refuse_encrypted(path: Path, info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 1:
        raise CorpusError(f"{label(path, info.filename)} is encrypted.", "Unpack it first.")


@contextmanager
def _told(path: Path, member: str | None) -> Iterator[None]:
    """Turns what a file can do wrong into a CorpusError."""
    try:
        yield
    except CorpusError:
        raise
    except FileNotFoundError as error:
        raise CorpusError(f"{label(path)} does not exist.", "Check the name.") from error
    except (
        OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, MemoryError,
        RuntimeError, NotImplementedError, ValueError, KeyError, _zstd_error(),
    ) as error:  # fmt: skip
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()).rstrip(".")
        raise CorpusError(f"{label(path, member)} cannot be read: {reason}.", _REMEDY) from error


def _zstd_error() -> type[Exception]:
    try:
        return cast(type[Exception], _zstd().ZstdError)
    except CorpusError:
        return EOFError


def _archive(path: Path) -> zipfile.ZipFile:
    refuse_irregular(path)
    facts = path.stat()
    return _opened_archive(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=1)
def _opened_archive(path: Path, mtime: int, size: int) -> zipfile.ZipFile:
    """Opens an archive once for all of its members: its list of names may be long."""
    return zipfile.ZipFile(path)


def _compression_by_name(name: str) -> str | None:
    suffix = Path(name.lower()).suffix
    return suffix if suffix in COMPRESSIONS else None


def _is_hidden(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return any(part.startswith((".", "__MACOSX")) and part not in (".", "..") for part in parts)


def _readable(member: str) -> str:
    """Returns a member's name; zipfile reads a name in cp866 as if it were in cp437."""
    try:
        russian = member.encode("cp437").decode("cp866")
    except UnicodeError:
        return member
    return russian if any("а" <= letter <= "я" for letter in russian) else member
