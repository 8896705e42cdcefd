"""How long a run will go on: steps, evaluations and samples, each by what it has taken."""

from anekdot.training.config import TrainingConfig

FORWARD = 1 / 3  # of the time of a step, which goes forward and twice as long back


class Clock:
    """Sums up what has been done since this process began, to tell what is left.

    Args:
        config: The rhythm.
        evaluated: Tokens of an evaluation.
        held_out: Tokens of the last one.
        tokens_per_step: Of training.
    """

    def __init__(
        self,
        config: TrainingConfig,
        *,
        evaluated: int,
        held_out: int,
        tokens_per_step: int,
    ) -> None:
        self.config = config
        self.held_out = held_out / max(1, evaluated)
        self.evaluation_in_steps = FORWARD * evaluated / tokens_per_step
        self.counts = {"step": 0, "evaluation": 0, "sample": 0}
        self.seconds = dict.fromkeys(self.counts, 0.0)
        self.first = 0.0

    def add(self, kind: str, count: int, seconds: float) -> None:
        """Adds something that was done; the first steps do not count: they compile and allocate."""
        if kind == "step" and not self.first:
            self.first = seconds / count
            return
        self.counts[kind] += count
        self.seconds[kind] += seconds

    def seconds_left(self, step: int) -> float:
        """Returns the seconds until the end, in which nothing else will run."""
        config = self.config
        a_step = self._mean("step", self.first)
        an_evaluation = self._mean("evaluation", a_step * self.evaluation_in_steps)
        evaluations = _times(step, config.steps, config.evaluate_every) + self.held_out
        samples = _times(step, config.steps, config.sample_every)
        return (
            (config.steps - step) * a_step
            + evaluations * an_evaluation
            + samples * self._mean("sample", 0.0)
        )

    def _mean(self, kind: str, guess: float) -> float:
        return self.seconds[kind] / self.counts[kind] if self.counts[kind] else guess


def _times(step: int, steps: int, every: int) -> int:
    """Returns how often something is due after a step; the last step is always one."""
    return -(-steps // every) - step // every
