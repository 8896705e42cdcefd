"""llama.cpp through its C interface: token ids, and the logits of every position.

``ANEKDOT_LLAMA_CPP`` names a folder with the shared libraries of the npm package
@node-llama-cpp/linux-x64 3.22.1 (llama.cpp v0.5.0), whose structures are spelled out here.
"""

import ctypes as c
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

FOLDER = os.environ.get("ANEKDOT_LLAMA_CPP", "")
F32, FLASH_OFF, FLASH_AUTO = 0, 0, -1


class ModelParams(c.Structure):
    _fields_ = [
        ("devices", c.c_void_p),
        ("tensor_buft_overrides", c.c_void_p),
        ("n_gpu_layers", c.c_int32),
        ("split_mode", c.c_int),
        ("load_mode", c.c_int),
        ("lazy_mode", c.c_int),
        ("main_gpu", c.c_int32),
        ("tensor_split", c.c_void_p),
        ("progress_callback", c.c_void_p),
        ("progress_callback_user_data", c.c_void_p),
        ("kv_overrides", c.c_void_p),
        ("vocab_only", c.c_bool),
        ("check_tensors", c.c_bool),
        ("use_extra_bufts", c.c_bool),
        ("no_host", c.c_bool),
        ("no_alloc", c.c_bool),
        ("load_mtp", c.c_bool),
    ]


class ContextParams(c.Structure):
    _fields_ = [
        *[
            (name, c.c_uint32)
            for name in (
                "n_ctx",
                "n_batch",
                "n_ubatch",
                "n_seq_max",
                "n_rs_seq",
                "n_outputs_max",
                "n_outputs_max_per_seq",
            )
        ],
        ("n_threads", c.c_int32),
        ("n_threads_batch", c.c_int32),
        ("ctx_type", c.c_int),
        ("rope_scaling_type", c.c_int),
        ("pooling_type", c.c_int),
        ("attention_type", c.c_int),
        ("flash_attn_type", c.c_int),
        ("rope_freq_base", c.c_float),
        ("rope_freq_scale", c.c_float),
        ("yarn_ext_factor", c.c_float),
        ("yarn_attn_factor", c.c_float),
        ("yarn_beta_fast", c.c_float),
        ("yarn_beta_slow", c.c_float),
        ("yarn_orig_ctx", c.c_uint32),
        ("defrag_thold", c.c_float),
        ("cb_eval", c.c_void_p),
        ("cb_eval_user_data", c.c_void_p),
        ("type_k", c.c_int),
        ("type_v", c.c_int),
        ("abort_callback", c.c_void_p),
        ("abort_callback_data", c.c_void_p),
        ("embeddings", c.c_bool),
        ("offload_kqv", c.c_bool),
        ("no_perf", c.c_bool),
        ("op_offload", c.c_bool),
        ("swa_full", c.c_bool),
        ("kv_unified", c.c_bool),
        ("samplers", c.c_void_p),
        ("n_samplers", c.c_size_t),
        ("ctx_other", c.c_void_p),
    ]


class Batch(c.Structure):
    _fields_ = [
        ("n_tokens", c.c_int32),
        ("token", c.POINTER(c.c_int32)),
        ("embd", c.c_void_p),
        ("pos", c.POINTER(c.c_int32)),
        ("n_seq_id", c.POINTER(c.c_int32)),
        ("seq_id", c.POINTER(c.POINTER(c.c_int32))),
        ("logits", c.POINTER(c.c_int8)),
    ]


LogCallback = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)


@LogCallback
def _keep_quiet(level: int, text: bytes, data: object) -> None:
    if level >= 4 and os.environ.get("ANEKDOT_LLAMA_CPP_LOG"):
        print(text.decode(errors="replace"), end="")


