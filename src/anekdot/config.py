"""From recipe, preset, TOML file and flags to the resolved configuration of a run.

Later sources win: recipe, preset, TOML file, flags.
"""

import dataclasses
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from anekdot.corpus.config import PreparationConfig
from anekdot.errors import ConfigurationError
from anekdot.field_checks import check_integer
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.recipes import RECIPES, Recipe
from anekdot.training.config import TrainingConfig

Configuration = TypeVar("Configuration", PreparationConfig, ModelConfig, TrainingConfig)

MAX_TOML = 1_000_000
"""Characters of a configuration file: a device such as /dev/zero has no end."""

MAX_STEPS = 10_000
"""Optimizer steps of a run, unless a recipe or the user asks for more."""


def field_names(*configurations: type) -> list[str]:
    """Returns the fields of configuration classes that can be set, in order and each once."""
    fields = (field for c in configurations for field in dataclasses.fields(c))
    names = (field.name for field in fields if "before" not in field.metadata)
    return list(dict.fromkeys(names))


FIELDS = field_names(PreparationConfig, ModelConfig, TrainingConfig)


@dataclass(frozen=True, kw_only=True)
class ResolvedConfig:
    """All settings of a run.

    Attributes:
        preparation: How texts become shards.
        model: The model's shape; its vocabulary is the one asked for until the tokenizer says
            how large it has become.
        training: How the model is trained; its length is the longest possible until the corpus
            is known.
        recipe: What the settings started from.
        explicit: The fields that the user has set.
    """

    preparation: PreparationConfig
    model: ModelConfig
    training: TrainingConfig
    recipe: Recipe
    explicit: frozenset[str]

    def with_corpus_defaults(
        self, *, documents: int, tokens: int, vocab_size: int
    ) -> "ResolvedConfig":
        """Returns the configuration with what follows from the corpus where nobody has set it.

        Args:
            documents: Of the training split.
            tokens: Of the training split.
            vocab_size: Of the tokenizer.
        """
        recipe, steps, batch_size = self.recipe, self.training.steps, self.training.batch_size
        is_packed = self.training.rows == "packed"
        rows = tokens // self.model.context_length if is_packed else documents
        if "steps" not in self.explicit and recipe.steps is None:
            steps = min(MAX_STEPS, max(recipe.min_steps, recipe.epochs * rows // batch_size))
        schedule = self.training.schedule
        length = _length(steps, recipe, schedule, steps_per_epoch=rows // batch_size)
        changes: dict[str, Any] = {n: v for n, v in length.items() if n not in self.explicit}
        return dataclasses.replace(
            self,
            model=dataclasses.replace(self.model, vocab_size=vocab_size),
            training=dataclasses.replace(self.training, **changes),
        )

    def flat(self) -> dict[str, object]:
        """Returns every field by name, to be shown."""
        parts = (self.preparation, self.model, self.training)
        return {name: value for part in parts for name, value in dataclasses.asdict(part).items()}


def _length(
    steps: int, recipe: Recipe, schedule: object, steps_per_epoch: int = MAX_STEPS
) -> dict[str, int]:
    """Returns the fields that follow from the number of steps, or from the size of the corpus.

    A run with the schedule "wsd" may be prolonged, so nothing but its end depends on its steps.
    """
    warmup_steps = min(recipe.warmup_steps, steps // 10)  # a short run keeps its decay
    every = min(steps, max(5, min(500, steps // 20)))
    if schedule == "wsd":
        warmup_steps, every = recipe.warmup_steps, max(5, min(500, steps_per_epoch))
    return {
        "steps": steps,
        "warmup_steps": warmup_steps,
        "evaluate_every": every,
        "sample_every": 2 * every,
        "checkpoint_every": every,
    }


def resolve(
    recipe: str | None = None,
    preset: str | None = None,
    toml: Path | str | None = None,
    fields: Mapping[str, object] | None = None,
    base: ModelConfig | None = None,
) -> ResolvedConfig:
    """Returns the configuration of a run, checked as far as it can be without the corpus.

    Args:
        recipe: A name in RECIPES; without it, the file's, or "default", or with a base
            "finetune".
        preset: A name in PRESETS; without it, the file's, or "nano".
        toml: A TOML file with any fields, and perhaps a recipe and a preset.
        fields: What the user has set; None values count as not set.
        base: The shape of the model that the run starts from; it stays, but for its dropout.

    Raises:
        ConfigurationError: An unknown recipe, preset or field, another shape than the base's,
            or a value that cannot work.
    """
    given = {name: value for name, value in (fields or {}).items() if value is not None}
    check_known(given, FIELDS, "The call")
    written = read_toml(Path(toml)) if toml is not None else {}
    start = recipe or written.get("recipe", "default" if base is None else "finetune")
    preset = preset or written.get("preset", "nano")
    _check_choice("recipe", start, RECIPES)
    _check_choice("preset", preset, PRESETS)
    if base is None and start == "finetune":
        raise ConfigurationError(
            "The recipe finetune goes on from a model.",
            "Name one with --from, or leave the recipe out.",
        )
    chosen = RECIPES[start]
    explicit = {name: value for name, value in {**written, **given}.items() if name in FIELDS}
    if base is not None:
        _refuse_other_shape(base, explicit)
    shape = PRESETS[preset] if base is None else dataclasses.asdict(base)
    steps = explicit.get("steps", chosen.steps or MAX_STEPS)
    schedule = explicit.get("schedule", "linear")
    check_integer("steps", steps, 1, MAX_STEPS * 10**5)
    fixed = {name: value for name, value in vars(chosen).items() if value is not None}
    values = {
        **fixed,
        **shape,
        "dropout": chosen.dropout,
        **_length(steps, chosen, schedule),
        **explicit,
    }
    return ResolvedConfig(
        preparation=_build(PreparationConfig, values),
        model=_build(ModelConfig, values),
        training=_build(TrainingConfig, values),
        recipe=chosen,
        explicit=frozenset(explicit),
    )


def _check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise ConfigurationError(
            f"There is no {name} {value!r}.", f"Choose one of {', '.join(choices)}."
        )


def _build(kind: type[Configuration], values: Mapping[str, Any]) -> Configuration:
    """Builds a configuration from those of the values that belong to it."""
    names = field_names(kind)
    return kind(**{name: value for name, value in values.items() if name in names})


def _refuse_other_shape(base: ModelConfig, explicit: Mapping[str, object]) -> None:
    shape = dataclasses.asdict(base)
    for name in shape.keys() - {"dropout"}:
        if explicit.get(name, shape[name]) != shape[name]:
            raise ConfigurationError(
                f"{name} is {explicit[name]}, and the model to start from has {shape[name]}.",
                f"Leave {name} out: the shape stays.",
            )


def read_toml(path: Path) -> dict[str, Any]:
    """Returns the fields of a configuration file; tables only group them.

    Raises:
        ConfigurationError: The file is missing, is no TOML, or names an unknown field.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_TOML + 1)
        if len(text) > MAX_TOML:
            raise OSError(f"it has more than {MAX_TOML:,} characters")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read as TOML ({error}).", "Correct it, or name another file."
        ) from None
    fields: dict[str, Any] = {}
    for key, value in content.items():
        fields.update(value if isinstance(value, dict) else {key: value})
    check_known(fields, [*FIELDS, "preset", "recipe"], str(path))
    return fields


def check_known(names: Iterable[str], known: list[str], place: str) -> None:
    """Raises a ConfigurationError for the first unknown name, with the nearest right one."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigurationError(
                f"{place} names an unknown field {name!r}.",
                f"Did you mean {near[0]}?" if near else f"The fields are: {', '.join(known)}.",
            )
