"""Grow a small language model out of your own pile of short texts.

>>> import anekdot
>>> print(anekdot.load().generate("Студент", seed=1))  # doctest: +SKIP

The names are loaded when they are first used, so ``import anekdot`` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anekdot.bundle import Bundle
    from anekdot.errors import AnekdotError
    from anekdot.generation.generator import Generator, Sample, load
    from anekdot.pipeline import evaluate, prepare, train
    from anekdot.tokenizer.tokenizer import Tokenizer
    from anekdot.training.monitoring.curves import draw_curves as curves

__version__ = "0.1.0"

_HOMES = {
    "AnekdotError": "anekdot.errors",
    "Bundle": "anekdot.bundle",
    "Generator": "anekdot.generation.generator",
    "Sample": "anekdot.generation.generator",
    "Tokenizer": "anekdot.tokenizer.tokenizer",
    "curves": "anekdot.training.monitoring.curves:draw_curves",
    "evaluate": "anekdot.pipeline",
    "load": "anekdot.generation.generator",
    "prepare": "anekdot.pipeline",
    "train": "anekdot.pipeline",
}

__all__ = [
    "AnekdotError",
    "Bundle",
    "Generator",
    "Sample",
    "Tokenizer",
    "curves",
    "evaluate",
    "load",
    "prepare",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'anekdot' has no attribute {name!r}")
    module, _, own_name = _HOMES[name].partition(":")
    return getattr(importlib.import_module(module), own_name or name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
