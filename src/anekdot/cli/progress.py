"""Progress of long work: bars in a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import RenderableType
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

from anekdot.cli.console import console
from anekdot.cli.streams import lost_view
from anekdot.text_output import duration

LINES = 20  # for a whole run, where there is no terminal to draw a bar in


class Update(Protocol):
    """Moves the bar of a unit, which is drawn when it first appears."""

    def __call__(
        self, done: int, total: int, unit: str, note: str = "", seconds_left: float | None = None
    ) -> None:
        """Shows that ``done`` of ``total`` units are done, and a note below the bars.

        The time left is that of the units so far, unless the caller knows better.
        """


class TimeLeft(TimeRemainingColumn):
    """The time left as the caller knows it, or else as rich estimates it."""

    def render(self, task: Task) -> Text:
        """Returns hours, minutes and seconds."""
        if task.fields["seconds_left"] is None:
            return super().render(task)
        return Text(duration(task.fields["seconds_left"]) + " left", style="progress.remaining")


class Bars(Progress):
    """Bars, and below them the notes, for which a line with a bar has no room."""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Returns what is drawn."""
        yield self.make_tasks_table(self.tasks)
        yield from (Text(task.fields["note"]) for task in self.tasks if task.fields["note"])


@contextmanager
def bars() -> Iterator[Update]:
    """Yields a callback that draws one bar, with the time left, for each unit."""
    with Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeLeft(),
        console=console,
        redirect_stdout=False,  # to a stream that would make rich's own control codes harmless
        redirect_stderr=False,
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
    """Returns an observer that shows the records of a training run as they come.

    It raises why standard error was given up, if it was: the record of a run should know.
    """

    def watch(record: dict[str, Any]) -> None:
        if record["kind"] == "step":
            _show_step(record, update)
        elif record["kind"] == "sample":
            _show_sample(record)
        else:
            console.print(_sentence(record))
        if error := lost_view():
            raise error

    return watch


def _show_step(record: dict[str, Any], update: Update) -> None:
    step, steps, left = record["step"], record["steps"], record["seconds_left"]
    note = (
        f"loss {record['loss']:.3f} nats, {record['bits_per_byte']:.3f} bits per byte  "
        f"{record['tokens_per_second']:,.0f} tokens/s  epoch {record['epoch']:.1f}  "
        f"{record['memory'] / 1e9:.1f} GB"
    )
    update(step, steps, "steps", note, left)
    between = max(1, steps // (10 * LINES)) * 10
    if not console.is_terminal and step % between == 0:
        console.print(f"step {step:,} of {steps:,}  {note}  {duration(left)} left")


def _show_sample(record: dict[str, Any]) -> None:
    text = Text(record["text"], style="italic")
    console.print(Padding(text, (0, 0, 0, 4), expand=False))
    console.print(
        f"    (longest span that is also in a training text: {len(record['copied'])} of "
        f"{len(record['text'])} characters)\n"
    )


def _sentence(record: dict[str, Any]) -> str:
    """Returns what is said of an evaluation, or of something unusual."""
    steps = ", ".join(map(str, record["steps"])) if record["kind"] in ("skip", "overflow") else ""
    step = f"step {record.get('at') or record.get('after') or record['step']:,}"
    match record["kind"]:
        case "evaluation":
            best = "  (best)" if record["best"] else ""
            sentence = (
                f"{step}: validation {record['bits_per_byte']:.3f} bits per byte, "
                f"{record['loss']:.3f} nats per token{best}"
            )
        case "skip":
            sentence = f"Skipped, for a loss or gradient that is not finite: step {steps}."
        case "overflow":
            sentence = (
                f"Skipped, for gradients too large for float16: step {steps}. "
                f"The loss scale is {record['loss_scale']:g} from now on."
            )
        case "spike":
            sentence = (
                f"{step}: the loss jumped to {record['loss']:.3f} nats, "
                f"from about {record['usual']:.3f}"
            )
        case "return":
            sentence = (
                f"{step}: training diverged; back to step {record['step']:,} with "
                f"{record['rate_scale']:g} of the learning rate"
            )
        case "display":
            sentence = f"{step}: the run cannot be shown any more ({record['error']})"
        case _:
            sentence = "Stopping after this step. Ctrl-C again stops at once."
    return sentence
