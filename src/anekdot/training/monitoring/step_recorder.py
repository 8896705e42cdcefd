"""Steps to records: ten steps make one record of metrics.jsonl."""

import math
import time
from collections.abc import Iterator

import torch

from anekdot.device import peak_memory
from anekdot.training.config import TrainingConfig
from anekdot.training.loss_scaling import check_loss_scale
from anekdot.training.monitoring.eta import Eta
from anekdot.training.monitoring.metrics import Record
from anekdot.training.schedule import scheduled_rate
from anekdot.training.state import SPIKE_WINDOW, StepResult, TrainingState

STEPS_PER_RECORD = 10
MAX_SKIPPED = 3  # in a row


class Diverged(Exception):
    """Too many steps in a row had a loss or gradient that is not finite."""


class StepRecorder:
    """Turns the unrecorded results of a training state into records.

    Args:
        config: Of the run.
        rows_per_epoch: Rows that hold every document once.
        eta: Estimates the time left.
        device: Whose memory is reported.
    """

    def __init__(
        self, config: TrainingConfig, rows_per_epoch: int, eta: Eta, device: torch.device
    ) -> None:
        self.config, self.rows_per_epoch = config, rows_per_epoch
        self.eta, self.device = eta, device

    def records(self, state: TrainingState) -> Iterator[Record]:
        """Yields the records of the unrecorded steps, without their ``step``, and clears these.

        Args:
            state: Its losses and seconds change.

        Raises:
            Diverged: The last steps were all skipped.
            ConfigurationError: Gradients overflow float16 also unscaled.
        """
        started = time.perf_counter()
        results = [result.on_host() for result in state.unrecorded]
        taken = [result for result in results if not result.skipped]
        bad = [bool(result.skipped and not result.overflowed) for result in results]
        seconds = sum(r.seconds for r in results) + time.perf_counter() - started
        first = state.step - len(results) + 1
        state.seconds += seconds
        state.unrecorded = []
        yield from _spikes([float(result.loss) for result in results], first, state)
        if any(bad):
            yield {"kind": "skip", "steps": [first + i for i, is_bad in enumerate(bad) if is_bad]}
        yield from _overflows(results, first, state)
        if len(bad) >= MAX_SKIPPED and all(bad[-MAX_SKIPPED:]):
            raise Diverged
        if taken:
            targets = sum(result.targets for result in taken)
            nats = sum(float(result.loss) * result.targets for result in taken)
            yield {
                "kind": "step",
                "steps": self.config.steps,
                "loss": sum(float(result.loss) for result in taken) / len(taken),
                "bits_per_byte": nats / math.log(2) / max(1, sum(r.bytes for r in taken)),
                "learning_rate": state.lr_scale * scheduled_rate(self.config, state.step - 1),
                "tokens_per_second": targets / seconds,
                "seconds": state.seconds,
                "epoch": state.step * self.config.batch_size / self.rows_per_epoch,
                "seconds_left": self.eta.seconds_left(state.step),
                "memory": peak_memory(self.device),
                **self._gradient(taken),
            }

    def _gradient(self, taken: list[StepResult]) -> Record:
        """Returns the mean norm of the gradient before clipping, and how often it was clipped."""
        norms = [float(result.norm) for result in taken if result.norm is not None]
        if not norms:
            return {}
        largest = self.config.gradient_clip or math.inf
        clipped = sum(norm > largest for norm in norms)
        return {"gradient_norm": sum(norms) / len(norms), "clipped": clipped / len(norms)}


def _overflows(results: list[StepResult], first: int, state: TrainingState) -> Iterator[Record]:
    """Yields the overflows among some steps, and raises where they do not end."""
    steps = [first + i for i, result in enumerate(results) if result.overflowed]
    if steps:
        scale = float(state.loss_scale)
        yield {"kind": "overflow", "steps": steps, "loss_scale": scale}
        check_loss_scale(scale, state.step)


def _spikes(losses: list[float], first: int, state: TrainingState) -> Iterator[Record]:
    """Yields the spikes among some losses; the others become part of the recent ones."""
    threshold = state.spike_threshold()
    for step, loss in enumerate(losses, first):
        if loss > threshold:
            usual = sum(state.recent_losses) / len(state.recent_losses)
            yield {"kind": "spike", "at": step, "loss": loss, "usual": usual}
        elif math.isfinite(loss):
            state.recent_losses.append(loss)
    del state.recent_losses[:-SPIKE_WINDOW]
