"""A GGUF file that ``anekdot export`` wrote, or llama.cpp made of one, as a bundle."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anekdot.bundle import Bundle
from anekdot.errors import AnekdotError, BundleError
from anekdot.export.gguf_reading import GGUFFile, StoredTensor, open_gguf
from anekdot.export.names import tensor_names
from anekdot.machine import refuse_too_large
from anekdot.model.config import ModelConfig, parameter_shapes
from anekdot.quantization import SCALE_SUFFIX
from anekdot.tokenizer.formats import parse_merges, token_strings
from anekdot.tokenizer.pretokens import PATTERNS
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.weights_file import check_finite

ARCHITECTURE = "refact"
KINDS = ("F32", "F16", "BF16", "Q8_0")  # from the others, no weights come back as they were
OUTPUT = "output.weight"  # absent where the head is the embedding
_SPECIALS = {"bos": Tokenizer.begin_id, "eos": Tokenizer.end_id, "padding": Tokenizer.pad_id}


def read(path: Path) -> Bundle:
    """Reads a GGUF file as a bundle.

    Float32 and float16 stay as they are, bfloat16 becomes float32. Q8_0 becomes int8 rows where
    the blocks of a row share a scale, as those of an int8 bundle do, and float32 otherwise.

    Raises:
        BundleError: The file is damaged, or holds a model that is not one of anekdot.
        ConfigurationError: The model is larger than the memory of this machine.
    """
    file = open_gguf(path)
    config, tokenizer = describe(file)
    names = tensor_names(config, "gguf")
    _check_tensors(file, config, names)
    refuse_too_large(
        path.stat().st_size + 4 * config.n_parameters, f"The model of {path}", "Take a smaller one."
    )
    stored: dict[str, NDArray[np.generic]] = {}
    for name, gguf_name in names.items():
        stored |= _arrays(name, file.tensors[gguf_name], file.read(gguf_name))
    for name, array in stored.items():
        check_finite(path, name, array)
    return Bundle(config, tokenizer, stored)


def describe(file: GGUFFile) -> tuple[ModelConfig, Tokenizer]:
    """Returns the shape of a model and its tokenizer.

    Raises:
        BundleError: They are not those of a model of anekdot.
    """
    if (architecture := file.keys.get("general.architecture")) != ARCHITECTURE:
        raise foreign(file.path, f"is of the architecture {str(architecture)[:80]!r}")
    if file.keys.get("split.count", 0) not in (0, 1):
        raise foreign(file.path, "is one of several files that hold a model together")
    tokenizer = _tokenizer(file)
    return _config(file, tokenizer.vocab_size), tokenizer


def shape_in_file(config: ModelConfig) -> ModelConfig:
    """Returns a shape as it is read back, with its fractions in float32."""
    rms_eps, dropout = (_shortest(float(np.float32(x))) for x in (config.rms_eps, config.dropout))
    return dataclasses.replace(config, rms_eps=rms_eps, dropout=dropout)


def foreign(path: Path, what: str) -> BundleError:
    """Returns the error for a file that is whole, but of other programs.

    Args:
        path: The file.
        what: What it has, as the rest of a sentence.
    """
    return BundleError(
        f"{path} {what}, which no model of anekdot is.", "Give a file that anekdot export wrote."
    )


def _tokenizer(file: GGUFFile) -> Tokenizer:
    """Returns the tokenizer, after building every token anew."""
    path, keys = (
        file.path,
        {key.removeprefix("tokenizer.ggml."): value for key, value in file.keys.items()},
    )
    pattern, merges = keys.get("pre"), keys.get("merges")
    if keys.get("model") != "gpt2" or pattern not in [*PATTERNS]:
        raise BundleError(
            f"{path} splits texts as {str(keys.get('model'))[:80]!r} and {str(pattern)[:80]!r} do, "
            f"and anekdot by 'gpt2' and {' or '.join(map(repr, PATTERNS))}.",
            "Give a file that anekdot export wrote.",
        )
    if not isinstance(merges, list) or not all(isinstance(merge, str) for merge in merges):
        raise foreign(path, "has a tokenizer without merges")
    tokenizer = Tokenizer(
        tuple(parse_merges(path, [merge.split(" ") for merge in merges])), pattern
    )
    if keys.get("tokens") != token_strings(tokenizer.merges):
        raise foreign(path, "has another vocabulary than its merges make")
    for name, id in _SPECIALS.items():
        if (found := keys.get(f"{name}_token_id")) != id:
            raise foreign(path, f"has the {name} token {str(found)[:80]}")
    return tokenizer


def _config(file: GGUFFile, vocab_size: int) -> ModelConfig:
    """Returns the shape of the model; what is not there is None, which ModelConfig refuses."""
    key = {name.removeprefix(f"{ARCHITECTURE}."): value for name, value in file.keys.items()}
    context_length = key.get("anekdot.context_length", key.get("context_length"))
    try:
        config = ModelConfig(
            vocab_size=vocab_size,
            context_length=context_length,  # type: ignore[arg-type]
            n_layer=key.get("block_count"),  # type: ignore[arg-type]
            n_head=key.get("attention.head_count"),  # type: ignore[arg-type]
            n_kv_head=key.get("attention.head_count_kv"),  # type: ignore[arg-type]
            hidden_dim=key.get("embedding_length"),  # type: ignore[arg-type]
            intermediate_dim=key.get("feed_forward_length"),  # type: ignore[arg-type]
            dropout=_shortest(key.get("anekdot.dropout", 0.0)),
            rms_eps=_shortest(key.get("attention.layer_norm_rms_epsilon")),
            tie_embeddings=OUTPUT not in file.tensors,
        )
    except AnekdotError as error:
        raise BundleError(f"{file.path}: {error.cause}", error.remedy) from None
    for part in ("key", "value"):
        if (width := key.get(f"attention.{part}_length", config.head_dim)) != config.head_dim:
            raise foreign(file.path, f"has heads of {str(width)[:80]} {part}s")
    return config


def _shortest(value: Any) -> Any:
    """Returns a float32 as the shortest number that it stands for: 1e-05, not 9.99999975e-06."""
    return float(str(np.float32(value))) if isinstance(value, float) else value


def _check_tensors(file: GGUFFile, config: ModelConfig, names: dict[str, str]) -> None:
    """Compares names, types and shapes with those of the model."""
    for name in sorted(file.tensors.keys() - names.values()):
        raise foreign(file.path, f"holds {name[:80]!r}")
    for name, shape in parameter_shapes(config).items():
        gguf_name = names[name]
        tensor = file.tensors.get(gguf_name)
        if tensor is None:
            raise BundleError(
                f"{file.path} has no {gguf_name}.", "Take the file from where it came from again."
            )
        if tensor.shape != shape:
            raise BundleError(
                f"{file.path} has {gguf_name} of shape {tensor.shape}, where its header asks for "
                f"{shape}.",
                "Take the file from where it came from again.",
            )
        if tensor.kind not in (KINDS if len(shape) > 1 else ("F32", "F16")):
            raise BundleError(
                f"{file.path} has {gguf_name} in {tensor.kind}, from which the weights do not come "
                "back.",
                f"Import a file in one of {', '.join(KINDS)}.",
            )


def _arrays(
    name: str, tensor: StoredTensor, data: NDArray[np.uint8]
) -> dict[str, NDArray[np.generic]]:
    """Returns a tensor as a bundle stores it, with its scales if it is int8."""
    if tensor.kind == "F32":
        return {name: data.view("<f4").astype(np.float32).reshape(tensor.shape)}
    if tensor.kind == "F16":
        return {name: data.view("<f2").astype(np.float16).reshape(tensor.shape)}
    if tensor.kind == "BF16":
        bits = data.view("<u2").astype(np.uint32) << 16
        return {name: bits.view(np.float32).reshape(tensor.shape)}
    blocks = data.reshape(tensor.shape[0], -1, 34)
    scale = blocks[:, :, :2].copy().view("<f2").astype(np.float32)
    values = blocks[:, :, 2:].view(np.int8)
    if (scale == scale[:, :1]).all() and (scale >= 0).all():
        return {
            name: values.reshape(tensor.shape).copy(),
            name + SCALE_SUFFIX: scale[:, 0, 0].copy(),
        }
    return {name: (scale * values.astype(np.float32)).reshape(tensor.shape)}
