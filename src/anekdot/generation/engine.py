"""What a generator asks of an engine: token ids in, logits out. And whether two engines agree.

Letters: ``B`` rows, ``T`` new tokens of one row, ``V`` vocabulary.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from anekdot.generation.sampling import log_probabilities
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


# Nats. Float32 engines that sum in another order differ by 6e-6 on the pretrained model and by 3e-5
# on twelve layers; another activation, norm or slope by 8e-3 at least, even before training.
MAX_DISAGREEMENT = 1e-3


def disagreement(one: Engine[Any], other: Engine[Any], prompt_ids: Sequence[int]) -> float:
    """Returns the largest difference between two engines' log-probabilities, in nats.

    Engines that compute the same model in float32 stay below MAX_DISAGREEMENT. Every token
    of the vocabulary is compared after every token of the prompt, which is decoded one by one.

    Args:
        one: An engine.
        other: Another, of the same model.
        prompt_ids: Begin token and prompt.
    """
    caches = [engine.new_cache(len(prompt_ids)) for engine in (one, other)]
    largest = 0.0
    for token in prompt_ids:
        one_V, other_V = (
            log_probabilities(engine.decode([token], [cache])[0])
            for engine, cache in zip((one, other), caches, strict=True)
        )
        difference = abs(one_V - other_V).max()
        largest = max(largest, math.inf if np.isnan(difference) else float(difference))
    return largest
