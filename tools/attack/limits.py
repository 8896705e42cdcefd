"""Machines with little of something: disk, names, memory, rights, files, time."""

import ctypes
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tools.attack.arena import SHORT, Arena, Case, Refused


def hurt_and_go_on(
    arena: Arena,
    out: Path,
    setup: Callable[[], object],
    then: Callable[[], object] = lambda: None,
    allowed: tuple[int, ...] = (),
) -> str | None:
    """Trains under a limit, lifts it, and gives the same command again."""
    ended = arena.run("train", arena.texts, "--out", out, *SHORT, setup=setup)
    then()
    return ended.lost(*allowed) or arena.go_on(out)


def limited(name: str, value: int) -> Callable[[], None]:
    """Sets a limit of the process."""
    return lambda: resource.setrlimit(getattr(resource, name), (value, value))


def rlimits(arena: Arena) -> Iterator[Case]:
    """RLIMIT_NOFILE, _AS, _FSIZE, _STACK, _MEMLOCK."""

    def try_it(name: str, value: int) -> str | None:
        # without memory, libraries in C end the process; what was saved must stand all the same
        allowed = (-11, -6, 127) if name == "RLIMIT_AS" else ()
        return hurt_and_go_on(arena, arena.room() / "m", limited(name, value), allowed=allowed)

    sizes = {
        "RLIMIT_NOFILE": (4, 8, 16, 24, 64),
        "RLIMIT_FSIZE": (1000, 10_000, 30_000, 100_000),
        "RLIMIT_AS": tuple(held_now() + (more << 20) for more in (1, 8, 32, 128, 512)),
        "RLIMIT_MEMLOCK": (0,),
        "RLIMIT_CORE": (0,),
    }
    for name, values in sizes.items():
        for number, value in enumerate(values):
            yield f"{name} {number}", partial(try_it, name, value)


