"""anekdot info."""

import importlib.util
import os
import platform
from importlib import metadata


def info() -> None:
    """Show versions, what is installed, and the pretrained model."""
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
    bundle = Bundle.load()
    config = bundle.config
    print(
        f"pretrained model: {config.n_parameters:,} parameters, {config.n_layer} layers, "
        f"width {config.hidden_dim}, vocabulary {config.vocab_size:,} tokens "
        f"(split pattern {bundle.tokenizer.pattern}), context {config.context_length} tokens"
    )
