"""What a generator asks of an engine: one row, token ids in, logits out."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from anekdot.model.config import ModelConfig


class Engine(Protocol):
    """A model that continues one row of tokens.

    Letters: ``T`` new tokens, ``V`` vocabulary.
    """

    @property
    def config(self) -> ModelConfig:
        """The model's shape."""

    def new_cache(self, capacity: int) -> Any:
        """Returns an empty cache for at most ``capacity`` tokens."""

    def forward(self, ids_T: list[int], cache: Any) -> NDArray[np.float32]:
        """Appends the tokens to the cache and returns logits_V of the one that follows."""
