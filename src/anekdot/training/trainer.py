"""The loop around the training step: evaluate, show, save, go on.

Letters: ``B`` rows, ``T`` positions.
"""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from anekdot.atomic_files import disk_space_for
from anekdot.bundle import Bundle
from anekdot.callbacks import Notice, Observer
from anekdot.corpus.shards import Shard
from anekdot.errors import ConfigurationError
from anekdot.evaluation.likelihood import Likelihood, likelihood
from anekdot.generation.generator import Generator
from anekdot.generation.torch_engine import TorchEngine
from anekdot.model.config import ModelConfig
from anekdot.model.transformer import Transformer
from anekdot.model.weights import load_weights, model_weights
from anekdot.signals import interruption
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.batch_size_finder import find_micro_batch
from anekdot.training.batches import Batches
from anekdot.training.checkpoint.background_writer import BackgroundWriter
from anekdot.training.checkpoint.manager import BYTES, CheckpointManager
from anekdot.training.compilation import (
    autocast,
    compiled,
    keep_pages,
    peak_memory,
    pick_device,
    should_compile,
)
from anekdot.training.config import TrainingConfig
from anekdot.training.monitoring.eta import Clock
from anekdot.training.monitoring.metrics import METRICS, append, truncate_after, write_samples
from anekdot.training.monitoring.samples import describe_sample
from anekdot.training.monitoring.step_recorder import STEPS_PER_RECORD, Diverged, Steps
from anekdot.training.optimizer import build_optimizer
from anekdot.training.state import Progress

SAMPLE_TOKENS = 200
FIRST_SAMPLE = 15.0  # seconds after which there is one, whatever the rhythm
INTERIM_TOKENS = 100_000  # of the validation split, while training; the end sees all of it
MAX_ROLLBACKS = 3


