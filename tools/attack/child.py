"""A command in a fork of this process, and how it ended."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SECONDS = 60.0  # before a command counts as hanging, on a machine without other work
MEMORY = 1200  # MB a command may hold at most, PyTorch included
MESSAGE = 3000  # characters that a refusal may have, notices before it included


@dataclass
class Ended:
    """How a command ended.

    Attributes:
        status: The exit status, minus the signal that killed it, or None if it hung.
        out: What it wrote to standard output.
        err: What it wrote to standard error.
        memory: The most that it held, in MB.
    """

    status: int | None
    out: bytes
    err: bytes
    memory: int = 0

    def lost(self, *allowed: int, memory: int = MEMORY) -> str | None:
        """Returns what is wrong with the end; only 0, 2 and the statuses given are right."""
        said = self.err.decode("utf-8", "replace")
        last = next(iter(said.strip().splitlines()[::-1]), "")[:160]
        losses = {
            "hangs": self.status is None,
            f"traceback: {last}": "Traceback (most recent call last)" in said,
            f"status {self.status}: {last}": self.status not in (0, 2, *allowed),
            f"holds {self.memory:,} MB": self.memory > memory,
            "refuses without a word": self.status == 2 and not last,
            f"a message of {len(said):,} characters": self.status == 2 and len(said) > MESSAGE,
        }
        return next((loss for loss, is_so in losses.items() if is_so), None)


class Child:
    """A command that runs in a fork of this process.

    Args:
        work: What it does.
        scratch: A folder for its three streams.
        stdin: What it can read.
        patience: Multiplies the seconds before it counts as hanging.
    """

    def __init__(
        self, work: Callable[[], object], scratch: Path, stdin: bytes = b"", patience: float = 1
    ) -> None:
        self.patience = patience
        self.files = [scratch / f"std{number}" for number in range(3)]
        self.files[0].write_bytes(stdin)
        self.pid = os.fork()
        if not self.pid:
            _be_child(work, self.files)
        self.ended: Ended | None = None

    def is_over(self) -> bool:
        """Whether it has ended."""
        if self.ended is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                out, err = (file.read_bytes() for file in self.files[1:])
                code = os.waitstatus_to_exitcode(status)
                self.ended = Ended(code, out, err, usage.ru_maxrss >> 10)
        return self.ended is not None

    def send(self, number: int) -> None:
        """Sends a signal, unless it is over."""
        if not self.is_over():
            os.kill(self.pid, number)

    def wait_for(self, happens: Callable[[], object], seconds: float = SECONDS) -> bool:
        """Waits until something happens; False if the command ends or the time is over first."""
        deadline = time.monotonic() + seconds * self.patience
        while not happens():
            if self.is_over() or time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def end(self, seconds: float = SECONDS) -> Ended:
        """Waits for its end; one that hangs is killed."""
        self.wait_for(lambda: False, seconds)
        if self.ended is None:
            os.kill(self.pid, signal.SIGKILL)
            _, _, usage = os.wait4(self.pid, 0)
            out, err = (file.read_bytes() for file in self.files[1:])
            self.ended = Ended(None, out, err, usage.ru_maxrss >> 10)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # its workers
        return self.ended


def _be_child(work: Callable[[], object], files: list[Path]) -> None:
    """What a child does; it never returns."""
    status = 1
    try:
        for number, file in enumerate(files):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(file, flags), number)
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        work()
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)
