"""anekdot info."""

import importlib.util
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anekdot.bundle import Bundle


def info(model: Path | None = None, /) -> None:
    """Show versions, what is installed, and the pretrained model; or what a model is.

    Args:
        model: A bundle, a folder or one .zip; with it, only this model is shown.
    """
    if model is not None:
        _show_model(model)
        return
    from anekdot import __version__
    from anekdot.bundle import Bundle

    print(f"anekdot {__version__}, Python {platform.python_version()}, {platform.platform()}")
    print(f"processors: {os.cpu_count()}")
    for package in ("numpy", "safetensors", "torch", "matplotlib"):
        try:
            print(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            print(f'{package}: not installed (pip install "anekdot[train]")')
    if importlib.util.find_spec("torch"):
        from anekdot.device import has_bf16, pick_device

        device = pick_device()
        print(f"training runs on: {device.type}, in {'bf16' if has_bf16(device) else 'fp32'}")
    print(f"pretrained model: {_described(Bundle.load())}")


def _show_model(model: Path) -> None:
    """Prints what a model is, with the first lines of its card."""
    from anekdot.bundle import Bundle
    from anekdot.model_card import figures_of, texts_inside
    from anekdot.run_folder import RunFolder

    bundle = Bundle.load(model)
    print(f"{model}: {_described(bundle)}")
    kinds = sorted({str(array.dtype) for array in bundle.stored.values() if array.ndim == 2})
    size = sum(array.nbytes for array in bundle.stored.values())
    print(f"weights: {', '.join(kinds)}, {size / 1e6:,.1f} MB, SHA-256 {bundle.fingerprint()}")
    print(figures_of(bundle.card))
    if RunFolder(model).data.exists():
        print(texts_inside(model))


def _described(bundle: "Bundle") -> str:
    """Returns the shape of a model in words."""
    config = bundle.config
    return (
        f"{config.n_parameters:,} parameters, {config.n_layer} layers, "
        f"width {config.hidden_dim}, vocabulary {config.vocab_size:,} tokens "
        f"(split pattern {bundle.tokenizer.pattern}), context {config.context_length} tokens"
    )
