"""Whose run a folder holds: it is claimed once, continued by the same settings, never mixed.

Nothing here imports torch.
"""

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anekdot.corpus.manifest import MANIFEST
from anekdot.errors import BundleError, ConfigurationError
from anekdot.model.config import ModelConfig
from anekdot.store import sha256, staged
from anekdot.training.config import TrainingConfig

if TYPE_CHECKING:
    from anekdot.evaluation.likelihood import Likelihood


def claim(out: Path, model: ModelConfig, training: TrainingConfig, data: Path) -> None:
    """Marks the folder as this run's, or checks that the run in it is the same one.

    Raises:
        ConfigurationError: The run in the folder is finished or has other settings.
    """
    record = out / "run" / "config.json"
    settings: dict[str, Any] = {
        "model": dataclasses.asdict(model),
        "training": dataclasses.asdict(training),
        "data": _relative(data, out),
        "manifest": sha256(data / MANIFEST),
    }
    if not record.exists():
        with staged(record) as draft:
            draft.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
        return
    before = json.loads(record.read_text("utf-8"))
    refuse_difference(
        out,
        {**before["model"], **before["training"], "data": before["manifest"]},
        {**settings["model"], **settings["training"], "data": settings["manifest"]},
    )
    if (out / "run" / "finished.json").exists():
        raise ConfigurationError(
            f"The run in {out} is finished.", "Name another folder with --out to train anew."
        )


def _relative(data: Path, out: Path) -> str:
    """Returns the way from the bundle to its data, so that both may be moved together."""
    try:
        return os.path.relpath(data, out)
    except ValueError:  # Windows: there is no way from one drive to another
        return str(data.resolve())


def prepared_folder(bundle: Path) -> Path:
    """Returns the prepared folder that a bundle was trained on.

    Raises:
        BundleError: The bundle's folder holds no run.
    """
    record = bundle / "run" / "config.json"
    if not record.is_file():
        raise BundleError(
            f"{bundle} does not say which texts it was trained on.",
            "Name some with --texts FILE.",
        )
    return bundle / str(json.loads(record.read_text("utf-8"))["data"])


def refuse_difference(out: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raises a ConfigurationError that lists every setting that has changed."""
    changed = [
        f"{name} {before.get(name)} → {now.get(name)}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]
    if changed:
        raise ConfigurationError(
            f"{out} was made with other settings: {'; '.join(changed)}.",
            "Give the same settings to go on with it, or name another folder.",
        )


def card(name: str, config: ModelConfig, validation: "Likelihood | None") -> str:
    """Returns the model card: Markdown for people."""
    figures = (
        f"On {validation.documents} validation documents: {validation.bits_per_byte:.3f} bits "
        f"per byte, {validation.loss:.3f} nats a token, perplexity {validation.perplexity:.1f}."
        if validation
        else "There was no validation side."
    )
    return f"""# {name}

A decoder-only Transformer of {config.n_parameters:,} parameters, trained with anekdot.

{figures}

Layers {config.n_layer}, heads {config.n_head} (KV {config.n_kv_head}), width \
{config.hidden_dim}, feed-forward {config.intermediate_dim}, vocabulary {config.vocab_size}, \
context {config.context_length} tokens.

    anekdot generate --model {name} "…"
"""
