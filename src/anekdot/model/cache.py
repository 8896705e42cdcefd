"""KVCache: the keys and values of all tokens so far. The caller owns it."""

import copy

import torch
from torch import Tensor

from anekdot.model.config import ModelConfig


class KVCache:
    """Keys and values of every layer, in memory that is allocated once.

    Letters: ``L`` layers, ``B`` batch, ``K`` KV heads, ``S`` key positions, ``H`` head_dim.

    Args:
        config: The model's shape.
        batch_size: Rows.
        capacity: Most tokens a row can hold.
        device: Where the tensors live.
        dtype: Of keys and values.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        batch_size: int,
        capacity: int,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shape = (config.n_layer, batch_size, config.n_kv_head, capacity, config.head_dim)
        self.keys_LBKSH = torch.zeros(shape, device=device, dtype=dtype)
        self.values_LBKSH = torch.zeros(shape, device=device, dtype=dtype)
        self.length = 0

    @property
    def capacity(self) -> int:
        """The most tokens a row can hold."""
        return self.keys_LBKSH.shape[3]

    def append(self, layer: int, k_BKTH: Tensor, v_BKTH: Tensor) -> tuple[Tensor, Tensor]:
        """Stores the keys and values of T new tokens of one layer.

        ``length`` does not move yet: all layers of a forward pass write to the same place,
        and ``advance`` follows once.

        Returns:
            k_BKSH, v_BKSH: All tokens so far, the new ones last.
        """
        end = self.length + k_BKTH.shape[2]
        assert end <= self.capacity, "the cache is full"
        self.keys_LBKSH[layer, :, :, self.length : end] = k_BKTH
        self.values_LBKSH[layer, :, :, self.length : end] = v_BKTH
        return self.keys_LBKSH[layer, :, :, :end], self.values_LBKSH[layer, :, :, :end]

    def advance(self, n_tokens: int) -> None:
        """Counts new tokens, once every layer has stored them."""
        self.length += n_tokens

    def copy(self) -> "KVCache":
        """Returns an independent cache with the same contents."""
        other = copy.copy(self)
        other.keys_LBKSH, other.values_LBKSH = self.keys_LBKSH.clone(), self.values_LBKSH.clone()
        return other

    def truncate(self, length: int) -> None:
        """Forgets all tokens but the first ``length``."""
        assert 0 <= length <= self.length, "a cache only becomes shorter"
        self.length = length
