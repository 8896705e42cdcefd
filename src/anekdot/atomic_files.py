"""Durable writes: after a crash a file is whole and new, or whole and old.

``staged(path)`` gives a private folder beside ``path`` that anything may write
into. When the block ends well, everything inside is flushed to the disk and
published under its final name by a rename; when it does not, nothing changes.
"""

import errno
import hashlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from anekdot.errors import ConfigurationError, StorageError

LOCK = "lock"


def remove(path: Path) -> None:
    """Removes a file, a link (never what it leads to) or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_taken(folder: Path) -> bool:
    """Whether there is already something where a folder is to be made."""
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def holds_files(path: Path) -> bool:
    """Whether there is a file at or below a path, and not only empty folders."""
    return any(not item.is_dir() for item in [path, *path.rglob("*")])


def sync(path: Path) -> None:
    """Flushes a file, or a folder's list of names, to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder; its renames are journalled
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """Publishes whatever the block writes to the path that it is given, all or nothing.

    The block may create a file or a folder there. An existing file is replaced; an
    existing folder is first moved aside and removed once the new one stands.

    Args:
        path: The final name.

    Yields:
        A path of the same name inside a private folder on the same file system.
    """
    private = path.parent / f".{path.name}.{os.getpid()}.staged"
    shutil.rmtree(private, ignore_errors=True)
    made = [folder for folder in private.parents if not folder.exists()]
    try:
        private.mkdir(parents=True)
        draft = private / path.name
        yield draft
        for item in [draft, *draft.rglob("*")]:
            sync(item)
            if item.is_file():
                item.chmod(0o666 & ~_umask())
        _replace(path, draft, aside=private / "previous")
        for folder in (path.parent, *(folder.parent for folder in made)):
            sync(folder)
    except OSError as error:
        named = error.filename is not None and str(private) not in str(error.filename)
        if error.errno is not None and not named:
            error.filename = str(path)  # the name that the user knows
        raise
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _replace(path: Path, draft: Path, aside: Path) -> None:
    """Moves a draft to its final name, and a folder that is in its way aside."""
    if draft.is_dir() and path.exists():
        path.replace(aside)
    try:
        draft.replace(path)
    except OSError:
        if aside.exists():
            aside.replace(path)
        raise


def write_json(path: Path, value: object, *, indent: int | None = None) -> None:
    """Publishes a value as a JSON file, all or nothing."""
    with staged(path) as draft:
        draft.write_text(json.dumps(value, indent=indent) + "\n", "utf-8")


def escape_surrogates(text: str) -> str:
    r"""Returns JSON that can be written as UTF-8, which is the same JSON to who reads it.

    Python has a half of a surrogate pair for each byte of a name that is not UTF-8.

    >>> escape_surrogates('"caf\udce9"') == r'"caf\udce9"'
    True
    """
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a file that only one process can hold; a dead holder's lock is free again.

    Raises:
        HeldError: Another process holds it.
    """
    with path.open("a+b") as file:
        try:
            _lock(file)
            if not _is_at(path, file.fileno()):
                raise BlockingIOError  # the holder before removed the file that we locked
        except BlockingIOError:
            raise HeldError(_holder(path)) from None
        file.truncate(0)
        now = time.strftime("%Y-%m-%d %H:%M")
        file.write(f"process {os.getpid()} on {platform.node()}, since {now}".encode())
        file.flush()
        yield


@contextmanager
def _folder_locked(folder: Path, lock: Path) -> Iterator[None]:
    """Holds a folder itself, so that it stays held when somebody removes the file of its lock.

    Windows cannot lock a folder, nor can some network file systems: the file must do there.

    Args:
        folder: What is held.
        lock: The file that says by whom.

    Raises:
        HeldError: Another process holds it.
    """
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            _lock(descriptor)
            if not _is_at(folder, descriptor):
                raise BlockingIOError  # the holder before removed the folder that we locked
        except BlockingIOError:
            raise HeldError(_holder(lock)) from None
        except OSError:
            pass
        yield
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether an open file or folder is still the one with this name."""
    return path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor))


def _holder(lock: Path) -> str:
    """Returns what a lock's file says about its holder."""
    try:
        return lock.read_bytes()[:1000].decode("utf-8", "replace") or "it has just begun"
    except OSError:
        return f"which one is not known, for {lock} was removed"


@contextmanager
def exclusive(
    workspace: Path, *, activity: str, is_disposable: Callable[[], bool]
) -> Iterator[None]:
    """Makes a workspace inside a folder, and keeps other processes out while the block runs.

    What processes that were killed have left half-written is removed first. After the block,
    a workspace that is disposable goes, and so does a folder that was made for it.

    Args:
        workspace: Made if need be; its parent is the folder that others stay out of.
        activity: What is being done in the folder, for the message: "training in".
        is_disposable: Whether the workspace holds nothing worth keeping.

    Raises:
        ConfigurationError: Another process works in it.
    """
    folder, existed = workspace.parent, workspace.parent.exists()
    workspace.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(_folder_locked(folder, workspace / LOCK))
            stack.enter_context(locked(workspace / LOCK))
        except HeldError as holder:
            raise ConfigurationError(
                f"Another process is {activity} {folder}: {holder}.",
                "Wait for it, or name another folder.",
            ) from None
        for leftover in folder.rglob(".*.staged"):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            yield
        finally:
            if is_disposable():
                shutil.rmtree(workspace, ignore_errors=True)
                with suppress(OSError):  # somebody may have put something there meanwhile
                    if not existed:
                        folder.rmdir()


class HeldError(Exception):
    """A lock is held; the message says by whom."""


def _lock(file: BinaryIO | int) -> None:
    """Locks an open file; on all systems but Windows also a folder, by its descriptor."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 (Windows only)

        assert not isinstance(file, int), "Windows locks files only"
        try:
            file.seek(1 << 30)  # what is locked there cannot be read by others
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from None
    else:
        import fcntl  # noqa: PLC0415 (not on Windows)

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def disk_space_for(size: int, folder: Path) -> Iterator[None]:
    """Turns a disk that fills up while the block writes into a message.

    Args:
        size: Bytes that the block writes.
        folder: Where.

    Raises:
        StorageError: The disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(size, folder) from None
        raise


def check_disk_space(size: int, folder: Path) -> None:
    """Raises a StorageError unless so many bytes are free on the disk of a folder."""
    if shutil.disk_usage(folder).free < size:
        raise _full(size, folder)


def _full(size: int, folder: Path) -> StorageError:
    free = shutil.disk_usage(folder).free
    return StorageError(
        f"The disk of {folder} is full: {size / 1e6:,.1f} MB are needed, {free / 1e6:,.1f} MB "
        "are free.",
        "Free some space and run the same command again: it goes on from where it was saved.",
    )


@cache
def _umask() -> int:
    """Returns the process's file mode mask, which can only be read by setting it.

    It is read once: for a moment, files that other threads make are nobody else's to read.
    """
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