@dataclass
class Trainer:
    """A training run in a folder, which is at the same time the bundle it makes.

    At the top of the folder stands the best model so far, always loadable; below ``run/``
    are checkpoints, metrics.jsonl and samples.md. Where a checkpoint is, the run goes on
    from it.

    Attributes:
        folder: The bundle.
        model_config: The model's shape.
        config: How it is trained.
        tokenizer: Of the shards.
        train_shard: Documents to learn from.
        validation_shard: Documents that choose the best model; may be empty.
        initial: The bundle whose weights the run begins with; else it begins with chance.
        place_of: Says where a training document came from.
        observe: Called with every record that goes into metrics.jsonl.
        notice: Told what a person may want to know.
    """

    folder: Path
    model_config: ModelConfig
    config: TrainingConfig
    tokenizer: Tokenizer
    train_shard: Shard
    validation_shard: Shard
    initial: Bundle | None = None
    place_of: Callable[[int], str] = str
    observe: Observer = field(default=lambda record: None)
    notice: Notice = field(default=lambda sentence: None)

    def __post_init__(self) -> None:
        keep_pages()
        torch.manual_seed(self.config.seed)
        self.device = pick_device()
        self.model = Transformer(self.model_config).to(self.device)
        if self.initial is not None:
            load_weights(self.model, self.initial.weights)
        n_tokens = self.config.steps * self.config.batch_size * self.model_config.context_length
        operations = 6.0 * n_tokens * self.model_config.n_parameters
        self.is_compiled = should_compile(self.device, operations)
        self.optimizer = build_optimizer(self.model, self.config)
        self.batches = Batches(
            self.train_shard,
            rows=self.config.rows,
            context_length=self.model_config.context_length,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            pad_id=self.tokenizer.pad_id,
            begin_id=self.tokenizer.begin_id,
        )
        self.generator = Generator(self.tokenizer, TorchEngine(self.model, poll=self._obey))
        self.loss_of = partial(self.model.loss, begin_id=self.batches.begin_id)
        self.steps = Steps(
            compiled(self.loss_of, self._do_without) if self.is_compiled else self.loss_of,
            self.optimizer,
            self.batches,
            self.config,
            token_lengths=self.tokenizer.token_lengths,
            device=self.device,
        )
        self.progress = Progress()
        self.metrics = self.folder / "run" / METRICS
        self.metrics.parent.mkdir(parents=True, exist_ok=True)

    def train(self) -> Likelihood | None:
        """Trains to the last step and returns the best model's validation likelihood.

        Without a validation split the last model counts as the best, and None is returned.

        Raises:
            KeyboardInterrupt: A signal asked to stop; a checkpoint has been saved.
            AnekdotError: The loss went wrong, or the disk did.
        """
        with (
            disk_space_for(BYTES * self.model_config.n_parameters, self.folder),
            BackgroundWriter() as self.writer,
            interruption(lambda: self._record("interruption")) as self.requests,
        ):
            self._start()
            self.model.train()
            while True:
                self._do_what_is_due()
                if self._is_over():
                    break
                self._take_step()
                self._obey()
                self.writer.check()
            self.writer.wait()
            return self._judge_best()

    def _start(self) -> None:
        """Goes on from the newest checkpoint, or puts the untrained bundle in place."""
        self.started = time.monotonic()
        self.keeper = CheckpointManager(
            self.folder,
            self.model,
            self.optimizer,
            kept=self.config.checkpoints_kept,
            writer=self.writer,
            notice=self.notice,
            device=f"{self.device.type}{', compiled' if self.is_compiled else ''}",
        )
        progress = self.keeper.load()
        if progress is None:
            self.metrics.unlink(missing_ok=True)
            self._bundle().save(self.folder)
        else:
            self._restore(progress)
            if not self.keeper.has_best():
                self._bundle().save(self.folder)
                self.progress.best_bits_per_byte = None
        if self.config.batch == "auto" and not self.progress.micro_batch:
            self._choose_micro_batch()
        self.clock = Clock(
            self.config,
            held_out=len(self.validation_shard.ids),
            interim=INTERIM_TOKENS,
            per_step=self.config.batch_size * self.model_config.context_length,
        )
        if progress is None and self.initial is not None:
            self._evaluate()  # what the run begins with is the first to beat
        if progress is None and self.is_compiled:
            self._show_sample()  # for the first step will take long

    def _do_without(self, error: Exception) -> None:
        """Says that compiling failed, unless it did because a signal ended the compiler too."""
        self._obey()
        self.is_compiled = False
        self.keeper.device = self.device.type
        cause = " ".join(str(error).split()) or type(error).__name__
        self.notice(f"Training goes on without torch.compile, more slowly: {cause[:200]}.")

    def _restore(self, progress: Progress) -> None:
        self.progress = progress
        self.steps.restore(progress)
        truncate_after(self.metrics, progress)

    def _choose_micro_batch(self) -> None:
        """Measures how many rows are best computed together."""
        ids_BT, targets_BT = map(torch.from_numpy, self.batches.batch(0))
        self.progress.micro_batch = find_micro_batch(
            self.loss_of,
            self.optimizer,
            ids_BT.to(self.device),
            targets_BT.to(self.device),
            precision=partial(autocast, self.device, self.config.precision),
            poll=self._obey,
        )
        self.notice(
            f"{self.progress.micro_batch} of {self.config.batch_size} rows are computed together, "
            "which is the fastest here."
        )

    def _do_what_is_due(self) -> None:
        step = self.progress.step
        if self._due(self.config.evaluate_every) and self.progress.evaluated < step:
            self._evaluate()
        if self.steps.taken and self._is_over():  # an early end
            self._record_steps()
        early = not self.progress.sampled and time.monotonic() - self.started > FIRST_SAMPLE
        if (self._due(self.config.sample_every) or early) and self.progress.sampled < step:
            self._show_sample()
        late = self.keeper.minutes > self.config.checkpoint_minutes
        if self._due(self.config.checkpoint_every) or late:
            self._save_checkpoint()

    def _due(self, every: int) -> bool:
        return self.progress.step % every == 0 or self._is_over()

    def _is_over(self) -> bool:
        patience = self.config.patience
        tired = patience > 0 and self.progress.worse >= patience
        return self.progress.step == self.config.steps or tired

    def _obey(self) -> None:
        """Does what signals have asked for: saves, and stops."""
        if self.requests.save or self.requests.stop:
            self.requests.save = False
            self._save_checkpoint()
            self.writer.wait()
            self.requests.raise_if_stopped()

    def _take_step(self) -> None:
        started = time.perf_counter()
        self.steps.take(self.progress)
        self.clock.add("step", time.perf_counter() - started)
        if self.progress.step % STEPS_PER_RECORD == 0 or self._is_over():
            self._record_steps()

    def _record_steps(self) -> None:
        try:
            for record in self.steps.records(self.progress):
                if record["kind"] == "step":
                    record["seconds_left"] = self.clock.seconds_left(self.progress.step)
                    record["memory"] = peak_memory(self.device)
                self._record(**record)
        except Diverged:
            self._go_back()

    def _go_back(self) -> None:
        """Returns to the newest checkpoint with half the learning rate.

        Raises:
            ConfigurationError: That has been done often enough.
        """
        now = self.progress
        if now.ways_back == MAX_ROLLBACKS:
            documents = self.batches.documents(now.step - 1)
            raise ConfigurationError(
                f"The loss or the weights became infinite before step {now.step}, also at "
                f"{now.rate_scale:g} of the learning rate; the last batch had "
                f"{', '.join(map(self.place_of, documents))}.",
                "Train into another folder with a lower --learning-rate, or with "
                "a --gradient-clip above 0.",
            )
        progress = self.keeper.load()
        assert progress is not None, "the first checkpoint stands before the first step"
        self._restore(progress)
        best = {name: getattr(now, name) for name in ("best_bits_per_byte", "best_step")}
        scale, ways = now.rate_scale / 2, now.ways_back + 1
        self.progress = dataclasses.replace(self.progress, **best, rate_scale=scale, ways_back=ways)
        self._record("return", rate_scale=scale, after=now.step)

    def _evaluate(self) -> None:
        """Measures the validation split, or its beginning, and keeps the best model."""
        if not self.steps.are_finite():
            self._go_back()
            return
        started = time.perf_counter()
        best = True
        if len(self.validation_shard):
            result = self._likelihood(INTERIM_TOKENS)
            before = self.progress.best_bits_per_byte
            best = before is None or result.bits_per_byte < before
            self._record(
                "evaluation",
                loss=result.loss,
                perplexity=result.perplexity,
                bits_per_byte=result.bits_per_byte,
                best=best,
            )
            self.progress.worse = 0 if best else self.progress.worse + 1
            if best:
                self.progress.best_bits_per_byte = result.bits_per_byte
        if best:
            self.progress.best_step = self.progress.step
            self.keeper.save_best(self._bundle())
        self.progress.evaluated = self.progress.step
        self.clock.add("evaluation", time.perf_counter() - started)

    def _judge_best(self) -> Likelihood | None:
        """Loads the best model and measures it on the whole validation split."""
        load_weights(self.model, Bundle.load(self.folder).weights)
        if not len(self.validation_shard):
            return None
        return self._likelihood()

    def _likelihood(self, most_tokens: int | None = None) -> Likelihood:
        return likelihood(
            self.model,
            self.validation_shard.documents(most_tokens),
            self.tokenizer.token_lengths,
            autocast=autocast(self.device, self.config.precision),
            progress=lambda *_: self._obey(),
        )

    def _show_sample(self) -> None:
        started = time.perf_counter()
        sample = self.generator.generate(seed=self.progress.step, max_tokens=SAMPLE_TOKENS)
        self._record("sample", **describe_sample(sample.text, self.tokenizer, self.train_shard))
        write_samples(self.metrics, self.folder / "run" / "samples.md")
        self.progress.sampled = self.progress.step
        self.clock.add("sample", time.perf_counter() - started)

    def _save_checkpoint(self) -> None:
        if not self.steps.are_finite():
            self._go_back()
            return
        measured = self.progress.best_bits_per_byte is not None or self.progress.best_step
        if self.progress.step and not measured:  # trained beats untrained
            self.keeper.save_best(self._bundle())
        self.progress.pending = self.steps.pending()
        self.keeper.save(self.progress)

    def _bundle(self) -> Bundle:
        weights = cast(dict[str, NDArray[np.generic]], model_weights(self.model))
        origin = dataclasses.asdict(self.config)
        return Bundle(self.model_config, self.tokenizer, weights, origin)

    def _record(self, kind: str, **values: object) -> None:
        record = {"kind": kind, "step": self.progress.step, **values}
        append(self.metrics, record)
        self.observe(record)
