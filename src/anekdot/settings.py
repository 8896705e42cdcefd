"""From recipe, preset, file and flags to the configuration of a run.

What is named later wins: recipe, preset, TOML file, flags.
"""

import dataclasses
import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from anekdot.errors import ConfigurationError
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.training.config import RECIPES, TrainingConfig

Configuration = TypeVar("Configuration")

EPOCHS = 20
FEWEST_STEPS, MOST_STEPS = 300, 10_000


@dataclass(frozen=True, kw_only=True)
class PreparationConfig:
    """How texts become shards.

    Attributes:
        vocab_size: Tokens of the tokenizer, specials included.
        validation: Share of the documents that choose the best model.
        test: Share of the documents that nothing is chosen by.
        no_obscene: Whether documents with hard profanity are left out.
    """

    vocab_size: int = 2048
    validation: float = 0.03
    test: float = 0.03
    no_obscene: bool = False


def field_names(*configurations: type) -> list[str]:
    """Returns the fields of configuration classes, in order."""
    return [field.name for c in configurations for field in dataclasses.fields(c)]


FIELDS = list(dict.fromkeys(field_names(PreparationConfig, ModelConfig, TrainingConfig)))


def read_toml(path: Path) -> dict[str, Any]:
    """Returns the fields of a configuration file; tables only group them.

    Raises:
        ConfigurationError: The file is missing, is no TOML, or names an unknown field.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read as TOML ({error}).", "Correct it, or name another file."
        ) from None
    fields: dict[str, Any] = {}
    for key, value in content.items():
        fields.update(value if isinstance(value, dict) else {key: value})
    check_known(fields, [*FIELDS, "preset", "recipe"], str(path))
    return fields


def check_known(given: Iterable[str], known: list[str], place: str) -> None:
    """Raises a ConfigurationError for the first unknown name, with the nearest right one."""
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigurationError(
                f"{place} names an unknown field {name!r}.",
                f"Did you mean {near[0]}?" if near else f"The fields are: {', '.join(known)}.",
            )


def resolve(
    recipe: str = "default",
    preset: str = "nano",
    config: Path | None = None,
    fields: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns every field that is settled, by name.

    Args:
        recipe: A name in RECIPES.
        preset: A name in PRESETS.
        config: A TOML file.
        fields: What the user gave; None values count as not given.

    Raises:
        ConfigurationError: An unknown recipe, preset or field.
    """
    given = {name: value for name, value in (fields or {}).items() if value is not None}
    check_known(given, FIELDS, "The call")
    written = read_toml(config) if config is not None else {}
    recipe, preset = written.pop("recipe", recipe), written.pop("preset", preset)
    for name, value, choices in (("recipe", recipe, RECIPES), ("preset", preset, PRESETS)):
        if value not in choices:
            raise ConfigurationError(
                f"There is no {name} {value!r}.", f"Choose one of {', '.join(choices)}."
            )
    return {**RECIPES[recipe], **PRESETS[preset], **written, **given}


def default_steps(rows_per_epoch: int, batch_size: int) -> int:
    """Returns how long to train when nobody says: some epochs, within bounds."""
    return min(MOST_STEPS, max(FEWEST_STEPS, EPOCHS * rows_per_epoch // batch_size))


def build(kind: type[Configuration], fields: dict[str, Any]) -> Configuration:
    """Builds a configuration from those of the fields that belong to it."""
    names = field_names(kind)
    return kind(**{name: value for name, value in fields.items() if name in names})
