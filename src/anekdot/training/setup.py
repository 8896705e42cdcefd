"""A model, its optimizer, its batches and its loss: one set-up for training and for measuring."""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from anekdot.bundle import Bundle
from anekdot.corpus.shards import Shard
from anekdot.device import pick_device, pick_precision
from anekdot.machine import refuse_too_large
from anekdot.model.config import PARTS, ModelConfig
from anekdot.model.transformer import Transformer
from anekdot.model.weights import load_weights
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.batches import Batches
from anekdot.training.config import TrainingConfig
from anekdot.training.optimizer import build_optimizer

BYTES_PER_PARAMETER = 16  # float32 weight, gradient, and the two moments of AdamW


class Setup(NamedTuple):
    """What a training step works with.

    Attributes:
        device: Where the model is.
        model: In training mode.
        optimizer: Over the model's parameters.
        batches: By step.
        loss_of: Ids and targets to the mean loss, in nats per token.
        precision: Of the forward pass: "bf16", "fp16" or "fp32".
        averaged: What is measured and kept: a copy of the model with an average of its weights,
            or the model itself without one.
    """

    device: torch.device
    model: Transformer
    optimizer: torch.optim.Optimizer
    batches: Batches
    loss_of: Callable[[Tensor, Tensor], Tensor]
    precision: str
    averaged: Transformer


def load_base(base: Path | str) -> Bundle:
    """Returns the bundle that a run starts from; "pretrained" names the one of the package.

    Raises:
        BundleError: It is damaged, or has a part that the Transformer does not have.
    """
    bundle = Bundle.load(None if str(base) == "pretrained" else base)
    bundle.check_parts(PARTS, "the PyTorch model")
    return bundle


def set_up(
    model_config: ModelConfig,
    config: TrainingConfig,
    tokenizer: Tokenizer,
    shard: Shard,
    base: Bundle | None = None,
) -> Setup:
    """Builds a model and all that trains it; nothing on disk and no global state changes.

    Args:
        model_config: The model's shape.
        config: How it is trained; its seed initialises the weights.
        tokenizer: Of the shard.
        shard: Documents to learn from.
        base: The bundle whose weights the model starts from; random ones without it.
    """
    device = pick_device()
    _check_memory(model_config, device)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)
        model = Transformer(model_config)
    if base is not None:
        load_weights(model, base.weights)
    model.to(device).train()
    batches = Batches(
        shard,
        rows=config.rows,
        context_length=model_config.context_length,
        batch_size=config.batch_size,
        seed=config.seed,
        pad_id=tokenizer.pad_id,
        begin_id=tokenizer.begin_id,
        begin_targets=config.begin_targets,
    )
    optimizer = build_optimizer(model, config)
    loss_of = partial(model.loss, begin_id=batches.begin_id)
    precision = pick_precision(device, config.precision, auto_fp16=config.auto_fp16)
    averaged = copy.deepcopy(model).requires_grad_(False) if config.ema_decay else model
    return Setup(device, model, optimizer, batches, loss_of, precision, averaged)


def _check_memory(model_config: ModelConfig, device: torch.device) -> None:
    """Raises a ConfigurationError if a model cannot be trained in the memory of this machine."""
    n_parameters = model_config.n_parameters
    refuse_too_large(
        n_parameters * (BYTES_PER_PARAMETER if device.type == "cpu" else 4),
        f"Training a model of {n_parameters:,} parameters",
        "Choose a smaller shape or preset.",
    )
