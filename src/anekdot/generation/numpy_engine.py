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
from anekdot.errors import BundleError
from anekdot.model.alibi import alibi_bias, head_slopes
from anekdot.model.config import ModelConfig

Array = NDArray[np.float32]

# What this engine computes, whatever the PyTorch model is built of.
COMPUTED_PARTS = {"position": "alibi", "norm": "rmsnorm", "feed_forward": "swiglu"}

MAX_SCORES = 1 << 24  # of the queries and keys of all heads that are computed together
FIRST_CAPACITY = 512  # tokens of a cache's first allocation


class NumpyCache:
    """Keys and values of one row, in memory that doubles as tokens come.

    Args:
        config: The model's shape.
        capacity: Most tokens that it can hold.
    """

    def __init__(self, config: ModelConfig, capacity: int) -> None:
        allocated = min(capacity, FIRST_CAPACITY)
        shape = (config.n_layer, config.n_kv_head, allocated, config.head_dim)
        self.capacity = capacity
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
        assert end <= self.capacity, "the cache is full"
        self._allocate(end)
        self.keys_LKSH[layer, :, self.length : end] = k_TKH.transpose(1, 0, 2)
        self.values_LKSH[layer, :, self.length : end] = v_TKH.transpose(1, 0, 2)
        return self.keys_LKSH[layer, :, :end], self.values_LKSH[layer, :, :end]

    def _allocate(self, length: int) -> None:
        """Makes room for so many tokens."""
        allocated = self.keys_LKSH.shape[2]
        if length > allocated:
            more = min(self.capacity, max(length, 2 * allocated)) - allocated
            room = ((0, 0), (0, 0), (0, more), (0, 0))
            self.keys_LKSH = np.pad(self.keys_LKSH, room)
            self.values_LKSH = np.pad(self.values_LKSH, room)

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
        """Appends the tokens to the cache and returns logits_V of the one that follows.

        A long prompt is read in parts, so that the scores of one part fit into memory.

        Raises:
            BundleError: The weights are so large that logits are not finite.
        """
        n_key = cache.length + len(ids_T)
        width = max(1, MAX_SCORES // (self.config.n_head * n_key))
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                for first in range(0, len(ids_T), width):
                    x_D = self._read(ids_T[first : first + width], cache)
                logits_V = self._linear(self._norm(x_D, "final_norm"), self._head)
        except FloatingPointError:
            raise self._overflow() from None
        if not np.isfinite(logits_V).all():
            raise self._overflow()
        return logits_V

    def decode(self, tokens_B: Sequence[int], caches: Sequence[NumpyCache]) -> Array:
        """Appends a token to each cache and returns logits_BV of those that follow, row by row."""
        rows = zip(tokens_B, caches, strict=True)
        return np.stack([self.prefill([token], cache) for token, cache in rows])

    def _read(self, ids_T: Sequence[int], cache: NumpyCache) -> Array:
        """Appends the tokens to the cache and returns x_D of the last one."""
        x_TD = self.weights["token_embedding.weight"][list(ids_T)]
        bias_NTS = self._bias(len(ids_T), cache.length + len(ids_T))
        for layer in range(self.config.n_layer):
            name = f"blocks.{layer}."
            normed_TD = self._norm(x_TD, name + "attention_norm")
            x_TD = x_TD + self._attention(normed_TD, bias_NTS, cache, layer)
            normed_TD = self._norm(x_TD, name + "feed_forward_norm")
            x_TD = x_TD + self._feed_forward(normed_TD, name + "feed_forward.")
        cache.length += len(ids_T)
        x_D: Array = x_TD[-1]
        return x_D

    @property
    def _head(self) -> str:
        return "token_embedding" if self.config.tie_embeddings else "lm_head"

    def _overflow(self) -> BundleError:
        """Returns the error of a model whose numbers become infinite."""
        sizes = {name: float(abs(array).max()) for name, array in self.weights.items()}
        largest = max(sizes, key=sizes.__getitem__)
        return BundleError(
            f"The model's logits are not finite; its largest weight is {sizes[largest]:.3g}, "
            f"in {largest}.",
            "Convert, quantize or train the model again.",
        )

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
        with np.errstate(over="raise"):  # else a norm would turn infinity into zero
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
