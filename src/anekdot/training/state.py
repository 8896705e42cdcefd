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

BUNDLE_FIELDS = (
    "best_bits_per_byte", "best_step", "overtake_step", "overtake_bits_per_byte",
)  # fmt: skip
"""What a state knows of the model in the bundle, which a rollback leaves alone."""

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
        overtake_step: The step that the model in the bundle is from, where the run was killed
            after it and has gone back to an earlier checkpoint; 0 otherwise.
        overtake_bits_per_byte: What that model reached; None without a validation split.
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
    overtake_step: int = 0
    overtake_bits_per_byte: float | None = None

    def overtakes(self) -> bool:
        """Whether the best model so far is no worse than the one that stands in the bundle."""
        if self.overtake_bits_per_byte is None:
            return self.step >= self.overtake_step
        best = self.best_bits_per_byte
        return best is not None and best <= self.overtake_bits_per_byte

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
        record = {
            **vars(self),
            "recent_losses": [*self.recent_losses],
            "unrecorded": [result.on_host()._asdict() for result in self.unrecorded],
            "loss_scale": float(self.loss_scale),
            "scale_steps": float(self.scale_steps),
        }
        if not self.overtake_step:
            del record["overtake_step"], record["overtake_bits_per_byte"]
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "TrainingState":
        """Returns the state of a checkpoint, also of one that the names of 0.1.0 describe.

        Raises:
            TypeError: It has other fields than a state has, or a value is of another kind.
            ValueError: A value cannot be.
        """
        fields = {_OLD_NAMES.get(name, name): value for name, value in record.items()}
        fields["unrecorded"] = [
            StepResult(**result) if isinstance(result, dict) else StepResult(*result)
            for result in fields.get("unrecorded", [])
        ]
        state = cls(**fields)
        _check_values(state)
        return state


_COUNTS = (
    "step", "tokens", "best_step", "last_evaluation", "last_sample", "evaluations_since_best",
    "rollbacks", "micro_batch", "overtake_step",
)  # fmt: skip


def _check_values(state: TrainingState) -> None:
    for name in _COUNTS:
        _check(name, getattr(state, name), is_count=True)
    for name in ("seconds", "loss_scale", "scale_steps"):
        _check(name, getattr(state, name))
    _check("lr_scale", state.lr_scale, largest=1)
    for name in ("best_bits_per_byte", "overtake_bits_per_byte"):
        if getattr(state, name) is not None:
            _check(name, getattr(state, name), largest=math.inf)
    if not isinstance(state.recent_losses, list):
        raise TypeError("recent_losses is no list")
    for loss in state.recent_losses:
        _check("recent_losses", loss)
    _check_results(state.unrecorded)
    for name in ("last_evaluation", "last_sample", "best_step"):
        if getattr(state, name) > state.step:
            raise ValueError(f"{name} is after step {state.step}")
    if len(state.unrecorded) > state.step:
        raise ValueError("more steps are unrecorded than were taken")


def _check_results(results: list[StepResult]) -> None:
    for result in results:
        for name in ("targets", "bytes"):
            _check(name, getattr(result, name), is_count=True)
        _check("skipped", result.skipped, largest=1)
        _check("seconds", result.seconds)
        if result.overflowed is not None:
            _check("overflowed", result.overflowed, largest=1)
        for name, value in (("loss", result.loss), ("norm", result.norm or 0.0)):
            if not isinstance(value, float):
                raise TypeError(f"{name} is {value!r:.40}")


def _check(name: str, value: object, *, is_count: bool = False, largest: float = 1e15) -> None:
    """Raises a TypeError or ValueError unless a value is a number from 0 to the largest."""
    kinds = int if is_count else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r:.40}")
    if not 0 <= value <= largest:
        raise ValueError(f"{name} is {value!r:.40}")
