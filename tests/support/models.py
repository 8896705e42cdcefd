"""Small models, random ids, and slopes by another hand."""

import dataclasses
import math

import torch

from anekdot.model.config import ModelConfig
from anekdot.model.transformer import Transformer

TINY_MODEL = ModelConfig(
    vocab_size=64, context_length=32, n_layer=2, n_head=6, n_kv_head=3, hidden_dim=24,
    intermediate_dim=32,
)  # fmt: skip


def tiny_model(seed: int = 0, **changes) -> Transformer:
    """A small model with weights large enough for attention to matter."""
    torch.manual_seed(seed)
    model = Transformer(dataclasses.replace(TINY_MODEL, **changes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(10)
    return model


def random_ids(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(3, 64, shape, generator=torch.Generator().manual_seed(seed))


def published_slopes(n_head: int) -> list[float]:
    """The recursion that the ALiBi paper's authors published, written independently."""

    def power_of_two(n: int) -> list[float]:
        start = 2 ** (-(2 ** -(math.log2(n) - 3)))
        return [start * start**i for i in range(n)]

    if math.log2(n_head).is_integer():
        return power_of_two(n_head)
    closest = 2 ** math.floor(math.log2(n_head))
    return power_of_two(closest) + published_slopes(2 * closest)[0::2][: n_head - closest]
