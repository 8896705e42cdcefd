"""The decorator for functions that Numba compiles, and the folder that caches their machine code.

Numba caches machine code as pickles, so nobody but the user may write to the folder, and nobody
but the user and root may put another in its place: whoever can can run code as the user.
"""

import hashlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

MAX_UNUSED_SECONDS = 30 * 24 * 3600
MIN_FREE_BYTES = 1 << 26
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

# The arrays that compiled functions work on.
Bytes = npt.NDArray[np.uint8]
Units = npt.NDArray[np.uint16]  # of UTF-16
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Words64 = npt.NDArray[np.uint64]
Ids = npt.NDArray[np.unsignedinteger]

F = TypeVar("F", bound=Callable[..., object])


def jit(function: F) -> F:
    """Compiles a function when it is first called, to run without the global interpreter lock.

    The function must not create arrays: Numba would count references to every array in every
    call between compiled functions, which takes longer than the smallest of them do. The machine
    code is cached on disk if there is a safe folder for it.
    """
    config: Any = numba.config
    njit: Any = numba.njit
    folder = _folder()
    before = config.CACHE_DIR  # read while decorating, never later
    config.CACHE_DIR = str(folder)
    try:
        return cast(F, njit(nogil=True, _nrt=False, cache=folder is not None)(function))
    finally:
        config.CACHE_DIR = before


def cache_folder() -> Path | None:
    """Returns a private folder for these sources and this Numba, or None if none is safe.

    Numba notices that a file has changed, but not that a function inlined from another file
    has, so the folder is named after a hash of all our sources.
    """
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    try:
        folder = _user_cache() / "anekdot" / digest.hexdigest()[:16]
        if not folder.is_absolute():  # the working directory may be anybody's
            return None
        if not all(map(_is_safe, [*reversed(folder.parents), folder])) or not _is_own(folder):
            return None
        is_usable = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > MIN_FREE_BYTES
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None
    if not is_usable:
        return None
    with suppress(OSError):
        folder.chmod(0o700)  # what Numba and PyTorch make inside has whatever mode they choose
        os.utime(folder)
        _delete_unused(folder)
    return folder


def _delete_unused(folder: Path) -> None:
    """Deletes the folders beside this one whose sources have not been used for a long time."""
    for other in folder.parent.iterdir():
        is_cache = re.fullmatch("[0-9a-f]{16}", other.name) and not other.is_symlink()
        if is_cache and folder.stat().st_mtime - other.stat().st_mtime > MAX_UNUSED_SECONDS:
            shutil.rmtree(other, ignore_errors=True)


def _is_safe(folder: Path) -> bool:
    """Whether a folder and what stands in it stay what they are; makes the folder if need be.

    It must be no link and belong to the user or root. Others may write to it only where the
    sticky bit, as that of /tmp, keeps them from renaming what is not theirs.
    """
    if not os.path.lexists(folder):
        folder.mkdir(0o700, exist_ok=True)
    status = folder.lstat()
    if not hasattr(os, "getuid"):
        return True
    is_kept = not status.st_mode & OTHERS_WRITE or bool(status.st_mode & stat.S_ISVTX)
    return stat.S_ISDIR(status.st_mode) and status.st_uid in (0, os.getuid()) and is_kept


def _is_own(folder: Path) -> bool:
    """Whether a folder belongs to the user and nobody else may write to it."""
    status = folder.lstat()
    return not hasattr(os, "getuid") or (
        status.st_uid == os.getuid() and not status.st_mode & OTHERS_WRITE
    )


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


_folder = cache(cache_folder)  # hashed, made and cleaned up once, when the first function needs it
