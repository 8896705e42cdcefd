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
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, gradient_clip)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()
