"""The learning rate, and the decay of the weights, as pure functions of the step."""

from anekdot.training.config import TrainingConfig


def scheduled_rate(config: TrainingConfig, step: int) -> float:
    """Returns the learning rate of the step that follows so many steps."""
    return learning_rate(
        step,
        highest=config.learning_rate,
        warmup_steps=config.warmup_steps,
        decay_start=decay_start(config),
        steps=config.steps,
    )


def scheduled_decay(config: TrainingConfig, step: int) -> float:
    """Returns AdamW's decay of the matrices in the step that follows so many steps."""
    if config.weight_decay_schedule == "constant":
        return config.weight_decay
    return learning_rate(
        step,
        highest=config.weight_decay,
        warmup_steps=0,
        decay_start=decay_start(config),
        steps=config.steps,
    )


def decay_start(config: TrainingConfig) -> int:
    """Returns the step from which the learning rate falls.

    Up to it a run with ``schedule = "wsd"`` does not depend on its length, so from there it can
    be prolonged.
    """
    if config.schedule == "linear":
        return config.warmup_steps
    return config.steps - round(config.decay_share * config.steps)


def learning_rate(
    step: int, *, highest: float, warmup_steps: int, steps: int, decay_start: int | None = None
) -> float:
    """Linear warm-up, a constant rate, then linear decay to exactly zero.

    Args:
        step: Optimizer steps already taken, from 0.
        highest: The rate at the end of the warm-up.
        warmup_steps: Steps of rising.
        steps: Steps of the whole run; at this many the rate is zero.
        decay_start: The step from which it falls: right after the warm-up unless given.

    Source: Hu et al. 2024, "MiniCPM", section 4 (warm-up, stable, decay).

    >>> [learning_rate(s, highest=1.0, warmup_steps=2, steps=6) for s in range(7)]
    [0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    >>> [learning_rate(s, highest=1.0, warmup_steps=2, steps=6, decay_start=4) for s in range(7)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0]
    """
    if step < warmup_steps:
        return highest * (step + 1) / warmup_steps
    start = warmup_steps if decay_start is None else decay_start
    return highest * min(1.0, max(0.0, (steps - step) / max(1, steps - start)))
