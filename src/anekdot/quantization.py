"""int8 rows with one scale each, the same for bundles, engines and exports.

A row of a matrix is stored as ``round(row / scale)`` with ``scale = max|row| / 127``, so
the error of a weight is at most half a scale. Vectors (the norms) stay float32.
"""

import numpy as np
from numpy.typing import NDArray

SCALE_SUFFIX = ".scale"


def quantize_rows(
    matrix: NDArray[np.float32],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Returns int8 values of the matrix's shape and a float32 scale for each row.

    >>> values, scale = quantize_rows(np.array([[0.5, -1.27], [0.0, 0.0]], np.float32))
    >>> values.tolist(), scale.round(4).tolist()
    ([[50, -127], [0, 0]], [0.009999999776482582, 0.0])
    """
    scale = np.abs(matrix).max(axis=1).astype(np.float32) / np.float32(127)
    divisor = np.where(scale == 0, np.float32(1), scale)
    return np.rint(matrix / divisor[:, None]).astype(np.int8), scale


def quantize_weights(weights: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.generic]]:
    """Quantizes every matrix; its scales are stored beside it as ``<name>.scale``."""
    packed: dict[str, NDArray[np.generic]] = {}
    for name, array in weights.items():
        if array.ndim == 2:
            packed[name], packed[name + SCALE_SUFFIX] = quantize_rows(array)
        else:
            packed[name] = array
    return packed


def dequantize_weights(stored: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.float32]]:
    """Returns float32 weights from what a bundle stores, quantized or not."""
    weights = {
        name: array.astype(np.float32, copy=False)
        for name, array in stored.items()
        if not name.endswith(SCALE_SUFFIX)
    }
    for name, scale in stored.items():
        if name.endswith(SCALE_SUFFIX):
            weights[name.removesuffix(SCALE_SUFFIX)] *= scale.astype(np.float32)[:, None]
    return weights
