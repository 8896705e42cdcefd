"""The loop around the training step: evaluate, show, save, go on.

Letters: ``B`` rows, ``T`` positions.
"""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anekdot.bundle import Bundle
from anekdot.callbacks import Notice, Observer
from anekdot.corpus.shards import Shard
from anekdot.errors import BundleError, ConfigurationError
from anekdot.evaluation.likelihood import Likelihood, likelihood
from anekdot.generation.generator import Generator
from anekdot.generation.torch_engine import TorchEngine
from anekdot.model.config import ModelConfig
from anekdot.model.transformer import IGNORED, Transformer
from anekdot.store import check_room, room_for
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.batches import Batches
from anekdot.training.checkpoints import (
    checkpoints,
    load_arrays,
    load_checkpoint,
    model_arrays,
    save_checkpoint,
    snapshot,
)
from anekdot.training.config import TrainingConfig
from anekdot.training.hardware import (
    autocast,
    keep_pages,
    memory_used,
    pick_device,
    worth_compiling,
)
from anekdot.training.interruption import Requests, interruption
from anekdot.training.metrics import append, forget_after, write_samples
from anekdot.training.micro_batch import fastest_micro_batch
from anekdot.training.optimizer import build_optimizer
from anekdot.training.progress import REMEMBERED, Progress
from anekdot.training.samples import describe_sample
from anekdot.training.schedule import learning_rate
from anekdot.training.step import train_step
from anekdot.training.time_left import Clock
from anekdot.training.writing import Writer

STEPS_PER_RECORD = 10
SAMPLE_TOKENS = 200
FIRST_SAMPLE = 15.0  # seconds after which there is one, whatever the rhythm
INTERIM_TOKENS = 100_000  # of the validation side, while training; the end sees all of it
MOST_BAD_STEPS = 3  # in a row, before the run goes back to a checkpoint
MOST_WAYS_BACK = 3


