"""The command line: in a process of its own, or in this one."""

import os
import subprocess
import sys
from pathlib import Path

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
