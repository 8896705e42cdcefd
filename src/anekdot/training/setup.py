"""A model, its optimizer, its batches and its loss: one set-up for training and for measuring."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from anekdot.bundle import Bundle
from anekdot.corpus.shards import Shard
from anekdot.device import pick_device
from anekdot.model.config import ModelConfig
from anekdot.model.transformer import Transformer
from anekdot.model.weights import load_weights
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.training.batches import Batches
from anekdot.training.config import TrainingConfig
from anekdot.training.optimizer import build_optimizer


class Setup(NamedTuple):
    """What a training step works with.

    Attributes:
        device: Where the model is.
        model: In training mode.
        optimizer: Over the model's parameters.
        batches: By step.
        loss_of: Ids and targets to the mean loss, in nats per token.
    """

    device: torch.device
    model: Transformer
    optimizer: torch.optim.Optimizer
    batches: Batches
    loss_of: Callable[[Tensor, Tensor], Tensor]


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
    )
    loss_of = partial(model.loss, begin_id=batches.begin_id)
    return Setup(device, model, build_optimizer(model, config), batches, loss_of)
