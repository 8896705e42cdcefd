import copy
import math

import torch

from anekdot.model.config import PRESETS, ModelConfig
from anekdot.model.feed_forward import FeedForward


def test_equals_a_python_loop():
    torch.manual_seed(0)
    config = ModelConfig(
        vocab_size=10, context_length=8, **{**PRESETS["nano"], "hidden_dim": 8, "n_head": 2}
    )
    layer = FeedForward(config)
    x_BTD = torch.randn(1, 2, 8)
    gate, up, down = (
        matrix.weight.tolist() for matrix in (layer.gate_proj, layer.up_proj, layer.down_proj)
    )
    for t in range(2):
        x = x_BTD[0, t].tolist()

        def dot(row, vector):
            return sum(a * b for a, b in zip(row, vector, strict=True))

        hidden = []
        for gate_row, up_row in zip(gate, up, strict=True):
            g = dot(gate_row, x)
            hidden.append(g / (1 + math.exp(-g)) * dot(up_row, x))
        expected = torch.tensor([dot(row, hidden) for row in down])
        torch.testing.assert_close(layer(x_BTD)[0, t], expected, atol=1e-5, rtol=0)


def test_gradients_equal_those_in_float64():
    torch.manual_seed(0)
    shape = ModelConfig(vocab_size=10, context_length=8, **PRESETS["nano"])
    layer, x = FeedForward(shape), torch.randn(2, 8, 96, requires_grad=True)
    exact, wide = copy.deepcopy(layer).double(), x.detach().double().requires_grad_()
    sums = torch.randn(2, 8, 96)
    (layer(x) * sums).sum().backward()
    hidden = exact.gate_proj(wide)
    hidden = hidden / (1 + torch.exp(-hidden)) * exact.up_proj(wide)
    (exact.down_proj(hidden) * sums).sum().backward()
    torch.testing.assert_close(x.grad.double(), wide.grad, atol=1e-5, rtol=1e-5)
    for one, other in zip(layer.parameters(), exact.parameters(), strict=True):
        torch.testing.assert_close(one.grad.double(), other.grad, atol=1e-5, rtol=1e-5)
