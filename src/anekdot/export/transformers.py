"""A folder for Hugging Face Transformers: weights, tokenizer, and the model's code in one file."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from anekdot.bundle import CARD, CONFIG, TOKENIZER, Bundle
from anekdot.errors import BundleError
from anekdot.export.agreement import check_log_probs, probe_ids, reference_log_probs
from anekdot.export.names import tensor_names
from anekdot.generation.generator import TEMPERATURE, TOP_K
from anekdot.tokenizer import formats
from anekdot.tokenizer.vocabulary import SPECIALS
from anekdot.weights_file import WEIGHTS

CODE = "modeling_anekdot.py"
TEMPLATES = Path(__file__).parent / "templates"
DTYPES = {"f32": "float32", "f16": "float16"}
CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def write(bundle: Bundle, path: Path, dtype: str, usable_context: int) -> None:
    """Writes the folder.

    Args:
        bundle: The model.
        path: A folder that does not exist yet.
        dtype: A key of DTYPES.
        usable_context: What the folder names as the longest text, in tokens.
    """
    path.mkdir()
    _write_json(path / CONFIG, config_json(bundle, dtype, usable_context))
    _write_json(path / "generation_config.json", _generation_config())
    _write_json(path / "tokenizer_config.json", _tokenizer_config(usable_context))
    tokenizer = bundle.tokenizer
    (path / TOKENIZER).write_bytes(
        formats.serialize(tokenizer.merges, tokenizer.pattern, adds_begin=True)
    )
    shutil.copyfile(TEMPLATES / CODE, path / CODE)
    names = tensor_names(bundle.config, "transformers")
    tensors = {names[name]: array.astype(DTYPES[dtype]) for name, array in bundle.weights.items()}
    save_file(tensors, path / WEIGHTS, {"format": "pt"})


def config_json(bundle: Bundle, dtype: str, usable_context: int) -> dict[str, Any]:
    """Returns the config.json: Transformers' names for the shape, and ours for the rest."""
    config = bundle.config
    return {
        "model_type": "anekdot",
        "architectures": ["AnekdotForCausalLM"],
        "auto_map": {
            "AutoConfig": f"{Path(CODE).stem}.AnekdotConfig",
            "AutoModelForCausalLM": f"{Path(CODE).stem}.AnekdotForCausalLM",
        },
        "dtype": DTYPES[dtype],
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_dim,
        "intermediate_size": config.intermediate_dim,
        "num_hidden_layers": config.n_layer,
        "num_attention_heads": config.n_head,
        "num_key_value_heads": config.n_kv_head,
        "rms_norm_eps": config.rms_eps,
        "tie_word_embeddings": config.tie_embeddings,
        "max_position_embeddings": usable_context,
        "trained_context_length": config.context_length,
        "dropout": config.dropout,
        "parts": bundle.parts,
        "training": bundle.training,
        **_special_ids(),
    }


def _special_ids() -> dict[str, int]:
    kinds = {"pad": "<|pad|>", "bos": "<|begin|>", "eos": "<|end|>"}
    return {f"{kind}_token_id": SPECIALS.index(name) for kind, name in kinds.items()}


def _generation_config() -> dict[str, Any]:
    """Returns how texts are drawn unless a program says otherwise: as anekdot generate does."""
    return {**_special_ids(), "do_sample": True, "temperature": TEMPERATURE, "top_k": TOP_K}


def _tokenizer_config(usable_context: int) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<|pad|>",
        "bos_token": "<|begin|>",
        "eos_token": "<|end|>",
        "split_special_tokens": True,  # a text that says <|end|> does not end there
        "clean_up_tokenization_spaces": False,
        "padding_side": "left",
        "model_max_length": usable_context,
        "model_input_names": ["input_ids", "attention_mask"],
        "chat_template": CHAT_TEMPLATE,
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")

