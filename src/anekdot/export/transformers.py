"""A folder for Hugging Face Transformers: weights, tokenizer, and the model's code in one file."""

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.export.agreement import check_log_probs, probe_ids, reference_log_probs
from anekdot.export.hugging_face import AGAIN, check_description, write_card, write_description
from anekdot.export.names import tensor_names
from anekdot.export.transformers_import import MODEL_TYPE
from anekdot.model.config import ModelConfig
from anekdot.weights_file import WEIGHTS

CODE = "modeling_anekdot.py"
TEMPLATES = Path(__file__).parent / "templates"
DTYPES = {"f32": "float32", "f16": "float16"}


def write(bundle: Bundle, path: Path, dtype: str, usable_context: int) -> None:
    """Writes the folder.

    Args:
        bundle: The model.
        path: A folder that does not exist yet.
        dtype: A key of DTYPES.
        usable_context: What the folder names as the longest text, in tokens.
    """
    path.mkdir()
    write_description(path, bundle, usable_context, _config(bundle, dtype))
    shutil.copyfile(TEMPLATES / CODE, path / CODE)
    save_file(_tensors(bundle, dtype), path / WEIGHTS, {"format": "pt"})
    write_card(path, bundle, "transformers", commands(Path(path.name)))


def _config(bundle: Bundle, dtype: str) -> dict[str, Any]:
    """Returns what config.json has beside the shape: where the code is, and what is ours."""
    return {
        "model_type": MODEL_TYPE,
        "architectures": ["AnekdotForCausalLM"],
        "auto_map": {
            "AutoConfig": f"{Path(CODE).stem}.AnekdotConfig",
            "AutoModelForCausalLM": f"{Path(CODE).stem}.AnekdotForCausalLM",
        },
        "dtype": DTYPES[dtype],
        "parts": bundle.parts,
        "training": bundle.training,
    }


def _tensors(bundle: Bundle, dtype: str) -> dict[str, Any]:
    """Returns the arrays of the file, by their names in it.

    Raises:
        BundleError: One of their numbers is too large for the dtype.
    """
    names, tensors = tensor_names(bundle.config, "transformers"), {}
    for name, array in bundle.weights.items():
        with np.errstate(over="ignore"):
            tensors[names[name]] = array.astype(DTYPES[dtype])
        if not np.isfinite(tensors[names[name]]).all():
            raise BundleError(
                f"{name} holds numbers too large for {dtype}.", "Export with --dtype f32."
            )
    return tensors


def check(bundle: Bundle, path: Path, dtype: str) -> str:
    """Reads the folder back; where Transformers is installed, runs it too.

    Raises:
        BundleError: It does not hold the model, or computes something else.
    """
    tensors, expected = load_file(path / WEIGHTS), _tensors(bundle, dtype)
    same = tensors.keys() == expected.keys() and all(
        array.tobytes() == tensors[name].tobytes() for name, array in expected.items()
    )
    if not same:
        raise BundleError(f"{path / WEIGHTS} does not hold what was written to it.", AGAIN)
    check_description(path, bundle.tokenizer)
    said = f"{len(tensors)} tensors and the tokenizer, read back, are those of the bundle"
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        return said
    names = tensor_names(bundle.config, "transformers")
    weights = {name: tensors[names[name]].astype(np.float32) for name in names}
    return f"{said}; {_compare(bundle.config, weights, path)}"


def _compare(config: ModelConfig, weights: dict[str, Any], path: Path) -> str:
    """Compares what Transformers computes with the NumPy engine, and its cache with no cache."""
    import torch  # noqa: PLC0415 (an extra)
    import transformers  # noqa: PLC0415

    transformers.utils.logging.disable_progress_bar()
    engine = f"Transformers {transformers.__version__}"
    greedy = {"do_sample": False, "temperature": None, "top_k": None}
    model = _load_code(path / CODE).AnekdotForCausalLM.from_pretrained(path, dtype=torch.float32)
    ids = probe_ids(config)
    with torch.inference_mode():
        ids_BT = torch.tensor([ids])
        log_probs_TV = torch.log_softmax(model(ids_BT).logits[0], -1).numpy()
        texts = [
            model.generate(
                ids_BT[:, :8], max_new_tokens=8, min_new_tokens=8, use_cache=cached, **greedy
            ).tolist()
            for cached in (True, False)
        ]
    largest = check_log_probs(engine, log_probs_TV, reference_log_probs(config, weights, ids))
    if texts[0] != texts[1]:
        raise BundleError(
            f"{engine} continues a text otherwise with its cache than without.",
            "Use another version of transformers, and report this.",
        )
    return f"log-probabilities by {engine} differ by {largest:.1g} nats at most"


def _load_code(path: Path) -> Any:
    """Runs the model's code that was written, and leaves nothing beside it, as an import would."""
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules[path.stem] = module
    exec(compile(path.read_text("utf-8"), str(path), "exec"), module.__dict__)
    return module


def commands(path: Path) -> tuple[str, ...]:
    """Returns the lines that run it."""
    return (
        "from transformers import pipeline",
        f"tell = pipeline('text-generation', {str(path)!r}, trust_remote_code=True)",
        "print(tell('Студент', max_new_tokens=400)[0]['generated_text'])",
    )
