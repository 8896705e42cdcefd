"""A bundle in the formats of other programs: one file a target, one table of names for all.

Each target is a module of its own with three functions:

``write(bundle, path, dtype, usable_context)``
    Writes the file or folder at a path where nothing is yet.
``check(bundle, path, dtype)``
    Reads back what was written, raises a BundleError if it is not the model, and returns what
    was compared, as a clause.
``commands(path)``
    Returns the three lines that run it.
"""

import difflib
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anekdot.bundle import Bundle
from anekdot.errors import ConfigurationError, require
from anekdot.export.place import new_place, refuse_existing
from anekdot.field_checks import check_integer
from anekdot.model.config import MAX_FIELD_VALUES, PARTS


@dataclass(frozen=True)
class Target:
    """A format.

    Attributes:
        module: Its file in this folder.
        dtypes: How its weights can be stored, with the bytes a weight takes; the first is the
            default.
        packages: What must be installed to write it.
        keeps_context: Whether it says how long a text may become.
        has_beside: Whether its module has a fourth function, ``beside(path, usable_context)``,
            which returns texts by the paths that they belong to.
    """

    module: str
    dtypes: dict[str, float]
    packages: tuple[str, ...] = ()
    keeps_context: bool = False
    has_beside: bool = False


TARGETS = {
    "gguf": Target(
        "gguf",
        {"f32": 4, "f16": 2, "bf16": 2, "q8_0": 34 / 32, "q4_0": 18 / 32},
        ("gguf",),
        keeps_context=True,
        has_beside=True,
    ),
    "transformers": Target("transformers", {"f32": 4, "f16": 2}, keeps_context=True),
    "ctranslate2": Target("ctranslate2", {"f32": 4, "int8": 1}, ("ctranslate2",)),
    "onnx": Target("onnx", {"f32": 4, "int8": 1}, ("onnx",), keeps_context=True),
    "bundle": Target("bundle_zip", {"int8": 1, "f16": 2, "f32": 4}),
}

MIN_USABLE_CONTEXT = 1024  # tokens


@dataclass(frozen=True)
class Exported:
    """What an export has made.

    Attributes:
        path: The file or folder.
        checked: What was compared with the bundle.
        commands: The lines that run it.
    """

    path: Path
    checked: str
    commands: tuple[str, ...]


def export(
    bundle: Path | str,
    to: str,
    out: Path | str,
    *,
    dtype: str | None = None,
    usable_context: int | None = None,
) -> Exported:
    """Writes a bundle in the format of another program, and checks what was written.

    Args:
        bundle: The folder of a bundle; "pretrained" names the one that comes with anekdot.
        to: A name in TARGETS.
        out: The file or folder to make.
        dtype: How the weights are stored; the first of the target's unless given.
        usable_context: The longest text in tokens that other programs should allow; twice the
            trained length, or 1,024 if that is more, unless given.

    Raises:
        ConfigurationError: An unknown target or dtype, or a path where something is already.
        MissingExtra: The target needs packages that are not installed.
        StorageError: There is not enough space.
        BundleError: There is no bundle, the format cannot hold it, or the check has failed.
    """
    target, out = _target(to), Path(out)
    dtype = dtype or next(iter(target.dtypes))
    _check_choice(f"dtype of {to}", dtype, target.dtypes)
    refuse_existing(out)
    model = _load(bundle, to)
    context = _usable_context(target, to, model, usable_context)
    module: Any = importlib.import_module(f"{__name__}.{target.module}")
    beside = module.beside(out, context) if target.has_beside else {}
    refuse_existing(*beside)
    with new_place(out, int(model.config.n_parameters * target.dtypes[dtype])) as draft:
        module.write(model, draft, dtype, context)
        checked = module.check(model, draft, dtype)
    for path, text in beside.items():
        with new_place(path, 0) as draft:
            draft.write_text(text, "utf-8")
    return Exported(out, checked, module.commands(out))


def _target(to: str) -> Target:
    """Returns a target whose packages are installed."""
    _check_choice("target", to, TARGETS)
    require(f"anekdot export --to {to}", "export", *TARGETS[to].packages)
    return TARGETS[to]


def _load(bundle: Path | str, to: str) -> Bundle:
    """Returns a bundle with the parts that are exported."""
    model = Bundle.load(None if str(bundle) == "pretrained" else bundle)
    model.check_parts(PARTS, f"anekdot export --to {to}")
    return model


def _usable_context(target: Target, to: str, bundle: Bundle, wanted: int | None) -> int:
    """Returns the longest text in tokens that an export names."""
    if wanted is None:
        return max(MIN_USABLE_CONTEXT, 2 * bundle.config.context_length)
    check_integer("usable_context", wanted, 1, MAX_FIELD_VALUES["context_length"])
    if not target.keeps_context:
        raise ConfigurationError(
            f"usable_context is {wanted}, and {to} does not limit how long a text becomes.",
            "Leave it out.",
        )
    return wanted


def _check_choice(what: str, value: str, choices: dict[str, Any]) -> None:
    if value not in choices:
        near = difflib.get_close_matches(value.lower(), choices, n=1)
        raise ConfigurationError(
            f"There is no {what} {value!r}.",
            f"Did you mean {near[0]}?" if near else f"Choose one of {', '.join(choices)}.",
        )
