"""Checkpoints: everything a run needs to go on to the bit.

A checkpoint is a folder ``step-N`` (or ``step-N.1`` and so on, where step N is saved again)
with the weights and the optimizer's state as safetensors, the rest as JSON, and the hashes of
the three. It is published by one rename, read again, and only then do older ones go. The
order of the documents and the random numbers need not be saved: both are functions of
(seed, step).
"""

import itertools
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from anekdot.atomic_files import sha256, staged
from anekdot.callbacks import Notice
from anekdot.errors import BundleError
from anekdot.model.transformer import Transformer
from anekdot.model.weights import load_weights, model_weights

MODEL, OPTIMIZER, STATE = "model.safetensors", "optimizer.safetensors", "state.json"
HASHES = "hashes.json"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A run at one moment, copied, so that it can be written while training goes on.

    Attributes:
        state: What JSON can hold; its ``step`` names the checkpoint.
        weights: See `model_weights`.
        moments: The optimizer's arrays, by number of the parameter and name.
    """

    state: dict[str, Any]
    weights: dict[str, NDArray[np.generic]]
    moments: dict[str, NDArray[np.generic]]


def snapshot(
    state: dict[str, Any], model: Transformer, optimizer: torch.optim.Optimizer
) -> Snapshot:
    """Copies a run as it is now."""
    moments = {
        f"{index}.{name}": tensor.detach().cpu().numpy().copy()
        for index, entries in optimizer.state_dict()["state"].items()
        for name, tensor in entries.items()
    }
    return Snapshot(state, model_weights(model), moments)


def save_checkpoint(folder: Path, snapshot: Snapshot, kept: int) -> None:
    """Publishes ``folder/step-N``; the newest so many stay.

    Raises:
        BundleError: What was written is not what the disk gives back.
    """
    path = _new_name(folder, snapshot.state["step"])
    with staged(path) as draft:
        draft.mkdir()
        # bytes and then a file: safetensors' own writing hides the reason of a failure
        (draft / MODEL).write_bytes(save(snapshot.weights))
        (draft / OPTIMIZER).write_bytes(save(snapshot.moments))
        (draft / STATE).write_text(json.dumps(snapshot.state), "utf-8")
        hashes = {name: sha256(draft / name) for name in (MODEL, OPTIMIZER, STATE)}
        (draft / HASHES).write_text(json.dumps(hashes), "utf-8")
    if not is_whole(path):
        raise BundleError(
            f"{path} does not read back as it was written.",
            "Check the disk; the checkpoint before it stands.",
        )
    for old in checkpoints(folder)[:-kept]:
        shutil.rmtree(old)


def load_checkpoint(
    folder: Path, model: Transformer, optimizer: torch.optim.Optimizer, notice: Notice
) -> dict[str, Any] | None:
    """Restores the newest whole checkpoint, removes damaged ones after it, returns its state.

    Args:
        folder: Where the checkpoints are.
        model: Receives the weights.
        optimizer: Receives its moments.
        notice: Receives a sentence for each damaged checkpoint.

    Returns:
        None where there is no checkpoint.

    Raises:
        BundleError: There are some, and all are damaged or of another model.
    """
    newest = _newest_whole(folder, notice)
    if newest is None:
        return None
    try:
        load_weights(model, load((newest / MODEL).read_bytes()))
        _load_moments(optimizer, load((newest / OPTIMIZER).read_bytes()))
        return _read_state(newest)
    except (OSError, ValueError, TypeError, LookupError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BundleError(
            f"The checkpoint {newest} is of another model or version ({reason}).",
            "Name another folder with --out.",
        ) from None


def _load_moments(optimizer: torch.optim.Optimizer, moments: dict[str, NDArray[Any]]) -> None:
    """Gives an optimizer its moments: of all parameters, or of none before the first step.

    Raises:
        ValueError: They are of other parameters.
    """
    shapes = {
        f"{index}.{name}": () if name == "step" else tuple(parameter.shape)
        for index, parameter in enumerate(p for g in optimizer.param_groups for p in g["params"])
        for name in ("step", "exp_avg", "exp_avg_sq")
    }
    found = {name: array.shape for name, array in moments.items()}
    if found not in ({}, shapes) or any(array.dtype != np.float32 for array in moments.values()):
        raise ValueError(f"{OPTIMIZER} is of other parameters")
    restored: dict[int, dict[str, torch.Tensor]] = {}
    for key, array in moments.items():
        index, name = key.split(".", 1)
        restored.setdefault(int(index), {})[name] = torch.from_numpy(array)
    optimizer.load_state_dict(
        {"state": restored, "param_groups": optimizer.state_dict()["param_groups"]}
    )


def _read_state(checkpoint: Path) -> dict[str, Any]:
    """Returns the state of a checkpoint.

    Raises:
        ValueError: It is none, or that of another step than the name says.
    """
    state = json.loads((checkpoint / STATE).read_text("utf-8"))
    match = _NAME.fullmatch(checkpoint.name)
    if not (isinstance(state, dict) and match and state.get("step") == int(match[1])):
        raise ValueError(f"{STATE} is not that of {checkpoint.name}")
    return state


def _newest_whole(folder: Path, notice: Notice) -> Path | None:
    """Returns the newest checkpoint that is whole, if there is any, and removes those after it."""
    found = checkpoints(folder)
    damaged = []
    while found and not is_whole(found[-1]):
        damaged.append(found.pop())
    if damaged and not found:
        raise BundleError(
            f"Every checkpoint in {folder} is damaged.",
            "Name another folder with --out; --from goes on from the best model of this one.",
        )
    for path in damaged:
        notice(f"The checkpoint {path} is damaged: going on from {found[-1].name}.")
        shutil.rmtree(path)
    return found[-1] if found else None


def checkpoints(folder: Path) -> list[Path]:
    """Returns the published checkpoints, oldest first."""
    if not folder.is_dir():
        return []
    numbers = {path: _NAME.fullmatch(path.name) for path in folder.iterdir()}
    found = [(int(match[1]), int(match[2] or 0), path) for path, match in numbers.items() if match]
    return [path for _, _, path in sorted(found)]


_NAME = re.compile(r"step-(\d{8,})(?:\.(\d+))?")


def _new_name(folder: Path, step: int) -> Path:
    """Returns a path that is free: to replace a checkpoint would take two renames."""
    path = folder / f"step-{step:08d}"
    names = itertools.chain([path], (Path(f"{path}.{n}") for n in itertools.count(1)))
    return next(name for name in names if not name.exists())


def is_whole(checkpoint: Path) -> bool:
    """Whether every file of a checkpoint has the hash that was saved with it."""
    try:
        _read_state(checkpoint)
        hashes = json.loads((checkpoint / HASHES).read_text("utf-8"))
        return all(sha256(checkpoint / name) == hashes[name] for name in (MODEL, OPTIMIZER, STATE))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
