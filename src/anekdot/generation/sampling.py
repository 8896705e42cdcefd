"""From logits to the next token: pure functions on one row, shared by all engines.

Letters: ``V`` vocabulary.
"""

import math

import numpy as np
from numpy.typing import NDArray

from anekdot.errors import BundleError

_MASK = (1 << 64) - 1


def uniform(seed: int, position: int) -> float:
    """Returns a number in [0, 1) that depends on nothing but the seed and the position.

    Counter-based randomness: token number ``position`` of a text gets the same number
    whether the text is generated alone or in a batch, streamed or not, on any machine.

    Source: Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators"
    (the SplitMix64 finalizer), once on the seed and once on seed and position.
    """
    return (_mix(_mix(seed) + position) >> 11) / (1 << 53)


def _mix(number: int) -> int:
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


def probabilities(
    logits_V: NDArray[np.float32], temperature: float, top_k: int | None
) -> NDArray[np.float64]:
    """Returns probabilities_V after top-k and temperature.

    Args:
        logits_V: The model's output; minus infinity forbids a token.
        temperature: Above 0; below 1 sharpens, above 1 flattens.
        top_k: Only the k largest logits stay possible, with all that equal the smallest of them.

    >>> probabilities(np.log(np.array([1, 2, 4, 8], np.float32)), 1.0, 2).round(3).tolist()
    [0.0, 0.0, 0.333, 0.667]
    """
    scaled_V = logits_V.astype(np.float64)
    if top_k is not None and top_k < len(scaled_V):
        smallest = np.partition(scaled_V, -top_k)[-top_k]
        scaled_V = np.where(scaled_V < smallest, -np.inf, scaled_V)
    # the peak is subtracted first: a tiny temperature would else give infinity minus infinity
    with np.errstate(over="ignore"):
        weights_V = np.exp((scaled_V - scaled_V.max()) / temperature)
    normalised_V: NDArray[np.float64] = weights_V / weights_V.sum()
    return normalised_V


def log_probabilities(logits_V: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns the natural logarithms of the model's own probabilities, in nats."""
    shifted_V = logits_V.astype(np.float64) - logits_V.max()
    normalised_V: NDArray[np.float64] = shifted_V - math.log(np.exp(shifted_V).sum())
    return normalised_V


def check_logits(logits_V: NDArray[np.float32]) -> None:
    """Raises a BundleError if the largest logit is infinite or not a number."""
    if not np.isfinite(logits_V.max()):
        raise infinite_logits()


def infinite_logits() -> BundleError:
    """Returns the error of a model whose numbers become infinite."""
    return BundleError(
        "The model's logits are not finite: its weights are too large.",
        "Convert, quantize or train the model again.",
    )


def sample(
    logits_V: NDArray[np.float32],
    *,
    temperature: float,
    top_k: int | None,
    seed: int,
    position: int,
) -> int:
    """Returns the next token: the likeliest at temperature 0, else a random one.

    Raises:
        BundleError: The largest logit is infinite or not a number.
    """
    check_logits(logits_V)
    if temperature == 0:
        return int(logits_V.argmax())
    cumulative_V = probabilities(logits_V, temperature, top_k).cumsum()
    # scaling by the rounded total keeps the last possible token reachable and no other
    threshold = uniform(seed, position) * cumulative_V[-1]
    return int(np.searchsorted(cumulative_V, threshold, side="right"))
