"""A bundle to give away: one .zip of the model, its tokenizer and a card, and of nothing else.

Loading it is loading a folder: ``Bundle.load`` unpacks it, as ``bundle_archive.py`` says.
"""

import dataclasses
import shlex
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.export.card import export_card
from anekdot.weights_file import WEIGHTS

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes at any time


def write(bundle: Bundle, path: Path, dtype: str, usable_context: int) -> None:
    """Writes the archive.

    Args:
        bundle: The model.
        path: The file.
        dtype: int8 (rows with a scale each), f16 or f32.
        usable_context: Of no matter here.

    Raises:
        BundleError: The weights are too large for the dtype.
    """
    given = _converted(bundle, dtype)
    note = f"The figures are those of the model as it was trained; here, matrices are {dtype}."
    card = export_card(path.name, given, note)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        given.save(Path(folder), card)
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(Path(folder).iterdir()):
                member = zipfile.ZipInfo(file.name, _EPOCH)
                member.external_attr = 0o100644 << 16
                is_weights = file.name == WEIGHTS
                member.compress_type = zipfile.ZIP_STORED if is_weights else zipfile.ZIP_DEFLATED
                archive.writestr(member, file.read_bytes())


def check(bundle: Bundle, path: Path, dtype: str) -> str:
    """Loads the archive as others will, and compares it with the bundle.

    Raises:
        BundleError: They differ.
    """
    loaded = Bundle.load(path)
    expected = _converted(bundle, dtype)
    if (
        loaded.fingerprint() != expected.fingerprint()
        or loaded.config != bundle.config
        or loaded.tokenizer != bundle.tokenizer
    ):
        raise BundleError(f"{path} does not hold what was written to it.", "Export again.")
    return f"{path.stat().st_size:,} bytes; read back, its weights are the bundle's in {dtype}"


def commands(path: Path) -> tuple[str, ...]:
    """Returns the lines that run the archive."""
    quoted = shlex.quote(str(path))
    return (
        f"anekdot info {quoted}",
        f'anekdot generate --model {quoted} "Студент"',
        f"anekdot train jokes.txt --from {quoted}",
    )


def _converted(bundle: Bundle, dtype: str) -> Bundle:
    """Returns the model with matrices of a dtype; int8 rows that it has stay as they are."""
    if dtype == "int8":
        matrices = [array for array in bundle.stored.values() if array.ndim == 2]
        return bundle if all(array.dtype == np.int8 for array in matrices) else bundle.quantized()
    kind = {"f16": np.float16, "f32": np.float32}[dtype]
    with np.errstate(over="ignore"):
        stored: dict[str, NDArray[np.generic]] = {
            name: array.astype(kind) if array.ndim == 2 else array
            for name, array in bundle.weights.items()
        }
    for name, array in stored.items():
        if not np.isfinite(array.astype(np.float32)).all():
            raise BundleError(f"{name} holds numbers too large for {dtype}.", "Export f32.")
    return dataclasses.replace(bundle, stored=stored)
