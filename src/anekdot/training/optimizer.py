"""AdamW: the update spelled out, and the fused one that does the work.

Sources: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1;
Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
"""

import os

import torch
from torch import Tensor, nn

from anekdot.training.config import TrainingConfig

CACHE = "TORCHINDUCTOR_CACHE_DIR"


@torch.no_grad()
def reference_adamw(
    parameter: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    *,
    step: int,
    rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> None:
    """Takes one AdamW step in place: the version to read, and the oracle of the fused one.

    Args:
        parameter: Any shape; the others have the same.
        gradient: Of the loss.
        mean: Decaying mean of the gradients so far, zeros at first.
        square: Decaying mean of their squares, zeros at first.
        step: Number of this step, from 1; corrects the means' start at zero.
        rate: Learning rate.
        beta1: Decay of the mean.
        beta2: Decay of the mean square.
        epsilon: Guard against division by zero.
        weight_decay: Share of the parameter, times the rate, that is taken away.
    """
    mean.lerp_(gradient, 1 - beta1)
    square.lerp_(gradient.square(), 1 - beta2)
    direction = mean / (1 - beta1**step) / ((square / (1 - beta2**step)).sqrt() + epsilon)
    parameter.mul_(1 - rate * weight_decay).sub_(rate * direction)


def build_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """Returns PyTorch's fused AdamW over the model's parameters.

    The gains of the norms are not decayed: shrinking them toward zero regularises nothing.
    """
    parameters, cache = list(model.parameters()), os.environ.get(CACHE)
    groups = [
        {
            "params": [p for p in parameters if p.ndim >= 2],
            "weight_decay": config.weight_decay,
        },
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(
        groups,
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=config.epsilon,
        fused=True,
    )
    if cache is None:
        os.environ.pop(CACHE, None)  # PyTorch has set it
    return optimizer


def set_rates(optimizer: torch.optim.Optimizer, learning_rate: float, weight_decay: float) -> None:
    """Sets what the next step of an optimizer from `build_optimizer` uses."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.param_groups[0]["weight_decay"] = weight_decay  # the matrices come first


def is_finite(optimizer: torch.optim.Optimizer) -> bool:
    """Whether the weights and AdamW's moments are finite numbers everywhere."""
    weights = (weight for group in optimizer.param_groups for weight in group["params"])
    moments = (t for entries in optimizer.state.values() for t in entries.values())
    return all(bool(t.isfinite().all()) for t in (*weights, *moments))
