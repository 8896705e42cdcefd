"""Where a run stands: what a checkpoint keeps besides the tensors."""

import math
import statistics
from dataclasses import dataclass, field

REMEMBERED = 128  # losses that a spike is judged by
SPIKE = 6.0  # standard deviations


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        step: Steps taken, those skipped included.
        tokens: Targets seen.
        seconds: Spent on steps.
        best_bits_per_byte: Of the best model so far on the validation split.
        best_step: When it was.
        evaluated: The step of the last evaluation.
        sampled: The step of the last sample.
        worse: Evaluations since the best one.
        rate_scale: What the schedule's rate is multiplied with: halved by each way back.
        ways_back: How often the run went back to a checkpoint.
        losses: The last losses, in nats a token, that were no spikes.
        pending: The steps that have no record yet, see `StepResult`.
        micro_batch: Rows computed together.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best_bits_per_byte: float | None = None
    best_step: int = 0
    evaluated: int = 0
    sampled: int = 0
    worse: int = 0
    rate_scale: float = 1.0
    ways_back: int = 0
    losses: list[float] = field(default_factory=list)
    pending: list[list[float]] = field(default_factory=list)
    micro_batch: int = 0

    def spike(self) -> float:
        """Returns the loss from which on one is a spike; infinity while too few are known.

        Source: OLMo-core's SkipStepOptimizer: six standard deviations over 128 steps.
        """
        if len(self.losses) < REMEMBERED:
            return math.inf
        return statistics.fmean(self.losses) + SPIKE * statistics.pstdev(self.losses)
