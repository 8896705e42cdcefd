"""Bundles made by hand, with right hashes whatever they hold."""

import hashlib
import json
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anekdot.atomic_files import sha256
from anekdot.bundle import CONFIG, TOKENIZER, WEIGHTS, Bundle
from anekdot.model.config import ModelConfig, parameter_shapes
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.weights_file import FORMAT

Tensor = tuple[str, list[int], bytes]
"""Dtype as safetensors spells it, shape, and the bytes."""

NAMES = {"f4": "F32", "f2": "F16", "f8": "F64", "i1": "I8", "u1": "U8", "b1": "BOOL", "i2": "I16",
         "u2": "U16", "i4": "I32", "u4": "U32", "i8": "I64", "u8": "U64", "c8": "C64"}  # fmt: skip


def tensor(array: NDArray[Any]) -> Tensor:
    """Returns an array as it is written."""
    return NAMES[array.dtype.str[1:]], list(array.shape), array.tobytes()


def write_weights(
    folder: Path, tensors: dict[str, Tensor], metadata: dict[str, Any] | None = None
) -> None:
    """Writes model.safetensors with the hashes of what is in the folder and in the tensors."""
    if metadata is None:
        metadata = {FORMAT: json.dumps(hashes(folder, tensors))}
    header: dict[str, Any] = {"__metadata__": metadata}
    data = b""
    for name, (dtype, shape, part) in tensors.items():
        offsets = [len(data), len(data) + len(part)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        data += part
    write_raw(folder / WEIGHTS, json.dumps(header).encode(), data)


def write_raw(path: Path, header: bytes, data: bytes = b"") -> None:
    """Writes a safetensors file from its parts."""
    header += b" " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


def hashes(folder: Path, tensors: dict[str, Tensor]) -> dict[str, str]:
    """Returns the hashes that the weights of a bundle carry, computed by another hand."""
    digest = hashlib.sha256()
    for name, (dtype, shape, data) in sorted(tensors.items()):
        kind = {short: np.dtype(short) for short in NAMES}
        spelled = next((str(kind[short]) for short, long in NAMES.items() if long == dtype), dtype)
        digest.update(f"{name} {spelled} {tuple(shape)}\n".encode())
        digest.update(data)
    return {
        "config": sha256(folder / CONFIG),
        "tokenizer": sha256(folder / TOKENIZER),
        "weights": digest.hexdigest(),
    }


def random_bundle(seed: int = 0, **shape: Any) -> Bundle:
    """A small model with weights large enough for attention and ALiBi to matter."""
    config = ModelConfig(**{**RANDOM_SHAPE, **shape})
    rng = np.random.default_rng(seed)
    stored: dict[str, NDArray[np.generic]] = {
        name: rng.normal(
            *((1, 0.1) if len(size) == 1 else (0, 1.5 / np.sqrt(size[-1]))), size
        ).astype(np.float32)
        for name, size in parameter_shapes(config).items()
    }
    return Bundle(config, _tokenizer().truncate(config.vocab_size), stored)


@cache
def _tokenizer() -> Tokenizer:
    return Bundle.load().tokenizer


RANDOM_SHAPE = {
    "vocab_size": 300, "context_length": 32, "n_layer": 2, "n_head": 6, "n_kv_head": 3,
    "hidden_dim": 96, "intermediate_dim": 64,
}  # fmt: skip

SHAPES: list[dict[str, Any]] = [
    {"n_head": 1, "n_kv_head": 1, "hidden_dim": 32},
    {"n_head": 2, "n_kv_head": 1, "hidden_dim": 64, "tie_embeddings": False},
    {"n_head": 3, "n_kv_head": 3, "hidden_dim": 48, "intermediate_dim": 50},
    {"n_head": 4, "n_kv_head": 2, "hidden_dim": 80, "tie_embeddings": False},
    {"n_head": 5, "n_kv_head": 5, "hidden_dim": 80, "n_layer": 3},
    {"n_head": 6, "n_kv_head": 3, "hidden_dim": 96},
    {"n_head": 6, "n_kv_head": 1, "hidden_dim": 96, "rms_eps": 1e-3, "tie_embeddings": False},
    {"n_head": 7, "n_kv_head": 7, "hidden_dim": 112},
    {"n_head": 12, "n_kv_head": 4, "hidden_dim": 192, "n_layer": 1},
    {"n_head": 12, "n_kv_head": 12, "hidden_dim": 96, "tie_embeddings": False},
]
"""Ten shapes: heads that are no power of two, from one key for all to one for each, tied or not."""
