"""Dropout whose random numbers are cheap on a CPU.

PyTorch draws one float per element, which takes a third of a training step on a CPU. Here
eight elements share one random 64-bit integer, a byte each.

Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from
Overfitting", section 4; inverted, so that inference needs no scaling.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEVELS = 256  # the values of a byte


class Dropout(nn.Module):
    """Zeroes elements at random in training and scales up the rest, so that the mean stays.

    Args:
        probability: Of zeroing an element; on a CPU rounded to a multiple of 1/256.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """Returns x, with elements dropped while training; any shape."""
        if not self.training or self.probability == 0.0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.probability)
        dropped = round(self.probability * LEVELS)
        random = torch.randint(-(1 << 63), (1 << 63) - 1, (-(-x.numel() // 8),))
        byte = random.view(torch.uint8)[: x.numel()].view(x.shape)
        return x * ((byte >= dropped).to(x.dtype) * (LEVELS / (LEVELS - dropped)))
