"""One training step: forward, backward, clip, update.

Letters: ``B`` rows, ``T`` positions.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

import torch
from torch import Tensor

from anekdot.model.transformer import IGNORE_INDEX
from anekdot.training.optimizer import set_rates


class StepOutcome(NamedTuple):
    """What a step has found; all on the model's device.

    Attributes:
        loss: Before the step, in nats per token.
        skipped: 1 if the step changed nothing, because loss or gradient is not finite or the
            loss is too large; else 0.
        norm: Of the whole gradient, before clipping.
        overflowed: 1 if it was skipped because a gradient is infinite and the loss is not,
            else 0; None without a loss scale.
    """

    loss: Tensor
    skipped: Tensor
    norm: Tensor
    overflowed: Tensor | None


def train_step(
    loss_of: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    ids_BT: Tensor,
    targets_BT: Tensor,
    *,
    micro_batch: int,
    learning_rate: float,
    weight_decay: float,
    gradient_clip: float,
    precision: Callable[[], AbstractContextManager[object]],
    max_loss: float = math.inf,
    loss_scale: Tensor | float | None = None,
) -> StepOutcome:
    """Takes one optimizer step, unless loss or gradient is unusable.

    Args:
        loss_of: ``Transformer.loss``, or the same compiled.
        optimizer: Over the model's parameters, which change; its update must be a fused one.
        ids_BT: Token ids.
        targets_BT: The tokens that follow; IGNORE_INDEX where there is none.
        micro_batch: Rows computed together; their gradients are accumulated.
        learning_rate: Of this step.
        weight_decay: Of the matrices, in this step.
        gradient_clip: Largest norm of the whole gradient; 0 switches clipping off.
        precision: Returns the context of a forward pass.
        max_loss: A step with a larger loss is skipped.
        loss_scale: Multiplies the loss that is differentiated, see loss_scaling.py; None for a
            precision that needs none.
    """
    n_targets = (targets_BT != IGNORE_INDEX).sum()
    loss = torch.zeros((), device=ids_BT.device)
    parts = (torch.split(batch, micro_batch) for batch in (ids_BT, targets_BT))
    for ids, targets in zip(*parts, strict=True):
        with precision():
            mean = loss_of(ids, targets)
        share = mean * ((targets != IGNORE_INDEX).sum() / n_targets)
        (share if loss_scale is None else share * loss_scale).backward()
        loss += share.detach()
    norm = clip_gradients(optimizer, gradient_clip, loss_scale)
    skipped = 1.0 - (norm.isfinite() & (loss <= max_loss)).float()
    overflowed = None if loss_scale is None else (loss.isfinite() & ~norm.isfinite()).float()
    outcome = StepOutcome(loss, skipped, norm, overflowed)
    if skipped.device.type == "mps" and skipped.item():  # its fused update ignores found_inf
        optimizer.zero_grad()
        return outcome
    # the fused update leaves everything as it was where this is 1, without waiting for the device
    optimizer.grad_scale, optimizer.found_inf = None, skipped  # type: ignore[attr-defined]
    set_rates(optimizer, learning_rate, weight_decay)
    optimizer.step()
    optimizer.zero_grad()
    return outcome


def clip_gradients(
    optimizer: torch.optim.Optimizer, max_norm: float, loss_scale: Tensor | float | None = None
) -> Tensor:
    """Scales all gradients down together where their global norm exceeds a maximum.

    Args:
        optimizer: Over the parameters whose gradients change.
        max_norm: 0 switches clipping off.
        loss_scale: What all gradients are divided by first.

    Returns:
        The norm before.

    Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural
    networks", section 3.2.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    gradients = [p.grad for p in parameters if p.grad is not None]
    if loss_scale is not None:
        for gradient in gradients:
            gradient.div_(loss_scale)
    norm: Tensor = torch.linalg.vector_norm(
        torch.stack([torch.linalg.vector_norm(g) for g in gradients])
    )
    if max_norm:
        scale = (max_norm / (norm + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(scale)
    return norm
