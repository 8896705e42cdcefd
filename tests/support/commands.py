"""The command line: in a process of its own, or in this one."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from anekdot.cli import main

TINY_FLAGS = [
    *("--n-layer", "2", "--n-head", "4", "--n-kv-head", "2"),
    *("--hidden-dim", "32", "--intermediate-dim", "64", "--vocab-size", "400"),
    *("--context-length", "64", "--batch-size", "8", "--warmup-steps", "5"),
    *("--validation", "0.1", "--test", "0.1"),
    *("--evaluate-every", "20", "--sample-every", "20", "--checkpoint-every", "20"),
]


def anekdot(*arguments: object, cwd: Path, text: str | None = None):
    """Runs the command; standard input is the text, or nothing."""
    return subprocess.run(
        [sys.executable, "-m", "anekdot", *map(str, arguments)],
        cwd=cwd,
        input=text or "",
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"},
        check=False,
        timeout=900,
    )


def run(capsys, monkeypatch, *arguments: object) -> tuple[int, str]:
    """Runs the command in this process; returns its exit status and what it complained."""
    monkeypatch.setattr(sys, "argv", ["anekdot", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0), capsys.readouterr().err
    return 0, capsys.readouterr().err


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Lets standard output and error be a terminal; what it has got is in the list in the end."""
    import pty

    ours, theirs = pty.openpty()
    received, shown = bytearray(), []

    def receive() -> None:
        with suppress(OSError):  # the other side is closed
            while block := os.read(ours, 1 << 16):
                received.extend(block)

    reader = threading.Thread(target=receive)
    reader.start()
    with monkeypatch.context() as patch, open(theirs, "w", encoding="utf-8") as stream:
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", stream)
        yield shown
    reader.join()
    os.close(ours)
    shown.append(received.decode("utf-8"))
