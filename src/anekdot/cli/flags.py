"""Configuration classes to command-line flags, in panels of --help and with their defaults."""

import dataclasses
import typing
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any

from cyclopts import Group, Parameter
from docstring_parser import parse

from anekdot.config import field_names
from anekdot.corpus.config import PreparationConfig
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.recipes import RECIPES
from anekdot.training.config import TrainingConfig

DATA = Group("Data", sort_key=1)
MODEL = Group("Model", help="The defaults are those of the preset nano.", sort_key=2)
OPTIMISATION = Group(
    "Optimisation", help="The defaults are those of the recipe default.", sort_key=3
)
RUN = Group("Run", sort_key=4)

_RUN_FIELDS = (
    *("precision", "seed", "batch", "patience", "evaluate_every", "sample_every"),
    *("checkpoint_every", "checkpoint_minutes", "checkpoints_kept"),
)
_IN_WORDS = {
    **dict.fromkeys(
        ("steps", "evaluate_every", "sample_every", "checkpoint_every"), "by the texts"
    ),
    **dict.fromkeys(("separator", "column", "encoding"), "guessed"),
    "strip": "nothing",
    "script": "any",
    "warmup_steps": f"{RECIPES['default'].warmup_steps}, at most a tenth of the steps",
}


def make_flags(*classes: type) -> type:
    """Returns a dataclass with every field of some configuration classes as an optional flag.

    What the user does not set is None. The help text of a flag is that of the field in its
    class's docstring.
    """
    flags = dataclasses.make_dataclass(
        "Flags",
        [_flag(classes, name) for name in field_names(*classes)],
        kw_only=True,
        frozen=True,
    )
    flags.__module__ = __name__  # Cyclopts takes a class of the module "types" for a built-in
    return flags


def explicit_flags(flags: Any) -> dict[str, Any]:
    """Returns the flags that the user has set, by field."""
    values = {} if flags is None else vars(flags)
    return {name: value for name, value in values.items() if value is not None}


def _flag(classes: Iterable[type], name: str) -> tuple[str, Any, Any]:
    home = next(kind for kind in reversed([*classes]) if name in field_names(kind))
    parameter = Parameter(
        group=_panel(home, name),
        help=_help_texts(home)[name],
        negative="" if "no_" in name else None,  # --no-no-obscene would say nothing
        show_default=_default(home, name),
    )
    kind: Any = typing.get_type_hints(home)[name]
    return name, Annotated[kind | None, parameter], dataclasses.field(default=None)


@cache
def _help_texts(home: type) -> dict[str, str]:
    """Returns what the docstring of a class says of each field."""
    return {
        parameter.arg_name: " ".join((parameter.description or "").split())
        for parameter in parse(home.__doc__ or "").params
    }


def _panel(home: type, name: str) -> Group:
    if home is PreparationConfig or name == "vocab_size":
        return DATA
    if home is ModelConfig:
        return MODEL
    return RUN if name in _RUN_FIELDS else OPTIMISATION


def _default(home: type, name: str) -> str:
    """Returns what a flag means where it is not set, in words."""
    recipe, preset = RECIPES["default"], next(iter(PRESETS))
    if name in _IN_WORDS:
        return _IN_WORDS[name]
    if name in PRESETS[preset]:
        return f"{PRESETS[preset][name]}"
    field = next(field for field in dataclasses.fields(home) if field.name == name)
    value = getattr(recipe, name, None)
    if value is None or home is PreparationConfig:
        value = field.default
    if value == "":
        return "none"
    return str(value).lower() if isinstance(value, bool) else f"{value}"


PREPARATION_FLAGS = make_flags(PreparationConfig)
TRAINING_FLAGS = make_flags(PreparationConfig, ModelConfig, TrainingConfig)
