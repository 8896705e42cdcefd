"""A GGUF file in llama.cpp itself, where the package xllamacpp is installed."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from anekdot.export.agreement import Array
from anekdot.tokenizer.vocabulary import FIRST_BYTE


def is_installed() -> bool:
    """Whether llama.cpp can be called."""
    return importlib.util.find_spec("xllamacpp") is not None


def log_probs(path: Path, ids_T: Sequence[int], vocab_size: int) -> Array:
    """Returns log_probs_V of the token that follows some ids, computed as exactly as it can.

    Args:
        path: The file.
        ids_T: The ids, the begin token among them.
        vocab_size: Tokens in the vocabulary.
    """
    import xllamacpp  # noqa: PLC0415 (an extra)

    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_ctx = max(64, len(ids_T) + 1)
    settings.n_parallel = 1
    settings.n_gpu_layers = 0
    settings.warmup = False
    settings.verbosity = -1
    settings.cache_type_k = settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    settings.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    server = xllamacpp.Server(settings)
    answer = server.handle_completions(
        {
            "prompt": list(ids_T),
            "max_tokens": 1,
            "logprobs": vocab_size,
            "temperature": 0.0,
            # answers with a whole character: of half a one, the server loses the probabilities
            "logit_bias": [[FIRST_BYTE, 1000.0]],
        }
    )
    log_probs_V = np.full(vocab_size, -np.inf, np.float32)
    for entry in answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]:
        log_probs_V[entry["id"]] = entry["logprob"]
    return log_probs_V
