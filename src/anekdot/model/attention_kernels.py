"""Attention to run: faster computations of ``attention.reference_attention``, and their choice.

On a CPU: matrix products when training, PyTorch's kernel otherwise. On a GPU: PyTorch's flash
kernel, with the bias folded into the heads, since that kernel takes none. See
docs/performance.md.

Letters: ``B`` batch, ``T`` query positions, ``S`` key positions, ``N`` query heads,
``K`` KV heads, ``G`` = N / K query heads per KV head, ``H`` head_dim, ``E`` extra dimensions
of a head.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

QUERY_BLOCK = 128  # positions at most; see docs/performance.md
MAX_SCORE_ELEMENTS = 1 << 26  # scores of one layer that may be held in memory at once
MAX_EXACT_POSITION = 1 << 16  # positions that folded_bias holds exactly
DOCUMENT_BITS, COUNT_BITS = 16, 8  # of document_code
QUERY_MASK, KEY_MASK = 64.0, 256.0  # their product is far above any score; float16 holds each


class FoldedBias(NamedTuple):
    """ALiBi and the document mask as E extra dimensions of each head.

    The dot product of a query's extra dimensions with a key's is the bias of the two.

    Attributes:
        query_extra: [N, T, E], or [B, N, T, E] with documents.
        key_extra: [T, E], or [B, 1, T, E] with documents.
    """

    query_extra: Tensor
    key_extra: Tensor


def fast_attention(
    q_BNTH: Tensor, k_BKSH: Tensor, v_BKSH: Tensor, bias: Tensor | FoldedBias
) -> Tensor:
    """Attention by the fastest means: training on a CPU, our own products; else PyTorch's.

    Args:
        q_BNTH: Queries.
        k_BKSH: Keys.
        v_BKSH: Values.
        bias: From ``attention_bias`` or ``folded_bias``.

    Returns:
        out_BNTH.
    """
    if isinstance(bias, FoldedBias):
        return folded_attention(q_BNTH, k_BKSH, v_BKSH, bias)
    if q_BNTH.requires_grad and q_BNTH.device.type == "cpu":
        return blockwise_attention(q_BNTH, k_BKSH, v_BKSH, bias)
    bias = bias if bias.ndim == 4 else bias[None]  # PyTorch has no fast kernel for three dimensions
    return F.scaled_dot_product_attention(q_BNTH, k_BKSH, v_BKSH, attn_mask=bias, enable_gqa=True)


def grouped_attention(q_BNTH: Tensor, k_BKSH: Tensor, v_BKSH: Tensor, bias: Tensor) -> Tensor:
    """Attention as two large matrix products, the fastest for training on a CPU.

    The queries that share a KV head are stacked into one matrix, so no key or value is
    repeated. Scores are rounded to the dtype of the queries; softmax is float32.

    Args:
        q_BNTH: Queries.
        k_BKSH: Keys; head n of the queries reads KV head n // G.
        v_BKSH: Values.
        bias: From ``attention_bias``, [N, T, S] or [B, N, T, S].

    Returns:
        out_BNTH.
    """
    stacked = (*k_BKSH.shape[:2], -1)
    scores_BNTS = (q_BNTH.reshape(*stacked, q_BNTH.shape[-1]) @ k_BKSH.transpose(-1, -2)).view(
        *q_BNTH.shape[:3], -1
    )
    scores_BNTS = torch.add(bias, scores_BNTS, alpha=q_BNTH.shape[-1] ** -0.5)
    weights_BNTS = torch.softmax(scores_BNTS, dim=-1).to(v_BKSH.dtype)
    return (weights_BNTS.view(*stacked, k_BKSH.shape[2]) @ v_BKSH).view(q_BNTH.shape)


def blockwise_attention(q_BNTH: Tensor, k_BKSH: Tensor, v_BKSH: Tensor, bias: Tensor) -> Tensor:
    """``grouped_attention`` in blocks of queries, each with only the keys up to its end."""
    n_query, n_key = bias.shape[-2:]
    width = min(QUERY_BLOCK, max(QUERY_BLOCK // 2, n_query // 2))
    blocks = [slice(first, min(first + width, n_query)) for first in range(0, n_query, width)]
    outs = []
    for block in blocks:
        seen = slice(0, n_key - n_query + block.stop)
        k, v = k_BKSH[:, :, seen], v_BKSH[:, :, seen]
        outs.append(grouped_attention(q_BNTH[:, :, block], k, v, bias[..., block, seen]))
    return torch.cat(outs, dim=2) if len(outs) > 1 else outs[0]


def folded_bias(
    slopes_N: Tensor, head_dim: int, n_position: int, documents_BT: Tensor | None = None
) -> FoldedBias:
    """Returns the bias for kernels that accept no bias, only their own causal mask.

    Softmax ignores what is the same for all keys of a query, so ``-slope * (i - j)`` may become
    ``slope * j``, a product of something the query has and something the key has. bfloat16 holds
    few digits, so a slope is split into three numbers that it holds exactly, and a position into
    two (see MAX_EXACT_POSITION). Documents are told apart by their ``document_code``: a key with
    a one where the query has a zero loses QUERY_MASK * KEY_MASK, and otherwise nothing is added,
    so that a score within a document is rounded as if there were no others.

    Args:
        slopes_N: ALiBi slopes, float32.
        head_dim: H.
        n_position: T, which is also S.
        documents_BT: The document of its row that each position belongs to, as a number.
    """
    rest_N, slopes = slopes_N * math.sqrt(head_dim), []
    for _ in range(3):
        slopes.append(rest_N.to(torch.bfloat16).float())
        rest_N = rest_N - slopes[-1]
    zero_N = torch.zeros_like(slopes_N)  # eight dimensions altogether, as kernels like it
    query_NE = torch.stack([x for x in (*slopes, zero_N) for _ in range(2)], dim=-1)
    position_T = torch.arange(n_position, device=slopes_N.device)
    key_TE = torch.stack([position_T & ~255, position_T & 255] * 4, dim=-1).float()
    query_NTE = query_NE[:, None].expand(-1, n_position, -1)
    if documents_BT is None:
        return FoldedBias(query_NTE, key_TE)
    code_B1TE = document_code(documents_BT)[:, None]
    query_B1TE = (code_B1TE - 1) * (QUERY_MASK * math.sqrt(head_dim))
    return FoldedBias(
        _append_dimensions(query_NTE, query_B1TE), _append_dimensions(key_TE, code_B1TE * KEY_MASK)
    )


def document_code(documents_BT: Tensor) -> Tensor:
    """Returns zeros and ones such that of two documents each has a one where the other has none.

    The last 16 bits of the number of a document, then how many of them are zero: a document all of
    whose ones are also the other's has more zeros than it, and of two numbers the larger has a one
    where the smaller has none. MAX_EXACT_POSITION tokens have no more than 2^16 documents.

    Args:
        documents_BT: The document of its row that each position belongs to, as a number.

    Returns:
        Float32 of shape [B, T, E].

    Source: Berger 1961, "A note on error detection codes for asymmetric channels".
    """
    place = torch.arange(DOCUMENT_BITS, device=documents_BT.device)
    bits = (documents_BT[..., None] >> place) & 1
    n_zeros = DOCUMENT_BITS - bits.sum(-1, keepdim=True)
    count = (n_zeros >> place[:COUNT_BITS]) & 1
    return torch.cat([bits, count], dim=-1).float()


def _append_dimensions(x: Tensor, extra: Tensor) -> Tensor:
    """Concatenates two tensors along the last dimension; the others are broadcast."""
    common = torch.broadcast_shapes(x.shape[:-1], extra.shape[:-1])  # type: ignore[no-untyped-call]
    return torch.cat([part.expand(*common, part.shape[-1]) for part in (x, extra)], dim=-1)


def folded_attention(q_BNTH: Tensor, k_BKSH: Tensor, v_BKSH: Tensor, bias: FoldedBias) -> Tensor:
    """Attention by a kernel that accepts no bias, only its own causal mask.

    Args:
        q_BNTH: Queries; T equals S.
        k_BKSH: Keys.
        v_BKSH: Values.
        bias: From ``folded_bias``.

    Returns:
        out_BNTH.
    """
    head_dim, group = q_BNTH.shape[-1], q_BNTH.shape[1] // k_BKSH.shape[1]
    out = F.scaled_dot_product_attention(
        _append_dimensions(q_BNTH, bias.query_extra.to(q_BNTH.dtype)),
        _append_dimensions(k_BKSH, bias.key_extra.to(k_BKSH.dtype)).repeat_interleave(group, dim=1),
        F.pad(v_BKSH, (0, bias.key_extra.shape[-1])).repeat_interleave(group, dim=1),
        is_causal=True,
        scale=1 / math.sqrt(head_dim),
    )
    return out[..., :head_dim]


def should_fold_bias(ids_BT: Tensor, n_head: int) -> bool:
    """Whether ``folded_bias`` is to be preferred to ``attention_bias``.

    It is on a GPU, where the flash kernel takes no bias, and wherever the scores of all
    positions with each other would not fit into memory. It knows neither padding nor a cache.

    Args:
        ids_BT: The batch.
        n_head: N.
    """
    n_query = ids_BT.shape[1]
    too_large = ids_BT.numel() * n_head * n_query > MAX_SCORE_ELEMENTS
    return n_query <= MAX_EXACT_POSITION and (too_large or ids_BT.device.type == "cuda")
