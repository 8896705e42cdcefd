"""A process that has torch loaded already, and forks children that train and are hurt.

One JSON object a line: a request in, an answer out; see `ForkServer.run`.
"""

import ctypes
import json
import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
from matplotlib import pyplot

from anekdot import atomic_files
from tests.support.paths import ROOT

LONGEST = 900.0  # seconds before a child counts as hanging
MODES = ("count", "full", "write fails", "short", "sync fails", "rename fails")


class ForkServer:
    """The test's end of it.

    Args:
        shim: What tests/support/faults.c was compiled to, or None.
    """

    def __init__(self, shim: Path | None = None) -> None:
        preload = {"LD_PRELOAD": str(shim), "FAULTS": str(shim)} if shim else {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fault_injection"],
            cwd=ROOT,
            env={**os.environ, **preload},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, data: Path, out: Path, fields: dict, **how: object) -> dict:
        """Trains in a fork, and returns how that ended.

        Args:
            data: The prepared folder.
            out: The bundle.
            fields: Of the configuration.
            how: ``kill_after`` so many seconds; ``at_event`` n, the n-th write, fsync or
                rename, and ``delay`` seconds later (0: at once, before it); ``log`` every
                fsync there; ``fault``, a mode of faults.c and its limit; ``sabotage``, one of
                `SABOTAGES`.

        Returns:
            ``killed``; ``error``, names of the exception's classes, or None; its ``message``;
            ``notices``; ``events``, how many there were; and with a fault, ``bytes``,
            ``syncs``, ``renames``, ``failures`` and ``hit``, the path that failed first.
        """
        request = {"data": str(data), "out": str(out), "fields": fields, **how}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert not answer.get("hangs"), f"a child hangs: {request}"
        return answer

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(900)


def serve() -> None:
    """Answers requests until there are no more."""
    import anekdot.training.trainer

    anekdot.training.trainer.SAMPLE_TOKENS = 20
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    is_warm = False
    for request in map(json.loads, sys.stdin):
        if not is_warm:  # all children find everything imported and compiled
            with tempfile.TemporaryDirectory() as folder:
                anekdot.train(request["data"], out=Path(folder, "m"), **request["fields"])
            is_warm = True
        print(json.dumps(run_child(request)), flush=True)


@contextmanager
def no_sample_by_the_clock() -> Iterator[None]:
    """Leaves out the first sample, which is due by time: a busy machine would show it."""
    from anekdot.training import trainer

    real = trainer.FIRST_SAMPLE_SECONDS
    trainer.FIRST_SAMPLE_SECONDS = math.inf
    try:
        yield
    finally:
        trainer.FIRST_SAMPLE_SECONDS = real


@contextmanager
def little_pictures() -> Iterator[None]:
    """Leaves out what makes pictures slow: most of a tiny run's time goes into them."""
    real = pyplot.subplots
    sides = ("xtick.bottom", "xtick.labelbottom", "ytick.left", "ytick.labelleft")
    pyplot.subplots = lambda *shape, **_: real(*shape, figsize=(2, 2))
    try:
        with matplotlib.rc_context(dict.fromkeys(sides, False)):
            yield
    finally:
        pyplot.subplots = real


def run_child(request: dict) -> dict:
    """Forks a child, kills it if that is asked for, and returns how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        train(request, writing)
    os.close(writing)
    answer: dict = {"killed": False, "error": None}
    came, _, _ = select.select([reading], [], [], request.get("kill_after", LONGEST))
    said = os.read(reading, 1) if came else b""
    if said == b"!":
        time.sleep(request["delay"])
    if said == b"!" or not came:
        os.kill(child, signal.SIGKILL)
    answer["hangs"] = not came and "kill_after" not in request
    while piece := os.read(reading, 1 << 16):
        said += piece
    os.close(reading)
    _, status = os.waitpid(child, 0)
    answer["killed"] = os.WIFSIGNALED(status)
    # one that was quick may have ended before it was killed
    return answer if answer["killed"] else {**answer, **json.loads(said.removeprefix(b"!"))}


def train(request: dict, answers: int) -> None:
    """What a child does; it never returns."""
    import anekdot

    signal.signal(signal.SIGINT, signal.default_int_handler)
    answer: dict = {"error": None, "message": "", "notices": []}
    if request.get("sabotage"):
        SABOTAGES[request["sabotage"]]()
    events = listen(request, answers)
    shim = ctypes.CDLL(os.environ["FAULTS"]) if request.get("fault") else None
    if shim:
        mode, limit = request["fault"]
        shim.arm(request["out"].encode(), MODES.index(mode), ctypes.c_long(limit))
    try:
        anekdot.train(
            request["data"],
            out=request["out"],
            notice=answer["notices"].append,
            **request["fields"],
        )
    except BaseException as error:
        answer["error"] = [kind.__name__ for kind in type(error).__mro__]
        answer["message"] = str(error)
    answer["events"] = events[0]
    if shim:
        shim.disarm()
        shim.hit_path.restype = ctypes.c_char_p
        answer |= {
            "bytes": shim.written_bytes(),
            "syncs": shim.sync_calls(),
            "renames": shim.rename_calls(),
            "failures": shim.failed_calls(),
            "hit": shim.hit_path().decode(),
        }
    os.write(answers, json.dumps(answer).encode())
    os._exit(0)


def listen(request: dict, answers: int) -> list[int]:
    """Counts writes, fsyncs and renames, and does what the request asks for at one of them."""
    events = [0]

    def event() -> None:
        events[0] += 1
        if events[0] == request.get("at_event"):
            if request["delay"]:
                os.write(answers, b"!")
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    def wrap(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def wrapped(*arguments: object, **named: object) -> object:
            event()
            result = real(*arguments, **named)
            if name == "fsync" and "log" in request:
                note(Path(request["log"]), *arguments)
            return result

        setattr(owner, name, wrapped)

    for owner, name in (
        (os, "fsync"),
        (Path, "replace"),
        (Path, "write_bytes"),
        (Path, "write_text"),
    ):
        wrap(owner, name)
    return events


def note(log: Path, descriptor: int) -> None:
    """Adds to a log what the disk now knows: a file's size, or a folder's names."""
    facts = os.fstat(descriptor)
    place = Path(f"/proc/self/fd/{descriptor}")
    names = os.listdir(descriptor) if place.is_dir() else None
    with log.open("a") as file:
        file.write(json.dumps([facts.st_ino, facts.st_size, names]) + "\n")


def no_sync() -> None:
    import anekdot.atomic_files

    anekdot.atomic_files.sync = lambda path: None


def no_rename() -> None:
    """Puts a version of `staged` that writes to the final place wherever the real one is."""

    real = atomic_files.staged

    @contextmanager
    def direct(path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path

    for module in list(sys.modules.values()):
        if getattr(module, "staged", None) is real:
            module.staged = direct


def no_hash() -> None:
    import anekdot.training.checkpoint.format

    anekdot.training.checkpoint.format.is_whole = lambda path: True


SABOTAGES = {"no sync": no_sync, "no rename": no_rename, "no hash": no_hash}

if __name__ == "__main__":
    with little_pictures(), no_sample_by_the_clock():
        serve()