class Taken(NamedTuple):
    """A step that has no record yet.

    Attributes:
        loss: In nats a token, still on the device.
        bad: 1 if it was skipped.
        targets: Tokens that carried loss.
        bytes: Of these.
        seconds: What it took, without waiting for the device.
    """

    loss: Tensor
    bad: Tensor
    targets: int
    bytes: int
    seconds: float


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
        initial: The bundle whose weights the run begins with; else it begins with chance.
        place_of: Says where a training document came from.
        observe: Called with every record that goes into metrics.jsonl.
        notice: Told what a person may want to know.
    """

    folder: Path
    model_config: ModelConfig
    config: TrainingConfig
    tokenizer: Tokenizer
    training_side: Shard
    validation_side: Shard
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
            load_arrays(self.model, self.initial.weights)
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
        self.generator = Generator(self.tokenizer, TorchEngine(self.model, poll=self._obey))
        self.progress = Progress()
        self.recent: list[Taken] = []
        self.requests = Requests()
        self.writer = Writer()
        self.saved: dict[str, object] | None = None
        self.checkpoints = self.folder / "run" / "checkpoints"
        self.metrics = self.folder / "run" / "metrics.jsonl"
        self.metrics.parent.mkdir(parents=True, exist_ok=True)

    def train(self) -> Likelihood | None:
        """Trains to the last step and returns the best model's validation likelihood.

        Without a validation side the last model counts as the best, and None is returned.

        Raises:
            KeyboardInterrupt: A signal asked to stop; a checkpoint has been saved.
            AnekdotError: The loss went wrong, or the disk did.
        """
        with interruption(lambda: self._record("interruption")) as self.requests:
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
        self.started = self.last_save = time.monotonic()
        size = 4 * self.model_config.n_parameters  # of weights; a checkpoint has three such
        coming = max(1, self.config.checkpoints_kept + 1 - len(checkpoints(self.checkpoints)))
        check_room(size * (3 * coming + 2), self.folder)
        state = load_checkpoint(self.checkpoints, self.model, self.optimizer, self.notice)
        if state is None:
            self.metrics.unlink(missing_ok=True)
            self._bundle().save(self.folder)
        else:
            self._restore(state)
            self._check_bundle()
        self.micro_batch = self._choose_micro_batch()
        held_out = len(self.validation_side.ids)
        self.clock = Clock(
            self.config,
            evaluated=min(INTERIM_TOKENS, held_out),
            held_out=held_out,
            tokens_per_step=self.config.batch_size * self.model_config.context_length,
        )

    def _restore(self, state: dict[str, object]) -> None:
        """Takes a checkpoint's state over; the tensors are in place."""
        facts = {name: state.pop(name) for name in ("torch", "threads")}
        if facts != self._facts():
            self.notice(
                f"The run began with {facts}, and goes on with {self._facts()}: the last digits "
                "of the weights may come out otherwise."
            )
        self.progress = Progress(**state)  # type: ignore[arg-type]
        self.saved = dataclasses.asdict(self.progress)
        self.recent = [
            Taken(torch.tensor(loss), torch.tensor(bad), targets, n_bytes, seconds)
            for loss, bad, targets, n_bytes, seconds in self.progress.pending
        ]
        forget_after(self.metrics, self.progress.step)

    def _check_bundle(self) -> None:
        """Replaces the best model so far by the checkpoint's, if it is damaged."""
        try:
            Bundle.load(self.folder)
        except BundleError as error:
            self.notice(f"{error.cause} The newest checkpoint takes its place.")
            self._bundle().save(self.folder)
            self.progress.best_bits_per_byte = None

    def _choose_micro_batch(self) -> int:
        """Returns how many rows are computed together, measured once a run if asked."""
        if self.config.batch == "auto" and not self.progress.micro_batch:
            ids_BT, targets_BT = map(torch.from_numpy, self.batches.batch(0))
            self.progress.micro_batch = fastest_micro_batch(
                self.model,
                ids_BT.to(self.device),
                targets_BT.to(self.device),
                precision=partial(autocast, self.device, self.config.precision),
            )
            self.notice(
                f"{self.progress.micro_batch} of {self.config.batch_size} rows are computed "
                "together, which is the fastest here."
            )
        return self.progress.micro_batch or self.config.batch_size

    def _do_what_is_due(self) -> None:
        step = self.progress.step
        if self._due(self.config.evaluate_every) and self.progress.evaluated < step:
            self._evaluate()
        early = not self.progress.sampled and time.monotonic() - self.started > FIRST_SAMPLE
        if (self._due(self.config.sample_every) or early) and self.progress.sampled < step:
            self._show_sample()
        minutes = (time.monotonic() - self.last_save) / 60
        if self._due(self.config.checkpoint_every) or minutes > self.config.checkpoint_minutes:
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
            self.requests.obey_stop()

    def _take_step(self) -> None:
        started = time.perf_counter()
        step = self.progress.step
        # dropout follows from (seed, step), so a resumed run draws the same masks
        torch.manual_seed(self.config.seed + (step << 20))
        ids_BT, targets_BT = self.batches.batch(step)
        scored_BT = targets_BT != IGNORED
        n_targets = int(scored_BT.sum())
        n_bytes = int(self.tokenizer.token_lengths[targets_BT[scored_BT]].sum())
        loss, bad = train_step(
            self.forward,
            self.optimizer,
            torch.from_numpy(ids_BT).to(self.device),
            torch.from_numpy(targets_BT).to(self.device),
            micro_batch=self.micro_batch,
            rate=self._rate(step),
            gradient_clip=self.config.gradient_clip,
            largest_loss=self.progress.spike() if self.config.skip_spikes else float("inf"),
            precision=partial(autocast, self.device, self.config.precision),
        )
        self.progress.step += 1
        self.progress.tokens += n_targets
        seconds = time.perf_counter() - started
        self.recent.append(Taken(loss, bad, n_targets, n_bytes, seconds))
        if self.progress.step % STEPS_PER_RECORD == 0 or self._is_over():
            self._record_steps()

    def _rate(self, step: int) -> float:
        return self.progress.rate_scale * learning_rate(
            step,
            highest=self.config.learning_rate,
            warmup_steps=self.config.warmup_steps,
            steps=self.config.steps,
        )

    def _record_steps(self) -> None:
        """Writes the mean of the steps since the last such record, and what went wrong in them."""
        started = time.perf_counter()
        losses, bad, targets, lengths, durations = zip(*self.recent, strict=True)
        values = torch.stack(losses).tolist()  # waits for the device
        skipped = [bool(flag) for flag in torch.stack(bad).tolist()]
        elapsed = sum(durations) + time.perf_counter() - started
        self.recent.clear()
        self.progress.seconds += elapsed
        first = self.progress.step - len(values)
        self._remember(values, first)
        taken = [i for i in range(len(values)) if not skipped[i]]
        if len(taken) < len(values):
            self._record("skip", steps=[first + i + 1 for i in range(len(values)) if skipped[i]])
        self.clock.add("step", len(values), elapsed)
        if skipped[-MOST_BAD_STEPS:] == [True] * MOST_BAD_STEPS:
            self._go_back()
        elif taken:
            loss = float(np.mean([values[i] for i in taken]))
            nats = sum(values[i] * targets[i] for i in taken)
            self._record(
                "step",
                steps=self.config.steps,
                loss=loss,
                bits_per_byte=nats / np.log(2) / max(1, sum(lengths[i] for i in taken)),
                learning_rate=self._rate(self.progress.step - 1),
                tokens_per_second=sum(targets) / elapsed,
                seconds=self.progress.seconds,
                seconds_left=self.clock.seconds_left(self.progress.step),
                epoch=self.progress.step * self.config.batch_size / self.batches.rows_per_epoch,
                memory=memory_used(self.device),
            )

    def _remember(self, values: list[float], first: int) -> None:
        """Adds losses to those that spikes are judged by, and records the spikes."""
        limit, losses = self.progress.spike(), self.progress.losses
        for step, value in enumerate(values, first + 1):
            if value > limit:
                self._record("spike", at=step, loss=value, usual=float(np.mean(losses)))
            elif np.isfinite(value):
                losses.append(value)
        del losses[:-REMEMBERED]

    def _go_back(self) -> None:
        """Returns to the newest checkpoint with half the learning rate.

        Raises:
            ConfigurationError: That has been done often enough.
        """
        now = self.progress
        if now.ways_back == MOST_WAYS_BACK:
            documents = self.batches.documents(now.step - 1)
            raise ConfigurationError(
                f"The loss or the weights became infinite before step {now.step}, also at "
                f"{now.rate_scale:g} of the learning rate; the last batch had "
                f"{', '.join(map(self.place_of, documents))}.",
                "Train into another folder with a lower --learning-rate, or with "
                "a --gradient-clip above 0.",
            )
        self.writer.wait()
        state = load_checkpoint(self.checkpoints, self.model, self.optimizer, self.notice)
        assert state is not None, "the first checkpoint stands before the first step"
        self._restore(state)
        best = {name: getattr(now, name) for name in ("best_bits_per_byte", "best_step")}
        scale, ways = now.rate_scale / 2, now.ways_back + 1
        self.progress = dataclasses.replace(self.progress, **best, rate_scale=scale, ways_back=ways)
        self._record("return", rate_scale=scale, after=now.step)

    def _is_finite(self) -> bool:
        return all(bool(weights.isfinite().all()) for weights in self.model.parameters())

    def _evaluate(self) -> None:
        """Measures the validation side, or its beginning, and keeps the best model."""
        if not self._is_finite():
            self._go_back()
            return
        started = time.perf_counter()
        best = True
        if len(self.validation_side):
            result = self._likelihood(self._validation(INTERIM_TOKENS))
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
            self._save_best()
        self.progress.evaluated = self.progress.step
        self.clock.add("evaluation", 1, time.perf_counter() - started)

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
            progress=lambda *_: self._obey(),
        )

    def _validation(self, most_tokens: int | None) -> list[NDArray[np.integer]]:
        """Returns the validation documents, or the first of them up to so many tokens."""
        side = self.validation_side
        n_documents = len(side)
        if most_tokens is not None:
            n_documents = max(1, int(np.searchsorted(side.offsets, most_tokens)) - 1)
        return [side.document(number) for number in range(min(len(side), n_documents))]

    def _show_sample(self) -> None:
        started = time.perf_counter()
        sample = self.generator.generate(seed=self.progress.step, max_tokens=SAMPLE_TOKENS)
        self._record("sample", **describe_sample(sample.text, self.tokenizer, self.training_side))
        write_samples(self.metrics, self.folder / "run" / "samples.md")
        self.progress.sampled = self.progress.step
        self.clock.add("sample", 1, time.perf_counter() - started)

    def _save_checkpoint(self) -> None:
        """Has the run as it is now written beside training, unless that has been done."""
        if dataclasses.asdict(self.progress) == self.saved:
            return
        if not self._is_finite():
            self._go_back()
            return
        if not self.progress.best_step and self.progress.step:  # trained beats untrained
            self._save_best()
        self.progress.pending = [
            (float(loss), float(bad), targets, n_bytes, seconds)
            for loss, bad, targets, n_bytes, seconds in self.recent
        ]
        self.saved = dataclasses.asdict(self.progress)
        state = {**self.saved, **self._facts()}
        copy = snapshot(state, self.model, self.optimizer)
        size = sum(array.nbytes for array in (*copy.weights.values(), *copy.moments.values()))
        self._write(size, save_checkpoint, self.checkpoints, copy, self.config.checkpoints_kept)
        self.last_save = time.monotonic()

    def _save_best(self) -> None:
        bundle = self._bundle()
        size = sum(array.nbytes for array in bundle.stored.values())
        self._write(size, bundle.save_weights, self.folder)

    def _write(self, size: int, write: Callable[..., None], *arguments: object) -> None:
        def guarded() -> None:
            with room_for(size, self.folder):
                write(*arguments)

        self.writer.submit(guarded)

    def _facts(self) -> dict[str, object]:
        """Returns what the last digits of a result depend on besides the settings."""
        return {"torch": torch.__version__, "threads": torch.get_num_threads()}

    def _bundle(self) -> Bundle:
        weights = cast(dict[str, NDArray[np.generic]], model_arrays(self.model))
        origin = dataclasses.asdict(self.config)
        return Bundle(self.model_config, self.tokenizer, weights, origin)

    def _record(self, kind: str, **values: object) -> None:
        record = {"kind": kind, "step": self.progress.step, **values}
        append(self.metrics, record)
        self.observe(record)
