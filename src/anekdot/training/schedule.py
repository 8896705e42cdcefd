"""The learning rate as a pure function of the step."""

from anekdot.training.config import TrainingConfig


def scheduled_rate(config: TrainingConfig, step: int) -> float:
    """Returns the learning rate of the step that follows so many steps."""
    return learning_rate(
        step,
        highest=config.learning_rate,
        warmup_steps=config.warmup_steps,
        steps=config.steps,
    )


def learning_rate(step: int, *, highest: float, warmup_steps: int, steps: int) -> float:
    """Linear warm-up, then linear decay to exactly zero.

    Args:
        step: Optimizer steps already taken, from 0.
        highest: The rate at the end of the warm-up.
        warmup_steps: Steps of rising.
        steps: Steps of the whole run; at this many the rate is zero.

    >>> [learning_rate(s, highest=1.0, warmup_steps=2, steps=6) for s in range(7)]
    [0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if step < warmup_steps:
        return highest * (step + 1) / warmup_steps
    return highest * max(0.0, (steps - step) / max(1, steps - warmup_steps))
