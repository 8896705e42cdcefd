"""A file's bytes in blocks: plain, compressed or inside a zip archive, within limits.

No more than a block is held, and only what must be read in any order is unpacked to the disk.
"""

import bz2
import gzip
import io
import lzma
import os
import stat
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

from anekdot.corpus.reading.archives import is_hidden, open_archive, readable
from anekdot.errors import CorpusError

BLOCK_BYTES = 1 << 20

BOMB_SIZE = 1 << 30
BOMB_RATIO = 1_000
"""A file is refused if it unpacks to more bytes than the first, and to more times its packed size
than the second."""

COMPRESSIONS = {
    ".gz": b"\x1f\x8b",
    ".bz2": b"BZh",
    ".xz": b"\xfd7zXZ\x00",
    ".zst": b"\x28\xb5\x2f\xfd",
}
"""Endings of compressed files, and the bytes with which such a file starts."""

ZIP = b"PK\x03\x04"

_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # not on Windows
_XZ_MEMORY = 256 << 20  # the strongest preset needs 65 MB; a header may claim 4 GB
_REMEDY = "Check the file and its permissions."


def blocks(
    path: Path,
    member: str | None = None,
    compression: str | None = None,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[bytes]:
    """Yields the unpacked bytes of a file, or of a member of a zip archive, in blocks.

    Args:
        path: A regular file.
        member: The name of a member as `members` gives it.
        compression: How it is compressed, as `find_compression` gives it.
        start: The first byte to read; only of a plain file.
        stop: The byte after the last, or None for the end; only of a plain file.

    Raises:
        CorpusError: The file cannot be opened, is damaged, or unpacks to far more than its size.
    """
    with _explained(path, member), ExitStack() as stack:
        if member is None:
            file: BinaryIO = stack.enter_context(_open_regular(path))
            packed = os.fstat(file.fileno()).st_size
        else:
            archive, infos = _archive(path)
            info = infos[member]
            _refuse_encrypted(path, info)
            file = cast(BinaryIO, stack.enter_context(archive.open(info)))
            packed = info.compress_size
        if member is None and compression is None:
            yield from _plain(file, start, stop)
            return
        yield from _guarded(_unpacked(file, compression), packed, label(path, member))


def head(
    path: Path,
    member: str | None = None,
    compression: str | None = None,
    *,
    size: int = 4 << 20,
) -> bytes:
    """Returns the first unpacked bytes of a file, at most ``size``, skipping blank blocks.

    Raises:
        CorpusError: As `blocks`; but a file that is cut off later is still read.
    """
    found = bytearray()
    try:
        for block in blocks(path, member, compression):
            found += block if found or block.strip() else b""
            if len(found) >= size:
                break
    except CorpusError:
        if not found:
            raise
    return bytes(found[:size])


@contextmanager
def unpacked_file(path: Path, member: str | None, compression: str | None) -> Iterator[Path]:
    """Yields a file that can be read in any order: the path itself, or an unpacked copy."""
    if member is None and compression is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="anekdot-") as folder:
        copy = Path(folder) / "unpacked"
        with copy.open("wb") as file:
            file.writelines(blocks(path, member, compression))
        yield copy


def find_compression(path: Path, member: str | None = None) -> str | None:
    """Returns the ending of the compression of a file, by its name or its first bytes.

    Raises:
        CorpusError: It cannot be read.
    """
    suffix = Path((member or path.name).partition("\0")[0].lower()).suffix
    if suffix in COMPRESSIONS or member is not None:
        return suffix if suffix in COMPRESSIONS else None
    with _explained(path, None), _open_regular(path) as file:
        start = file.read(10)
    for ending, magic in COMPRESSIONS.items():
        if start.startswith(magic) and (ending != ".bz2" or start[4:] == b"1AY&SY"):
            return ending
    return None


def members(path: Path) -> list[str]:
    """Lists the files in a zip archive by the names that `open_archive` gives, without hidden ones.

    Raises:
        CorpusError: It is damaged, encrypted, or unpacks to far more than its size.
    """
    with _explained(path, None):
        _, infos = _archive(path)
        size = path.stat().st_size
    shown = {name: info for name, info in infos.items() if not is_hidden(info.filename)}
    for info in shown.values():
        _refuse_encrypted(path, info)
    _refuse_bomb(sum(info.file_size for info in shown.values()), size, label(path))
    return sorted(shown)


def label(path: Path, member: str | None = None) -> str:
    """Returns a file's name as people know it, safe to print and to store.

    >>> label(Path("jokes.zip"), "../../etc/cats.txt")
    'jokes.zip/etc/cats.txt'
    """
    name = os.fsencode(path).decode("utf-8", "replace")
    if member is not None:
        parts = readable(member).replace("\\", "/").split("/")
        name += "/" + "/".join(part for part in parts if part not in ("", ".", ".."))
    return "".join(character if character.isprintable() else "\ufffd" for character in name)


def refuse_irregular(path: Path) -> None:
    """Refuses what is not a regular file, such as a pipe, a device or a socket, without opening it.

    Raises:
        CorpusError: It is one.
        OSError: There is nothing, or its folder cannot be searched.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        cause = f"{label(path)} is not a regular file."
        raise CorpusError(cause, "Give a file, a folder, or - for a pipe.")


class _RegularFile(io.FileIO):
    """A file that does not wait for more, as some of /proc would."""

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer)
        if count is None:
            raise OSError("it has nothing yet, and blocks")
        return count


def _open_regular(path: Path) -> BinaryIO:
    refuse_irregular(path)
    file = _RegularFile(path, opener=lambda name, flags: os.open(name, flags | _NONBLOCK))
    return cast(BinaryIO, io.BufferedReader(file))


def _plain(file: BinaryIO, start: int, stop: int | None) -> Iterator[bytes]:
    file.seek(start)
    left = sys.maxsize if stop is None else stop - start
    while left > 0 and (block := file.read(min(BLOCK_BYTES, left))):
        left -= len(block)
        yield block


def _unpacked(file: BinaryIO, compression: str | None) -> Iterator[bytes]:
    if compression is None:
        yield from iter(lambda: file.read(BLOCK_BYTES), b"")
    elif compression == ".gz":
        with gzip.GzipFile(fileobj=file) as unpacking:
            yield from iter(lambda: unpacking.read(BLOCK_BYTES), b"")
    elif compression == ".bz2":
        yield from _streams(file, bz2.BZ2Decompressor)
    elif compression == ".xz":
        yield from _streams(file, lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY))
    else:
        yield from _streams(file, _zstd().ZstdDecompressor)


def _streams(file: BinaryIO, decompressor: Callable[[], Any]) -> Iterator[bytes]:
    """Yields the contents of compressed streams that follow one another."""
    packed = file.read(BLOCK_BYTES)
    while packed:
        stream = decompressor()
        while not stream.eof:
            if stream.needs_input and not packed:
                packed = file.read(BLOCK_BYTES)
                if not packed:
                    raise EOFError("it is cut off")
            block = stream.decompress(packed, BLOCK_BYTES)
            packed = b""
            if block:
                yield block
        packed = (stream.unused_data or file.read(BLOCK_BYTES)).lstrip(b"\0")
        while not packed and (more := file.read(BLOCK_BYTES)):
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
def _explained(path: Path, member: str | None) -> Iterator[None]:
    """Turns whatever can go wrong with a file into a CorpusError."""
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


def _archive(path: Path) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """Returns an archive and its files, by the names that `members` gives them."""
    refuse_irregular(path)
    facts = path.stat()
    return open_archive(path, facts.st_mtime_ns, facts.st_size)
