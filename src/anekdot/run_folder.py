"""Whose run a folder holds: it is claimed once, continued by the same settings, never mixed.

Nothing here imports torch.
"""

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anekdot.atomic_files import HeldError, holds_files, is_taken, locked, sha256, staged
from anekdot.bundle import Bundle
from anekdot.corpus.manifest import MANIFEST
from anekdot.errors import BundleError, ConfigurationError
from anekdot.model.config import ModelConfig
from anekdot.training.config import TrainingConfig

if TYPE_CHECKING:
    from anekdot.evaluation.likelihood import Likelihood


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Holds the folder of a run while the block works in it; what is empty after is removed.

    Raises:
        ConfigurationError: The folder holds something else, or another process trains in it.
    """
    if is_taken(out) and not _is_run(out):
        raise ConfigurationError(
            f"{out} holds something else than a run.", "Name another folder with --out."
        )
    run, existed = out / "run", out.exists()
    run.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(run / "lock"))
        except HeldError as holder:
            raise ConfigurationError(
                f"Another process is training in {out}: {holder}.",
                "Wait for it, or name another folder.",
            ) from None
        for leftover in out.rglob(".*.staged"):  # of a process that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            yield
        finally:
            if os.listdir(run) == ["lock"]:
                shutil.rmtree(run, ignore_errors=True)
                with suppress(OSError):  # somebody may have put something there meanwhile
                    if not existed:
                        out.rmdir()


def _is_run(out: Path) -> bool:
    """Whether a folder is a run, or was to become one when the process was killed."""
    if not (out / "run").is_dir():
        return False
    known = ("config.json", f"data/{MANIFEST}", "data/work/lock")
    begun = any((out / "run" / name).is_file() for name in known)
    names = os.listdir(out / "run")
    return begun or (
        os.listdir(out) == ["run"]
        and all(
            name == "lock" or name.endswith(".staged") or not holds_files(out / "run" / name)
            for name in names
        )
    )


def claim(
    out: Path,
    model: ModelConfig,
    training: TrainingConfig,
    data: Path,
    initial: Bundle | None,
) -> None:
    """Marks the folder as this run's, or checks that the run in it is the same one.

    Raises:
        ConfigurationError: The run in the folder is finished or has other settings.
        BundleError: The record of the run in the folder is damaged.
    """
    settings: dict[str, Any] = {
        "model": dataclasses.asdict(model),
        "training": dataclasses.asdict(training),
        "data": _relative(data, out),
        "manifest": sha256(data / MANIFEST),
        "from": None if initial is None else initial.fingerprint(),
    }
    record = out / "run" / "config.json"
    if record.exists():
        before = _read_record(record)
        refuse_difference(
            out,
            *(
                {**s["model"], **s["training"], "texts": s["manifest"], "from": s.get("from")}
                for s in (before, settings)
            ),
        )
    if (out / "run" / "finished.json").exists():
        raise ConfigurationError(
            f"The run in {out} is finished.", "Name another folder with --out to train anew."
        )
    with staged(record) as draft:
        draft.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")


def prepared_folder(bundle: Path) -> Path:
    """Returns the prepared folder that a bundle was trained on.

    Raises:
        BundleError: The bundle's folder holds no run, or the prepared folder is gone.
    """
    record = bundle / "run" / "config.json"
    remedy = "Name some with --texts FILE."
    if not record.is_file():
        raise BundleError(f"{bundle} does not say which texts it was trained on.", remedy)
    data = bundle.resolve() / str(_read_record(record)["data"])
    if not (data / MANIFEST).is_file():
        raise BundleError(f"The texts that {bundle} was trained on are gone from {data}.", remedy)
    return data


def _read_record(path: Path) -> dict[str, Any]:
    """Returns run/config.json, checked as far as it is used."""
    try:
        record = json.loads(path.read_text("utf-8"))
        kinds = {"model": dict, "training": dict, "data": str, "manifest": str}
        if not all(isinstance(record[name], kind) for name, kind in kinds.items()):
            raise ValueError("a field has the wrong type")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(
            f"{path} is damaged ({error}).", "Restore it, or train into another folder."
        ) from None
    return dict(record)


def _relative(data: Path, out: Path) -> str:
    """Returns the way from the bundle to its data, so that both may be moved together."""
    try:
        return os.path.relpath(data.resolve(), out.resolve())
    except ValueError:  # Windows: there is no way from one drive to another
        return str(data.resolve())


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
        else "There was no validation split."
    )
    return f"""# {name}

A decoder-only Transformer of {config.n_parameters:,} parameters, trained with anekdot.

{figures}

Layers {config.n_layer}, heads {config.n_head} (KV {config.n_kv_head}), width \
{config.hidden_dim}, feed-forward {config.intermediate_dim}, vocabulary {config.vocab_size}, \
context {config.context_length} tokens.

    anekdot generate --model {name} "…"
"""