def _load_library() -> Any:
    folder = Path(FOLDER)
    (ggml,) = folder.glob("libggml.v*.so")
    (library,) = folder.glob("libllama.v*.so")
    c.CDLL(str(folder / "libggml-base.so"), c.RTLD_GLOBAL)
    backends = c.CDLL(str(ggml), c.RTLD_GLOBAL)
    llama = c.CDLL(str(library))
    llama.llama_log_set(_keep_quiet, None)
    backends.ggml_backend_load_all_from_path.argtypes = [c.c_char_p]
    backends.ggml_backend_load_all_from_path(str(folder).encode())
    pointer, i32 = c.c_void_p, c.c_int32
    for name, result, arguments in (
        ("llama_model_default_params", ModelParams, []),
        ("llama_context_default_params", ContextParams, []),
        ("llama_model_load_from_file", pointer, [c.c_char_p, ModelParams]),
        ("llama_init_from_model", pointer, [pointer, ContextParams]),
        ("llama_model_get_vocab", pointer, [pointer]),
        ("llama_vocab_n_tokens", i32, [pointer]),
        ("llama_vocab_bos", i32, [pointer]),
        ("llama_vocab_eos", i32, [pointer]),
        ("llama_vocab_pad", i32, [pointer]),
        ("llama_vocab_get_add_bos", c.c_bool, [pointer]),
        ("llama_vocab_get_add_eos", c.c_bool, [pointer]),
        ("llama_vocab_is_eog", c.c_bool, [pointer, i32]),
        ("llama_model_n_ctx_train", i32, [pointer]),
        ("llama_get_memory", pointer, [pointer]),
        ("llama_memory_clear", None, [pointer, c.c_bool]),
        ("llama_batch_init", Batch, [i32, i32, i32]),
        ("llama_batch_free", None, [Batch]),
        ("llama_decode", i32, [pointer, Batch]),
        ("llama_get_logits_ith", c.POINTER(c.c_float), [pointer, i32]),
        ("llama_free", None, [pointer]),
        ("llama_model_free", None, [pointer]),
    ):
        function = getattr(llama, name)
        function.restype, function.argtypes = result, arguments
    llama.llama_tokenize.argtypes = [
        pointer, c.c_char_p, i32, c.POINTER(i32), i32, c.c_bool, c.c_bool,
    ]  # fmt: skip
    llama.llama_detokenize.argtypes = [
        pointer, c.POINTER(i32), i32, c.c_char_p, i32, c.c_bool, c.c_bool,
    ]  # fmt: skip
    return llama


_LIBRARY: list[Any] = []


def library() -> Any:
    """Returns the library, loaded once."""
    if not _LIBRARY:
        _LIBRARY.append(_load_library())
    return _LIBRARY[0]


class Llama:
    """A GGUF file in llama.cpp, on the CPU.

    Args:
        path: The file.
        n_ctx: Tokens that a text may have.
        exact: Keys and values in float32 and no flash attention; otherwise llama.cpp's defaults.
    """

    def __init__(self, path: Path, n_ctx: int = 512, *, exact: bool = True) -> None:
        self.llama = llama = library()
        self.model = llama.llama_model_load_from_file(
            str(path).encode(), llama.llama_model_default_params()
        )
        if not self.model:
            raise RuntimeError(f"llama.cpp refuses {path}")
        settings = llama.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = n_ctx
        settings.n_threads = settings.n_threads_batch = 1
        if exact:
            settings.type_k = settings.type_v = F32
            settings.flash_attn_type = FLASH_OFF
        self.context = llama.llama_init_from_model(self.model, settings)
        if not self.context:
            raise RuntimeError(f"llama.cpp makes no context for {path}")
        self.vocabulary = llama.llama_model_get_vocab(self.model)
        self.vocab_size = llama.llama_vocab_n_tokens(self.vocabulary)
        self.batch = llama.llama_batch_init(n_ctx, 0, 1)
        self.length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, trace: TracebackType | None
    ) -> None:
        self.llama.llama_batch_free(self.batch)
        self.llama.llama_free(self.context)
        self.llama.llama_model_free(self.model)

    def logits(self, ids: list[int]) -> np.ndarray:
        """Returns logits_TV of a text that begins anew."""
        self.llama.llama_memory_clear(self.llama.llama_get_memory(self.context), True)
        self.length = 0
        return self.append(ids)

    def append(self, ids: list[int]) -> np.ndarray:
        """Returns logits_TV of tokens that go on with the text."""
        self.batch.n_tokens = len(ids)
        for n, id in enumerate(ids):
            self.batch.token[n], self.batch.pos[n] = id, self.length + n
            self.batch.n_seq_id[n], self.batch.seq_id[n][0], self.batch.logits[n] = 1, 0, 1
        if self.llama.llama_decode(self.context, self.batch):
            raise RuntimeError("llama_decode failed")
        self.length += len(ids)
        rows = [self.llama.llama_get_logits_ith(self.context, n) for n in range(len(ids))]
        return np.stack([np.ctypeslib.as_array(row, (self.vocab_size,)).copy() for row in rows])

    def encode(self, text: str | bytes, *, begin: bool = False, special: bool = False) -> list[int]:
        """Returns the ids of a text."""
        data = text.encode() if isinstance(text, str) else text
        ids = (c.c_int32 * (len(data) + 2))()
        n = self.llama.llama_tokenize(
            self.vocabulary, data, len(data), ids, len(ids), begin, special
        )
        assert n >= 0
        return list(ids[:n])

    def decode(self, ids: list[int]) -> bytes:
        """Returns the bytes of ids, special tokens left out."""
        array, buffer = (c.c_int32 * len(ids))(*ids), c.create_string_buffer(64 * len(ids) + 64)
        n = self.llama.llama_detokenize(
            self.vocabulary, array, len(ids), buffer, len(buffer), True, False
        )
        assert n >= 0
        return buffer.raw[:n]
