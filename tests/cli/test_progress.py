"""What a person sees of long work."""

import io
import re

import pytest
from rich.console import Console

from anekdot.cli import progress

STEP = {
    "kind": "step", "step": 200, "steps": 4000, "loss": 3.21, "bits_per_byte": 1.618,
    "tokens_per_second": 123_456.7, "seconds_left": 3725.0, "epoch": 12.3, "memory": 2.5e9,
}  # fmt: skip
TOLD = ("loss 3.210", "1.618 bits per byte", "123,457 tokens/s", "1 h 2 min left", "epoch 12.3",
        "2.5 GB")  # fmt: skip


@pytest.fixture
def shown(monkeypatch):
    """Shows a step in a terminal of 80 columns, or in none, and returns what it looks like."""

    def show(is_terminal):
        console = Console(file=io.StringIO(), force_terminal=is_terminal, width=80, soft_wrap=True)
        monkeypatch.setattr(progress, "console", console)
        with progress.bars() as update:
            progress.training_watcher(update)(STEP)
        return console.file.getvalue()

    return show


def test_a_terminal_of_80_columns_has_room_for_all(shown):
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown(True)).split("\r")[-1]
    assert all(part in last for part in (*TOLD, "200/4000", "━")), last
    assert all(len(line) <= 80 for line in last.splitlines())


def test_without_a_terminal_there_are_plain_lines(shown):
    (line,) = shown(False).splitlines()
    assert all(part in line for part in (*TOLD, "step 200 of 4,000")), line
    assert "\x1b" not in line
