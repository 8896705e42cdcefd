"""What training each preset on a prepared folder will take, and whether the texts suffice."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Literal

from anekdot.bundle import TOKENIZER
from anekdot.config import build, fill_up, resolve
from anekdot.corpus.manifest import Manifest
from anekdot.corpus.shards import Shard
from anekdot.errors import require
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.config import TrainingConfig

if TYPE_CHECKING:
    from anekdot.training.batches import Batches

Risk = Literal["low", "middle", "high"]

FEW_EPOCHS, MANY_EPOCHS = 4, 16
SCARCE, PLENTY = 0.1, 8  # tokens a parameter
DAY = 86_400  # seconds, the longest training that is advised


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


def forecast(folder: Path | str, seconds: float = 10.0) -> list[Row]:
    """Predicts the training of every preset under the default recipe.

    Args:
        folder: A folder that ``prepare`` made.
        seconds: How long to measure, all presets together; a slow machine may need longer for
            the first steps of the largest.

    Raises:
        MissingExtra: PyTorch is not installed.
        CorpusError: The folder is not a prepared one, or its training split is empty.
    """
    folder = Path(folder)
    require("anekdot forecast", "train", "torch")
    Manifest.load(folder)
    # PyTorch's threads shall not wait busily for one that another program displaced
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    learned = Shard.open(folder, "train")
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    return [_predict(preset, learned, tokenizer, seconds / len(PRESETS)) for preset in PRESETS]


def _predict(preset: str, learned: Shard, tokenizer: Tokenizer, seconds: float) -> Row:
    from anekdot.training.batches import Batches  # noqa: PLC0415 (torch is optional)

    settled, asked = resolve("default", preset)
    settled = fill_up(settled, asked, documents=len(learned), tokens=len(learned.ids))
    shape = build(ModelConfig, {**settled, "vocab_size": tokenizer.vocab_size})
    config = build(TrainingConfig, settled)
    batches = Batches(
        learned,
        rows=config.rows,
        context_length=shape.context_length,
        batch_size=config.batch_size,
        seed=config.seed,
        pad_id=tokenizer.pad_id,
        begin_id=tokenizer.begin_id,
    )
    tokens, epochs = len(learned.ids), config.steps * config.batch_size / batches.rows_per_epoch
    risk, reason = risk_of_memorising(shape.n_parameters, tokens, epochs)
    seconds_per_step = _measure(shape, config, batches, seconds)
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
    if ratio >= PLENTY:
        return "low", "too small to hold the texts"
    if ratio < SCARCE:
        return "high", "has room for all texts many times over"
    if ratio < 1 and epochs > MANY_EPOCHS:
        return "high", "has room for all texts and sees them very often"
    return "middle", "has room for many texts and sees them often"


def advice(rows: list[Row]) -> str:
    """Says which preset fits: the largest without a high risk that trains within a day."""
    fitting = [row for row in rows if row.risk != "high" and row.seconds <= DAY]
    if fitting:
        best = fitting[-1]
        return f"{best.preset} fits best: its risk of memorising is {best.risk}."
    best = rows[0]
    if best.risk == "high":
        return f"{best.preset} fits best, but it {best.reason}: bring more texts."
    return f"{best.preset} fits best, but takes more than a day: train it on a faster machine."


def _measure(
    shape: ModelConfig, config: TrainingConfig, batches: "Batches", seconds: float
) -> float:
    """Returns the seconds of a training step, measured for about as long as is allowed.

    Of a large model a step can take longer than that. So the first steps have a single row, the
    very first of them does not count, nor does its time, and each after them has twice as many
    rows as the one before while there is time. A whole step follows from those with the fewest
    and most rows.
    """
    step = _stepper(shape, config, batches)
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
    a_row = max(0.0, several - single) / (rows - 1) if rows > 1 else single
    return several + a_row * (config.batch_size - rows)


def _stepper(
    shape: ModelConfig, config: TrainingConfig, batches: "Batches"
) -> Callable[[int], float]:
    """Returns a function that trains a new model by one step and returns how long it took.

    Its argument is how many rows of a batch the step takes.
    """
    import torch  # noqa: PLC0415 (optional)

    from anekdot.model.transformer import Transformer  # noqa: PLC0415
    from anekdot.training.compilation import autocast, keep_pages, pick_device  # noqa: PLC0415
    from anekdot.training.optimizer import build_optimizer  # noqa: PLC0415
    from anekdot.training.train_step import train_step  # noqa: PLC0415

    keep_pages()
    device = pick_device()
    model = Transformer(shape).to(device).train()
    loss_of = partial(model.loss, begin_id=batches.begin_id)
    optimizer = build_optimizer(model, config)
    numbers = count()

    def step(rows: int) -> float:
        started = time.perf_counter()
        batch = (torch.from_numpy(ids[:rows]).to(device) for ids in batches.batch(next(numbers)))
        loss, _ = train_step(
            loss_of,
            optimizer,
            *batch,
            micro_batch=rows,
            rate=config.learning_rate,
            gradient_clip=config.gradient_clip,
            precision=partial(autocast, device, config.precision),
        )
        loss.item()  # waits for the device
        return time.perf_counter() - started

    return step
