"""ALiBi: attention with linear biases, the only way in which position enters the model.

A query at position i sees a key at position j with the penalty ``slope * (i - j)``;
there are no position embeddings. The functions are plain arithmetic, so that the
PyTorch model and the NumPy engine share them. Nothing here imports torch.

Letters: ``N`` query heads, ``T`` query positions, ``S`` key positions.

Source: Press, Smith and Lewis 2021, "Train Short, Test Long", section 3; head counts that
are not a power of two as in the authors' code, ``fairseq/models/transformer.py``.
"""

import math
from typing import Any


def head_slopes(n_head: int) -> list[float]:
    """Returns the penalty per position of distance for each head.

    For a power of two the slopes are a geometric sequence, whose first term and ratio are
    ``2 ** (-8 / n_head)``. Otherwise the slopes of the next smaller power of two
    come first, then every second slope of the next larger one.

    >>> head_slopes(4)
    [0.25, 0.0625, 0.015625, 0.00390625]
    >>> head_slopes(6)
    [0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125]
    """
    power = 2 ** math.floor(math.log2(n_head))
    slopes = [2.0 ** (-8 * i / power) for i in range(1, power + 1)]
    between = [2.0 ** (-4 * i / power) for i in range(1, 2 * power, 2)]
    return slopes + between[: n_head - power]


def alibi_bias(slopes_N: Any, query_T: Any, key_S: Any) -> Any:
    """Returns what ALiBi adds to the attention scores.

    Args:
        slopes_N: Slopes, a float array of torch or NumPy.
        query_T: Positions of the queries, in tokens.
        key_S: Positions of the keys, in tokens.

    Returns:
        bias_NTS: ``-slope * (i - j)``; positive, hence to be masked, where a key lies
        in the future.
    """
    distance_TS = query_T[:, None] - key_S[None, :]
    return -slopes_N[:, None, None] * distance_TS
