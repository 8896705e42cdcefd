"""The trainer: for each step, batch → train_step → record → callbacks.

Letters: ``B`` rows, ``T`` positions.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from functools import partial

import torch

from anekdot.atomic_files import disk_space_for
from anekdot.bundle import Bundle
from anekdot.callbacks import Notice, Observer, tell
from anekdot.corpus.shards import Shard
from anekdot.device import autocast
from anekdot.evaluation.likelihood import Likelihood
from anekdot.generation.generator import Generator
from anekdot.generation.torch_engine import TorchEngine
from anekdot.machine import retain_freed_memory
from anekdot.model.config import ModelConfig
from anekdot.model.transformer import IGNORE_INDEX
from anekdot.model.weights import model_weights
from anekdot.run_folder import RunFolder
from anekdot.signals import SignalRequests, deferred_signals
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.averaging import update_average
from anekdot.training.batch_size_finder import find_micro_batch
from anekdot.training.batches import Batch
from anekdot.training.checkpoint.background_writer import BackgroundWriter
from anekdot.training.checkpoint.manager import CheckpointManager
from anekdot.training.compilation import CompilableLoss, should_compile
from anekdot.training.config import TrainingConfig
from anekdot.training.monitoring.diagnosis import divergence
from anekdot.training.monitoring.eta import Eta
from anekdot.training.monitoring.metrics import append, truncate_after
from anekdot.training.monitoring.samples import describe_sample, write_samples
from anekdot.training.monitoring.step_recorder import STEPS_PER_RECORD, Diverged, StepRecorder
from anekdot.training.optimizer import is_finite
from anekdot.training.schedule import scheduled_decay, scheduled_rate
from anekdot.training.setup import set_up
from anekdot.training.state import BUNDLE_FIELDS, TrainingState
from anekdot.training.train_step import train_step
from anekdot.training.validation import INTERIM_TOKENS, Validation

SAMPLE_TOKENS = 200
FIRST_SAMPLE_SECONDS = 15.0  # after which there is one, however rare they are
MAX_ROLLBACKS = 3


class Trainer:
    """Trains a model in a run folder, or goes on from the newest checkpoint there.

    The constructor touches neither disk nor global state; ``train`` does.

    Args:
        run: Where the run is kept; its bundle is always the best model so far.
        model_config: The model's shape.
        config: How it is trained.
        tokenizer: Of the shards.
        train_shard: Documents to learn from.
        validation_shard: Documents that choose the best model; may be empty.
        base: The bundle whose weights the run starts from; random ones without it.
        source_of: Says where a training document came from.
        observers: Called with every record that goes into metrics.jsonl.
        notice: Receives what a person may want to know.
    """

    def __init__(
        self,
        run: RunFolder,
        model_config: ModelConfig,
        config: TrainingConfig,
        *,
        tokenizer: Tokenizer,
        train_shard: Shard,
        validation_shard: Shard,
        base: Bundle | None = None,
        source_of: Callable[[int], str] = str,
        observers: Sequence[Observer] = (),
        notice: Notice = lambda sentence: None,
    ) -> None:
        self.run, self.config, self.tokenizer, self.base = run, config, tokenizer, base
        self.train_shard, self.source_of = train_shard, source_of
        self.observers, self.notice = [*observers], notice
        self.setup = set_up(model_config, config, tokenizer, train_shard, base)
        self.device, self.model, self.optimizer, self.batches, loss_of = self.setup[:5]
        self.loss_of = CompilableLoss(loss_of, on_failure=self._fall_back_to_eager)
        self.state = TrainingState()
        self.signals, poll = SignalRequests(), self._handle_signals
        self.generator = Generator(tokenizer, TorchEngine(self.setup.averaged, poll=poll))
        self.validation = Validation(self.setup, config, validation_shard, tokenizer, poll)
        self.eta = Eta(
            config,
            validation_tokens=len(validation_shard.ids),
            interim_tokens=INTERIM_TOKENS,
            tokens_per_step=config.batch_size * model_config.context_length,
        )
        self.recorder = StepRecorder(config, self.batches.rows_per_epoch, self.eta, self.device)
        self.writer = BackgroundWriter()
        self.checkpoints = CheckpointManager(
            run,
            self.setup,
            config,
            writer=self.writer,
            notice=notice,
            describe_device=lambda: self.device.type + ", compiled" * self.loss_of.is_compiled,
        )
        self.started = time.monotonic()

    def train(self) -> Likelihood | None:
        """Trains to the last step and returns the best model's validation likelihood.

        Without a validation split the last model counts as the best, and None is returned.

        Raises:
            KeyboardInterrupt: A signal asked to stop; a checkpoint has been saved.
            AnekdotError: The loss stays infinite, or the disk failed.
        """
        with (
            disk_space_for(self.checkpoints.size, self.run.bundle),
            self.writer,
            deferred_signals(on_stop=lambda: self._log("interruption")) as self.signals,
        ):
            self._resume_or_begin()
            self._run_callbacks()
            while not self._is_over():
                batch = self.batches.batch(self.state.step)
                self._train_step(batch)
                self._record_steps()
                self._handle_signals()
                self.writer.check()
                self._run_callbacks()
            self.writer.wait()
            return self.validation.final(Bundle.load(self.run.bundle))

    def _train_step(self, batch: Batch) -> None:
        """Takes one step and adds its result to those that have no record yet."""
        state, started = self.state, time.perf_counter()
        # dropout follows from (seed, step), so a resumed run draws the same masks
        torch.manual_seed(self.config.seed + (state.step << 20))
        ids_BT, targets_BT = batch
        targets = targets_BT[targets_BT != IGNORE_INDEX]
        outcome = train_step(
            self.loss_of,
            self.optimizer,
            torch.from_numpy(ids_BT).to(self.device),
            torch.from_numpy(targets_BT).to(self.device),
            micro_batch=state.micro_batch or self.config.batch_size,
            learning_rate=state.lr_scale * scheduled_rate(self.config, state.step),
            weight_decay=scheduled_decay(self.config, state.step),
            gradient_clip=self.config.gradient_clip,
            max_loss=state.spike_threshold() if self.config.skip_spikes else math.inf,
            precision=partial(autocast, self.device, self.setup.precision),
            loss_scale=state.loss_scale if self.setup.precision == "fp16" else None,
        )
        if self.config.ema_decay:
            update_average(self.setup.averaged, self.model, self.config.ema_decay, state.step + 1)
        n_bytes = int(self.tokenizer.token_lengths[targets].sum())
        if (state.step + 1) % STEPS_PER_RECORD == 0:
            outcome.loss.item()  # waits for the device
        seconds = time.perf_counter() - started
        state.add(outcome, targets.size, n_bytes, seconds)
        self.eta.add("step", seconds)

    def _record_steps(self) -> None:
        """Records the steps since the last record, every ten steps and at the end."""
        if not self.state.unrecorded or (
            self.state.step % STEPS_PER_RECORD and not self._is_over()
        ):
            return
        try:
            for record in self.recorder.records(self.state):
                self._log(**record)
        except Diverged:
            self._roll_back()

    def _run_callbacks(self) -> None:
        """Evaluates, shows a sample and saves a checkpoint where that is due."""
        if (
            self._is_due(self.config.evaluate_every)
            and self.state.last_evaluation < self.state.step
        ):
            self._evaluate()
        self._record_steps()  # where the evaluation has ended the run early
        seconds = time.monotonic() - self.started
        is_first = not self.state.last_sample and seconds > FIRST_SAMPLE_SECONDS
        is_due = self._is_due(self.config.sample_every) or is_first
        if is_due and self.state.last_sample < self.state.step:
            self._show_sample()
        is_late = self.checkpoints.minutes_since_save > self.config.checkpoint_minutes
        is_fork = self.state.step == self.checkpoints.fork
        if self._is_due(self.config.checkpoint_every) or is_late or is_fork:
            self._save_checkpoint()

    def _is_due(self, every: int) -> bool:
        return self.state.step % every == 0 or self._is_over()

    def _is_over(self) -> bool:
        """Whether the last step is taken, or patience has run out."""
        patience = self.config.patience
        no_progress = patience > 0 and self.state.evaluations_since_best >= patience
        return self.state.step >= self.config.steps or no_progress

    def _handle_signals(self) -> None:
        """Does what signals have asked for: saves, and stops."""
        if self.signals.save or self.signals.stop:
            self.signals.save = False
            self._save_checkpoint()
            self.writer.wait()
            self.signals.raise_if_stopped()

    def _resume_or_begin(self) -> None:
        """Goes on from the newest checkpoint, or puts the untrained bundle in place."""
        self.started = time.monotonic()
        retain_freed_memory()
        self.run.run.mkdir(parents=True, exist_ok=True)
        self.checkpoints.check_disk_space()
        if should_compile(self.setup, self.config):
            self.loss_of.compile()
        state = self.checkpoints.load()
        if state is None:
            self.checkpoints.begin(self._bundle())
        else:
            self.state = state
            self.checkpoints.restore(state, self._bundle())
        if self.config.batch == "auto" and not self.state.micro_batch:
            self.state.micro_batch = find_micro_batch(
                self.setup, self.notice, poll=self._handle_signals
            )
        if state is None and self.base is not None:
            self._evaluate()  # the base is the first model to beat
        if state is None and self.loss_of.is_compiled:
            self._show_sample()  # for the first step will take long

    def _fall_back_to_eager(self, error: Exception) -> None:
        """Says that compiling failed, unless a signal ended the compiler along with us."""
        self._handle_signals()
        cause = " ".join(str(error).split()) or type(error).__name__
        self.notice(f"Training goes on without torch.compile, more slowly: {cause[:200]}.")

    def _roll_back(self) -> None:
        """Returns to the newest checkpoint with half the learning rate.

        Raises:
            ConfigurationError: That has been done often enough.
        """
        now = self.state
        if now.rollbacks >= MAX_ROLLBACKS:
            raise divergence(now, map(self.source_of, self.batches.documents(now.step - 1)))
        state = self.checkpoints.load()
        assert state is not None, "the first checkpoint stands before the first step"
        self.state = state
        truncate_after(self.run.metrics, state)
        for name in BUNDLE_FIELDS:
            setattr(state, name, getattr(now, name))
        self.state.lr_scale, self.state.rollbacks = now.lr_scale / 2, now.rollbacks + 1
        self._log("return", rate_scale=self.state.lr_scale, after=now.step)

    def _evaluate(self) -> None:
        """Measures the validation split, or a part of it, and keeps the best model."""
        if not is_finite(self.optimizer):
            self._roll_back()
            return
        with self.eta.timed("evaluation"):
            record, is_best = self.validation.interim(self.state)
            if record is not None:
                self._log("evaluation", **record)
            if is_best:
                self.checkpoints.save_best(self._bundle(), self.state)

    def _show_sample(self) -> None:
        with self.eta.timed("sample"):
            sample = self.generator.generate(seed=self.state.step, max_tokens=SAMPLE_TOKENS)
            self._log("sample", **describe_sample(sample.text, self.tokenizer, self.train_shard))
            write_samples(self.run.metrics, self.run.samples)
            self.state.last_sample = self.state.step

    def _save_checkpoint(self) -> None:
        if not is_finite(self.optimizer):
            self._roll_back()
            return
        is_measured = self.state.best_bits_per_byte is not None or self.state.best_step
        if self.state.step and not is_measured:  # trained beats untrained
            self.checkpoints.save_best(self._bundle(), self.state)
        self.checkpoints.save(self.state)

    def _bundle(self) -> Bundle:
        training = dataclasses.asdict(self.config)
        return Bundle(
            self.model.config, self.tokenizer, model_weights(self.setup.averaged), training
        )

    def _log(self, kind: str, **values: object) -> None:
        record = {"kind": kind, "step": self.state.step, **values}
        append(self.run.metrics, record)
        for error in tell(self.observers, record):
            self._log("display", error=error.strerror or str(error))
