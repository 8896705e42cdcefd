"""The decorator of compiled functions, and the folder where their machine code is kept.

Numba keeps machine code as pickles, so the folder must be the user's alone: whoever can
write there can run code as the user.
"""

import hashlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

KEPT_UNUSED = 30 * 24 * 3600  # seconds
ROOM = 1 << 26  # bytes that are free on the disk

F = TypeVar("F", bound=Callable[..., object])


def jit(function: F) -> F:
    """Compiles a function at its first call; it runs without the global lock.

    It must make no arrays: Numba would count references to every array at every call between
    compiled functions, which takes longer than what the smallest of them do. The machine code
    is kept on disk where a safe folder for it can be made.
    """
    settings: Any = numba.config
    njit: Any = numba.njit
    before = settings.CACHE_DIR  # read while decorating, never later
    settings.CACHE_DIR = str(_FOLDER)
    try:
        return cast(F, njit(nogil=True, _nrt=False, cache=_FOLDER is not None)(function))
    finally:
        settings.CACHE_DIR = before


def cache_folder() -> Path | None:
    """Returns a folder of the user's own for this source and this Numba, or None.

    Numba notices a changed file but not a changed function that was compiled into another,
    so the folder's name holds a hash of all our sources.
    """
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    try:
        folder = _user_cache() / "anekdot" / digest.hexdigest()[:16]
        if not folder.is_absolute():  # the current folder may be anybody's
            return None
        folder.parent.mkdir(0o700, parents=True, exist_ok=True)
        folder.mkdir(0o700, exist_ok=True)
        own = all(map(_is_own, (folder.parent, folder)))
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None
    if not own or not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < ROOM:
        return None
    with suppress(OSError):
        os.utime(folder)
        _forget_unused(folder)
    return folder


def _forget_unused(folder: Path) -> None:
    """Deletes folders beside it that hold the machine code of other sources, long unused."""
    for other in folder.parent.iterdir():
        is_one = re.fullmatch("[0-9a-f]{16}", other.name) and not other.is_symlink()
        if is_one and folder.stat().st_mtime - other.stat().st_mtime > KEPT_UNUSED:
            shutil.rmtree(other, ignore_errors=True)


def _is_own(folder: Path) -> bool:
    """Whether a folder belongs to the user and nobody else may write into it."""
    status = folder.stat()
    return not hasattr(os, "getuid") or (
        status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


_FOLDER = cache_folder()
