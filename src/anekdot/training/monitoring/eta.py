"""The time that a run has left: steps, evaluations and samples, each by what it has taken."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from anekdot.training.config import TrainingConfig

DECAY = 0.99  # of what earlier steps count for, step by step: the machine may get busier
FORWARD_SHARE = 1 / 3  # of a step's time; backward takes twice as long


class Eta:
    """Sums up durations since this process began, to estimate what is left.

    Args:
        config: How often the run evaluates and samples.
        validation_tokens: Of the validation split, all of which are scored at the end.
        interim_tokens: Of these, as many as an evaluation scores at most while training.
        tokens_per_step: Positions of a batch.
    """

    def __init__(
        self,
        config: TrainingConfig,
        *,
        validation_tokens: int,
        interim_tokens: int,
        tokens_per_step: int,
    ) -> None:
        self.config = config
        evaluated = min(validation_tokens, interim_tokens)
        self.final_evaluations = validation_tokens / max(1, evaluated)
        self.steps_per_evaluation = FORWARD_SHARE * evaluated / tokens_per_step
        self.counts = dict.fromkeys(("step", "evaluation", "sample"), 0.0)
        self.seconds = dict.fromkeys(self.counts, 0.0)
        self.first = 0.0

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Adds the duration of the block, unless it raises."""
        started = time.perf_counter()
        yield
        self.add(kind, time.perf_counter() - started)

    def add(self, kind: str, seconds: float) -> None:
        """Adds a duration; that of the first step is kept apart: it may include compiling."""
        if kind == "step" and not self.first:
            self.first = seconds
            return
        decay = DECAY if kind == "step" else 1.0
        self.counts[kind] = self.counts[kind] * decay + 1
        self.seconds[kind] = self.seconds[kind] * decay + seconds

    def seconds_left(self, step: int) -> float:
        """Returns the seconds from a step, before what is due after it, until the end."""
        config = self.config
        per_step = self._mean("step", self.first)
        per_evaluation = self._mean("evaluation", per_step * self.steps_per_evaluation)
        evaluations = _times_due(step, config.steps, config.evaluate_every) + self.final_evaluations
        samples = _times_due(step, config.steps, config.sample_every)
        return (
            (config.steps - step) * per_step
            + evaluations * per_evaluation
            + samples * self._mean("sample", 0.0)
        )

    def _mean(self, kind: str, guess: float) -> float:
        return self.seconds[kind] / self.counts[kind] if self.counts[kind] else guess


def _times_due(step: int, steps: int, every: int) -> int:
    """Returns how often something is due from a step on; the last step always counts."""
    return -(-steps // every) - max(0, step - 1) // every
