"""The decoder-only Transformer, top-down.

Letters: ``B`` batch, ``T`` query positions, ``S`` key positions, ``D`` hidden_dim,
``N`` query heads, ``V`` vocabulary.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anekdot.model.alibi import head_slopes
from anekdot.model.attention import Attention, attention_bias
from anekdot.model.attention_kernels import FoldedBias, folded_bias, should_fold_bias
from anekdot.model.cache import KVCache
from anekdot.model.config import ModelConfig
from anekdot.model.dropout import Dropout
from anekdot.model.feed_forward import FeedForward
from anekdot.model.norm import RMSNorm

IGNORE_INDEX = -100  # stands for the target where there is none


class Transformer(nn.Module):
    """Token ids in, logits of the next token out."""

    slopes_N: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.hidden_dim)
        self.dropout = Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.final_norm = RMSNorm(config.hidden_dim, config.rms_eps)
        self.lm_head = nn.Linear(config.hidden_dim, config.vocab_size, bias=False)
        if config.tie_embeddings:
            self.lm_head.weight = self.token_embedding.weight
        self.register_buffer("slopes_N", torch.tensor(head_slopes(config.n_head)), persistent=False)
        self.apply(initialise)

    def forward(
        self,
        ids_BT: Tensor,
        *,
        padding_mask_BS: Tensor | None = None,
        documents_BT: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        """Returns the logits of the token that follows each position.

        Args:
            ids_BT: Token ids; with a cache, those of the new tokens only.
            padding_mask_BS: True where a token, cached ones included, is real. Padding
                may stand on either side: ALiBi sees distances only.
            documents_BT: The document of its row that each token belongs to, as a number; it
                attends to that one only. Not together with a cache.
            cache: Grows by T tokens.

        Returns:
            logits_BTV.
        """
        n_query = ids_BT.shape[1]
        bias = self._bias(ids_BT, padding_mask_BS, documents_BT, cache)
        x_BTD = self.dropout(self.token_embedding(ids_BT))
        for layer, block in enumerate(self.blocks):
            x_BTD = block(x_BTD, bias, cache, layer)
        if cache is not None:
            cache.advance(n_query)
        logits_BTV: Tensor = self.lm_head(self.final_norm(x_BTD))
        return logits_BTV

    def _bias(
        self,
        ids_BT: Tensor,
        padding_mask_BS: Tensor | None,
        documents_BT: Tensor | None,
        cache: KVCache | None,
    ) -> Tensor | FoldedBias:
        """Returns what attention adds to its scores, in the form that is fastest here."""
        n_query = ids_BT.shape[1]
        plain = padding_mask_BS is None and cache is None
        if plain and should_fold_bias(ids_BT, self.config.n_head):
            return folded_bias(self.slopes_N, self.config.head_dim, n_query, documents_BT)
        return attention_bias(
            self.slopes_N,
            n_query,
            n_query + (cache.length if cache is not None else 0),
            padding_mask_BS=padding_mask_BS,
            documents_BT=documents_BT,
        )

    def loss(self, ids_BT: Tensor, targets_BT: Tensor, begin_id: int | None = None) -> Tensor:
        """Returns ``next_token_loss`` of what follows each position.

        Args:
            ids_BT: Token ids.
            targets_BT: The tokens that follow; IGNORE_INDEX where there is none.
            begin_id: The token that documents begin with, if rows hold several; no document
                then attends to another.
        """
        documents_BT = None if begin_id is None else (ids_BT == begin_id).cumsum(1)
        return next_token_loss(self(ids_BT, documents_BT=documents_BT), targets_BT)


class Block(nn.Module):
    """A pre-norm block: each half reads the normalised residual stream and adds to it."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.hidden_dim, config.rms_eps)
        self.attention = Attention(config)
        self.feed_forward_norm = RMSNorm(config.hidden_dim, config.rms_eps)
        self.feed_forward = FeedForward(config)
        self.dropout = Dropout(config.dropout)

    def forward(
        self, x_BTD: Tensor, bias: Tensor | FoldedBias, cache: KVCache | None, layer: int
    ) -> Tensor:
        """Returns x_BTD after attention and feed-forward."""
        x_BTD = x_BTD + self.dropout(self.attention(self.attention_norm(x_BTD), bias, cache, layer))
        x_BTD = x_BTD + self.dropout(self.feed_forward(self.feed_forward_norm(x_BTD)))
        return x_BTD


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Switches dropout and gradients off, and back to what they were, also after an error."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def initialise(module: nn.Module) -> None:
    """Draws matrices from a normal distribution (0, 0.02); the gains of the norms stay one."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, mean=0.0, std=0.02)


def reference_loss(logits_BTV: Tensor, targets_BT: Tensor) -> Tensor:
    """``next_token_loss`` spelled out: the mean of -log softmax at the true tokens."""
    real_BT = targets_BT != IGNORE_INDEX
    true_BT = logits_BTV.gather(-1, targets_BT.where(real_BT, 0)[..., None])[..., 0]
    nats_BT = logits_BTV.logsumexp(dim=-1) - true_BT
    return nats_BT[real_BT].mean()


def next_token_loss(logits_BTV: Tensor, targets_BT: Tensor) -> Tensor:
    """Returns the mean cross-entropy of the true next tokens, in nats per token.

    Teacher forcing: position t is scored on token t + 1 of the text, whatever the model
    would have predicted.

    Args:
        logits_BTV: The model's output.
        targets_BT: The next tokens; IGNORE_INDEX where there is none (padding).
    """
    return F.cross_entropy(
        logits_BTV.flatten(0, 1).float(), targets_BT.flatten(), ignore_index=IGNORE_INDEX
    )
