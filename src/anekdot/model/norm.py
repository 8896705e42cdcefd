"""RMSNorm: a vector scaled to unit root mean square, then by a learned gain."""

import torch
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Root mean square normalisation, without mean subtraction and without bias.

    The statistics are computed in float32 whatever the input's dtype, because the square
    of a bfloat16 activation loses most of its digits.

    Letters: ``D`` hidden_dim; any number of leading dimensions.

    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", eq. 4.

    Args:
        hidden_dim: Size of the last dimension.
        eps: Added to the mean square.
    """

    def __init__(self, hidden_dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(hidden_dim))

    def forward(self, x: Tensor) -> Tensor:
        """Normalises the last dimension.

        Args:
            x: [..., D], any float dtype.

        Returns:
            [..., D], the input's dtype.
        """
        wide = x.float()
        mean_square = wide.square().mean(dim=-1, keepdim=True)
        return (wide * torch.rsqrt(mean_square + self.eps) * self.weight).type_as(x)
