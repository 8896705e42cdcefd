"""A folder for ONNX Runtime, on any machine and in browsers: one graph with a cache."""

from pathlib import Path

import numpy as np

from anekdot.bundle import TOKENIZER, Bundle
from anekdot.errors import BundleError
from anekdot.export.agreement import (
    check_log_probs,
    log_softmax,
    probe_ids,
    reference_log_probs,
)
from anekdot.export.onnx_graph import model_graph
from anekdot.tokenizer import formats
from anekdot.tokenizer.tokenizer import Tokenizer

MODEL = "model.onnx"


def write(bundle: Bundle, path: Path, dtype: str, usable_context: int) -> None:
    path.mkdir()
    stored = bundle.quantized().stored if dtype == "int8" else bundle.weights
    (path / MODEL).write_bytes(model_graph(bundle.config, stored).SerializeToString())
    tokenizer = bundle.tokenizer
    (path / TOKENIZER).write_bytes(
        formats.serialize(tokenizer.merges, tokenizer.pattern, adds_begin=True)
    )
