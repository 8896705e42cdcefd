"""What training each preset on a prepared folder will take, and whether the texts suffice."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Literal

from anekdot.bundle import TOKENIZER
from anekdot.callbacks import Notice
from anekdot.config import resolve
from anekdot.corpus.manifest import Manifest
from anekdot.corpus.shards import Shard
from anekdot.errors import require
from anekdot.machine import limit_spinning, retain_freed_memory
from anekdot.model.config import PRESETS
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.config import TrainingConfig

if TYPE_CHECKING:
    from anekdot.training.setup import Setup

Risk = Literal["low", "middle", "high"]

FEW_EPOCHS, MANY_EPOCHS = 4, 16
MIN_TOKENS_PER_PARAMETER, MAX_TOKENS_PER_PARAMETER = 0.1, 8  # between which the epochs decide
MAX_SECONDS = 86_400  # of a training that is advised


@dataclass(frozen=True, kw_only=True)
class Row:
    """What training a preset under the default recipe will take.

    Attributes:
        preset: Its name.
        parameters: Trainable numbers in the model.
        tokens: Ids of the training split.
        tokens_per_parameter: The same for each parameter.
        steps: Optimizer steps.
        epochs: How often every text is seen.
        risk: Of memorising texts, see ``risk_of_memorising``.
        reason: Why the risk is that high, in a few words.
        seconds_per_step: Of an optimizer step on this machine.
        seconds: Of all steps; evaluations, a few percent more, are left out, and so is what a
            long run wins by being compiled.
    """

    preset: str
    parameters: int
    tokens: int
    tokens_per_parameter: float
    steps: int
    epochs: float
    risk: Risk
    reason: str
    seconds_per_step: float
    seconds: float


def forecast(folder: Path | str, seconds: float = 10.0, notice: Notice | None = None) -> list[Row]:
    """Predicts the training of every preset under the default recipe.

    Args:
        folder: A folder that ``prepare`` made.
        seconds: How long to measure, all presets together; a slow machine may need longer for
            the first steps of the largest.
        notice: Receives what is about to be done, and how long it takes.

    Raises:
        MissingExtra: PyTorch is not installed.
        CorpusError: The folder is not a prepared one, or its training split is empty.
    """
    folder = Path(folder)
    require("anekdot forecast", "train", "torch")
    Manifest.load(folder)
    limit_spinning()
    shard = Shard.open(folder, "train")
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    if notice:
        notice(f"Training each preset for a moment, about {seconds:g} seconds in all.")
    return [_predict(preset, shard, tokenizer, seconds / len(PRESETS)) for preset in PRESETS]


def _predict(preset: str, shard: Shard, tokenizer: Tokenizer, seconds: float) -> Row:
    from anekdot.training.setup import set_up  # noqa: PLC0415 (torch is optional)

    tokens = len(shard.ids)
    resolved = resolve("default", preset).with_corpus_defaults(
        documents=len(shard), tokens=tokens, vocab_size=tokenizer.vocab_size
    )
    shape, config = resolved.model, resolved.training
    setup = set_up(shape, config, tokenizer, shard)
    epochs = config.steps * config.batch_size / setup.batches.rows_per_epoch
    risk, reason = risk_of_memorising(shape.n_parameters, tokens, epochs)
    seconds_per_step = _measure(setup, config, seconds)
    return Row(
        preset=preset,
        parameters=shape.n_parameters,
        tokens=tokens,
        tokens_per_parameter=tokens / shape.n_parameters,
        steps=config.steps,
        epochs=epochs,
        risk=risk,
        reason=reason,
        seconds_per_step=seconds_per_step,
        seconds=seconds_per_step * config.steps,
    )


def risk_of_memorising(parameters: int, tokens: int, epochs: float) -> tuple[Risk, str]:
    """Judges whether a model will learn its texts by heart, and says why.

    Two things are needed for that: texts that are seen often, and room for them. Up to about 4
    epochs repeated tokens are worth nearly as much as new ones, and after about 16 the worth of
    another epoch has faded (Muennighoff et al. 2023, "Scaling Data-Constrained Language
    Models"). A parameter holds about 3.6 bits (Morris et al. 2025, "How much do language models
    memorize?") and a token of a short text carries some 4 bits that cannot be guessed, so a
    model with as many parameters as there are tokens has room for nearly all of them.

    The rule of thumb: low up to 4 epochs, or with at least 8 tokens a parameter; high with less
    than a token a parameter and more than 16 epochs, or with less than a tenth of a token;
    middle otherwise.

    Args:
        parameters: Of the model.
        tokens: Of the training split.
        epochs: How often every text is seen.

    >>> risk_of_memorising(500_000, 5_000_000, 8.0)
    ('low', 'too small to hold the texts')
    """
    ratio = tokens / parameters
    if epochs <= FEW_EPOCHS:
        return "low", "sees every text a few times only"
    if ratio >= MAX_TOKENS_PER_PARAMETER:
        return "low", "too small to hold the texts"
    if ratio < MIN_TOKENS_PER_PARAMETER:
        return "high", "has room for all texts many times over"
    if ratio < 1 and epochs > MANY_EPOCHS:
        return "high", "has room for all texts and sees them very often"
    return "middle", "has room for many texts and sees them often"


def advice(rows: list[Row]) -> str:
    """Says which preset fits: the largest without a high risk that trains within a day."""
    fitting = [row for row in rows if row.risk != "high" and row.seconds <= MAX_SECONDS]
    if fitting:
        best = fitting[-1]
        return f"{best.preset} fits best: its risk of memorising is {best.risk}."
    best = rows[0]
    if best.risk == "high":
        return f"{best.preset} fits best, but it {best.reason}: bring more texts."
    return f"{best.preset} fits best, but takes more than a day: train it on a faster machine."


def _measure(setup: "Setup", config: TrainingConfig, seconds: float) -> float:
    """Returns the seconds of a training step, measured for about as long as is allowed.

    A step of a large model can take longer than that. So the first steps have a single row, the
    very first of them does not count, nor does its time, and each after them has twice as many
    rows as the one before while there is time. A whole step follows from those with the fewest
    and most rows.
    """
    step = _stepper(setup, config)
    step(1)
    started = time.perf_counter()  # importing PyTorch may take as long as all measurements
    rows, single = 1, step(1)
    durations = [single]
    while True:
        larger = min(2 * rows, config.batch_size)
        expected = durations[-1] * larger / rows
        if time.perf_counter() - started + expected >= seconds:
            break
        if larger > rows:
            rows, durations = larger, []
        durations.append(step(rows))
    several = median(durations)
    per_row = max(0.0, several - single) / (rows - 1) if rows > 1 else single
    return several + per_row * (config.batch_size - rows)


def _stepper(setup: "Setup", config: TrainingConfig) -> Callable[[int], float]:
    """Returns a function that trains with some rows of a batch and returns the seconds it took."""
    import torch  # noqa: PLC0415 (optional)

    from anekdot.device import autocast  # noqa: PLC0415
    from anekdot.training.train_step import train_step  # noqa: PLC0415

    retain_freed_memory()
    numbers = count()

    def step(rows: int) -> float:
        started = time.perf_counter()
        batch = setup.batches.batch(next(numbers))
        outcome = train_step(
            setup.loss_of,
            setup.optimizer,
            *(torch.from_numpy(ids[:rows]).to(setup.device) for ids in batch),
            micro_batch=rows,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            gradient_clip=config.gradient_clip,
            precision=partial(autocast, setup.device, setup.precision),
        )
        outcome.loss.item()  # waits for the device
        return time.perf_counter() - started

    return step
