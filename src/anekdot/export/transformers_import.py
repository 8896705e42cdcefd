"""A folder that ``anekdot export --to transformers`` wrote, or Transformers saved, as a bundle.

What is read is JSON and safetensors: no code of the folder runs.
"""

import json
from pathlib import Path
from typing import Any

from anekdot.bundle import CONFIG, MAX_CONFIG_BYTES, TOKENIZER, Bundle
from anekdot.errors import AnekdotError, BundleError
from anekdot.export.hugging_face import NAMES
from anekdot.export.names import tensor_names
from anekdot.model.config import PARTS, ModelConfig
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.weights_file import WEIGHTS, check_finite, read_arrays

MODEL_TYPE = "anekdot"
_REMEDY = "Give a folder that anekdot export --to transformers wrote."


def read(folder: Path) -> Bundle:
    """Reads a folder as a bundle; float32 and float16 stay as they are.

    Raises:
        BundleError: A file is missing or damaged, or the model is not one of anekdot.
        ConfigurationError: The model is larger than the memory of this machine.
    """
    for name in (TOKENIZER, WEIGHTS):
        if not (folder / name).is_file():
            raise BundleError(f"{folder} has no {name}.", _REMEDY)
    described = _read_config(folder / CONFIG)
    config = _shape(folder / CONFIG, described)
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    if tokenizer.vocab_size != config.vocab_size:
        raise BundleError(
            f"{folder} has a tokenizer of {tokenizer.vocab_size} tokens and a model of "
            f"{config.vocab_size}.",
            "Take both from the same folder.",
        )
    names = tensor_names(config, "transformers")
    arrays, _ = read_arrays(folder / WEIGHTS, config, names)
    stored = {name: arrays[theirs] for name, theirs in names.items()}
    for name, array in stored.items():
        check_finite(folder / WEIGHTS, name, array)
    return Bundle(config, tokenizer, stored, described["training"], described["parts"])


def _read_config(path: Path) -> dict[str, Any]:
    """Returns the config.json of a model of anekdot.

    Raises:
        BundleError: It is damaged, or describes another model.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_CONFIG_BYTES + 1)
        if len(text) > MAX_CONFIG_BYTES:
            raise ValueError(f"it is larger than {MAX_CONFIG_BYTES:,} bytes")
        described = dict(json.loads(text.decode()))
        described["training"] = dict(described.get("training", {}))
        described["parts"] = dict(described.get("parts", {}))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise BundleError(f"{path} is no configuration of a model ({error}).", _REMEDY) from None
    if (kind := described.get("model_type")) != MODEL_TYPE:
        raise BundleError(f"{path} describes a model of the type {str(kind)[:80]!r}.", _REMEDY)
    if described["parts"] != PARTS:
        parts = str(described["parts"])[:200]
        raise BundleError(f"{path} names the parts {parts}, not {PARTS}.", _REMEDY)
    return described


def _shape(path: Path, described: dict[str, Any]) -> ModelConfig:
    """Returns the shape of the model; what is missing is None, which ModelConfig refuses."""
    described.setdefault("tie_word_embeddings", True)  # transformers 4 leaves it out if it is true
    fields = {ours: described.get(theirs) for ours, theirs in NAMES.items()}
    try:
        return ModelConfig(**fields)  # type: ignore[arg-type]
    except AnekdotError as error:
        raise BundleError(f"{path}: {error.cause}", error.remedy) from None
