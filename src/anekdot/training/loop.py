"""The loop around the training step: evaluate, show, save, go on.

Letters: ``B`` rows, ``T`` positions.
"""

import dataclasses
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anekdot.bundle import Bundle
from anekdot.callbacks import Observer
from anekdot.corpus.shards import Shard
from anekdot.errors import ConfigurationError
from anekdot.evaluation.likelihood import Likelihood, likelihood
from anekdot.generation.generator import Generator
from anekdot.generation.torch_engine import TorchEngine
from anekdot.model.config import ModelConfig
from anekdot.model.transformer import IGNORED, Transformer
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.batches import Batches
from anekdot.training.checkpoints import (
    load_arrays,
    load_checkpoint,
    model_arrays,
    save_checkpoint,
)
from anekdot.training.config import TrainingConfig
from anekdot.training.hardware import autocast, keep_pages, pick_device, worth_compiling
from anekdot.training.interruption import interruption
from anekdot.training.metrics import append, forget_after, write_samples
from anekdot.training.optimizer import build_optimizer
from anekdot.training.schedule import learning_rate
from anekdot.training.step import train_step

STEPS_PER_RECORD = 10
SAMPLE_TOKENS = 200
INTERIM_TOKENS = 100_000  # of the validation side, while training; the end sees all of it


