"""SwiGLU: a feed-forward layer whose hidden units are gated."""

from torch import Tensor, nn
from torch.nn import functional as F

from anekdot.model.config import ModelConfig


class FeedForward(nn.Module):
    """``down(silu(gate(x)) * up(x))``, without biases.

    Letters: ``B`` batch, ``T`` positions, ``D`` hidden_dim, ``F`` intermediate_dim.

    Source: Shazeer 2020, "GLU Variants Improve Transformer", eq. 6.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_dim, config.intermediate_dim, bias=False)
        self.up_proj = nn.Linear(config.hidden_dim, config.intermediate_dim, bias=False)
        self.down_proj = nn.Linear(config.intermediate_dim, config.hidden_dim, bias=False)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Returns out_BTD."""
        hidden_BTF = F.silu(self.gate_proj(x_BTD)) * self.up_proj(x_BTD)
        out_BTD: Tensor = self.down_proj(hidden_BTF)
        return out_BTD
