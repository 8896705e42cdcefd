"""The shape of a model, and the three presets."""

from dataclasses import dataclass
from typing import Any

from anekdot.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a Transformer.

    Attributes:
        vocab_size: Tokens in the vocabulary, specials included.
        context_length: Tokens in a training row, and in an evaluation window.
        n_layer: Transformer blocks.
        n_head: Query heads.
        n_kv_head: Key and value heads; each serves n_head / n_kv_head query heads.
        hidden_dim: Width of the residual stream.
        intermediate_dim: Width of the feed-forward layer.
        dropout: Probability of zeroing an activation in training.
        rms_eps: Added to the mean square in RMSNorm.
        tie_embeddings: Whether the output head is the embedding matrix.

    Raises:
        ConfigurationError: A field has the wrong type or a value that cannot work.
    """

    vocab_size: int
    context_length: int
    n_layer: int
    n_head: int
    n_kv_head: int
    hidden_dim: int
    intermediate_dim: int
    dropout: float = 0.0
    rms_eps: float = 1e-5
    tie_embeddings: bool = True

    def __post_init__(self) -> None:
        for name, largest in LARGEST.items():
            check_integer(name, getattr(self, name), 1, largest)
        check_number("dropout", self.dropout, 0.0, 0.99)
        check_number("rms_eps", self.rms_eps, 1e-12, 1e-1)
        check_boolean("tie_embeddings", self.tie_embeddings)
        for whole, part in (("hidden_dim", "n_head"), ("n_head", "n_kv_head")):
            if getattr(self, whole) % getattr(self, part):
                raise ConfigurationError(
                    f"{whole} {getattr(self, whole)} is not divisible by "
                    f"{part} {getattr(self, part)}.",
                    f"Choose a {whole} that is a multiple of {part}.",
                )

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.hidden_dim // self.n_head

    @property
    def n_parameters(self) -> int:
        """Trainable numbers in the model."""
        attention = 2 * self.hidden_dim * self.head_dim * (self.n_head + self.n_kv_head)
        feed_forward = 3 * self.hidden_dim * self.intermediate_dim
        embeddings = self.vocab_size * self.hidden_dim * (1 if self.tie_embeddings else 2)
        norms = self.hidden_dim
        return self.n_layer * (attention + feed_forward + 2 * norms) + embeddings + norms


LARGEST = {
    "vocab_size": 1 << 20,
    "context_length": 1 << 20,
    "n_layer": 1024,
    "n_head": 1024,
    "n_kv_head": 1024,
    "hidden_dim": 1 << 16,
    "intermediate_dim": 1 << 18,
}

PRESETS: dict[str, dict[str, int]] = {
    "nano": {
        "n_layer": 3,
        "n_head": 4,
        "n_kv_head": 2,
        "hidden_dim": 96,
        "intermediate_dim": 256,
    },
    "mini": {
        "n_layer": 6,
        "n_head": 6,
        "n_kv_head": 3,
        "hidden_dim": 384,
        "intermediate_dim": 1024,
    },
    "small": {
        "n_layer": 12,
        "n_head": 12,
        "n_kv_head": 6,
        "hidden_dim": 768,
        "intermediate_dim": 2048,
    },
}


def check_integer(name: str, value: Any, smallest: int, largest: int) -> None:
    """Raises a ConfigurationError unless the value is an integer within the bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= largest:
        raise ConfigurationError(
            f"{name} is {value!r}.", f"Give a whole number from {smallest} to {largest}."
        )


def check_boolean(name: str, value: Any) -> None:
    """Raises a ConfigurationError unless the value is true or false."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} is {value!r}.", "Give true or false.")


def check_number(name: str, value: Any, smallest: float, largest: float) -> None:
    """Raises a ConfigurationError unless the value is a number within the bounds."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not smallest <= value <= largest:
        raise ConfigurationError(
            f"{name} is {value!r}.", f"Give a number from {smallest:g} to {largest:g}."
        )