@dataclass
class Progress:
    """Where a run stands; what a checkpoint keeps besides the tensors."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best_bits_per_byte: float | None = None
    best_step: int = 0


@dataclass
class Run:
    """A training run in a folder, which is at the same time the bundle it makes.

    At the top of the folder stands the best model so far, always loadable; below ``run/``
    are checkpoints, metrics.jsonl and samples.md. Where a checkpoint is, the run goes on
    from it.

    Attributes:
        folder: The bundle.
        model_config: The model's shape.
        config: How it is trained.
        tokenizer: Of the shards.
        training_side: Documents to learn from.
        validation_side: Documents that choose the best model; may be empty.
        observe: Called with every record that goes into metrics.jsonl.
    """

    folder: Path
    model_config: ModelConfig
    config: TrainingConfig
    tokenizer: Tokenizer
    training_side: Shard
    validation_side: Shard
    observe: Observer = field(default=lambda record: None)

    def __post_init__(self) -> None:
        keep_pages()
        torch.manual_seed(self.config.seed)
        self.device = pick_device()
        self.model = Transformer(self.model_config).to(self.device)
        n_tokens = self.config.steps * self.config.batch_size * self.model_config.context_length
        compiled = worth_compiling(self.device, 6.0 * n_tokens * self.model_config.n_parameters)
        self.forward = torch.compile(self.model) if compiled else self.model
        self.optimizer = build_optimizer(self.model, self.config)
        self.batches = Batches(
            self.training_side,
            rows=self.config.rows,
            context_length=self.model_config.context_length,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            pad_id=self.tokenizer.pad_id,
        )
        self.generator = Generator(self.tokenizer, TorchEngine(self.model))
        self.progress = Progress()
        self.recent: list[tuple[Tensor, int, float]] = []
        self.checkpoints = self.folder / "run" / "checkpoints"
        self.metrics = self.folder / "run" / "metrics.jsonl"
        self.metrics.parent.mkdir(parents=True, exist_ok=True)

    def train(self) -> Likelihood | None:
        """Trains to the last step and returns the best model's validation likelihood.

        Without a validation side the last model counts as the best, and None is returned.

        Raises:
            KeyboardInterrupt: Ctrl-C came; a checkpoint of the last step has been saved.
        """
        self._start()
        self.model.train()
        with interruption(lambda: self._record("interruption")) as interrupted:
            while self.progress.step < self.config.steps:
                self._take_step()
                if self._due(self.config.evaluate_every):
                    self._evaluate()
                if self._due(self.config.sample_every):
                    self._show_sample()
                stop = interrupted.is_set()
                if self._due(self.config.checkpoint_every) or stop:
                    self._save_checkpoint()
                if stop:
                    raise KeyboardInterrupt
        return self._judge_best()

    def _due(self, every: int) -> bool:
        return self.progress.step % every == 0 or self.progress.step == self.config.steps

    def _start(self) -> None:
        """Goes on from the newest checkpoint, or puts the untrained bundle in place."""
        state = load_checkpoint(self.checkpoints, self.model, self.optimizer)
        if state is not None:
            self.progress = Progress(**state)
            forget_after(self.metrics, self.progress.step)
        else:
            self.metrics.unlink(missing_ok=True)
            self._bundle().save(self.folder)

    def _take_step(self) -> None:
        started = time.perf_counter()
        step = self.progress.step
        # dropout follows from (seed, step), so a resumed run draws the same masks
        torch.manual_seed(self.config.seed + (step << 20))
        ids_BT, targets_BT = map(torch.from_numpy, self.batches.batch(step))
        rate = learning_rate(
            step,
            highest=self.config.learning_rate,
            warmup_steps=self.config.warmup_steps,
            steps=self.config.steps,
        )
        loss = train_step(
            self.forward,
            self.optimizer,
            ids_BT.to(self.device),
            targets_BT.to(self.device),
            rate=rate,
            gradient_clip=self.config.gradient_clip,
            precision=autocast(self.device, self.config.precision),
        )
        tokens = int((targets_BT != IGNORED).sum())
        self.progress.step += 1
        self.progress.tokens += tokens
        self.recent.append((loss, tokens, time.perf_counter() - started))
        if self._due(STEPS_PER_RECORD):
            self._record_steps(rate)

    def _record_steps(self, rate: float) -> None:
        """Writes the mean of the steps since the last such record."""
        started = time.perf_counter()
        losses, tokens, durations = zip(*self.recent, strict=True)
        loss = torch.stack(losses).mean().item()  # waits for the device
        self._expect_finite(torch.tensor(loss))
        elapsed = sum(durations) + time.perf_counter() - started
        self.progress.seconds += elapsed
        self.recent.clear()
        self._record(
            "step",
            steps=self.config.steps,
            loss=loss,
            learning_rate=rate,
            tokens_per_second=sum(tokens) / elapsed,
            seconds=self.progress.seconds,
        )

    def _evaluate(self) -> None:
        """Measures the validation side, or its beginning, and keeps the best model."""
        self._expect_finite(*self.model.parameters())
        best = True
        if len(self.validation_side):
            result = self._likelihood(self._validation(INTERIM_TOKENS))
            best = result.bits_per_byte < (self.progress.best_bits_per_byte or math.inf)
            self._record(
                "evaluation",
                loss=result.loss,
                perplexity=result.perplexity,
                bits_per_byte=result.bits_per_byte,
                best=best,
            )
            if best:
                self.progress.best_bits_per_byte = result.bits_per_byte
        if best:
            self.progress.best_step = self.progress.step
            self._bundle().save_weights(self.folder)

    def _judge_best(self) -> Likelihood | None:
        """Loads the best model and measures it on the whole validation side."""
        load_arrays(self.model, Bundle.load(self.folder).weights)
        if not len(self.validation_side):
            return None
        return self._likelihood(self._validation(None))

    def _likelihood(self, documents: list[NDArray[np.integer]]) -> Likelihood:
        return likelihood(
            self.model,
            documents,
            self.tokenizer.token_lengths,
            autocast=autocast(self.device, self.config.precision),
        )

    def _validation(self, most_tokens: int | None) -> list[NDArray[np.integer]]:
        """Returns the validation documents, or the first of them up to so many tokens."""
        side = self.validation_side
        n_documents = len(side)
        if most_tokens is not None:
            n_documents = max(1, int(np.searchsorted(side.offsets, most_tokens)) - 1)
        return [side.document(number) for number in range(min(len(side), n_documents))]

    def _show_sample(self) -> None:
        sample = self.generator.generate(seed=self.progress.step, max_tokens=SAMPLE_TOKENS)
        self._record("sample", text=sample.text)
        write_samples(self.metrics, self.folder / "run" / "samples.md")

    def _save_checkpoint(self) -> None:
        self._expect_finite(*self.model.parameters())
        if self.recent:
            self._record_steps(self.optimizer.param_groups[0]["lr"])
        if not self.progress.best_step:  # nothing measured yet: trained beats untrained
            self._bundle().save_weights(self.folder)
        state = dataclasses.asdict(self.progress)
        save_checkpoint(self.checkpoints, state, self.model, self.optimizer)

    def _expect_finite(self, *tensors: Tensor) -> None:
        """Stops a run that went wrong before it saves anything of it."""
        if not all(bool(tensor.isfinite().all()) for tensor in tensors):
            raise ConfigurationError(
                f"The loss or the weights became infinite before step {self.progress.step}.",
                "Train into another folder with a lower --learning-rate, or with "
                "a --gradient-clip above 0.",
            )

    def _bundle(self) -> Bundle:
        weights = cast(dict[str, NDArray[np.generic]], model_arrays(self.model))
        origin = dataclasses.asdict(self.config)
        return Bundle(self.model_config, self.tokenizer, weights, origin)

    def _record(self, kind: str, **values: object) -> None:
        record = {"kind": kind, "step": self.progress.step, **values}
        append(self.metrics, record)
        self.observe(record)
