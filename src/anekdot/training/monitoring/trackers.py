"""Other programs that show runs: TensorBoard, trackio, Weights & Biases.

They receive the numbers that go into metrics.jsonl. None is needed, and none can stop a run: one
that fails is dropped.
"""

import contextlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from anekdot.callbacks import Notice, Observer
from anekdot.errors import ConfigurationError
from anekdot.run_folder import RunFolder
from anekdot.training.monitoring.metrics import Record

Log = Callable[[dict[str, float], int], object]
"""Receives values by name, and the step."""

PROJECT = "anekdot"


@contextlib.contextmanager
def _tensorboard(run: RunFolder, settings: dict[str, Any]) -> Iterator[Log]:
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 (optional)

    with SummaryWriter(str(run.tensorboard)) as writer:

        def log(values: dict[str, float], step: int) -> None:
            for name, value in values.items():
                writer.add_scalar(name, value, step)

        yield log


@contextlib.contextmanager
def _trackio(run: RunFolder, settings: dict[str, Any]) -> Iterator[Log]:
    import trackio  # noqa: PLC0415 (optional)

    trackio.init(project=PROJECT, name=run.bundle.name, config=settings)
    try:
        yield lambda values, step: trackio.log(values, step=step)
    finally:
        trackio.finish()


@contextlib.contextmanager
def _wandb(run: RunFolder, settings: dict[str, Any]) -> Iterator[Log]:
    import wandb  # noqa: PLC0415 (optional)

    options = {"name": run.bundle.name, "config": settings, "dir": run.run}
    with wandb.init(project=PROJECT, **options) as logger:
        yield lambda values, step: logger.log(values, step=step)


TRACKERS = {"tensorboard": _tensorboard, "trackio": _trackio, "wandb": _wandb}


def check_trackers(names: Sequence[str]) -> None:
    """Raises a ConfigurationError for a tracker that is unknown or not installed."""
    for name in names:
        if name not in TRACKERS:
            raise ConfigurationError(
                f"There is no tracker {name!r}.", f"Choose among {', '.join(TRACKERS)}."
            )
        if importlib.util.find_spec(name) is None:
            raise ConfigurationError(
                f"{name} is not installed.", f"Install it with: pip install {name}"
            )


@contextlib.contextmanager
def trackers(
    names: Sequence[str], run: RunFolder, settings: dict[str, Any], notice: Notice
) -> Iterator[Observer]:
    """Yields an observer that passes the numbers of records on to some trackers.

    Args:
        names: Keys of TRACKERS.
        run: The folder of the run.
        settings: Of the run.
        notice: Receives one sentence for each tracker that fails.
    """
    with contextlib.ExitStack() as stack:
        logs: dict[str, Log] = {}

        def attempt(name: str, action: Callable[[], object]) -> object:
            try:
                return action()
            except (Exception, SystemExit) as error:
                logs.pop(name, None)
                notice(f"{name} failed and is left out from now on ({error}); the run goes on.")
            return None

        for name in names:
            tracker = TRACKERS[name](run, settings)
            log: Any = attempt(name, tracker.__enter__)
            if log is not None:
                logs[name] = log
                stack.callback(attempt, name, partial(tracker.__exit__, None, None, None))

        def observe(record: Record) -> None:
            values = {
                f"{record['kind']}/{name}": value
                for name, value in record.items()
                if isinstance(value, (int, float)) and name not in ("step", "steps")
            }
            for name in [*logs] if values else ():
                attempt(name, partial(logs[name], values, record["step"]))

        yield observe
