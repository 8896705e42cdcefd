"""The training configuration."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from anekdot.errors import ConfigurationError
from anekdot.field_checks import check_boolean, check_integer, check_number

Rows = Literal["packed", "documents"]
Precision = Literal["auto", "bf16", "fp16", "fp32"]
BatchMode = Literal["whole", "auto"]
InterimDocuments = Literal["spread", "first"]
Schedule = Literal["linear", "wsd"]
WeightDecaySchedule = Literal["constant", "falling"]

LARGEST = {
    "learning_rate": 1.0,
    "epsilon": 1.0,
    "weight_decay": 10.0,
    "gradient_clip": 1e9,
    "beta1": 0.999999,
    "beta2": 0.999999,
    "checkpoint_minutes": 1e6,
    "decay_share": 1.0,
    "ema_decay": 0.999999,
}
CHOICES = {
    "rows": Rows,
    "precision": Precision,
    "batch": BatchMode,
    "interim_documents": InterimDocuments,
    "schedule": Schedule,
    "weight_decay_schedule": WeightDecaySchedule,
}


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a model is trained.

    Fields with metadata ``before`` are rules, which nobody sets: new runs have the default, and a
    run that does not name them, since it began when they were none, goes on with ``before``.

    Attributes:
        steps: Optimizer steps; the learning rate falls toward zero, which it would reach at the
            step after the last one.
        batch_size: Rows per step.
        rows: "packed" fills every row with one document after another, each read by itself;
            "documents" gives each document a row of its own, cut at the context length, the
            rest padding.
        learning_rate: The highest, reached at the end of the warm-up.
        warmup_steps: Steps over which the learning rate rises.
        beta1: AdamW's decay of the mean gradient.
        beta2: AdamW's decay of the mean squared gradient.
        epsilon: AdamW's guard against division by zero.
        schedule: "linear" lets the learning rate fall from the end of the warm-up on; "wsd"
            (warm-up, stable, decay) keeps it constant until the last part of the run, so that
            the run can be prolonged.
        decay_share: The share of a wsd run's steps, at its end, over which the rate falls.
        weight_decay: AdamW's decoupled decay of the matrices.
        weight_decay_schedule: "constant", or "falling" to zero together with the learning rate.
        ema_decay: Share that stays, in each step, of an exponential moving average of the
            weights, which is then what is measured and kept; 0 for none.
        gradient_clip: Maximum norm of the whole gradient; 0 switches clipping off.
        precision: "bf16" computes in bfloat16 over float32 weights, "fp16" in float16 with
            dynamic loss scaling, "fp32" in float32; "auto" takes bf16 where the hardware has
            it, and fp16 on other CUDA devices.
        seed: Seed of initialisation, order of documents and dropout.
        evaluate_every: Steps between evaluations on the validation split.
        sample_every: Steps between live samples.
        checkpoint_every: Steps between checkpoints.
        checkpoint_minutes: Maximum minutes between checkpoints.
        checkpoints_kept: How many of the newest checkpoints are kept.
        batch: "whole" computes all rows of a batch together; "auto" as many as are measured
            to be fastest here and fit into memory, and accumulates their gradients.
        skip_spikes: Whether a step whose loss is six standard deviations above the last 128
            is skipped.
        patience: Evaluations without a new best after which the run ends; 0 for never.
        interim_documents: A rule: whether an evaluation while training scores documents "spread"
            evenly over the validation split, or its "first" ones, as up to 0.1.0.
        begin_targets: A rule: whether the begin tokens inside packed rows are targets, as up to
            0.1.0. The model knows them for certain, and validation has none.
        auto_fp16: A rule: whether "auto" may be fp16; up to 0.1.0 it was bf16 or fp32.
    """

    steps: int
    batch_size: int
    rows: Rows
    learning_rate: float
    warmup_steps: int
    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    gradient_clip: float
    schedule: Schedule = "linear"
    decay_share: float = 0.3
    weight_decay_schedule: WeightDecaySchedule = "constant"
    ema_decay: float = 0.0
    precision: Precision = "auto"
    seed: int = 0
    evaluate_every: int = 500
    sample_every: int = 500
    checkpoint_every: int = 500
    checkpoint_minutes: float = 10.0
    checkpoints_kept: int = 2
    batch: BatchMode = "whole"
    skip_spikes: bool = False
    patience: int = 0
    interim_documents: InterimDocuments = field(default="spread", metadata={"before": "first"})
    begin_targets: bool = field(default=False, metadata={"before": True})
    auto_fp16: bool = field(default=True, metadata={"before": False})

    def __post_init__(self) -> None:
        for name in ("steps", "evaluate_every", "sample_every", "checkpoint_every"):
            check_integer(name, getattr(self, name), 1, 1_000_000_000)
        check_integer("batch_size", self.batch_size, 1, 1 << 20)
        check_integer("warmup_steps", self.warmup_steps, 0, self.steps - 1)
        check_integer("seed", self.seed, 0, (1 << 62) - 1)
        for name, largest in LARGEST.items():
            check_number(name, getattr(self, name), 0.0, largest)
        check_integer("checkpoints_kept", self.checkpoints_kept, 1, 1000)
        check_integer("patience", self.patience, 0, 1_000_000)
        for name in ("skip_spikes", "begin_targets", "auto_fp16"):
            check_boolean(name, getattr(self, name))
        for name, kind in CHOICES.items():
            choices = get_args(kind)
            if getattr(self, name) not in choices:
                raise ConfigurationError(
                    f"{name} is {getattr(self, name)!r}.", f"Choose one of {', '.join(choices)}."
                )
        if self.schedule == "wsd" and self.warmup_steps > self.steps * (1 - self.decay_share):
            raise ConfigurationError(
                f"warmup_steps is {self.warmup_steps}, and the learning rate falls over the last "
                f"{self.decay_share:.0%} of {self.steps} steps already.",
                "Ask for more steps, or for a smaller warmup_steps or decay_share.",
            )
