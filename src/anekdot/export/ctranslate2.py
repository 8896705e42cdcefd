"""A folder for CTranslate2, an engine that is fast on CPUs.

Its Transformer takes ALiBi, RMSNorm, SwiGLU and grouped queries as they are; queries, keys and
values stand in one matrix. int8 rows with a scale each are what a bundle has too: those of an
int8 bundle keep their integers.

Source: ``specs/transformer_spec.py`` of https://github.com/OpenNMT/CTranslate2.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from anekdot.bundle import CONFIG, TOKENIZER, Bundle
from anekdot.errors import BundleError
from anekdot.export.agreement import check_log_probs, probe_ids, reference_log_probs
from anekdot.export.hugging_face import AGAIN, check_tokenizer, write_tokenizer
from anekdot.generation.generator import MAX_TOKENS, TEMPERATURE, TOP_K
from anekdot.tokenizer import formats
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.tokenizer.vocabulary import SPECIALS

QUANTIZATION = {"f32": "float32", "int8": "int8"}


def write(bundle: Bundle, path: Path, dtype: str, usable_context: int) -> None:
    """Writes the folder.

    Args:
        bundle: The model.
        path: A folder that does not exist yet.
        dtype: f32, or int8 for the matrices.
        usable_context: Not used: the engine knows no longest text.
    """
    path.mkdir()
    spec = _spec(bundle)
    spec.validate()
    spec.optimize(QUANTIZATION[dtype])
    spec.save(str(path))
    write_tokenizer(path, bundle.tokenizer)


def _spec(bundle: Bundle) -> Any:
    """Returns CTranslate2's description of the model, with its weights."""
    from ctranslate2.specs import Activation, TransformerDecoderModelSpec  # noqa: PLC0415

    config = bundle.config
    # copies, since CTranslate2 quantizes in place
    weights = {name: array.copy() for name, array in bundle.weights.items()}
    spec = TransformerDecoderModelSpec.from_config(
        config.n_layer,
        config.n_head,
        activation=Activation.SWISH,
        ffn_glu=True,
        rms_norm=True,
        alibi=True,
        num_heads_kv=config.n_kv_head,
        head_dim=config.head_dim,
    )
    decoder = spec.decoder
    decoder.scale_embeddings = False
    decoder.embeddings.weight = weights["token_embedding.weight"]
    decoder.layer_norm.gamma = weights["final_norm.weight"]
    head = "token_embedding" if config.tie_embeddings else "lm_head"
    decoder.projection.weight = weights[f"{head}.weight"]
    for number, layer in enumerate(decoder.layer):
        _fill(layer, {name: weights[f"blocks.{number}.{name}.weight"] for name in _BLOCK})
    spec.register_vocabulary(formats.token_strings(bundle.tokenizer.merges))
    spec.config.bos_token = SPECIALS[Tokenizer.begin_id]
    spec.config.eos_token = SPECIALS[Tokenizer.end_id]
    spec.config.unk_token = SPECIALS[Tokenizer.pad_id]  # no text has one
    spec.config.layer_norm_epsilon = config.rms_eps
    return spec


_ATTENTION = ("attention.q_proj", "attention.k_proj", "attention.v_proj")
_BLOCK = (
    *_ATTENTION,
    "attention.out_proj",
    "attention_norm",
    "feed_forward_norm",
    "feed_forward.gate_proj",
    "feed_forward.up_proj",
    "feed_forward.down_proj",
)


def _fill(layer: Any, block: dict[str, Any]) -> None:
    """Gives a layer of CTranslate2 the weights of a block."""
    attention, feed_forward = layer.self_attention, layer.ffn
    attention.layer_norm.gamma = block["attention_norm"]
    attention.linear[0].weight = np.concatenate([block[name] for name in _ATTENTION])
    attention.linear[1].weight = block["attention.out_proj"]
    feed_forward.layer_norm.gamma = block["feed_forward_norm"]
    feed_forward.linear_0.weight = block["feed_forward.gate_proj"]
    feed_forward.linear_0_noact.weight = block["feed_forward.up_proj"]
    feed_forward.linear_1.weight = block["feed_forward.down_proj"]


def check(bundle: Bundle, path: Path, dtype: str) -> str:
    """Compares log-probabilities that CTranslate2 computes with those of the NumPy engine.

    int8 weights are multiplied in float32 here: what is compared are the weights and the
    computation, without the rounding of activations.

    Raises:
        BundleError: They differ, or the vocabulary does.
    """
    import ctranslate2  # noqa: PLC0415 (an extra)

    engine = f"CTranslate2 {ctranslate2.__version__}"
    check_tokenizer(path, bundle.tokenizer)
    if json.loads((path / CONFIG).read_text("utf-8"))["eos_token"] != SPECIALS[Tokenizer.end_id]:
        raise BundleError(f"{path / CONFIG} does not say where texts end.", AGAIN)
    model = bundle.quantized() if dtype == "int8" else bundle
    ids = probe_ids(bundle.config)
    generator = ctranslate2.Generator(str(path), compute_type="float32")
    found_BTV = generator.forward_batch([ids], return_log_probs=True)
    expected_TV = reference_log_probs(model.config, model.weights, ids)
    largest = check_log_probs(engine, np.array(found_BTV)[0], expected_TV)
    return f"log-probabilities by {engine} differ by {largest:.1g} nats at most"


def commands(path: Path) -> tuple[str, ...]:
    """Returns the lines that run it."""
    return (
        "import ctranslate2, tokenizers",
        f"model, tokenizer = ctranslate2.Generator({str(path)!r}), "
        f"tokenizers.Tokenizer.from_file({str(path / TOKENIZER)!r})",
        "print(tokenizer.decode(model.generate_batch([tokenizer.encode('Студент').tokens], "
        f"max_length={MAX_TOKENS}, sampling_topk={TOP_K}, sampling_temperature={TEMPERATURE})"
        "[0].sequences_ids[0]))",
    )
