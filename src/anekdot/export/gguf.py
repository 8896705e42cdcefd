"""A bundle as a GGUF file, for llama.cpp and all that is built on it, and an Ollama Modelfile.

Of the architectures of llama.cpp, ``refact`` computes this model exactly: RMSNorm, SwiGLU,
grouped queries, ALiBi with the same slopes for any number of heads, no biases, a head of its
own or the embedding.

Where a bundle holds int8 rows, Q8_0 takes these integers as they are: each block of 32 gets the
scale of its row, rounded to float16.

Sources: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md;
``src/models/refact.cpp`` and ``src/llama-vocab.cpp`` of https://github.com/ggml-org/llama.cpp.
"""

import math
import shlex
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.export import llama_cpp
from anekdot.export.agreement import (
    TOLERANCE,
    check_log_probs,
    probe_ids,
    reference_log_probs,
)
from anekdot.export.gguf_import import ARCHITECTURE, describe, shape_in_file
from anekdot.export.gguf_reading import open_gguf
from anekdot.export.names import tensor_names
from anekdot.generation.generator import TEMPERATURE, TOP_K
from anekdot.model.config import ModelConfig
from anekdot.quantization import SCALE_SUFFIX, dequantize_weights
from anekdot.text_output import one_line
from anekdot.tokenizer.formats import token_strings
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.tokenizer.vocabulary import SPECIALS

BLOCK = 32  # weights that share a scale in Q8_0 and Q4_0
FILE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 7, "bf16": 32}  # LlamaFileType
MAX_FLOAT16 = 65504
MAX_LAYERS = 512  # LLAMA_MAX_LAYERS
PATTERNS = ("qwen2", "qwen35")  # split patterns that llama.cpp knows, under our names

# Without a template, servers assume ChatML, whose mark-up no anecdote has.
CHAT_TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def write(bundle: Bundle, path: Path, dtype: str, usable_context: int) -> None:
    """Writes a GGUF file.

    Args:
        bundle: The model.
        path: The file.
        dtype: f32, f16, bf16, q8_0 or q4_0; vectors are always float32.
        usable_context: The longest text in tokens; llama-server cuts every text there.

    Raises:
        BundleError: A width or a number that the dtype cannot hold, too many layers, or a split
            pattern that llama.cpp does not have.
    """
    from gguf import GGMLQuantizationType, GGUFWriter  # noqa: PLC0415 (an extra)

    _check_shape(bundle.config, dtype)
    writer = GGUFWriter(path, ARCHITECTURE)
    try:
        _add_model(writer, bundle.config, usable_context, dtype)
        _add_tokenizer(writer, bundle.tokenizer)
        for name, gguf_name in tensor_names(bundle.config, "gguf").items():
            kind, data = stored_as(bundle, name, dtype)
            writer.add_tensor(gguf_name, data, raw_dtype=GGMLQuantizationType[kind])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _add_model(writer: Any, config: ModelConfig, usable_context: int, dtype: str) -> None:
    writer.add_type("model")
    writer.add_name("anekdot")
    writer.add_file_type(FILE_TYPES[dtype])
    writer.add_quantization_version(2)
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(usable_context)
    writer.add_embedding_length(config.hidden_dim)
    writer.add_block_count(config.n_layer)
    writer.add_feed_forward_length(config.intermediate_dim)
    writer.add_head_count(config.n_head)
    writer.add_head_count_kv(config.n_kv_head)
    writer.add_layer_norm_rms_eps(config.rms_eps)
    writer.add_uint32("anekdot.context_length", config.context_length)  # that of training
    writer.add_float32("anekdot.dropout", config.dropout)


def _add_tokenizer(writer: Any, tokenizer: Tokenizer) -> None:
    """Adds the vocabulary, and what llama.cpp would guess wrongly if it were left out."""
    from gguf import TokenType  # noqa: PLC0415 (an extra)

    if tokenizer.pattern not in PATTERNS:
        raise BundleError(
            f"The tokenizer splits texts by the pattern {tokenizer.pattern}, which llama.cpp "
            "does not have.",
            "Export to another format.",
        )
    tokens = token_strings(tokenizer.merges)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(tokenizer.pattern)
    writer.add_token_list(tokens)
    writer.add_token_types(
        [TokenType.CONTROL if token in SPECIALS else TokenType.NORMAL for token in tokens]
    )
    writer.add_token_merges([f"{tokens[left]} {tokens[right]}" for left, right in tokenizer.merges])
    writer.add_bos_token_id(tokenizer.begin_id)
    writer.add_eos_token_id(tokenizer.end_id)
    writer.add_pad_token_id(tokenizer.pad_id)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def stored_as(bundle: Bundle, name: str, dtype: str) -> tuple[str, NDArray[Any]]:
    """Returns a tensor as the file holds it: the name of its type in GGUF, and its numbers.

    Raises:
        BundleError: One of them is too large for the dtype.
    """
    from gguf import GGMLQuantizationType, quants  # noqa: PLC0415 (an extra)

    array = bundle.stored[name]
    kind = "F32" if array.ndim == 1 else dtype.upper()
    scale_N = bundle.stored.get(name + SCALE_SUFFIX)
    if scale_N is not None and kind == "Q8_0":
        _check_range(name, scale_N, dtype)
        return kind, _blocks(array, scale_N)
    own = {key: bundle.stored[key] for key in (name, name + SCALE_SUFFIX) if key in bundle.stored}
    weights = dequantize_weights(own)[name]
    if kind in ("F16", "Q8_0", "Q4_0"):
        _check_range(name, weights, dtype)
    with np.errstate(over="ignore"):
        return kind, quants.quantize(weights, GGMLQuantizationType[kind])


