"""The shape of a model, the parts that it is built of, and the three presets."""

import math
from dataclasses import dataclass

from anekdot.errors import ConfigurationError
from anekdot.field_checks import check_boolean, check_integer, check_number


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a Transformer.

    Attributes:
        vocab_size: Tokens in the vocabulary, special ones included.
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
        for name, maximum in MAX_FIELD_VALUES.items():
            check_integer(name, getattr(self, name), 1, maximum)
        check_number("dropout", self.dropout, 0.0, 0.99)
        check_number("rms_eps", self.rms_eps, 1e-12, 1e-1)
        check_boolean("tie_embeddings", self.tie_embeddings)
        for whole, part in (("hidden_dim", "n_head"), ("n_head", "n_kv_head")):
            if getattr(self, whole) % getattr(self, part):
                raise ConfigurationError(
                    f"{whole} {getattr(self, whole)} is not divisible by "
                    f"{part} {getattr(self, part)}.",
                    f"Choose {whole} as a multiple of {part}.",
                )

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.hidden_dim // self.n_head

    @property
    def n_parameters(self) -> int:
        """Trainable numbers in the model."""
        return sum(math.prod(shape) for shape in parameter_shapes(self).values())


def parameter_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Returns the name and the shape of every parameter of a model, a tied one once."""
    hidden, intermediate = config.hidden_dim, config.intermediate_dim
    kv_dim = config.n_kv_head * config.head_dim
    block = {
        "attention_norm.weight": (hidden,),
        "attention.q_proj.weight": (hidden, hidden),
        "attention.k_proj.weight": (kv_dim, hidden),
        "attention.v_proj.weight": (kv_dim, hidden),
        "attention.out_proj.weight": (hidden, hidden),
        "feed_forward_norm.weight": (hidden,),
        "feed_forward.gate_proj.weight": (intermediate, hidden),
        "feed_forward.up_proj.weight": (intermediate, hidden),
        "feed_forward.down_proj.weight": (hidden, intermediate),
    }
    shapes: dict[str, tuple[int, ...]] = {
        f"blocks.{layer}.{name}": shape
        for layer in range(config.n_layer)
        for name, shape in block.items()
    }
    shapes["token_embedding.weight"] = (config.vocab_size, hidden)
    shapes["final_norm.weight"] = (hidden,)
    if not config.tie_embeddings:
        shapes["lm_head.weight"] = (config.vocab_size, hidden)
    return shapes


# What Transformer is built of. A bundle records it; whoever changes a part names it anew here, so
# that an engine which does not compute the new part refuses the bundle.
PARTS = {"position": "alibi", "norm": "rmsnorm", "feed_forward": "swiglu"}

# What bundles and runs that do not name their parts are built of. It never changes, as PARTS may.
UNNAMED_PARTS = {"position": "alibi", "norm": "rmsnorm", "feed_forward": "swiglu"}

MAX_FIELD_VALUES = {
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
