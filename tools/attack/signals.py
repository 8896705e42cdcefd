"""Signals, and readers that go away: what was done is saved, and the run goes on to the bit."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.attack.arena import LONG, Arena, Case
from tools.attack.child import Child

SCRIPTS: dict[str, list[tuple[signal.Signals, float]]] = {  # signals, and pauses in seconds
    "TERM": [(signal.SIGTERM, 0)],
    "INT": [(signal.SIGINT, 0)],
    "HUP": [(signal.SIGHUP, 0)],
    "TERM twice in a millisecond": [(signal.SIGTERM, 0.001)] * 2,
    "TERM twice at once": [(signal.SIGTERM, 0)] * 2,
    "TERM five times": [(signal.SIGTERM, 0.002)] * 5,
    "HUP, then TERM": [(signal.SIGHUP, 0.001), (signal.SIGTERM, 0)],
    "TERM, then HUP": [(signal.SIGTERM, 0.001), (signal.SIGHUP, 0)],
    "HUP three times": [(signal.SIGHUP, 0.001)] * 3,
    "TERM, then INT": [(signal.SIGTERM, 0.001), (signal.SIGINT, 0)],
    "HUP and CONT, as a shell sends": [(signal.SIGHUP, 0), (signal.SIGCONT, 0)],
    "USR1, then TERM": [(signal.SIGUSR1, 0), (signal.SIGTERM, 0)],
}
HARMLESS: dict[str, list[tuple[signal.Signals, float]]] = {
    "USR1 storm": [(signal.SIGUSR1, 0.001)] * 50,
    "STOP and CONT": [(signal.SIGSTOP, 0.2), (signal.SIGCONT, 0.01)] * 5,
    "TSTP and CONT": [(signal.SIGTSTP, 0.1), (signal.SIGCONT, 0.01)] * 3,
    "WINCH storm": [(signal.SIGWINCH, 0.001)] * 50,
    "CHLD storm": [(signal.SIGCHLD, 0.001)] * 50,
    "PIPE": [(signal.SIGPIPE, 0.001)] * 3,
    "URG": [(signal.SIGURG, 0.001)] * 3,
}


def begin(arena: Arena, out: Path, setup: Callable[[], object] | None = None) -> Child:
    """Starts a long run, and returns when it has taken some steps."""
    child = arena.start("train", arena.data, "--out", out, *LONG, setup=setup)
    metrics = out / "run/metrics.jsonl"
    assert child.wait_for(lambda: metrics.exists() and metrics.read_bytes().count(b"\n") > 2)
    return child


def send(child: Child, script: list[tuple[signal.Signals, float]]) -> None:
    """Sends one signal after another."""
    for number, pause in script:
        child.send(number)
        time.sleep(pause)


def is_saved(out: Path) -> bool:
    """Whether a checkpoint stands after the one of the beginning."""
    return any(path.name > "step-00000000" for path in (out / "run/checkpoints").iterdir())


def stopping(arena: Arena) -> Iterator[Case]:
    """Signals that end a run: it saves first, and goes on to the bit."""

    def try_it(script: list[tuple[signal.Signals, float]]) -> str | None:
        out = arena.room() / "m"
        child = begin(arena, out)
        send(child, script)
        ended = child.end()
        if lost := ended.lost(129, 130, 143):
            return lost
        if ended.status != 0 and not is_saved(out):
            return f"status {ended.status}, and nothing is saved"
        return arena.go_on(out, flags=LONG)

    for name, script in SCRIPTS.items():
        yield name, lambda script=script: try_it(script)


def random_storms(arena: Arena) -> Iterator[Case]:
    """Random signals at random moments of a run from its first step on."""
    kinds = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCONT)

    def try_it(name: str) -> str | None:
        chance, out = arena.chance(name), arena.room() / "m"
        child = arena.start("train", arena.data, "--out", out, *LONG)
        child.wait_for(lambda: False, chance.uniform(0, 2))
        for _ in range(chance.randint(2, 6)):
            child.send(chance.choice(kinds))
            time.sleep(chance.choice((0, 0.001, 0.05)))
        return child.end().lost(129, 130, 143) or arena.go_on(out, flags=LONG)

    for number in arena.numbered(20):
        yield f"storm {number}", lambda name=f"storm {number}": try_it(name)


def harmless(arena: Arena) -> Iterator[Case]:
    """Signals that must not end a run, SIGHUP under nohup among them."""

    def try_it(script: list[tuple[signal.Signals, float]], ignored: int | None) -> str | None:
        out = arena.room() / "m"
        child = begin(arena, out, ignored and (lambda: signal.signal(ignored, signal.SIG_IGN)))
        send(child, script)
        ended = child.end()
        if ended.status != 0:
            return ended.lost() or f"status {ended.status}"
        return arena.go_on(out, flags=LONG)

    for name, script in HARMLESS.items():
        yield name, lambda script=script: try_it(script, None)
    for number in (signal.SIGHUP, signal.SIGINT):
        yield (
            f"{number.name} that is ignored",
            lambda number=number: try_it([(number, 0.01)] * 3, number),
        )


def readers(arena: Arena) -> Iterator[Case]:
    """Whoever reads the output goes away, or its disk is full: the run goes on."""

    def close_after(streams: tuple[int, ...], size: int) -> Callable[[], None]:
        """Connects streams to a pipe whose reader takes some bytes and is gone."""

        def setup() -> None:
            reading, writing = os.pipe()
            if not os.fork():
                for descriptor in (writing, *streams):
                    os.close(descriptor)
                left = size
                while left > 0 and (block := os.read(reading, min(left, 64))):
                    left -= len(block)
                os._exit(0)
            os.close(reading)
            for stream in streams:
                os.dup2(writing, stream)
            os.close(writing)

        return setup

    def full(streams: tuple[int, ...]) -> Callable[[], None]:
        def setup() -> None:
            for stream in streams:
                os.dup2(os.open("/dev/full", os.O_WRONLY), stream)

        return setup

    def try_it(setup: Callable[[], None]) -> str | None:
        out = arena.room() / "m"
        ended = arena.run("train", arena.data, "--out", out, *LONG, setup=setup)
        if not (out / "run/finished.json").exists():
            return f"status {ended.status}: the run ended early: {ended.err[-300:]!r}"
        return ended.lost() or arena.go_on(out, flags=LONG)

    for streams, name in {(2,): "stderr", (1,): "stdout", (1, 2): "both"}.items():
        for size in (0, 1, 100):
            yield (
                f"{name} read for {size} bytes",
                lambda streams=streams, size=size: try_it(close_after(streams, size)),
            )
        yield f"{name} to a full disk", lambda streams=streams: try_it(full(streams))


ATTACKS = {
    "that stop": stopping,
    "that do not stop": harmless,
    "random storms": random_storms,
    "readers that go away": readers,
}
