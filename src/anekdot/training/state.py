"""The training state: where a run stands, besides weights and optimizer.

Nothing here imports torch.
"""

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from anekdot.training.loss_scaling import INITIAL_LOSS_SCALE, next_loss_scale

if TYPE_CHECKING:
    from torch import Tensor

    from anekdot.training.train_step import StepOutcome

SPIKE_WINDOW = 128  # losses that a spike is judged by
SPIKE_DEVIATIONS = 6.0  # standard deviations above their mean

_OLD_NAMES = {
    "evaluated": "last_evaluation",
    "sampled": "last_sample",
    "worse": "evaluations_since_best",
    "rate_scale": "lr_scale",
    "ways_back": "rollbacks",
    "losses": "recent_losses",
    "pending": "unrecorded",
}
"""What checkpoints up to 0.1.0 call the fields."""


class StepResult(NamedTuple):
    """What one step has left to be recorded.

    Attributes:
        loss: In nats per token; still on the device unless it comes from a checkpoint.
        skipped: 1 if the step changed nothing, because its numbers were unusable; else 0.
        targets: Tokens that carried loss.
        bytes: UTF-8 bytes of these tokens.
        seconds: Duration; the last of the steps that share a record waits for a GPU.
        norm: Of the gradient before clipping; None from a checkpoint up to 0.1.0.
        overflowed: 1 if the step was skipped because a scaled gradient was infinite, else 0;
            None without loss scaling.
    """

    loss: "Tensor | float"
    skipped: "Tensor | float"
    targets: int
    bytes: int
    seconds: float
    norm: "Tensor | float | None" = None
    overflowed: "Tensor | float | None" = None

    def on_host(self) -> "StepResult":
        """Returns the same as plain numbers; waits for the device."""
        return self._replace(
            loss=float(self.loss),
            skipped=float(self.skipped),
            norm=None if self.norm is None else float(self.norm),
            overflowed=None if self.overflowed is None else float(self.overflowed),
        )


@dataclass
class TrainingState:
    """Where a run stands.

    Attributes:
        step: Steps taken, those skipped included.
        tokens: Targets seen.
        seconds: Spent on steps.
        best_bits_per_byte: Of the best model so far on the validation split.
        best_step: The step of that model.
        last_evaluation: The step of the last evaluation.
        last_sample: The step of the last sample.
        evaluations_since_best: Evaluations since the best one.
        lr_scale: Multiplies the scheduled learning rate: halved by each rollback.
        rollbacks: How often the run returned to a checkpoint.
        recent_losses: The last losses, in nats per token, that were no spikes.
        unrecorded: Results of the steps that no record speaks of yet.
        micro_batch: Rows computed together; 0 until it is chosen.
        loss_scale: Of the next step, in fp16; still on the device unless from a checkpoint.
        scale_steps: Steps since the loss scale has changed; likewise.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best_bits_per_byte: float | None = None
    best_step: int = 0
    last_evaluation: int = 0
    last_sample: int = 0
    evaluations_since_best: int = 0
    lr_scale: float = 1.0
    rollbacks: int = 0
    recent_losses: list[float] = field(default_factory=list)
    unrecorded: list[StepResult] = field(default_factory=list)
    micro_batch: int = 0
    loss_scale: "Tensor | float" = INITIAL_LOSS_SCALE
    scale_steps: "Tensor | float" = 0.0

    def add(self, outcome: "StepOutcome", targets: int, n_bytes: int, seconds: float) -> None:
        """Counts a step, which waits to be recorded.

        Args:
            outcome: What the step has found.
            targets: Tokens that carried loss.
            n_bytes: UTF-8 bytes of these tokens.
            seconds: Its duration.
        """
        loss, skipped, norm, overflowed = outcome
        self.step += 1
        self.tokens += targets
        self.unrecorded.append(
            StepResult(loss, skipped, targets, n_bytes, seconds, norm, overflowed)
        )
        if overflowed is not None:
            self.loss_scale, self.scale_steps = next_loss_scale(
                self.loss_scale, self.scale_steps, overflowed
            )

    def spike_threshold(self) -> float:
        """Returns the loss above which one is a spike; infinity while too few are known.

        Source: OLMo-core's SkipStepOptimizer: six standard deviations over 128 steps.
        """
        if len(self.recent_losses) < SPIKE_WINDOW:
            return math.inf
        deviation = statistics.pstdev(self.recent_losses)
        return statistics.fmean(self.recent_losses) + SPIKE_DEVIATIONS * deviation

    def to_json(self) -> dict[str, Any]:
        """Returns the state as what JSON can hold, independent of later changes."""
        return {
            **vars(self),
            "recent_losses": [*self.recent_losses],
            "unrecorded": [result.on_host()._asdict() for result in self.unrecorded],
            "loss_scale": float(self.loss_scale),
            "scale_steps": float(self.scale_steps),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "TrainingState":
        """Returns the state of a checkpoint, also of one that the names of 0.1.0 describe.

        Raises:
            TypeError: It has other fields than a state has.
        """
        fields = {_OLD_NAMES.get(name, name): value for name, value in record.items()}
        fields["unrecorded"] = [
            StepResult(**result) if isinstance(result, dict) else StepResult(*result)
            for result in fields.get("unrecorded", [])
        ]
        return cls(**fields)
