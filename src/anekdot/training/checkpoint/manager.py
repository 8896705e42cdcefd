"""What of a run stands on the disk: checkpoints, and the best model so far.

Both are copied at once and written beside training.
"""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from anekdot.atomic_files import check_disk_space, disk_space_for
from anekdot.bundle import Bundle
from anekdot.callbacks import Notice
from anekdot.errors import AnekdotError, BundleError
from anekdot.model.transformer import Transformer
from anekdot.training.checkpoint.background_writer import BackgroundWriter
from anekdot.training.checkpoint.format import (
    Snapshot,
    checkpoints,
    load_checkpoint,
    save_checkpoint,
    snapshot,
)
from anekdot.training.monitoring.metrics import METRICS, make_durable
from anekdot.training.state import Progress

BYTES = 4  # of a weight
ARRAYS = 3  # of a checkpoint, as large as the weights: these, and AdamW's two


class CheckpointManager:
    """Saves a run and finds it again.

    Args:
        folder: The bundle's.
        model: What is saved.
        optimizer: What is saved with it.
        kept: Checkpoints that stay.
        writer: Does the writing.
        notice: Told of what is damaged or different.
        device: Where training runs, and how.

    Raises:
        StorageError: The disk has no room for the run.
    """

    def __init__(
        self,
        folder: Path,
        model: Transformer,
        optimizer: torch.optim.Optimizer,
        *,
        kept: int,
        writer: BackgroundWriter,
        notice: Notice,
        device: str,
    ) -> None:
        self.folder = folder
        self.checkpoints = folder / "run" / "checkpoints"
        self.model, self.optimizer, self.kept = model, optimizer, kept
        self.writer, self.notice = writer, notice
        self.device = device
        self.size = BYTES * model.config.n_parameters
        coming = max(1, kept + 1 - len(checkpoints(self.checkpoints)))
        check_disk_space(self.size * (ARRAYS * coming + 2), folder)
        self._saved: dict[str, Any] | None = None
        self._last = time.monotonic()

    @property
    def minutes(self) -> float:
        """Minutes since the last checkpoint, or the beginning."""
        return (time.monotonic() - self._last) / 60

    def load(self) -> Progress | None:
        """Restores the newest whole checkpoint, and says where the run stands, if there is one.

        Raises:
            BundleError: All checkpoints are damaged, or they are of another version.
        """
        self.writer.wait()
        state = load_checkpoint(self.checkpoints, self.model, self.optimizer, self.notice)
        if state is None:
            return None
        facts = self._facts()
        before = {name: state.pop(name, now) for name, now in facts.items()}
        try:
            progress = Progress(**state)
        except TypeError as error:
            raise BundleError(
                f"The checkpoints in {self.checkpoints} are of another version ({error}).",
                "Use the version of anekdot that wrote them, or name another folder with --out.",
            ) from None
        for name, now in facts.items():
            if before[name] != now:
                self.notice(
                    f"The run began with {name} {before[name]} and goes on with {now}: the "
                    "last digits of the weights may come out otherwise."
                )
        self._saved = state
        return progress

    def save(self, progress: Progress) -> None:
        """Has a checkpoint written, unless the last one is the same."""
        state = dataclasses.asdict(progress)
        if state != self._saved:
            copy = snapshot({**state, **self._facts()}, self.model, self.optimizer)
            self._write(ARRAYS, lambda: self._save(copy))
            self._saved, self._last = state, time.monotonic()

    def _facts(self) -> dict[str, object]:
        """Returns what the last digits of a result depend on besides the settings."""
        return {
            "PyTorch": torch.__version__,
            "threads": torch.get_num_threads(),
            "device": self.device,
        }

    def _save(self, copy: Snapshot) -> None:
        make_durable(self.folder / "run" / METRICS)  # who goes on from here finds all before
        save_checkpoint(self.checkpoints, copy, self.kept)

    def save_best(self, bundle: Bundle) -> None:
        """Has the best model replaced."""
        self._write(1, lambda: bundle.save_weights(self.folder))

    def has_best(self) -> bool:
        """Whether the best model can be loaded; says so if not."""
        try:
            Bundle.load(self.folder)
        except AnekdotError as error:  # the tokenizer has its own
            self.notice(f"{error.cause} The newest checkpoint takes its place.")
            return False
        return True

    def _write(self, arrays: int, write: Callable[[], object]) -> None:
        def guarded() -> None:
            with disk_space_for(arrays * self.size, self.folder):
                write()

        self.writer.submit(guarded)
