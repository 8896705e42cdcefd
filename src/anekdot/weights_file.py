"""``model.safetensors``: judged by its header before a tensor is read, then read and checked.

What a file claims costs nothing: names, dtypes and shapes are compared with the model's shape
first, so that no more is read than the model needs.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from anekdot.errors import BundleError
from anekdot.machine import refuse_too_large
from anekdot.model.config import ModelConfig, parameter_shapes
from anekdot.quantization import SCALE_SUFFIX

FORMAT = "anekdot-1"
WEIGHTS = "model.safetensors"

# Dtypes by the number of axes that an array has. An int8 matrix has a float32 scale for each row.
DTYPES = {1: ("F32", "F16"), 2: ("F32", "F16", "I8")}
QUANTIZED = "I8"
SCALE_DTYPES = ("F32",)

MAX_HEADER_BYTES = 8 << 20  # of the names, dtypes and shapes; 1,024 layers need a third
MAX_WEIGHT = 1e18  # the squares of larger ones, which a norm needs, are infinite in float32
_AGAIN = "Copy the bundle again, or train it again."

Arrays = dict[str, NDArray[np.generic]]


def read_weights(path: Path, config: ModelConfig) -> tuple[Arrays, dict[str, str]]:
    """Reads the arrays of a bundle of a certain shape, and the hashes that were saved with them.

    Raises:
        BundleError: The file is damaged, or holds anything but finite weights of that shape.
        ConfigurationError: The model is larger than the memory of this machine.
    """
    arrays, metadata = read_arrays(path, config, {name: name for name in parameter_shapes(config)})
    try:
        hashes = dict(json.loads(metadata.get(FORMAT, "{}")))
    except (TypeError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from None
    if hashes.get("weights") != weights_hash(arrays):
        raise BundleError(f"{path} is damaged.", _AGAIN)
    for name, array in arrays.items():
        check_finite(path, name, array)
    return arrays, hashes


def read_arrays(
    path: Path, config: ModelConfig, names: dict[str, str]
) -> tuple[Arrays, dict[str, str]]:
    """Reads the arrays of a model of a certain shape, and the metadata of their file.

    Args:
        path: A file of safetensors.
        config: The model's shape.
        names: What the file calls each parameter.

    Raises:
        BundleError: The file is damaged, or holds anything but arrays of that shape.
        ConfigurationError: The model is larger than the memory of this machine.
    """
    try:
        _check_size(path, config)
        with safe_open(path, "numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            found = {
                name: (part.get_dtype(), tuple(part.get_shape())) for name, part in slices.items()
            }
            _check_header(path, config, names, found)
            refuse_too_large(
                path.stat().st_size + 4 * config.n_parameters,
                f"The model of {path.parent}",
                "Take a smaller model.",
            )
            return {name: file.get_tensor(name) for name in found}, file.metadata() or {}
    except (SafetensorError, OSError, TypeError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> BundleError:
    return BundleError(f"{path} cannot be read as weights ({error}).", "Copy or train it again.")


def weights_hash(stored: Arrays) -> str:
    """Returns the SHA-256 of some arrays with their names, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, array in sorted(stored.items()):
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _check_size(path: Path, config: ModelConfig) -> None:
    """Compares the sizes of the file and of its header with what the model can need."""
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    size, most = path.stat().st_size, MAX_HEADER_BYTES + 5 * config.n_parameters
    if size > most or header > MAX_HEADER_BYTES:
        raise BundleError(
            f"{path} has {size:,} bytes, {header:,} of them its header; the model of config.json "
            f"needs at most {most:,}, {MAX_HEADER_BYTES:,} of them for the header.",
            "Take both from the same bundle.",
        )


def _check_header(
    path: Path,
    config: ModelConfig,
    names: dict[str, str],
    found: dict[str, tuple[str, tuple[int, ...]]],
) -> None:
    """Compares names, dtypes and shapes with those of the model and of the scales it needs."""
    shapes = {names[name]: shape for name, shape in parameter_shapes(config).items()}
    expected = {name: (DTYPES[len(shape)], shape) for name, shape in shapes.items()}
    for name, shape in shapes.items():
        if len(shape) == 2 and found.get(name, ("",))[0] == QUANTIZED:
            expected[name + SCALE_SUFFIX] = (SCALE_DTYPES, shape[:1])
    for name in sorted(found.keys() | expected.keys()):
        if name not in expected:
            raise BundleError(
                f"{path} holds {name[:80]!r}, which the model of config.json does not have.",
                "Take both from the same bundle.",
            )
        dtypes, shape = expected[name]
        dtype, found_shape = found.get(name, ("", None))
        if found_shape != shape:
            raise BundleError(
                f"{path} has {name} of shape {found_shape}, where config.json asks for {shape}.",
                "Take both from the same bundle.",
            )
        if dtype not in dtypes:
            raise BundleError(
                f"{path} has {name} in {dtype}, which is not one of {', '.join(dtypes)}.",
                "Convert it, or use the version of anekdot that wrote it.",
            )


def check_finite(path: Path, name: str, array: NDArray[Any]) -> None:
    """Raises a BundleError for weights, and scales of them, that no computation could use."""
    if array.dtype == np.int8:
        return
    low, high = float(array.min()), float(array.max())  # NaN if one of them is
    is_scale = name.endswith(SCALE_SUFFIX)
    largest = MAX_WEIGHT / 128 if is_scale else MAX_WEIGHT
    smallest = 0.0 if is_scale else -largest
    if not (smallest <= low and high <= largest):
        raise BundleError(
            f"{path} has numbers from {low:g} to {high:g} in {name}, "
            f"where finite ones from {smallest:g} to {largest:g} are expected.",
            "Convert, quantize or train the model again.",
        )
