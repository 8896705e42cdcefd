"""What a run keeps on disk: its checkpoints, and the best model so far.

Both are copied at once and written in the background.
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
from anekdot.run_folder import RunFolder, no_checkpoint
from anekdot.training.checkpoint.background_writer import BackgroundWriter
from anekdot.training.checkpoint.format import (
    Snapshot,
    checkpoints,
    load_checkpoint,
    save_checkpoint,
    snapshot,
)
from anekdot.training.config import TrainingConfig
from anekdot.training.monitoring.metrics import (
    best_after,
    make_durable,
    read,
    truncate_after,
)
from anekdot.training.schedule import decay_start
from anekdot.training.setup import Setup
from anekdot.training.state import TrainingState

BYTES_PER_WEIGHT = 4
ARRAYS_PER_CHECKPOINT = 3  # as large as the weights: these, and AdamW's two moments


class CheckpointManager:
    """Saves a run and finds it again.

    Args:
        run: The run's folder.
        setup: Its models and optimizer are saved.
        config: Says how many checkpoints stay, and from which a run may be prolonged.
        writer: Does the writing.
        notice: Receives what is damaged or different.
        describe_device: Says where training runs, and how.
    """

    def __init__(
        self,
        run: RunFolder,
        setup: Setup,
        config: TrainingConfig,
        *,
        writer: BackgroundWriter,
        notice: Notice,
        describe_device: Callable[[], str],
    ) -> None:
        self.run, self.setup, self.config = run, setup, config
        self.writer, self.notice, self.describe_device = writer, notice, describe_device
        self.fork = decay_start(config) if config.schedule == "wsd" else None
        self.size = BYTES_PER_WEIGHT * setup.model.config.n_parameters
        self.arrays = ARRAYS_PER_CHECKPOINT + (setup.averaged is not setup.model)
        self._write_best: Callable[[Bundle, Path], None] = Bundle.save_weights
        self._saved: dict[str, Any] | None = None
        self._saved_at = time.monotonic()

    @property
    def minutes_since_save(self) -> float:
        """Minutes since the last checkpoint, or since the beginning."""
        return (time.monotonic() - self._saved_at) / 60

    def check_disk_space(self) -> None:
        """Raises a StorageError unless the disk has room for what is still to be written."""
        most = self.config.checkpoints_kept + 1 + (self.fork is not None)
        coming = max(1, most - len(checkpoints(self.run.checkpoints)))
        check_disk_space(self.size * (self.arrays * coming + 2), self.run.bundle)

    def load(self) -> TrainingState | None:
        """Restores the newest whole checkpoint and returns its state, if there is one.

        Raises:
            BundleError: All checkpoints are damaged, or they are of another version.
        """
        self.writer.wait()
        record = load_checkpoint(
            self.run.checkpoints, self.setup, self.notice, is_usable=self._is_on_course
        )
        if record is None:
            return None
        record.pop("steps", None)
        for name, now in self._environment().items():
            before = record.pop(name, now)
            if before != now:
                self.notice(
                    f"The run began with {name} {before} and goes on with {now}: the last digits "
                    "of the weights may differ from those of an uninterrupted run."
                )
        try:
            state = TrainingState.from_json(record)
        except (TypeError, ValueError) as error:
            raise BundleError(
                f"The checkpoints in {self.run.checkpoints} are of another version ({error}).",
                "Use the version of anekdot that wrote them, or name another folder with --out.",
            ) from None
        self._saved = state.to_json()
        return state

    def _is_on_course(self, state: dict[str, Any]) -> bool:
        """Whether a run of this length would have come by the state of a checkpoint."""
        steps = state.get("steps", self.config.steps)
        if steps == self.config.steps:
            return True
        planned = dataclasses.replace(self.config, steps=steps)
        return bool(state["step"] <= decay_start(planned))

    def begin(self, bundle: Bundle) -> None:
        """Puts the untrained model of a new run in place.

        Raises:
            ConfigurationError: A trained model, or records, stand there and would be lost: their
                checkpoints are gone, and this is no new run.
        """
        if self._has_other_model(bundle) or any(r["step"] for r in read(self.run.metrics)):
            raise no_checkpoint(self.run.bundle)
        self.run.metrics.unlink(missing_ok=True)
        bundle.save(self.run.bundle)

    def _has_other_model(self, bundle: Bundle) -> bool:
        """Whether there are weights, and not those of the bundle."""
        try:
            return Bundle.load(self.run.bundle).fingerprint() != bundle.fingerprint()
        except AnekdotError:
            return self.run.weights.exists()

    def restore(self, state: TrainingState, bundle: Bundle) -> None:
        """Makes metrics.jsonl and the bundle what a run that goes on from a checkpoint needs.

        Args:
            state: Of the checkpoint; knows afterwards what its models must overtake.
            bundle: Of the checkpoint; takes the place of a best model that cannot be loaded.
        """
        if self._restore_best(bundle):
            self._keep_what_stands(state)
        else:
            state.best_bits_per_byte = None
            state.overtake_step, state.overtake_bits_per_byte = 0, None
        truncate_after(self.run.metrics, state)

    def _keep_what_stands(self, state: TrainingState) -> None:
        """Notes in a new checkpoint how good a model the steps after this one have left."""
        left = best_after(read(self.run.metrics), state)
        if left is not None:
            state.overtake_step, state.overtake_bits_per_byte = left
            self.save(state)
            self.writer.wait()

    def save(self, state: TrainingState) -> None:
        """Queues a checkpoint, unless the last one is the same."""
        record = state.to_json()
        if record != self._saved:
            steps = {"steps": self.config.steps}
            copy = snapshot({**record, **steps, **self._environment()}, self.setup)
            self._submit(self.arrays, lambda: self._save(copy))
            self._saved, self._saved_at = record, time.monotonic()

    def save_best(self, bundle: Bundle, state: TrainingState) -> None:
        """Queues the replacement of the best model, unless the one that stands there is better."""
        if state.overtakes():
            state.overtake_step, state.overtake_bits_per_byte = 0, None
            write, self._write_best = self._write_best, Bundle.save_weights
            self._submit(1, lambda: write(bundle, self.run.bundle))

    def _restore_best(self, bundle: Bundle) -> bool:
        """Makes the bundle loadable; returns whether it still is the best model."""
        try:
            if Bundle.load(self.run.bundle).training != bundle.training:  # of a shorter run
                self._write_best = Bundle.save
        except AnekdotError as error:  # a damaged tokenizer has an error of its own
            bundle.save_description(self.run.bundle)
            try:
                Bundle.load(self.run.bundle)
            except AnekdotError:
                self.notice(f"{error.cause} The newest checkpoint takes its place.")
                bundle.save(self.run.bundle)
                return False
            self.notice(f"{error.cause} It was written anew.")
        return True

    def _environment(self) -> dict[str, object]:
        """Returns what the last digits of a result depend on besides the settings."""
        return {
            "PyTorch": torch.__version__,
            "threads": torch.get_num_threads(),
            "device": self.describe_device(),
        }

    def _save(self, copy: Snapshot) -> None:
        make_durable(self.run.metrics)  # a run that goes on from here needs all records before it
        save_checkpoint(
            self.run.checkpoints, copy, kept=self.config.checkpoints_kept, kept_step=self.fork
        )

    def _submit(self, arrays: int, write: Callable[[], object]) -> None:
        def guarded() -> None:
            with disk_space_for(arrays * self.size, self.run.bundle):
                write()

        self.writer.submit(guarded)
