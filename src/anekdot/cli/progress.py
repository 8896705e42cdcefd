"""What long work looks like: bars in a terminal, plain lines elsewhere."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

LINES = 20  # of a whole run, where there is no terminal to draw a bar in


class Update(Protocol):
    """Moves the bar of a unit, which is drawn when it first appears."""

    def __call__(
        self, done: int, total: int, unit: str, note: str = "", seconds_left: float | None = None
    ) -> None:
        """Shows that ``done`` of ``total`` units are done, and a note below the bars.

        The time left is that of the units so far, unless the caller knows better.
        """


class TimeLeft(TimeRemainingColumn):
    """The caller's word on the time left, or else rich's own estimate."""

    def render(self, task: Task) -> Text:
        """Returns hours, minutes and seconds."""
        if task.fields["seconds_left"] is None:
            return super().render(task)
        return Text(in_words(task.fields["seconds_left"]) + " left", style="progress.remaining")


class Bars(Progress):
    """Bars, and below them the notes, for which a line with a bar has no room."""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Returns what is drawn."""
        yield self.make_tasks_table(self.tasks)
        yield from (Text(task.fields["note"]) for task in self.tasks if task.fields["note"])


def in_words(seconds: float) -> str:
    """Returns a time in its two largest units.

    >>> in_words(3725), in_words(65), in_words(5.4)
    ('1 h 2 min', '1 min 5 s', '5 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def escape_control_characters(text: str) -> str:
    """Replaces control characters, which a young model makes and a terminal would obey."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\ufffd", text)


@contextmanager
def bars() -> Iterator[Update]:
    """Yields a callback that draws one bar, with the time left, for each unit."""
    with Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeLeft(),
        console=console,
        disable=not console.is_terminal,
    ) as display:
        tasks: dict[str, TaskID] = {}

        def update(
            done: int, total: int, unit: str, note: str = "", seconds_left: float | None = None
        ) -> None:
            shown: dict[str, Any] = {"total": total, "note": note, "seconds_left": seconds_left}
            if unit not in tasks:
                tasks[unit] = display.add_task(unit, **shown)
            display.update(tasks[unit], completed=done, **shown)

        yield update


def training_watcher(update: Update) -> Callable[[dict[str, Any]], None]:
    """Returns an observer that shows the records of a training run as they come."""

    def watch(record: dict[str, Any]) -> None:
        step = record["step"]
        if record["kind"] == "step":
            left = record["seconds_left"]
            note = (
                f"loss {record['loss']:.3f} nats, {record['bits_per_byte']:.3f} bits per byte  "
                f"{record['tokens_per_second']:,.0f} tokens/s  epoch {record['epoch']:.1f}  "
                f"{record['memory'] / 1e9:.1f} GB"
            )
            update(step, record["steps"], "steps", note, left)
            between = max(1, record["steps"] // (10 * LINES)) * 10
            if not console.is_terminal and step % between == 0:
                place = f"step {step:,} of {record['steps']:,}"
                console.print(f"{place}  {note}  {in_words(left)} left")
        elif record["kind"] == "evaluation":
            console.print(
                f"step {step:,}: validation {record['bits_per_byte']:.3f} bits per byte, "
                f"{record['loss']:.3f} nats a token" + "  (best)" * record["best"]
            )
        elif record["kind"] == "sample":
            text = Text(escape_control_characters(record["text"]), style="italic")
            console.print(Padding(text, (0, 0, 0, 4), expand=False))
            console.print(
                f"    ({len(record['copied'])} of {len(record['text'])} characters stand in one "
                "piece in a training text)\n"
            )
        elif record["kind"] == "skip":
            numbers = ", ".join(map(str, record["steps"]))
            console.print(f"Skipped, for a loss or gradient that is no use: step {numbers}.")
        elif record["kind"] == "spike":
            console.print(
                f"step {record['at']:,}: the loss jumped to {record['loss']:.3f} nats, "
                f"from about {record['usual']:.3f}"
            )
        elif record["kind"] == "return":
            console.print(
                f"step {record['after']:,}: the numbers went wrong; back to step {step:,} with "
                f"{record['rate_scale']:g} of the learning rate"
            )
        elif record["kind"] == "interruption":
            console.print("Stopping after this step. Ctrl-C again stops at once.")

    return watch
