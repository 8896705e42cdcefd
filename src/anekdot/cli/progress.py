"""What long work looks like: bars in a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

console = Console(stderr=True, highlight=False)


@contextmanager
def bars() -> Iterator[Callable[[int, int, str], None]]:
    """Yields a callback (done, total, unit) that draws one bar for each unit.

    A total of 0 means that nobody knows it yet.
    """
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as display:
        tasks: dict[str, int] = {}

        def update(done: int, total: int, unit: str) -> None:
            if unit not in tasks:
                tasks[unit] = display.add_task(unit, total=None)
            display.update(tasks[unit], completed=done, total=total or None)  # type: ignore[arg-type]

        yield update
