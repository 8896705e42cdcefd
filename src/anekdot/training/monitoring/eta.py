"""How long a run will go on: steps, evaluations and samples, each by what it has taken."""

from anekdot.training.config import TrainingConfig

REMEMBERED = 0.99  # of what earlier steps count for, step by step: others may work here too
FORWARD = 1 / 3  # of the time of a step, which goes forward and twice as long back


class Clock:
    """Sums up what has been done since this process began, to tell what is left.

    Args:
        config: The rhythm.
        held_out: Tokens of the validation split, all of which are scored at the end.
        interim: Most of them that are scored in between.
        per_step: Tokens of a step.
    """

    def __init__(
        self, config: TrainingConfig, *, held_out: int, interim: int, per_step: int
    ) -> None:
        self.config = config
        evaluated = min(held_out, interim)
        self.at_the_end = held_out / max(1, evaluated)
        self.evaluation_in_steps = FORWARD * evaluated / per_step
        self.counts = dict.fromkeys(("step", "evaluation", "sample"), 0.0)
        self.seconds = dict.fromkeys(self.counts, 0.0)
        self.first = 0.0

    def add(self, kind: str, seconds: float) -> None:
        """Adds something that was done; the first step does not count: it may compile."""
        if kind == "step" and not self.first:
            self.first = seconds
            return
        remembered = REMEMBERED if kind == "step" else 1.0
        self.counts[kind] = self.counts[kind] * remembered + 1
        self.seconds[kind] = self.seconds[kind] * remembered + seconds

    def seconds_left(self, step: int) -> float:
        """Returns the seconds from a step, before what is due after it, until the end."""
        config = self.config
        a_step = self._mean("step", self.first)
        an_evaluation = self._mean("evaluation", a_step * self.evaluation_in_steps)
        evaluations = _times(step, config.steps, config.evaluate_every) + self.at_the_end
        samples = _times(step, config.steps, config.sample_every)
        return (
            (config.steps - step) * a_step
            + evaluations * an_evaluation
            + samples * self._mean("sample", 0.0)
        )

    def _mean(self, kind: str, guess: float) -> float:
        return self.seconds[kind] / self.counts[kind] if self.counts[kind] else guess


def _times(step: int, steps: int, every: int) -> int:
    """Returns how often something is due from a step on; the last step is always one."""
    return -(-steps // every) - max(0, step - 1) // every
