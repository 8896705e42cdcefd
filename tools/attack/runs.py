"""Whole runs that are killed, and two in one folder."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tools.attack.arena import LONG, SHORT, Arena, Case


def kills(arena: Arena) -> Iterator[Case]:
    """A run is killed with -9, from raw texts, at random moments, then the same command."""
    seconds: list[float] = []

    def try_it(name: str) -> str | None:
        if not seconds:
            assert arena.unbroken
            began = time.monotonic()
            arena.run("train", arena.texts, "--out", arena.room() / "m", *SHORT)
            seconds.append(time.monotonic() - began)
        chance, room = arena.chance(name), arena.room()
        out = room / "m"
        for _ in range(chance.choice((1, 1, 1, 2))):
            child = arena.start("train", arena.texts, "--out", out, *SHORT)
            child.wait_for(lambda: False, chance.uniform(0, seconds[0]) / arena.patience)
            child.send(signal.SIGKILL)
            child.end()
            if lost := unloadable(arena, out):
                return lost
        lost = arena.go_on(out)
        shutil.rmtree(room)
        return lost

    for number in arena.numbered(200):
        yield f"kill {number}", lambda name=f"kill {number}": try_it(name)


def unloadable(arena: Arena, out: Path) -> str | None:
    """Returns why a bundle that is there cannot be loaded."""
    from anekdot.bundle import Bundle  # noqa: PLC0415
    from anekdot.errors import AnekdotError  # noqa: PLC0415

    if (out / "model.safetensors").exists():
        try:
            Bundle.load(out)
        except AnekdotError as error:
            return f"the bundle cannot be loaded: {error}"
    return None


def renames(arena: Arena) -> Iterator[Case]:
    """A kill just before or after each rename of a run: the moments that matter."""

    def arm(number: int, before: bool) -> None:
        real, count = os.replace, [0]

        def replace(*names: object, **more: object) -> None:
            count[0] += 1
            if before and count[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)
            real(*names, **more)  # type: ignore[arg-type]
            if count[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)

        os.replace = replace  # type: ignore[assignment]

    def try_it(number: int, before: bool) -> str | None:
        room = arena.room()
        arena.run(
            "train", arena.texts, "--out", room / "m", *SHORT, setup=lambda: arm(number, before)
        )
        lost = unloadable(arena, room / "m") or arena.go_on(room / "m")
        shutil.rmtree(room)
        return lost

    for number in arena.numbered(16):
        for before in (True, False):
            where = "before" if before else "after"
            yield (
                f"{where} rename {number + 1}",
                lambda number=number + 1, before=before: try_it(number, before),
            )


def locks(arena: Arena) -> Iterator[Case]:
    """Two processes in one folder, whose lock was removed, renamed or replaced."""

    def remove(run: Path) -> None:
        (run / "lock").unlink(missing_ok=True)

    def replace(run: Path) -> None:
        remove(run)
        (run / "lock").touch()

    def move(run: Path) -> None:
        (run / "lock").rename(run / "lock.old")

    def empty(run: Path) -> None:
        (run / "lock").write_bytes(b"")

    def try_it(change: object) -> str | None:
        out = arena.room() / "m"
        first = arena.start("train", arena.data, "--out", out, *LONG)
        metrics = out / "run/metrics.jsonl"
        assert first.wait_for(lambda: metrics.exists() and metrics.stat().st_size > 0)
        first.send(signal.SIGSTOP)  # or it might be done before the second one looks
        change(out / "run")  # type: ignore[operator]
        second = arena.start("train", arena.data, "--out", out, *LONG)
        second.wait_for(lambda: False, 5)
        is_refused = second.is_over() and second.ended is not None and second.ended.status == 2
        second.send(signal.SIGKILL)
        second.end()
        first.send(signal.SIGCONT)
        ended = first.end()
        if not is_refused:
            return "a second process works in the folder"
        return ended.lost() or arena.go_on(out, flags=LONG)

    for change in (lambda run: None, remove, replace, move, empty):
        name = getattr(change, "__name__", "").replace("<lambda>", "untouched")
        yield f"lock: {name}", lambda change=change: try_it(change)


ATTACKS = {"kill -9 from raw texts": kills, "kills at renames": renames, "locks": locks}
