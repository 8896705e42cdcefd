"""Engines that run exported folders, each behind two functions.

Letters: ``T`` positions, ``V`` vocabulary.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anekdot.export.agreement import log_softmax

END = 2


@dataclass
class Loaded:
    """An engine with a model.

    Attributes:
        log_probs: Ids to log_p_TV of what follows each.
        greedy: Ids and a number of tokens to the likeliest continuation.
    """

    log_probs: Callable[[list[int]], np.ndarray]
    greedy: Callable[[list[int], int], list[int]]


def transformers(folder: Path) -> Loaded:
    model = load_transformers(folder)
    import torch

    def log_probs(ids):
        with torch.inference_mode():
            return torch.log_softmax(model(torch.tensor([ids])).logits[0], -1).numpy()

    def greedy(ids, n):
        text = model.generate(torch.tensor([ids]), max_new_tokens=n, **GREEDY)[0].tolist()
        return text[len(ids) :]

    return Loaded(log_probs, greedy)


GREEDY = {"do_sample": False, "temperature": None, "top_k": None}


def load_transformers(folder: Path):
    """Loads a model as people do."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True, dtype="float32")


def ctranslate2(folder: Path) -> Loaded:
    import ctranslate2

    generator = ctranslate2.Generator(str(folder), intra_threads=1)
    vocabulary = json.loads((folder / "vocabulary.json").read_text("utf-8"))

    def log_probs(ids):
        return np.array(generator.forward_batch([ids], return_log_probs=True))[0]

    def greedy(ids, n):
        tokens = [vocabulary[id] for id in ids]
        (result,) = generator.generate_batch(
            [tokens], max_length=n, include_prompt_in_result=False, return_end_token=True
        )
        return result.sequences_ids[0]

    return Loaded(log_probs, greedy)


def onnx(folder: Path) -> Loaded:
    session = onnx_session(folder)

    def log_probs(ids):
        return log_softmax(run_onnx(session, [ids])[0][0])

    def greedy(ids, n):
        logits, past = run_onnx(session, [ids])
        text = [int(logits[0, -1].argmax())]
        while len(text) < n and text[-1] != END:
            logits, past = run_onnx(session, [text[-1:]], past)
            text.append(int(logits[0, -1].argmax()))
        return text

    return Loaded(log_probs, greedy)


def onnx_session(folder: Path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        folder / "model.onnx", options, providers=["CPUExecutionProvider"]
    )


def run_onnx(session, ids_BT, past=None, mask_BS=None):
    """Returns logits_BTV and the cache; without a cache, begins a text."""
    caches = [item for item in session.get_inputs() if item.name.startswith("past_key_values")]
    if past is None:
        shape = (len(ids_BT), caches[0].shape[1], 0, caches[0].shape[3])
        past = [np.zeros(shape, np.float32)] * len(caches)
    if mask_BS is None:
        mask_BS = np.ones((len(ids_BT), past[0].shape[2] + len(ids_BT[0])), np.int64)
    inputs = {"input_ids": np.array(ids_BT), "attention_mask": np.array(mask_BS)}
    names = [item.name for item in caches]
    logits_BTV, *past = session.run(None, {**inputs, **dict(zip(names, past, strict=True))})
    return logits_BTV, past


def load(target: str, folder: Path) -> Loaded:
    """Loads a folder that was exported to a target."""
    return getattr(sys.modules[__name__], target)(folder)
