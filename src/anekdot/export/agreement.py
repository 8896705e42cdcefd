"""Whether an export computes what the bundle computes.

Letters: ``T`` positions, ``V`` vocabulary.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anekdot.errors import BundleError
from anekdot.generation.numpy_engine import NumpyEngine
from anekdot.model.config import ModelConfig
from anekdot.tokenizer.tokenizer import Tokenizer

PROBE_TOKENS = 32
TOLERANCE = 1e-4  # of a log-probability in float32
LEAST_LOG_PROB = -15.0  # below, where float32 has fewer digits, nothing is ever drawn

Array = NDArray[np.float32]


def probe_ids(config: ModelConfig) -> list[int]:
    """Returns ids to compute log-probabilities of: the begin token, then any, always the same."""
    drawn = np.random.default_rng(0).integers(0, config.vocab_size, PROBE_TOKENS - 1)
    return [Tokenizer.begin_id, *drawn.tolist()]


def reference_log_probs(
    config: ModelConfig, weights: dict[str, Array], ids_T: Sequence[int]
) -> Array:
    """Returns log_probs_TV of the tokens that follow each position, by the NumPy engine."""
    engine = NumpyEngine(config, weights)
    cache = engine.new_cache(len(ids_T))
    return log_softmax(np.stack([engine.prefill([id], cache) for id in ids_T]))


def log_softmax(logits_TV: Array) -> Array:
    """Returns log-probabilities."""
    shifted_TV = logits_TV - logits_TV.max(-1, keepdims=True)
    log_probs_TV: Array = shifted_TV - np.log(np.exp(shifted_TV).sum(-1, keepdims=True))
    return log_probs_TV


def check_log_probs(
    engine: str, found_TV: Array, expected_TV: Array, tolerance: float = TOLERANCE
) -> float:
    """Returns the largest difference of log-probabilities.

    Raises:
        BundleError: It is larger than the tolerance, or not a number.
    """
    difference_TV = np.abs(found_TV - expected_TV)[expected_TV > LEAST_LOG_PROB]
    largest = float(difference_TV.max())
    if not largest <= tolerance:
        raise BundleError(
            f"{engine} computes other log-probabilities than the bundle: they differ by "
            f"{largest:.2g} nats, where {tolerance:g} is allowed.",
            f"Use another version of {engine}, and report this.",
        )
    return largest
