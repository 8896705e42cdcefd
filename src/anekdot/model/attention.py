"""Causal self-attention with grouped queries.

``reference_attention`` is the version to read; ``fast_attention`` picks the one that does the
work, all of which are tested against it.

Letters: ``B`` batch, ``T`` query positions, ``S`` key positions, ``N`` query heads,
``K`` KV heads, ``G`` = N / K queries a KV head, ``H`` head_dim, ``D`` hidden_dim.

Sources: Vaswani et al. 2017, "Attention Is All You Need", section 3.2; Ainslie et al.
2023, "GQA: Training Generalized Multi-Query Transformer Models", section 2.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anekdot.model.alibi import alibi_bias
from anekdot.model.cache import KVCache
from anekdot.model.config import ModelConfig

QUERY_BLOCK = 128  # positions at most; see docs/performance.md
MAX_SCORE_ELEMENTS = 1 << 26  # of a layer that are held in memory
MAX_EXACT_POSITION = 1 << 16  # positions that folded_bias holds exactly
DOCUMENT_MASK_SCORE = (
    16384.0  # between the scores of a document and those of others, when it is folded
)


def attention_bias(
    slopes_N: Tensor,
    n_query: int,
    n_key: int,
    *,
    padding_mask_BS: Tensor | None = None,
    documents_BT: Tensor | None = None,
) -> Tensor:
    """Returns what is added to the scores: ALiBi, then the masks.

    The queries are the last ``n_query`` of the ``n_key`` positions. The masks come after
    ALiBi and are minus infinity, so no bias can lift a masked score. A query always sees its
    own position, padding too, so that none is left without a key.

    Args:
        slopes_N: ALiBi slopes, float32.
        n_query: T.
        n_key: S, at least T.
        padding_mask_BS: True where a key is a real token.
        documents_BT: Which document of its row a position belongs to; it sees that one only.
            S equals T.

    Returns:
        Float32 of shape [N, T, S], or [B, N, T, S] with a mask of padding or documents.
    """
    key_S = torch.arange(n_key, device=slopes_N.device)
    query_T = key_S[n_key - n_query :]
    bias: Tensor = alibi_bias(slopes_N, query_T, key_S)
    hidden = key_S > query_T[:, None]
    if documents_BT is not None:
        hidden = hidden | (documents_BT[:, None, :, None] != documents_BT[:, None, None, :])
    if padding_mask_BS is not None:
        others_TS = key_S != query_T[:, None]
        hidden = hidden | (others_TS & ~padding_mask_BS[:, None, None, :])
    return torch.where(hidden, -math.inf, bias)


def stable_softmax(scores: Tensor) -> Tensor:
    """Softmax over the last dimension that neither overflows nor divides by zero.

    Subtracting the row's largest score leaves the result unchanged and keeps every
    exponent at or below zero. A row that is masked as a whole becomes zeros, not NaN.
    """
    peak = scores.amax(dim=-1, keepdim=True)
    weights = torch.exp(scores - peak.masked_fill(peak == -math.inf, 0.0))
    total = weights.sum(dim=-1, keepdim=True)
    return weights / total.masked_fill(total == 0.0, 1.0)


def reference_attention(q_BNTH: Tensor, k_BKSH: Tensor, v_BKSH: Tensor, bias: Tensor) -> Tensor:
    """Attention spelled out: the version to read, and the oracle of the fused kernel.

    Args:
        q_BNTH: Queries.
        k_BKSH: Keys; head n of the queries reads KV head n // G.
        v_BKSH: Values.
        bias: From ``attention_bias``, [N, T, S] or [B, N, T, S].

    Returns:
        out_BNTH.
    """
    group = q_BNTH.shape[1] // k_BKSH.shape[1]
    k_BNSH = k_BKSH.repeat_interleave(group, dim=1)
    v_BNSH = v_BKSH.repeat_interleave(group, dim=1)
    scores_BNTS = q_BNTH @ k_BNSH.transpose(-1, -2) / math.sqrt(q_BNTH.shape[-1])
    return stable_softmax(scores_BNTS + bias) @ v_BNSH


def grouped_attention(q_BNTH: Tensor, k_BKSH: Tensor, v_BKSH: Tensor, bias: Tensor) -> Tensor:
    """Attention as two products of large matrices, the fastest to train with on a CPU.

    The queries that share a KV head lie one below the other in one matrix, so nothing is
    repeated. Scores are rounded to the dtype of the queries; softmax is float32.

    Args:
        q_BNTH: Queries.
        k_BKSH: Keys; head n of the queries reads KV head n // G.
        v_BKSH: Values.
        bias: From ``attention_bias``, [N, T, S] or [B, N, T, S].

    Returns:
        out_BNTH.
    """
    below = (*k_BKSH.shape[:2], -1)
    scores_BNTS = (q_BNTH.reshape(*below, q_BNTH.shape[-1]) @ k_BKSH.transpose(-1, -2)).view(
        *q_BNTH.shape[:3], -1
    )
    scores_BNTS = torch.add(bias, scores_BNTS, alpha=q_BNTH.shape[-1] ** -0.5)
    weights_BNTS = torch.softmax(scores_BNTS, dim=-1).to(v_BKSH.dtype)
    return (weights_BNTS.view(*below, k_BKSH.shape[2]) @ v_BKSH).view(q_BNTH.shape)


def blockwise_attention(q_BNTH: Tensor, k_BKSH: Tensor, v_BKSH: Tensor, bias: Tensor) -> Tensor:
    """``grouped_attention`` by blocks of queries, each with the keys up to its own end only."""
    n_query, n_key = bias.shape[-2:]
    width = min(QUERY_BLOCK, max(QUERY_BLOCK // 2, n_query // 2))
    blocks = [slice(first, min(first + width, n_query)) for first in range(0, n_query, width)]
    outs = []
    for block in blocks:
        seen = slice(0, n_key - n_query + block.stop)
        k, v = k_BKSH[:, :, seen], v_BKSH[:, :, seen]
        outs.append(grouped_attention(q_BNTH[:, :, block], k, v, bias[..., block, seen]))
    return torch.cat(outs, dim=2) if len(outs) > 1 else outs[0]


class FoldedBias(NamedTuple):
    """ALiBi and the mask of documents as a few more dimensions of the heads.

    Attributes:
        of_query: [N, T, E], or [B, N, T, E] with documents.
        of_key: [T, E] or [B, 1, T, E]; its product with ``of_query`` is added to q · k.
    """

    of_query: Tensor
    of_key: Tensor


def folded_bias(
    slopes_N: Tensor, head_dim: int, n_position: int, documents_BT: Tensor | None = None
) -> FoldedBias:
    """Returns the bias for kernels that know none but their own causal mask.

    Softmax ignores what is the same for all keys of a query, so ``-slope * (i - j)`` may become
    ``slope * j``: a product of the query's dimensions with the key's. A slope is split into three
    numbers and a position into two that bfloat16 holds exactly (see MAX_EXACT_POSITION). Of a
    document's number eight bits are compared: each that differs takes DOCUMENT_MASK_SCORE away, and
    where none does, nothing is added at all. A document 256 documents away counts as the same.

    Args:
        slopes_N: ALiBi slopes, float32.
        head_dim: H.
        n_position: T, which is also S.
        documents_BT: Which document of its row a position belongs to.
    """
    rest_N, slopes = slopes_N * math.sqrt(head_dim), []
    for _ in range(3):
        slopes.append(rest_N.to(torch.bfloat16).float())
        rest_N = rest_N - slopes[-1]
    zero_N = torch.zeros_like(slopes_N)  # eight dimensions altogether, as kernels like it
    of_query_NE = torch.stack([x for x in (*slopes, zero_N) for _ in range(2)], dim=-1)
    position_T = torch.arange(n_position, device=slopes_N.device)
    of_key_TE = torch.stack([position_T & ~255, position_T & 255] * 4, dim=-1).float()
    of_query, of_key = of_query_NE[:, None].expand(-1, n_position, -1), of_key_TE
    if documents_BT is None:
        return FoldedBias(of_query, of_key)
    places = torch.arange(8, device=slopes_N.device)
    bits_B1TE = ((documents_BT[:, None, :, None] >> places) & 1).float()
    unlike_B1TE = (
        torch.cat([bits_B1TE - 1, -bits_B1TE], dim=-1) * DOCUMENT_MASK_SCORE * math.sqrt(head_dim)
    )
    bits_B1TE = torch.cat([bits_B1TE, 1 - bits_B1TE], dim=-1)
    return FoldedBias(_beside(of_query, unlike_B1TE), _beside(of_key, bits_B1TE))


def _beside(one: Tensor, other: Tensor) -> Tensor:
    """Concatenates the last dimension of two tensors whose others are broadcast."""
    common = torch.broadcast_shapes(one.shape[:-1], other.shape[:-1])  # type: ignore[no-untyped-call]
    return torch.cat([x.expand(*common, x.shape[-1]) for x in (one, other)], dim=-1)


def folded_attention(q_BNTH: Tensor, k_BKSH: Tensor, v_BKSH: Tensor, bias: FoldedBias) -> Tensor:
    """Attention by a kernel that knows no bias but its own causal mask.

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
        _beside(q_BNTH, bias.of_query.to(q_BNTH.dtype)),
        _beside(k_BKSH, bias.of_key.to(k_BKSH.dtype)).repeat_interleave(group, dim=1),
        F.pad(v_BKSH, (0, bias.of_key.shape[-1])).repeat_interleave(group, dim=1),
        is_causal=True,
        scale=1 / math.sqrt(head_dim),
    )
    return out[..., :head_dim]


