"""How well a model predicts held-out documents: bits per byte, loss, perplexity.

Each document is scored on its own, from its begin token: all its text tokens and its end
token, each once. A document longer than the context is read in windows that overlap by half
a context, so that every token beyond the first window has at least half a context before it.

Letters: ``B`` batch, ``T`` positions, ``V`` vocabulary.
"""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from anekdot.callbacks import Progress
from anekdot.errors import BundleError
from anekdot.model.attention_kernels import MAX_EXACT_POSITION
from anekdot.model.transformer import IGNORE_INDEX, Transformer, evaluation_mode


@dataclass(frozen=True)
class Likelihood:
    """How well a model predicts some documents.

    Attributes:
        nats: Negative log-probability of all scored tokens.
        tokens: Scored tokens: those of the texts, and one end token a document.
        bytes: UTF-8 bytes of the texts.
        documents: Documents.
        error: Standard error of ``bits_per_byte``, for other documents of the same kind would
            have given another number; None if it was not asked for, or of a single document.
    """

    nats: float
    tokens: int
    bytes: int
    documents: int
    error: float | None = field(default=None, compare=False)

    @property
    def loss(self) -> float:
        """Nats a token."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """``exp(loss)``; comparable between models of the same tokenizer only."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_byte(self) -> float:
        """Bits per UTF-8 byte of text; comparable between any two models."""
        return self.nats / math.log(2) / self.bytes

    def finite(self) -> "Likelihood":
        """Returns itself.

        Raises:
            BundleError: It is not a number, or infinite.
        """
        if not math.isfinite(self.nats):
            raise BundleError(
                f"The likelihood of the texts is {self.nats}: the model's logits are not finite.",
                "Convert, quantize or train the model again.",
            )
        return self


@dataclass(frozen=True)
class Window:
    """A span of a document's inputs; the first ``skip`` belong to the window before."""

    document: int
    start: int
    end: int
    skip: int


def windows(document: int, n_inputs: int, context_length: int) -> list[Window]:
    """Covers a document's inputs with windows so that each is scored exactly once.

    >>> [(w.start, w.end, w.skip) for w in windows(0, 9, 4)]
    [(0, 4, 0), (2, 6, 2), (4, 8, 2), (6, 9, 2)]
    """
    cover = [Window(document, 0, min(n_inputs, context_length), 0)]
    stride = max(1, context_length // 2)
    while cover[-1].end < n_inputs:
        start = cover[-1].start + stride
        end = min(n_inputs, start + context_length)
        cover.append(Window(document, start, end, cover[-1].end - start))
    return cover


def likelihood(
    model: Transformer,
    documents: Sequence[NDArray[np.integer]],
    token_lengths: NDArray[np.integer],
    *,
    autocast: AbstractContextManager[object] | None = None,
    tokens_per_batch: int = 8192,
    with_error: bool = False,
    progress: Progress | None = None,
) -> Likelihood:
    """Measures how well a model predicts documents.

    Args:
        model: The model; dropout is switched off while this runs.
        documents: Ids of each: begin token, text, end token.
        token_lengths: Bytes of each token of the vocabulary, 0 for the specials.
        autocast: A context for lower precision; float32 without it.
        tokens_per_batch: Most positions in one forward pass, padding included.
        with_error: Whether to find the standard error too, which takes a little longer.
        progress: Called with (windows done, windows in all, "windows").
    """
    plan = _plan(documents, min(model.config.context_length, MAX_EXACT_POSITION))
    device = model.token_embedding.weight.device
    nats, tokens, done, document_nats = 0.0, 0, 0, np.zeros(len(documents))
    with evaluation_mode(model), autocast or nullcontext():
        while done < len(plan):
            batch = _next_batch(plan, done, tokens_per_batch)
            ids_BT, targets_BT = _fill(batch, documents)
            logits_BTV = model(ids_BT.to(device))
            nats += _nats(logits_BTV, targets_BT.to(device), "sum").item()
            if with_error:
                _add_nats(document_nats, batch, _nats(logits_BTV, targets_BT.to(device), "none"))
            tokens += int((targets_BT != IGNORE_INDEX).sum())
            done += len(batch)
            if progress is not None:
                progress(done, len(plan), "windows")
    document_bytes = np.array([int(token_lengths[ids].sum()) for ids in documents])
    total = Likelihood(nats, tokens, int(document_bytes.sum()), len(documents))
    return replace(total, error=_error(document_nats, document_bytes)) if with_error else total


def _nats(logits_BTV: torch.Tensor, targets_BT: torch.Tensor, reduction: str) -> torch.Tensor:
    """Returns the nats of the targets, row after row, or their sum."""
    return F.cross_entropy(
        logits_BTV.flatten(0, 1).float(),
        targets_BT.flatten(),
        ignore_index=IGNORE_INDEX,
        reduction=reduction,
    )


def _add_nats(document_nats: NDArray[Any], batch: list[Window], nats: torch.Tensor) -> None:
    """Adds the nats of each row to those of its document."""
    rows = nats.view(len(batch), -1).sum(1).double().cpu().numpy()
    np.add.at(document_nats, [window.document for window in batch], rows)


def _error(nats: NDArray[np.float64], n_bytes: NDArray[np.integer]) -> float | None:
    """Returns the standard error of bits per byte, of the nats and the bytes of each document.

    Source: Cochran 1977, "Sampling Techniques", section 2.11, the ratio of two totals.
    """
    n, total = len(nats), n_bytes.sum()
    if n < 2 or not total:
        return None
    residuals = nats - nats.sum() / total * n_bytes
    return float(np.sqrt(n / (n - 1) * np.square(residuals).sum()) / (math.log(2) * total))


def _plan(documents: Sequence[NDArray[np.integer]], context_length: int) -> list[Window]:
    """Returns the windows of all documents, shortest first."""
    plan = [
        window
        for number, ids in enumerate(documents)
        for window in windows(number, len(ids) - 1, context_length)
    ]
    return sorted(plan, key=lambda window: window.end - window.start)


def _next_batch(plan: list[Window], first: int, tokens_per_batch: int) -> list[Window]:
    """Returns the windows from ``first`` on that, padded to the longest, fit into one batch."""
    last = first + 1
    while last < len(plan):
        if (plan[last].end - plan[last].start) * (last + 1 - first) > tokens_per_batch:
            break
        last += 1
    return plan[first:last]


def _fill(
    batch: list[Window], documents: Sequence[NDArray[np.integer]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns ids_BT, padded on the right where no real token sees it, and targets_BT."""
    longest = max(window.end - window.start for window in batch)
    ids_BT = np.zeros((len(batch), longest), np.int64)
    targets_BT = np.full((len(batch), longest), IGNORE_INDEX, np.int64)
    for row, window in enumerate(batch):
        ids, length = documents[window.document], window.end - window.start
        ids_BT[row, :length] = ids[window.start : window.end]
        targets_BT[row, window.skip : length] = ids[window.start + window.skip + 1 : window.end + 1]
    return torch.from_numpy(ids_BT), torch.from_numpy(targets_BT)