def held_now() -> int:
    """Returns the bytes of address space that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def umasks(arena: Arena) -> Iterator[Case]:
    """An umask that keeps others out, everybody out, or nobody."""

    def try_it(mask: int) -> str | None:
        out = arena.room() / "m"
        return hurt_and_go_on(
            arena, out, partial(os.umask, mask), lambda: os.system(f"chmod -R u+rwX '{out.parent}'")
        )

    for mask in (0, 0o077, 0o277, 0o777):
        yield f"umask {mask:03o}", partial(try_it, mask)


def environments(arena: Arena) -> Iterator[Case]:
    """HOME, TMPDIR, PATH, LANG, TERM and COLUMNS gone or strange, each in a new interpreter."""
    strange = {
        "HOME": (None, "", "/nonexistent", "/dev/null", "relative", "\udcff"),
        "TMPDIR": (None, "", "/nonexistent", "/dev/null", "/proc"),
        "XDG_CACHE_HOME": (None, "", "/nonexistent", "/dev/null", "relative", "/proc", "\udcff"),
        "PATH": (None, ""),
        "LANG": (None, "C", "POSIX", "xx_YY.ZZZ"),
        "LC_ALL": (None, "C", "ru_RU.CP1251"),
        "TERM": (None, "", "dumb", "nonsense"),
        "COLUMNS": ("0", "-1", "1", "x", "999999999"),
        "OMP_NUM_THREADS": ("0", "-1", "x", "1000"),
        "PYTHONIOENCODING": ("cp1251", "ascii:strict"),
        "TZ": ("Nowhere/Land",),
    }

    def try_it(changed: dict[str, str | None], line: str) -> str | None:
        room = arena.room()
        ended = arena.shell(line, cwd=room, **changed)
        return ended.lost() or (f"refused: {ended.err[-200:]!r}" if ended.status else None)

    small = f"$A prepare '{arena.texts}' --out p --vocab-size=300 && $A info"
    tell = f"$A generate Кот --model '{arena.bundle}' --max-tokens=5"
    for name, values in strange.items():
        for value in values:
            for what, line in {"generate": tell, "prepare": small}.items():
                if what == "generate" or name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
                    yield f"{what}, {name}={value!a}", partial(try_it, {name: value}, line)
    gone = dict.fromkeys(("HOME", "TMPDIR", "LANG", "USER", "LOGNAME", "XDG_CACHE_HOME"), None)
    train = f"$A train '{arena.texts}' --out m {' '.join(SHORT)}"
    yield "train, all of them gone", partial(try_it, gone, train)
    yield (
        "generate, its folder is gone",
        partial(try_it, {}, f"mkdir gone && cd gone && rmdir ../gone && {tell}"),
    )


def mounted(place: Path, options: str) -> None:
    """Mounts memory as a file system."""
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise Refused("needs root and the right to mount")


def remount(place: Path, options: str) -> None:
    """Changes a mounted file system."""
    command = ["mount", "-o", f"remount,{options}", str(place)]
    subprocess.run(command, capture_output=True, check=True)


def became_read_only(place: Path) -> bool:
    """Tries to make a file system read-only, which fails while a file is open for writing."""
    try:
        remount(place, "ro")
    except subprocess.CalledProcessError:
        return False
    return True


def unmount(place: Path) -> None:
    """Takes it away again."""
    subprocess.run(["umount", "-l", str(place)], check=False)


def disks(arena: Arena) -> Iterator[Case]:
    """A file system that is full, without inodes, or read-only from some moment on."""

    def try_it(options: str, larger: str) -> str | None:
        place = arena.room()
        mounted(place, options)
        try:
            lift = partial(remount, place, larger)
            return hurt_and_go_on(arena, place / "m", lambda: None, lift)
        finally:
            unmount(place)

    def read_only(moment: str) -> str | None:
        place = arena.room()
        mounted(place, "size=50m")
        try:
            child = arena.start("train", arena.texts, "--out", place / "m", *SHORT)
            child.wait_for(lambda: [*place.glob(moment)])
            assert child.wait_for(lambda: became_read_only(place)), "it was busy all the time"
            ended = child.end()
            remount(place, "rw")
            return ended.lost() or arena.go_on(place / "m")
        finally:
            unmount(place)

    for kib in (0, 4, 64, 128, 256, 384, 512, 768, 1024):
        yield f"{kib} KiB", partial(try_it, f"size={max(kib * 1024, 4096)}", "size=50m")
    for inodes in (2, 4, 8, 12, 16, 24, 32, 40):
        options = f"size=50m,nr_inodes={inodes}"
        yield f"{inodes} inodes", partial(try_it, options, "size=50m,nr_inodes=9999")
    for moment in ("m", "m/run/data/work/*", "m/model.safetensors", "m/run/checkpoints/*8"):
        yield f"read-only once there is {moment}", partial(read_only, moment)


def shared_memory(arena: Arena) -> Iterator[Case]:
    """No /dev/shm, or one of nothing; no room for temporary files."""

    def try_it(mount: str) -> str | None:
        if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
            raise Refused("needs root and unshare")
        room = arena.room()
        (room / "tmp").mkdir()
        train = f"$A train '{arena.texts}' --out m {' '.join(SHORT)}"
        ended = arena.shell(
            f'unshare -m bash -c "{mount} && {train}"', cwd=room, TMPDIR=str(room / "tmp")
        )
        is_other_machine = "/proc" in mount  # PyTorch chooses its kernels by /proc/cpuinfo
        return ended.lost() or (None if is_other_machine else arena.go_on(room / "m"))

    for name, mount in {
        "/dev/shm without rights": "mount -t tmpfs -o mode=000,size=4k none /dev/shm",
        "/dev/shm read-only": "mount -t tmpfs -o ro none /dev/shm",
        "TMPDIR full": "mount -t tmpfs -o size=4k,nr_inodes=2 none tmp",
        "TMPDIR read-only": "mount -t tmpfs -o ro none tmp",
        "no /proc": "mount -t tmpfs none /proc",
        "no /sys": "mount -t tmpfs none /sys",
    }.items():
        yield name, partial(try_it, mount)


def clocks(arena: Arena) -> Iterator[Case]:
    """A clock that jumps while a run is under way."""

    def jump(seconds: float, names: tuple[str, ...], every: int) -> None:
        for name in names:
            real, count = getattr(time, name), [0]

            def now(real: Callable[[], float] = real, count: list[int] = count) -> float:
                count[0] += 1
                return real() + seconds * (count[0] // every)

            setattr(time, name, now)

    walls, all_clocks = ("time",), ("time", "monotonic", "perf_counter")
    for name, seconds, clocks, every in (
        ("an hour back", -3600, walls, 3),
        ("an hour on", 3600, walls, 3),
        ("before 1970", -3e9, walls, 1),
        ("year 2100 and on", 3e9, walls, 1),
        ("all clocks on, as after sleep", 36_000, all_clocks, 50),
        ("all clocks stand still", 0, all_clocks, 1),
        ("all clocks back, which must not be", -5, all_clocks, 50),
    ):
        if seconds == 0:
            setup: Callable[[], None] = freeze
        else:
            setup = partial(jump, seconds, clocks, every)
        yield name, lambda setup=setup: hurt_and_go_on(arena, arena.room() / "m", setup)


def freeze() -> None:
    """Lets all clocks stand still."""
    for name in ("time", "monotonic", "perf_counter"):
        value = getattr(time, name)()
        setattr(time, name, partial(float, value))


def drop_capabilities() -> None:
    """Makes root obey the rights of files like anybody."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    if ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError("capset failed")


def rights(arena: Arena) -> Iterator[Case]:
    """Folders and files that this user may not write or read."""

    def try_it(piece: str, mode: int) -> str | None:
        out = Path(shutil.copytree(arena.stopped, arena.room() / "m"))
        (out / piece).chmod(mode)
        ended = arena.run("train", arena.texts, "--out", out, *SHORT, setup=drop_capabilities)
        (out / piece).chmod(0o755)
        return ended.lost() or arena.go_on(out)

    for piece in (".", "run", "run/checkpoints", "run/data", "run/metrics.jsonl", "config.json"):
        for mode in (0o000, 0o444, 0o555):
            yield f"{piece} has {mode:03o}", partial(try_it, piece, mode)


ATTACKS = {
    "process limits": rlimits,
    "umask": umasks,
    "environment": environments,
    "disks": disks,
    "shared memory and temporary files": shared_memory,
    "clocks": clocks,
    "rights": rights,
}
