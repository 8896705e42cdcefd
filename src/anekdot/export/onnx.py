"""A folder for ONNX Runtime, in programs of any language and in browsers.

One graph reads a prompt and, with its cache, goes on from it. The configuration names a Llama,
because transformers.js runs a decoder with a cache only if it knows its name; what computes is
the graph.
"""

import dataclasses
import importlib.util
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.export.agreement import check_log_probs, log_softmax, probe_ids, reference_log_probs
from anekdot.export.hugging_face import check_description, write_description
from anekdot.export.onnx_graph import ACCURACY, FLOAT_ACCURACY, PAST, model_graph

MODEL, SCRIPT = "model.onnx", "generate.py"
TEMPLATES = Path(__file__).parent / "templates"
MAX_BYTES = 2_000_000_000  # of a file in protobuf's format


def write(bundle: Bundle, path: Path, dtype: str, usable_context: int) -> None:
    """Writes the folder.

    Args:
        bundle: The model.
        path: A folder that does not exist yet.
        dtype: f32, or int8 for the matrices, embedding and head included.
        usable_context: What the folder names as the longest text, in tokens.

    Raises:
        BundleError: The model is too large for one file.
    """
    stored = _stored(bundle, dtype)
    if (size := sum(array.nbytes for array in stored.values())) > MAX_BYTES:
        raise BundleError(
            f"The model takes {size / 1e9:.1f} GB in {dtype}, and a file of ONNX 2 GB at most.",
            "Export with --dtype int8, or to another target.",
        )
    path.mkdir()
    (path / MODEL).write_bytes(model_graph(bundle.config, stored).SerializeToString())
    write_description(path, bundle, usable_context, {"model_type": "llama"})
    shutil.copyfile(TEMPLATES / SCRIPT, path / SCRIPT)


def _stored(bundle: Bundle, dtype: str) -> dict[str, NDArray[Any]]:
    return dict(bundle.weights) if dtype == "f32" else bundle.quantized().stored


def check(bundle: Bundle, path: Path, dtype: str) -> str:
    """Reads the graph and the tokenizer back; where ONNX Runtime is installed, runs the graph.

    int8 weights are multiplied in float32 here: what is compared are the weights and the
    computation, without the rounding of activations.

    Raises:
        BundleError: It is no valid graph, or computes something else.
    """
    import onnx  # noqa: PLC0415 (an extra)

    check_description(path, bundle.tokenizer)
    onnx.checker.check_model(str(path / MODEL), full_check=True)
    if importlib.util.find_spec("onnxruntime") is None:
        return "the graph is valid; with onnxruntime installed, it would have been run too"
    return _compare(dataclasses.replace(bundle, stored=_stored(bundle, dtype)), path / MODEL)


def _compare(bundle: Bundle, path: Path) -> str:
    """Compares what ONNX Runtime computes, token by token, with the NumPy engine."""
    import onnx  # noqa: PLC0415 (an extra)
    import onnxruntime  # noqa: PLC0415 (an extra)

    engine = f"ONNX Runtime {onnxruntime.__version__}"
    model, ids, logits = onnx.load(path), probe_ids(bundle.config), []
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == ACCURACY:
                attribute.i = FLOAT_ACCURACY
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [item.name for item in session.get_inputs() if item.name.startswith(PAST)]
    shape = (1, bundle.config.n_kv_head, 0, bundle.config.head_dim)
    past = [np.zeros(shape, np.float32)] * len(names)
    for n, id in enumerate(ids):
        mask = np.ones((1, n + 1), np.int64)
        inputs = {
            "input_ids": [[id]],
            "attention_mask": mask,
            **dict(zip(names, past, strict=True)),
        }
        logits_BTV, *past = session.run(None, inputs)
        logits.append(logits_BTV[0, 0])
    expected_TV = reference_log_probs(bundle.config, bundle.weights, ids)
    largest = check_log_probs(engine, log_softmax(np.stack(logits)), expected_TV)
    return f"log-probabilities by {engine} differ by {largest:.1g} nats at most"


def commands(path: Path) -> tuple[str, ...]:
    """Returns the lines that run it."""
    return (
        "pip install onnxruntime tokenizers",
        f'python {shlex.quote(str(path / SCRIPT))} "Студент"',
    )
