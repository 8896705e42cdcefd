"""What training looks like: a bar with loss, speed and time left; samples above it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

LINES_BETWEEN = 10  # records between two plain lines where there is no terminal


@contextmanager
def training_display(console: Console) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yields an observer of training records."""
    with Progress(
        TextColumn("step {task.completed:,.0f} of {task.total:,.0f}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as display:
        task = None
        seen = 0

        def observe(record: dict[str, Any]) -> None:
            nonlocal task, seen
            if record["kind"] == "step":
                line = (
                    f"loss {record['loss']:.3f} nats  {record['tokens_per_second']:,.0f} tokens/s"
                )
                if task is None:
                    task = display.add_task(line, total=record["steps"])
                display.update(task, completed=record["step"], description=line)
                seen += 1
                if not console.is_terminal and seen % LINES_BETWEEN == 1:
                    console.print(f"step {record['step']:,} of {record['steps']:,}  {line}")
            elif record["kind"] == "evaluation":
                console.print(
                    f"step {record['step']:,}: validation {record['bits_per_byte']:.3f} bits per "
                    f"byte, {record['loss']:.3f} nats a token" + ("  (best)" * record["best"])
                )
            elif record["kind"] == "sample":
                console.print(Padding(Text(record["text"], style="italic"), (0, 0, 1, 4)))

        yield observe
