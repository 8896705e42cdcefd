"""The PyTorch model as a generator's engine: samples during training, and the reference.

Letters: ``B`` rows, ``T`` new tokens, ``V`` vocabulary.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anekdot.bundle import Bundle
from anekdot.generation.sampling import infinite_logits
from anekdot.model.cache import KVCache
from anekdot.model.config import PARTS, ModelConfig
from anekdot.model.transformer import Transformer, evaluation_mode
from anekdot.model.weights import load_weights


def load_transformer(bundle: Bundle) -> Transformer:
    """Returns the model of a bundle, on the CPU and in float32.

    Its forward pass raises a BundleError where numbers become infinite.

    Raises:
        BundleError: The model has a part that the Transformer does not have.
    """
    bundle.check_parts(PARTS, "the PyTorch model")
    model = Transformer(bundle.config)
    load_weights(model, bundle.weights)
    model.final_norm.register_forward_pre_hook(_refuse_overflow)
    return model


def _refuse_overflow(_: nn.Module, inputs: tuple[Tensor]) -> None:
    """Refuses what a norm would turn into zeros: the residual stream never becomes small again."""
    if not inputs[0].float().square().sum().isfinite():
        raise infinite_logits()


class TorchEngine:
    """Runs a Transformer on one row at a time, in float32 and without dropout.

    Args:
        model: The model.
        poll: Called before each forward pass.
    """

    def __init__(self, model: Transformer, poll: Callable[[], None] = lambda: None) -> None:
        self.model = model
        self.poll = poll
        self.device = model.token_embedding.weight.device

    @property
    def config(self) -> ModelConfig:
        """The model's shape."""
        return self.model.config

    def new_cache(self, capacity: int) -> KVCache:
        """Returns an empty cache for at most ``capacity`` tokens."""
        return KVCache(self.config, batch_size=1, capacity=capacity, device=self.device)

    def prefill(self, ids_T: Sequence[int], cache: KVCache) -> NDArray[np.float32]:
        """Appends the tokens to the cache and returns logits_V of the one that follows."""
        self.poll()
        with evaluation_mode(self.model):
            logits_BTV = self.model(torch.tensor([list(ids_T)], device=self.device), cache=cache)
        logits_V: NDArray[np.float32] = logits_BTV[0, -1].float().cpu().numpy()
        return logits_V

    def decode(self, tokens_B: Sequence[int], caches: Sequence[KVCache]) -> NDArray[np.float32]:
        """Appends a token to each cache and returns logits_BV of those that follow, row by row."""
        rows = zip(tokens_B, caches, strict=True)
        return np.stack([self.prefill([token], cache) for token, cache in rows])