def fast_attention(
    q_BNTH: Tensor, k_BKSH: Tensor, v_BKSH: Tensor, bias: Tensor | FoldedBias
) -> Tensor:
    """Attention by what is fastest here: to train on a CPU our own products, else PyTorch's.

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
    bias = bias if bias.ndim == 4 else bias[None]  # for three dimensions there is no fast kernel
    return F.scaled_dot_product_attention(q_BNTH, k_BKSH, v_BKSH, attn_mask=bias, enable_gqa=True)


class Attention(nn.Module):
    """Grouped-query causal self-attention with ALiBi.

    Queries have N heads, keys and values K ≤ N. K = N is multi-head attention, K = 1 is
    multi-query attention.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        kv_dim = config.n_kv_head * config.head_dim
        self.q_proj = nn.Linear(config.hidden_dim, config.hidden_dim, bias=False)
        self.k_proj = nn.Linear(config.hidden_dim, kv_dim, bias=False)
        self.v_proj = nn.Linear(config.hidden_dim, kv_dim, bias=False)
        self.out_proj = nn.Linear(config.hidden_dim, config.hidden_dim, bias=False)

    def forward(
        self,
        x_BTD: Tensor,
        bias: Tensor | FoldedBias,
        cache: KVCache | None = None,
        layer: int = 0,
    ) -> Tensor:
        """Lets every token read from those before it.

        Args:
            x_BTD: Normalised activations of the new tokens.
            bias: From ``attention_bias`` or ``folded_bias``.
            cache: Keys and values of earlier tokens; the new ones are appended.
            layer: Which of the cache's layers is this one's.

        Returns:
            out_BTD.
        """
        q_BNTH = self._heads(self.q_proj(x_BTD))
        k_BKSH = self._heads(self.k_proj(x_BTD))
        v_BKSH = self._heads(self.v_proj(x_BTD))
        if cache is not None:
            k_BKSH, v_BKSH = cache.append(layer, k_BKSH, v_BKSH)
        out_BNTH = fast_attention(q_BNTH, k_BKSH, v_BKSH, bias)
        out_BTD: Tensor = self.out_proj(out_BNTH.transpose(1, 2).flatten(2))
        return out_BTD

    def _heads(self, x: Tensor) -> Tensor:
        """Splits [B, T, heads * H] into [B, heads, T, H]."""
        return x.view(*x.shape[:2], -1, self.head_dim).transpose(1, 2)
