"""One training step: forward, backward, clip, update.

Letters: ``B`` rows, ``T`` positions.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from anekdot.model.transformer import IGNORE_INDEX


def train_step(
    loss_of: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    ids_BT: Tensor,
    targets_BT: Tensor,
    *,
    micro_batch: int,
    learning_rate: float,
    gradient_clip: float,
    precision: Callable[[], AbstractContextManager[object]],
    max_loss: float = math.inf,
) -> tuple[Tensor, Tensor]:
    """Takes one optimizer step, unless loss or gradient is unusable.

    Args:
        loss_of: ``Transformer.loss``, or the same compiled.
        optimizer: Over the model's parameters, which change; its update must be a fused one.
        ids_BT: Token ids.
        targets_BT: The tokens that follow; IGNORE_INDEX where there is none.
        micro_batch: Rows computed together; their gradients are accumulated.
        learning_rate: Of this step.
        gradient_clip: Largest norm of the whole gradient; 0 switches clipping off.
        precision: Returns the context of a forward pass.
        max_loss: A step with a larger loss is skipped.

    Returns:
        The loss before the step, in nats per token; and 1 if the step was skipped because loss
        or gradient is not finite or the loss is too large, else 0. Both on the model's device.
    """
    n_targets = (targets_BT != IGNORE_INDEX).sum()
    loss = torch.zeros((), device=ids_BT.device)
    parts = (torch.split(batch, micro_batch) for batch in (ids_BT, targets_BT))
    for ids, targets in zip(*parts, strict=True):
        with precision():
            mean = loss_of(ids, targets)
        share = mean * ((targets != IGNORE_INDEX).sum() / n_targets)
        share.backward()
        loss += share.detach()
    norm = clip_gradients(optimizer, gradient_clip)
    skipped = 1.0 - (norm.isfinite() & (loss <= max_loss)).float()
    if skipped.device.type == "mps" and skipped.item():  # its fused update ignores found_inf
        optimizer.zero_grad()
        return loss, skipped
    # the fused update leaves everything as it was where this is 1, without waiting for the device
    optimizer.grad_scale, optimizer.found_inf = None, skipped  # type: ignore[attr-defined]
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()
    optimizer.zero_grad()
    return loss, skipped


def clip_gradients(optimizer: torch.optim.Optimizer, max_norm: float) -> Tensor:
    """Scales all gradients down together where their global norm exceeds a maximum.

    Returns:
        The norm before.

    Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural
    networks", section 3.2.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm: Tensor = torch.linalg.vector_norm(
        torch.stack([torch.linalg.vector_norm(g) for g in gradients])
    )
    if max_norm:
        scale = (max_norm / (norm + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(scale)
    return norm
