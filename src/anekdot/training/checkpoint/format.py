"""Checkpoints: everything a run needs to go on to the bit.

A checkpoint is a folder ``step-N`` (or ``step-N.1`` and so on, where step N is saved again)
with the weights, their average where the run has one, and the optimizer's state as safetensors,
the rest as JSON, and the hashes of all. It is published by one rename, read again, and only then
do older ones go. The order of the documents and the random numbers need not be saved: both are
functions of (seed, step).
"""

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from anekdot.atomic_files import remove, sha256, staged
from anekdot.callbacks import Notice
from anekdot.errors import BundleError
from anekdot.model.weights import load_weights, model_weights
from anekdot.training.setup import Setup

MODEL, OPTIMIZER, STATE = "model.safetensors", "optimizer.safetensors", "state.json"
AVERAGED = "averaged.safetensors"  # in runs with an average of the weights only
HASHES = "hashes.json"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A run at one moment, copied, so that it can be written while training goes on.

    Attributes:
        state: What JSON can hold; its ``step`` names the checkpoint.
        weights: See `model_weights`.
        averages: The same of the averaged model, if there is one.
        moments: The optimizer's arrays, by number of the parameter and name.
    """

    state: dict[str, Any]
    weights: dict[str, NDArray[np.generic]]
    averages: dict[str, NDArray[np.generic]] | None
    moments: dict[str, NDArray[np.generic]]


def snapshot(state: dict[str, Any], setup: Setup) -> Snapshot:
    """Copies a run as it is now."""
    moments = {
        f"{index}.{name}": tensor.detach().cpu().numpy().copy()
        for index, entries in setup.optimizer.state_dict()["state"].items()
        for name, tensor in entries.items()
    }
    averages = None if setup.averaged is setup.model else model_weights(setup.averaged)
    return Snapshot(state, model_weights(setup.model), averages, moments)


def save_checkpoint(
    folder: Path, snapshot: Snapshot, *, kept: int, kept_step: int | None = None
) -> None:
    """Publishes ``folder/step-N``; the newest so many stay, and that of one step.

    Raises:
        BundleError: What was written is not what the disk gives back.
    """
    path = _new_name(folder, snapshot.state["step"])
    with staged(path) as draft:
        draft.mkdir()
        # bytes and then a file: safetensors' own writing hides the reason of a failure
        (draft / MODEL).write_bytes(save(snapshot.weights))
        (draft / OPTIMIZER).write_bytes(save(snapshot.moments))
        if snapshot.averages is not None:
            (draft / AVERAGED).write_bytes(save(snapshot.averages))
        (draft / STATE).write_text(json.dumps(snapshot.state), "utf-8")
        hashes = {path.name: sha256(path) for path in sorted(draft.iterdir())}
        (draft / HASHES).write_text(json.dumps(hashes), "utf-8")
    if not is_whole(path):
        raise BundleError(
            f"{path} does not read back as it was written.",
            "Check the disk; the checkpoint before it stands.",
        )
    for old in checkpoints(folder)[:-kept]:
        if _step(old) != kept_step:
            remove(old)


def load_checkpoint(
    folder: Path, setup: Setup, notice: Notice, is_usable: Callable[[dict[str, Any]], bool]
) -> dict[str, Any] | None:
    """Restores the newest whole checkpoint that is usable, removes later ones, returns its state.

    Args:
        folder: Where the checkpoints are.
        setup: Its models receive the weights, its optimizer the moments.
        notice: Receives a sentence for each damaged checkpoint.
        is_usable: Says whether the run may go on from a state.

    Returns:
        None where there is no checkpoint.

    Raises:
        BundleError: There are some, and none is whole, usable and of this model.
    """
    newest = _newest_whole(folder, notice, is_usable)
    if newest is None:
        return None
    try:
        load_weights(setup.model, load((newest / MODEL).read_bytes()))
        if setup.averaged is not setup.model:
            load_weights(setup.averaged, load((newest / AVERAGED).read_bytes()))
        _load_moments(setup.optimizer, load((newest / OPTIMIZER).read_bytes()))
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
    if not (isinstance(state, dict) and state.get("step") == _step(checkpoint)):
        raise ValueError(f"{STATE} is not that of {checkpoint.name}")
    return state


def _newest_whole(
    folder: Path, notice: Notice, is_usable: Callable[[dict[str, Any]], bool]
) -> Path | None:
    """Returns the newest checkpoint to go on from, if there is any, and removes those after it."""
    found = checkpoints(folder)
    passed: list[tuple[Path, bool]] = []
    while found:
        whole = is_whole(found[-1])
        if whole and is_usable(_read_state(found[-1])):
            break
        passed.append((found.pop(), whole))
    if passed and not found:
        state = "from after the point from which it can be prolonged"
        raise BundleError(
            f"Every checkpoint in {folder} is {state if passed[0][1] else 'damaged'}.",
            "Name another folder with --out; --from goes on from the best model of this one.",
        )
    for path, whole in passed:
        if not whole:
            notice(f"The checkpoint {path} is damaged: going on from {found[-1].name}.")
        remove(path)
    return found[-1] if found else None


def checkpoints(folder: Path) -> list[Path]:
    """Returns the published checkpoints, oldest first."""
    if not folder.is_dir():
        return []
    numbers = {path: _NAME.fullmatch(path.name) for path in folder.iterdir()}
    found = [(int(match[1]), int(match[2] or 0), path) for path, match in numbers.items() if match]
    return [path for _, _, path in sorted(found)]


_NAME = re.compile(r"step-(\d{8,})(?:\.(\d+))?")


def _step(checkpoint: Path) -> int | None:
    match = _NAME.fullmatch(checkpoint.name)
    return int(match[1]) if match else None


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
        names = [MODEL, OPTIMIZER, STATE, *({AVERAGED} & hashes.keys())]
        return all(sha256(checkpoint / name) == hashes[name] for name in names)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
