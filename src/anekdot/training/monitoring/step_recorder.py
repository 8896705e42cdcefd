"""Steps, one after another: what each is made of, and what is told of ten.

Letters: ``B`` rows, ``T`` positions.
"""

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anekdot.model.transformer import IGNORE_INDEX
from anekdot.training.batches import Batches
from anekdot.training.compilation import autocast
from anekdot.training.config import TrainingConfig
from anekdot.training.monitoring.metrics import Record
from anekdot.training.schedule import learning_rate
from anekdot.training.state import REMEMBERED, Progress
from anekdot.training.train_step import train_step

STEPS_PER_RECORD = 10
MAX_SKIPPED = 3  # in a row


class Diverged(Exception):
    """Too many steps in a row had numbers that are no use."""


class StepResult(NamedTuple):
    """A step that has no record yet.

    Attributes:
        loss: In nats a token, still on the device.
        bad: 1 if it was skipped.
        targets: Tokens that carried loss.
        bytes: Of these.
        seconds: What it took; a GPU is waited for by the last of those that share a record.
    """

    loss: Tensor
    bad: Tensor
    targets: int
    bytes: int
    seconds: float


class Steps:
    """Takes steps.

    Args:
        loss_of: Ids and targets to the mean loss.
        optimizer: Over the model's parameters.
        batches: By step.
        config: How to train.
        token_lengths: Bytes of each token.
        device: Where the model is.
    """

    def __init__(
        self,
        loss_of: Callable[[Tensor, Tensor], Tensor],
        optimizer: torch.optim.Optimizer,
        batches: Batches,
        config: TrainingConfig,
        *,
        token_lengths: NDArray[np.integer],
        device: torch.device,
    ) -> None:
        self.loss_of, self.optimizer = loss_of, optimizer
        self.batches, self.config = batches, config
        self.token_lengths, self.device = token_lengths, device
        self.taken: list[StepResult] = []

    def restore(self, progress: Progress) -> None:
        """Takes over the steps that had no record when a checkpoint was saved."""
        self.taken = [
            StepResult(
                torch.tensor(loss, device=self.device),
                torch.tensor(bad, device=self.device),
                int(targets),
                int(n_bytes),
                seconds,
            )
            for loss, bad, targets, n_bytes, seconds in progress.pending
        ]

    def pending(self) -> list[list[float]]:
        """Returns the steps that have no record yet, for a checkpoint."""
        return [[float(taken.loss), float(taken.bad), *taken[2:]] for taken in self.taken]

    def take(self, progress: Progress) -> None:
        """Takes a step, and notes it in the progress."""
        started = time.perf_counter()
        # dropout follows from (seed, step), so a resumed run draws the same masks
        torch.manual_seed(self.config.seed + (progress.step << 20))
        ids_BT, targets_BT = self.batches.batch(progress.step)
        targets = targets_BT[targets_BT != IGNORE_INDEX]
        loss, bad = train_step(
            self.loss_of,
            self.optimizer,
            torch.from_numpy(ids_BT).to(self.device),
            torch.from_numpy(targets_BT).to(self.device),
            micro_batch=progress.micro_batch or self.config.batch_size,
            rate=self._rate(progress),
            gradient_clip=self.config.gradient_clip,
            largest_loss=progress.spike() if self.config.skip_spikes else math.inf,
            precision=partial(autocast, self.device, self.config.precision),
        )
        progress.step += 1
        if progress.step % STEPS_PER_RECORD == 0:
            loss.item()  # waits for the device
        progress.tokens += targets.size
        n_bytes = int(self.token_lengths[targets].sum())
        self.taken.append(
            StepResult(loss, bad, targets.size, n_bytes, time.perf_counter() - started)
        )

    def are_finite(self) -> bool:
        """Whether they have left numbers everywhere: in the weights and in AdamW's moments."""
        weights = (weight for group in self.optimizer.param_groups for weight in group["params"])
        moments = (t for entries in self.optimizer.state.values() for t in entries.values())
        return all(bool(t.isfinite().all()) for t in (*weights, *moments))

    def _rate(self, progress: Progress) -> float:
        return progress.rate_scale * learning_rate(
            progress.step,
            highest=self.config.learning_rate,
            warmup_steps=self.config.warmup_steps,
            steps=self.config.steps,
        )

    def records(self, progress: Progress) -> Iterator[Record]:
        """Yields the records of the steps since the last time, without their ``step``.

        Raises:
            Diverged: The last ones were all bad.
        """
        started = time.perf_counter()
        losses = torch.stack([taken.loss for taken in self.taken]).tolist()
        bad = torch.stack([taken.bad for taken in self.taken]).tolist()
        seconds = sum(taken.seconds for taken in self.taken) + time.perf_counter() - started
        good = [(loss, t) for loss, t, b in zip(losses, self.taken, bad, strict=True) if not b]
        first = progress.step - len(losses) + 1
        progress.seconds += seconds
        self.taken.clear()
        yield from _spikes(losses, first, progress)
        if any(bad):
            yield {"kind": "skip", "steps": [first + place for place, b in enumerate(bad) if b]}
        if len(bad) >= MAX_SKIPPED and all(bad[-MAX_SKIPPED:]):
            raise Diverged
        if good:
            nats = sum(loss * taken.targets for loss, taken in good)
            yield {
                "kind": "step",
                "steps": self.config.steps,
                "loss": sum(loss for loss, _ in good) / len(good),
                "bits_per_byte": nats / math.log(2) / max(1, sum(t.bytes for _, t in good)),
                "learning_rate": self.optimizer.param_groups[0]["lr"],
                "tokens_per_second": sum(taken.targets for _, taken in good) / seconds,
                "seconds": progress.seconds,
                "epoch": progress.step * self.config.batch_size / self.batches.rows_per_epoch,
            }


def _spikes(losses: list[float], first: int, progress: Progress) -> Iterator[Record]:
    """Adds losses to those that spikes are judged by, and yields the spikes."""
    limit = progress.spike()
    for step, loss in enumerate(losses, first):
        if loss > limit:
            usual = sum(progress.losses) / len(progress.losses)
            yield {"kind": "spike", "at": step, "loss": loss, "usual": usual}
        elif math.isfinite(loss):
            progress.losses.append(loss)
    del progress.losses[:-REMEMBERED]
