r"""Causal self-attention with grouped queries and ALiBi: the version to read.

``reference_attention`` is the definition. The Attention module calls ``fast_attention``, which
computes the same faster (attention_kernels.py) and is tested against it.

Grouped queries: each KV head serves G = N / K query heads. Four query heads, and K = 4
(multi-head attention), K = 2, K = 1 (multi-query attention)::

    k0  k1  k2  k3       k0      k1           k0
    v0  v1  v2  v3       v0      v1           v0
    |   |   |   |       /  \    /  \      /   / \   \
    q0  q1  q2  q3     q0  q1  q2  q3     q0  q1  q2  q3

ALiBi and the causal mask: what a head of slope m adds to the scores of four queries (rows)
with four keys (columns). The further back a key lies, the lower its score::

            key 0   key 1   key 2   key 3
    query 0    0     -inf    -inf    -inf
    query 1   -m       0     -inf    -inf
    query 2  -2m      -m       0     -inf
    query 3  -3m     -2m      -m       0

Letters: ``B`` batch, ``T`` query positions, ``S`` key positions, ``N`` query heads,
``K`` KV heads, ``G`` = N / K query heads per KV head, ``H`` head_dim, ``D`` hidden_dim.

Sources: Vaswani et al. 2017, "Attention Is All You Need", section 3.2; Ainslie et al.
2023, "GQA: Training Generalized Multi-Query Transformer Models", section 2; ALiBi: alibi.py.
"""

import math

import torch
from torch import Tensor, nn

from anekdot.model.alibi import alibi_bias
from anekdot.model.attention_kernels import FoldedBias, fast_attention
from anekdot.model.cache import KVCache
from anekdot.model.config import ModelConfig


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
    own position, even if that is padding, so that none is left without a key.

    Args:
        slopes_N: ALiBi slopes, float32.
        n_query: T.
        n_key: S, at least T.
        padding_mask_BS: True where a key is a real token.
        documents_BT: The document of its row that each position belongs to, as a number; a
            query sees keys of its own document only. S equals T.

    Returns:
        Float32 of shape [N, T, S], or [B, N, T, S] with a padding mask or documents.
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
    exponent at or below zero. A row that is masked entirely becomes zeros, not NaN.
    """
    peak = scores.amax(dim=-1, keepdim=True)
    weights = torch.exp(scores - peak.masked_fill(peak == -math.inf, 0.0))
    total = weights.sum(dim=-1, keepdim=True)
    return weights / total.masked_fill(total == 0.0, 1.0)


def reference_attention(q_BNTH: Tensor, k_BKSH: Tensor, v_BKSH: Tensor, bias: Tensor) -> Tensor:
    """Attention spelled out: the version to read, and the oracle of the fast ones.

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


class Attention(nn.Module):
    """Grouped-query causal self-attention with ALiBi: N query heads, K <= N KV heads."""

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
        """Lets every token attend to those before it.

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
