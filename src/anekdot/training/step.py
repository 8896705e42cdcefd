"""One training step: forward, backward, clip, update.

Letters: ``B`` rows, ``T`` positions.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from anekdot.model.transformer import next_token_loss


def train_step(
    model: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    ids_BT: Tensor,
    targets_BT: Tensor,
    *,
    rate: float,
    gradient_clip: float,
    precision: AbstractContextManager[object],
) -> Tensor:
    """Takes one optimizer step and returns the loss before it, in nats a token.

    Args:
        model: Ids to logits, a Transformer or its compiled twin.
        optimizer: Over the model's parameters, which change.
        ids_BT: Token ids.
        targets_BT: The tokens that follow; IGNORED where there is none.
        rate: The learning rate of this step.
        gradient_clip: Largest norm of the whole gradient; 0 switches clipping off.
        precision: The context of the forward pass.
    """
    with precision:
        loss = next_token_loss(model(ids_BT), targets_BT)
    loss.backward()  # type: ignore[no-untyped-call]
    if gradient_clip:
        clip_gradients(optimizer, gradient_clip)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


def clip_gradients(optimizer: torch.optim.Optimizer, largest: float) -> None:
    """Scales all gradients down together where their common norm exceeds the largest allowed.

    Source: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural
    networks", section 3.2.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    scale = (largest / (norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale)
