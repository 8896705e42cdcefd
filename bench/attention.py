"""Attention forward and backward, one layer of each preset: the ways there are, side by side.

    .venv/bin/python bench/attention.py

On a GPU, if there is one. "Error" is the largest difference from float64 of what comes out, where
values have a standard deviation of one.
"""

import statistics
import sys
import time
from collections.abc import Callable

import torch
from cyclopts import App
from torch import Tensor
from torch.nn import functional as F

from anekdot.device import pick_device
from anekdot.machine import retain_freed_memory
from anekdot.model.alibi import head_slopes
from anekdot.model.attention import attention_bias, reference_attention
from anekdot.model.attention_kernels import (
    FoldedBias,
    blockwise_attention,
    folded_attention,
    folded_bias,
    grouped_attention,
)
from anekdot.model.config import PRESETS

SHAPES = ((32, 128), (16, 256), (8, 512))
DOCUMENT = 54  # tokens that one has on average
app = App(help="Measure the ways to compute attention.")


def ways(
    bias: Tensor, folded: FoldedBias, slopes_N: Tensor, documents_BT: Tensor
) -> dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    """Returns each way as a function of queries, keys and values."""
    if bias.is_cuda:  # its kernels want one dtype, and lose digits of the bias
        bias = bias.to(torch.bfloat16)

    found = {
        "SDPA with a bias": lambda q, k, v: F.scaled_dot_product_attention(
            q, k, v, attn_mask=bias, enable_gqa=True
        ),
        "SDPA, the bias folded into the heads": lambda q, k, v: folded_attention(q, k, v, folded),
        "products": lambda q, k, v: grouped_attention(q, k, v, bias),
        "products by blocks of queries": lambda q, k, v: blockwise_attention(q, k, v, bias),
    }
    if bias.is_cuda:  # FlexAttention has no backward pass on a CPU
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention

        length = bias.shape[-1]
        mask = create_block_mask(
            lambda b, h, i, j: (i >= j) & (documents_BT[b, i] == documents_BT[b, j]),
            len(documents_BT), None, length, length, device=bias.device,
        )  # fmt: skip
        torch._dynamo.reset()  # or the ninth shape is not compiled
        flex = torch.compile(flex_attention, dynamic=False)
        found["FlexAttention"] = lambda q, k, v: flex(
            q, k, v,
            score_mod=lambda score, b, h, i, j: score - slopes_N[h] * (i - j),
            block_mask=mask, enable_gqa=True,
        )  # fmt: skip
    return found


def milliseconds(step: Callable[[], object], device: torch.device) -> float:
    """Returns the median time of a few calls."""
    durations = []
    for number in range(15):
        started = time.perf_counter()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if number >= 5:
            durations.append(time.perf_counter() - started)
    return 1000 * statistics.median(durations)


@app.default
def main() -> None:
    """Measure."""
    retain_freed_memory()
    device = pick_device()
    print("| one layer | way | ms | error |\n|---|---|---|---|")
    for preset, shape in PRESETS.items():
        n_head, n_kv_head = shape["n_head"], shape["n_kv_head"]
        head_dim = shape["hidden_dim"] // n_head
        slopes_N = torch.tensor(head_slopes(n_head), device=device)
        for rows, length in SHAPES:
            begins = torch.rand(rows, length, device=device) < 1 / DOCUMENT
            documents = begins.cumsum(1)
            bias = attention_bias(slopes_N, length, length, documents_BT=documents)
            folded = folded_bias(slopes_N, head_dim, length, documents)
            q, k, v, gradient = (
                torch.randn(rows, length, heads, head_dim, device=device)
                .to(torch.bfloat16)
                .transpose(1, 2)
                .requires_grad_()
                for heads in (n_head, n_kv_head, n_kv_head, n_head)
            )
            exact = reference_attention(*(x.detach().double() for x in (q, k, v)), bias.double())
            for name, attention in ways(bias, folded, slopes_N, documents).items():

                def step() -> None:
                    attention(q, k, v).backward(gradient.detach())  # noqa: B023
                    q.grad = k.grad = v.grad = None  # noqa: B023

                error = (attention(q, k, v).detach().double() - exact).abs().max().item()
                spent = milliseconds(step, device)
                print(f"| {preset}, {rows} × {length} | {name} | {spent:.1f} | {error:.3f} |")


if __name__ == "__main__":
    sys.exit(app())