def _blocks(array: NDArray[Any], scale: NDArray[Any]) -> NDArray[np.uint8]:
    """Returns int8 rows as rows of Q8_0 blocks: a float16 scale, then 32 integers."""
    rows, columns = array.shape
    blocks = np.empty((rows, columns // BLOCK, 2 + BLOCK), np.uint8)
    blocks[:, :, :2] = scale.astype("<f2").view(np.uint8).reshape(rows, 1, 2)
    blocks[:, :, 2:] = array.reshape(rows, -1, BLOCK).view(np.uint8)
    return blocks.reshape(rows, -1)


def _check_shape(config: ModelConfig, dtype: str) -> None:
    if config.n_layer > MAX_LAYERS:
        raise BundleError(
            f"n_layer is {config.n_layer}, and llama.cpp holds at most {MAX_LAYERS} layers.",
            "Export to another format.",
        )
    if dtype not in ("q8_0", "q4_0"):
        return
    for name in ("hidden_dim", "intermediate_dim"):
        if (width := getattr(config, name)) % BLOCK:
            raise BundleError(
                f"{name} is {width}, and {dtype} holds rows of a multiple of {BLOCK} weights.",
                "Export with --dtype f16, or train a model of another width.",
            )


def _check_range(name: str, numbers: NDArray[Any], dtype: str) -> None:
    if (largest := float(np.abs(numbers).max())) > MAX_FLOAT16:
        raise BundleError(
            f"{name} holds {largest:g}, and {dtype} nothing above {MAX_FLOAT16}.",
            "Export with --dtype f32.",
        )


def check(bundle: Bundle, path: Path, dtype: str) -> str:
    """Reads a file back; where llama.cpp is installed, runs it too.

    Raises:
        BundleError: It does not hold the model, or computes something else.
    """
    file = open_gguf(path)
    config, tokenizer = describe(file)
    same = shape_in_file(bundle.config) == config and bundle.tokenizer == tokenizer
    names = tensor_names(bundle.config, "gguf")
    same = same and file.tensors.keys() == set(names.values())
    for name, gguf_name in names.items():
        kind, data = stored_as(bundle, name, dtype)
        same = same and file.tensors[gguf_name].kind == kind
        same = same and file.read(gguf_name).tobytes() == data.tobytes()
    if not same:
        raise BundleError(f"{path} does not hold what was written to it.", "Export again.")
    said = f"{len(names)} tensors and the tokenizer, read back, are those of the bundle"
    if not llama_cpp.is_installed():
        return said
    ids = probe_ids(bundle.config)
    expected_V = reference_log_probs(bundle.config, bundle.weights, ids)[-1]
    found_V = llama_cpp.log_probs(path, ids, bundle.config.vocab_size)
    tolerance = TOLERANCE if dtype == "f32" else math.inf
    largest = check_log_probs("llama.cpp", found_V, expected_V, tolerance)
    return f"{said}; log-probabilities by llama.cpp differ by {largest:.1g} nats at most"


def beside(path: Path, usable_context: int) -> dict[Path, str]:
    """Returns the Modelfile by which Ollama runs a file, and where it is to lie."""
    modelfile = _modelfile(path)
    return {
        modelfile: f"""# ollama create {_stem(path)} -f {modelfile.name}
FROM ./{path.name}
TEMPLATE {{{{ .Prompt }}}}
PARAMETER temperature {TEMPERATURE}
PARAMETER top_k {TOP_K}
PARAMETER num_ctx {usable_context}
"""
    }


def commands(path: Path) -> tuple[str, ...]:
    """Returns the lines that run the file."""
    file, name = shlex.quote(str(path)), shlex.quote(_stem(path))
    modelfile = shlex.quote(str(_modelfile(path)))
    return (
        f'llama-completion -m {file} -no-cnv --temp {TEMPERATURE} --top-k {TOP_K} -p "Студент"',
        f"llama-server -m {file}",
        f'ollama create {name} -f {modelfile} && ollama run {name} "Студент"',
    )


def _stem(path: Path) -> str:
    return one_line(path.name.removesuffix(".gguf"))


def _modelfile(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".gguf") + ".Modelfile")
