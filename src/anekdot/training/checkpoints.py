"""Checkpoints: everything a run needs to go on to the bit.

A checkpoint is a folder ``step-N`` with the weights and the optimizer's state as
safetensors and the rest as JSON, published by one rename. The order of the documents and
the random numbers need not be saved: both are functions of (seed, step).
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from anekdot.errors import BundleError
from anekdot.model.transformer import Transformer
from anekdot.store import staged

KEPT = 2


def model_arrays(model: Transformer) -> dict[str, NDArray[np.float32]]:
    """Returns the weights as float32 arrays under their state dict names, tied ones once."""
    tied = {"lm_head.weight"} if model.config.tie_embeddings else set()
    return {
        name: tensor.detach().cpu().numpy().copy()
        for name, tensor in model.state_dict().items()
        if name not in tied
    }


def load_arrays(model: Transformer, arrays: dict[str, NDArray[np.float32]]) -> None:
    """Fills the model with weights from ``model_arrays`` or from a bundle."""
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    if model.config.tie_embeddings:
        tensors["lm_head.weight"] = tensors["token_embedding.weight"]
    model.load_state_dict(tensors)


def save_checkpoint(
    folder: Path,
    state: dict[str, Any],
    model: Transformer,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Publishes ``folder/step-N``, N being ``state["step"]``; only the newest ones stay."""
    moments = {
        f"{index}.{name}": tensor.detach().cpu().numpy()
        for index, entries in optimizer.state_dict()["state"].items()
        for name, tensor in entries.items()
    }
    with staged(folder / f"step-{state['step']:08d}") as draft:
        draft.mkdir()
        save_file(model_arrays(model), draft / "model.safetensors")
        save_file(moments, draft / "optimizer.safetensors")
        (draft / "state.json").write_text(json.dumps(state), "utf-8")
    for old in _checkpoints(folder)[:-KEPT]:
        shutil.rmtree(old)


def load_checkpoint(
    folder: Path, model: Transformer, optimizer: torch.optim.Optimizer
) -> dict[str, Any] | None:
    """Restores the newest checkpoint and returns its state; None where there is none.

    Raises:
        BundleError: The checkpoint cannot be read.
    """
    found = _checkpoints(folder)
    if not found:
        return None
    newest = found[-1]
    try:
        load_arrays(model, load_file(newest / "model.safetensors"))
        moments = load_file(newest / "optimizer.safetensors")
        state: dict[str, Any] = json.loads((newest / "state.json").read_text("utf-8"))
    except (OSError, ValueError, SafetensorError, RuntimeError) as error:
        raise BundleError(
            f"The checkpoint {newest} cannot be read ({error}).",
            "Remove that folder to go on from the one before it.",
        ) from None
    restored: dict[int, dict[str, torch.Tensor]] = {}
    for key, array in moments.items():
        index, name = key.split(".", 1)
        restored.setdefault(int(index), {})[name] = torch.from_numpy(array)
    optimizer.load_state_dict(
        {"state": restored, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    return state


def _checkpoints(folder: Path) -> list[Path]:
    """Returns the published checkpoints, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if re.fullmatch(r"step-\d{8}", path.name))
