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

from anekdot.corpus.cleaning import check_rules
from anekdot.corpus.cleaning.filters import is_in_script
from anekdot.corpus.documents import Rules
from anekdot.corpus.splitting import check_fractions
from anekdot.errors import ConfigurationError
from anekdot.field_checks import check_boolean, check_integer, check_number
from anekdot.model.config import MAX_FIELD_VALUES, PRESETS, ModelConfig
from anekdot.tokenizer.vocabulary import FIRST_MERGE
from anekdot.training.config import RECIPES, TrainingConfig

Configuration = TypeVar("Configuration")

MAX_STEPS = 10_000
MIN_VOCAB_SIZE = FIRST_MERGE


@dataclass(frozen=True, kw_only=True)
class PreparationConfig:
    """How texts become shards.

    Attributes:
        vocab_size: Tokens of the tokenizer, specials included.
        validation: Share of the documents that choose the best model.
        test: Share of the documents that nothing is chosen by.
        no_obscene: Whether documents with hard profanity are left out.
        without: Names of the rules of cleaning that are switched off, divided by commas.
        script: The script that documents shall be in, such as "cyrillic"; any unless given.
        separator: What stands between the texts of a text file ("line", "blank line", or the
            separator itself); guessed unless given.
        column: The column or key that holds the text; guessed unless given.

    Raises:
        ConfigurationError: A field has the wrong type or a value that cannot work.
    """

    vocab_size: int = 2048
    validation: float = 0.03
    test: float = 0.03
    no_obscene: bool = False
    without: str = ""
    script: str | None = None
    separator: str | None = None
    column: str | None = None

    def __post_init__(self) -> None:
        check_integer("vocab_size", self.vocab_size, MIN_VOCAB_SIZE, MAX_FIELD_VALUES["vocab_size"])
        check_number("validation", self.validation, 0.0, 1.0)
        check_number("test", self.test, 0.0, 1.0)
        check_fractions(self.validation, self.test)
        check_boolean("no_obscene", self.no_obscene)
        check_rules(self.rules.without)
        if self.script is not None:
            is_in_script("", self.script)

    @property
    def rules(self) -> Rules:
        """What is done with each document."""
        names = (name.strip() for name in self.without.split(","))
        return Rules(
            without=tuple(sorted({*filter(None, names)})),
            no_obscene=self.no_obscene,
            script=self.script,
            validation=self.validation,
            test=self.test,
        )


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
    recipe: str | None = None,
    preset: str | None = None,
    config: Path | str | None = None,
    fields: dict[str, Any] | None = None,
    beginning: ModelConfig | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns every field that is settled, and those among them that the user asked for.

    Args:
        recipe: A name in RECIPES; without it, the file's, or "default".
        preset: A name in PRESETS; without it, the file's, or "nano".
        config: A TOML file.
        fields: What the user gave; None values count as not given.
        beginning: The shape of the model that a run goes on from; it cannot be changed, but
            for its dropout.

    Raises:
        ConfigurationError: An unknown recipe, preset or field, or another shape.
    """
    given = {name: value for name, value in (fields or {}).items() if value is not None}
    check_known(given, FIELDS, "The call")
    written = read_toml(Path(config)) if config is not None else {}
    usual = "default" if beginning is None else "finetune"
    recipe = recipe or written.pop("recipe", usual)
    preset = preset or written.pop("preset", "nano")
    for name, value, choices in (("recipe", recipe, RECIPES), ("preset", preset, PRESETS)):
        if not isinstance(value, str) or value not in choices:
            raise ConfigurationError(
                f"There is no {name} {value!r}.", f"Choose one of {', '.join(choices)}."
            )
    if beginning is None and recipe == "finetune":
        raise ConfigurationError(
            "The recipe finetune is for going on from a model.",
            "Name one with --from, or leave the recipe out.",
        )
    asked = {name: value for name, value in {**written, **given}.items() if name in FIELDS}
    if beginning is None:
        return {**RECIPES[recipe], **PRESETS[preset], **asked}, asked
    shape = dataclasses.asdict(beginning)
    for name in shape.keys() - {"dropout"}:
        if asked.get(name, shape[name]) != shape[name]:
            raise ConfigurationError(
                f"{name} is {asked[name]}, and the model to begin with has {shape[name]}.",
                f"Leave {name} out: the shape stays.",
            )
    return {**shape, **RECIPES[recipe], **asked}, asked


def fill_up(
    settled: dict[str, Any], asked: dict[str, Any], *, documents: int, tokens: int
) -> dict[str, Any]:
    """Adds what follows from the size of the corpus where nobody says: length and rhythm.

    Args:
        settled: Fields by name.
        asked: Those that the user asked for.
        documents: Of the training split.
        tokens: Of the training split.

    Raises:
        ConfigurationError: Rows or steps are no whole numbers.
    """
    for name in ("batch_size", "context_length"):
        check_integer(name, settled[name], 1, MAX_FIELD_VALUES["context_length"])
    rows = documents if settled["rows"] == "documents" else tokens // settled["context_length"]
    fitting = settled.get("epochs", 1) * rows // settled["batch_size"]
    fewest = settled.get("fewest_steps", 1)
    steps = settled.get("steps", min(MAX_STEPS, max(fewest, fitting)))
    check_integer("steps", steps, 1, MAX_STEPS * 10**5)
    every = min(steps, max(5, min(500, steps // 20)))
    rhythm = {"evaluate_every": every, "sample_every": 2 * every, "checkpoint_every": every}
    filled = {"steps": steps, **rhythm, **settled}
    if "warmup_steps" not in asked:  # a short run keeps its decay
        filled["warmup_steps"] = min(settled["warmup_steps"], steps // 10)
    return filled


def build(kind: type[Configuration], fields: dict[str, Any]) -> Configuration:
    """Builds a configuration from those of the fields that belong to it."""
    names = field_names(kind)
    return kind(**{name: value for name, value in fields.items() if name in names})
