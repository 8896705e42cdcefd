"""The files around the weights that programs of Hugging Face's world read.

Source: https://huggingface.co/docs/hub/model-cards for the front matter of a card.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anekdot.bundle import CARD, CONFIG, TOKENIZER, Bundle
from anekdot.errors import BundleError
from anekdot.export.card import export_card
from anekdot.export.gguf import CHAT_TEMPLATE
from anekdot.generation.generator import TEMPERATURE, TOP_K
from anekdot.model_card import figures_of
from anekdot.tokenizer import formats
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.tokenizer.vocabulary import FIRST_MERGE, SPECIALS

# The fields of ModelConfig, as config.json names them.
NAMES = {
    "vocab_size": "vocab_size",
    "context_length": "trained_context_length",
    "n_layer": "num_hidden_layers",
    "n_head": "num_attention_heads",
    "n_kv_head": "num_key_value_heads",
    "hidden_dim": "hidden_size",
    "intermediate_dim": "intermediate_size",
    "dropout": "dropout",
    "rms_eps": "rms_norm_eps",
    "tie_embeddings": "tie_word_embeddings",
}
DRAWING = "generation_config.json"
AGAIN = "Export again, and report this if it happens twice."
SPECIAL_IDS = {"pad": Tokenizer.pad_id, "bos": Tokenizer.begin_id, "eos": Tokenizer.end_id}


def write_description(
    path: Path, bundle: Bundle, usable_context: int, config: dict[str, Any]
) -> None:
    """Writes config.json and what says how texts are encoded and drawn.

    Args:
        path: The folder.
        bundle: The model.
        usable_context: The longest text to name, in tokens.
        config: What config.json has beside the shape of the model.
    """
    ids = {f"{kind}_token_id": id for kind, id in SPECIAL_IDS.items()}
    drawing = {"do_sample": True, "temperature": TEMPERATURE, "top_k": TOP_K}
    shape = {theirs: getattr(bundle.config, ours) for ours, theirs in NAMES.items()}
    shape["max_position_embeddings"] = usable_context
    _write_json(path / CONFIG, {**config, **shape, **ids})
    _write_json(path / DRAWING, {**ids, **drawing})
    _write_json(path / "tokenizer_config.json", _tokenizer_config(usable_context))
    write_tokenizer(path, bundle.tokenizer)


def check_description(path: Path, tokenizer: Tokenizer) -> None:
    """Reads back what says how texts are encoded, and where they begin and end.

    Raises:
        BundleError: It is not what the model needs.
    """
    ids = {f"{kind}_token_id": id for kind, id in SPECIAL_IDS.items()}
    for name in (CONFIG, DRAWING):
        if not ids.items() <= json.loads((path / name).read_text("utf-8")).items():
            raise BundleError(f"{path / name} names other special tokens than {ids}.", AGAIN)
    check_tokenizer(path, tokenizer)


def check_tokenizer(path: Path, tokenizer: Tokenizer) -> None:
    """Raises a BundleError unless the tokenizer.json of a folder is a certain tokenizer."""
    if Tokenizer.load(path / TOKENIZER) != tokenizer:
        raise BundleError(f"{path / TOKENIZER} is not the tokenizer that was written.", AGAIN)


def write_tokenizer(path: Path, tokenizer: Tokenizer) -> None:
    """Writes tokenizer.json into a folder, with what places the begin token."""
    data = formats.serialize(tokenizer.merges, tokenizer.pattern, adds_begin=True)
    (path / TOKENIZER).write_bytes(data)


def _tokenizer_config(usable_context: int) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{f"{kind}_token": SPECIALS[id] for kind, id in SPECIAL_IDS.items()},
        "split_special_tokens": True,  # a text that says <|end|> does not end there
        "clean_up_tokenization_spaces": False,
        "padding_side": "left",
        "model_max_length": usable_context,
        "model_input_names": ["input_ids", "attention_mask"],
        "chat_template": CHAT_TEMPLATE,
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


def write_card(path: Path, bundle: Bundle, library: str, usage: Sequence[str]) -> None:
    """Writes the model card: front matter for machines, then what a person reads.

    Args:
        path: The folder.
        bundle: The model.
        library: What runs the folder, as the Hub calls it.
        usage: The lines that run it.
    """
    front = "\n".join(["---", *_front_matter(bundle, library), "---"])
    card = export_card(path.name, bundle, usage=usage)
    (path / CARD).write_text(f"{front}\n\n{card}", "utf-8")


def _front_matter(bundle: Bundle, library: str) -> list[str]:
    """Returns lines of YAML; nothing in them comes from outside but numbers."""
    lines = [
        *_language(bundle.tokenizer),
        "license: unknown",
        f"library_name: {library}",
        "pipeline_tag: text-generation",
        "tags: [anekdot, alibi]",
    ]
    figure = re.search(
        r"(\d+) validation documents: ([\d.]+) (?:± [\d.]+ )?bits", figures_of(bundle.card)
    )
    if figure is not None:
        lines += [
            "model-index:",
            "- name: anekdot",
            "  results:",
            "  - task: {type: text-generation}",
            f"    dataset: {{type: held-out, name: {figure[1]} validation documents}}",
            f"    metrics: [{{type: bits_per_byte, value: {figure[2]}}}]",
        ]
    return lines


def _language(tokenizer: Tokenizer) -> list[str]:
    """Returns the language of the texts that a vocabulary was made from, if it is Russian."""
    tokens = b" ".join(map(tokenizer.token_bytes, range(FIRST_MERGE, tokenizer.vocab_size)))
    letters = [letter for letter in tokens.decode(errors="ignore").lower() if letter.isalpha()]
    russian = sum("а" <= letter <= "я" or letter == "ё" for letter in letters)
    return ["language: ru"] if 10 * russian > 9 * len(letters) else []
