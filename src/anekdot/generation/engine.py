"""What a generator asks of an engine: token ids in, logits out.

Letters: ``B`` rows, ``T`` new tokens of one row, ``V`` vocabulary.
"""

from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from anekdot.model.config import ModelConfig


class Cache(Protocol):
    """What an engine remembers of the tokens of one row. The caller owns it."""

    @property
    def length(self) -> int:
        """Tokens so far."""

    def copy(self) -> Self:
        """Returns an independent cache with the same contents."""

    def truncate(self, length: int) -> None:
        """Forgets all tokens but the first ``length``."""


C = TypeVar("C", bound=Cache)


class Engine(Protocol[C]):
    """A model that continues rows of tokens; no row depends on another."""

    @property
    def config(self) -> ModelConfig:
        """The model's shape."""

    def new_cache(self, capacity: int) -> C:
        """Returns an empty cache for at most ``capacity`` tokens."""

    def prefill(self, ids_T: Sequence[int], cache: C) -> NDArray[np.float32]:
        """Appends the tokens of one row to its cache.

        Returns:
            logits_V: Of the token that follows.
        """

    def decode(self, tokens_B: Sequence[int], caches: Sequence[C]) -> NDArray[np.float32]:
        """Appends one token to each row's cache.

        Returns:
            logits_BV: Of the token that follows in each row.
        """
