"""Models that other programs hold, back into a bundle: ``anekdot import``.

Each form is a module with ``read(path) -> Bundle``, which raises a BundleError for what is
damaged, or is no model of anekdot.
"""

import importlib
from pathlib import Path
from typing import Any

from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.export.place import new_place, refuse_existing
from anekdot.model_card import NOT_MEASURED, model_card


def import_model(source: Path | str, out: Path | str) -> Bundle:
    """Makes a bundle of a GGUF file or a Transformers folder, and returns it as it was saved.

    Args:
        source: The file or folder.
        out: The bundle's folder, where nothing is yet.

    Raises:
        ConfigurationError: Something is at ``out`` already.
        BundleError: The source is damaged, or is no model of anekdot.
        StorageError: There is not enough space.
    """
    source, out = Path(source), Path(out)
    refuse_existing(out)
    form, module = _form_of(source)
    reader: Any = importlib.import_module(f"anekdot.export.{module}")
    bundle: Bundle = reader.read(source)
    with new_place(out, sum(array.nbytes for array in bundle.stored.values())) as draft:
        origin = f"imported with anekdot from the {form} {source.name}"
        bundle.save(draft, model_card(out.resolve().name, bundle.config, NOT_MEASURED, origin))
        return Bundle.load(draft)


def _form_of(source: Path) -> tuple[str, str]:
    """Returns what a source is, and the module that reads it."""
    if source.is_dir() and (source / "config.json").is_file():
        if b'"architectures"' in (source / "config.json").read_bytes():
            return "Transformers folder", "transformers_import"
    elif source.is_file():
        with source.open("rb") as file:
            if file.read(4) == b"GGUF":
                return "GGUF file", "gguf_import"
    elif not source.exists():
        raise BundleError(f"{source} does not exist.", "Name a GGUF file or a Transformers folder.")
    raise BundleError(
        f"{source} is neither a GGUF file nor the folder of a Transformers model.",
        "Name one that anekdot export wrote.",
    )
