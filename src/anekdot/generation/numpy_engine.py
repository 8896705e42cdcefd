"""The forward pass in NumPy, with a KV cache: generating a text needs no torch.

Letters: ``T`` new tokens, ``S`` all tokens, ``N`` query heads, ``K`` KV heads,
``G`` = N / K, ``H`` head_dim, ``D`` hidden_dim, ``V`` vocabulary, ``L`` layers.
"""

import copy
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anekdot.bundle import Bundle
from anekdot.model.alibi import alibi_bias, head_slopes
from anekdot.model.config import ModelConfig

Array = NDArray[np.float32]

# What this engine computes, whatever the PyTorch model is built of.
COMPUTED_PARTS = {"position": "alibi", "norm": "rmsnorm", "feed_forward": "swiglu"}


class NumpyCache:
    """Keys and values of one row, in memory that is allocated once.

    Args:
        config: The model's shape.
        capacity: Most tokens that it can hold.
    """

    def __init__(self, config: ModelConfig, capacity: int) -> None:
        shape = (config.n_layer, config.n_kv_head, capacity, config.head_dim)
        self.keys_LKSH = np.zeros(shape, np.float32)
        self.values_LKSH = np.zeros(shape, np.float32)
        self.length = 0

    def append(self, layer: int, k_TKH: Array, v_TKH: Array) -> tuple[Array, Array]:
        """Stores the keys and values of T new tokens of one layer.

        ``length`` does not move until all layers have stored theirs.

        Returns:
            k_KSH, v_KSH: All tokens so far, the new ones last.
        """
        end = self.length + len(k_TKH)
        assert end <= self.keys_LKSH.shape[2], "the cache is full"
        self.keys_LKSH[layer, :, self.length : end] = k_TKH.transpose(1, 0, 2)
        self.values_LKSH[layer, :, self.length : end] = v_TKH.transpose(1, 0, 2)
        return self.keys_LKSH[layer, :, :end], self.values_LKSH[layer, :, :end]

    def copy(self) -> "NumpyCache":
        """Returns an independent cache with the same contents."""
        other = copy.copy(self)
        other.keys_LKSH, other.values_LKSH = self.keys_LKSH.copy(), self.values_LKSH.copy()
        return other

    def truncate(self, length: int) -> None:
        """Forgets all tokens but the first ``length``."""
        assert 0 <= length <= self.length, "a cache only becomes shorter"
        self.length = length


class NumpyEngine:
    """The model in plain NumPy; it reads one row at a time, so no text depends on others.

    Args:
        config: The model's shape.
        weights: Float32 arrays under the names of the model's state dict.
    """

    def __init__(self, config: ModelConfig, weights: dict[str, Array]) -> None:
        self.config = config
        self.weights = weights
        self.slopes_N = np.array(head_slopes(config.n_head), np.float32)

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> "NumpyEngine":
        """Returns an engine for a bundle's model.

        Raises:
            BundleError: The model has a part that this engine does not compute.
        """
        bundle.check_parts(COMPUTED_PARTS, "the NumPy engine")
        return cls(bundle.config, bundle.weights)

    def new_cache(self, capacity: int) -> NumpyCache:
        """Returns an empty cache for at most ``capacity`` tokens."""
        return NumpyCache(self.config, capacity)

    def prefill(self, ids_T: Sequence[int], cache: NumpyCache) -> Array:
        """Appends the tokens to the cache and returns logits_V of the one that follows."""
        x_TD = self.weights["token_embedding.weight"][list(ids_T)]
        bias_NTS = self._bias(len(ids_T), cache.length + len(ids_T))
        for layer in range(self.config.n_layer):
            name = f"blocks.{layer}."
            normed_TD = self._norm(x_TD, name + "attention_norm")
            x_TD = x_TD + self._attention(normed_TD, bias_NTS, cache, layer)
            normed_TD = self._norm(x_TD, name + "feed_forward_norm")
            x_TD = x_TD + self._feed_forward(normed_TD, name + "feed_forward.")
        cache.length += len(ids_T)
        head = "token_embedding" if self.config.tie_embeddings else "lm_head"
        return self._linear(self._norm(x_TD[-1], "final_norm"), head)

    def decode(self, tokens_B: Sequence[int], caches: Sequence[NumpyCache]) -> Array:
        """Appends a token to each cache and returns logits_BV of those that follow, row by row."""
        rows = zip(tokens_B, caches, strict=True)
        return np.stack([self.prefill([token], cache) for token, cache in rows])

    def _attention(self, x_TD: Array, bias_NTS: Array, cache: NumpyCache, layer: int) -> Array:
        n_head, n_kv_head = self.config.n_head, self.config.n_kv_head
        name, head_dim, n_query = f"blocks.{layer}.attention.", self.config.head_dim, len(x_TD)
        q_TNH = self._linear(x_TD, name + "q_proj").reshape(n_query, n_head, head_dim)
        k_TKH = self._linear(x_TD, name + "k_proj").reshape(n_query, n_kv_head, head_dim)
        v_TKH = self._linear(x_TD, name + "v_proj").reshape(n_query, n_kv_head, head_dim)
        k_KSH, v_KSH = cache.append(layer, k_TKH, v_TKH)
        q_KGTH = q_TNH.transpose(1, 0, 2).reshape(n_kv_head, -1, n_query, head_dim)
        scores_KGTS = q_KGTH @ k_KSH[:, None].swapaxes(-1, -2)
        scores_KGTS /= np.float32(math.sqrt(head_dim))
        scores_KGTS += bias_NTS.reshape(scores_KGTS.shape)
        scores_KGTS -= scores_KGTS.max(axis=-1, keepdims=True)
        weights_KGTS = np.exp(scores_KGTS)
        weights_KGTS /= weights_KGTS.sum(axis=-1, keepdims=True)
        out_KGTH = weights_KGTS @ v_KSH[:, None]
        out_TNH = out_KGTH.reshape(n_head, n_query, head_dim).transpose(1, 0, 2)
        return self._linear(out_TNH.reshape(n_query, -1), name + "out_proj")

    def _feed_forward(self, x_TD: Array, name: str) -> Array:
        gate_TF = self._linear(x_TD, name + "gate_proj")
        # sigmoid by tanh, because exp would overflow on large negative gates
        gate_TF *= np.float32(0.5) * (np.tanh(np.float32(0.5) * gate_TF) + np.float32(1))
        return self._linear(gate_TF * self._linear(x_TD, name + "up_proj"), name + "down_proj")

    def _norm(self, x: Array, name: str) -> Array:
        mean_square = np.mean(np.square(x), axis=-1, keepdims=True)
        scale = 1 / np.sqrt(mean_square + np.float32(self.config.rms_eps))
        normed: Array = x * scale * self.weights[name + ".weight"]
        return normed

    def _linear(self, x: Array, name: str) -> Array:
        out: Array = x @ self.weights[name + ".weight"].T
        return out

    def _bias(self, n_query: int, n_key: int) -> Array:
        key_S = np.arange(n_key, dtype=np.float32)
        query_T = key_S[n_key - n_query :]
        bias_NTS: Array = alibi_bias(self.slopes_N, query_T, key_S)
        bias_NTS[:, query_T[:, None] < key_S[None, :]] = -np.inf
        return bias_NTS
