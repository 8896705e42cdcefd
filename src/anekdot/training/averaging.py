"""An exponential moving average of the weights: a model beside the one that is trained.

Late steps scatter around a minimum; their average lies nearer to it than the last of them.
"""

import torch
from torch import Tensor, nn


@torch.no_grad()
def update_average(averaged: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Moves averaged weights toward those of a model, in place.

    The first steps count for less than ``decay`` says, or the random start would stay in the
    average for long.

    Args:
        averaged: A copy of the model.
        model: After its step.
        decay: Share of the average that stays in each step.
        step: The number of this step, from 1.

    Source: Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging";
        the beginning as TensorFlow's ``ExponentialMovingAverage`` has it.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    averages: list[Tensor] = [*averaged.parameters()]
    weights: list[Tensor] = [*model.parameters()]
    torch._foreach_lerp_(averages, weights, share)
