"""What long work looks like: bars in a terminal, plain lines elsewhere."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

LINES = 20  # of a whole run, where there is no terminal to draw a bar in


class Update(Protocol):
    """Moves the bar of a unit, which is drawn when it first appears."""

    def __call__(self, done: int, total: int, unit: str, note: str = "") -> None:
        """Shows that ``done`` of ``total`` units are done, and a note beside the bar."""


def harmless(text: str) -> str:
    """Replaces control characters, which a young model makes and a terminal would obey."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\ufffd", text)


@contextmanager
def bars() -> Iterator[Update]:
    """Yields a callback that draws one bar, with the time left, for each unit."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as display:
        tasks: dict[str, TaskID] = {}

        def update(done: int, total: int, unit: str, note: str = "") -> None:
            if unit not in tasks:
                tasks[unit] = display.add_task(unit, total=total, note=note)
            display.update(tasks[unit], completed=done, total=total, note=note)

        yield update


def training_watcher(update: Update) -> Callable[[dict[str, Any]], None]:
    """Returns an observer that shows the records of a training run as they come."""

    def watch(record: dict[str, Any]) -> None:
        step = record["step"]
        if record["kind"] == "step":
            note = f"loss {record['loss']:.3f} nats  {record['tokens_per_second']:,.0f} tokens/s"
            update(step, record["steps"], "steps", note)
            between = max(1, record["steps"] // (10 * LINES)) * 10
            if not console.is_terminal and step % between == 0:
                console.print(f"step {step:,} of {record['steps']:,}  {note}")
        elif record["kind"] == "evaluation":
            console.print(
                f"step {step:,}: validation {record['bits_per_byte']:.3f} bits per byte, "
                f"{record['loss']:.3f} nats a token" + "  (best)" * record["best"]
            )
        elif record["kind"] == "sample":
            text = Text(harmless(record["text"]), style="italic")
            console.print(Padding(text, (0, 0, 1, 4)))
        elif record["kind"] == "interruption":
            console.print("Stopping after this step. Ctrl-C again stops at once.")

    return watch
