"""anekdot train."""

import dataclasses
import sys
import typing
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from docstring_parser import parse

from anekdot.cli.progress import bars, console, escape_control_characters, training_watcher
from anekdot.config import FIELDS
from anekdot.corpus.config import PreparationConfig
from anekdot.errors import ConfigurationError
from anekdot.model.config import ModelConfig
from anekdot.training.config import TrainingConfig


def _flags() -> type:
    """Builds a dataclass with every field of a run as an optional flag, documented."""
    types: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for configuration in (PreparationConfig, ModelConfig, TrainingConfig):
        types.update(typing.get_type_hints(configuration))
        for parameter in parse(configuration.__doc__ or "").params:
            texts[parameter.arg_name] = " ".join((parameter.description or "").split())
    flags = dataclasses.make_dataclass(
        "Fields",
        [
            (
                name,
                # --no-no-obscene would say nothing
                Annotated[types[name] | None, Parameter(negative="" if "no_" in name else None)],
                dataclasses.field(default=None, metadata={"help": texts[name]}),
            )
            for name in FIELDS
        ],
        kw_only=True,
        frozen=True,
    )
    flags.__module__ = __name__  # Cyclopts takes a class of the module "types" for a built-in
    return flags


Fields = _flags()


def train(
    *sources: str,
    out: Path | None = None,
    preset: Literal["nano", "mini", "small"] | None = None,
    recipe: Literal["default", "mission"] | None = None,
    config: Path | None = None,
    initial: Annotated[str | None, Parameter(name="--from")] = None,
    track: str = "",
    fields: Annotated[Fields | None, Parameter(name="*")] = None,  # type: ignore[valid-type]
) -> None:
    """Train a model on texts, or go on with a run that was stopped.

    Args:
        sources: .txt, .jsonl, .csv files (also .gz), folders of them, - for standard input,
            or one folder that anekdot prepare made.
        out: The bundle's folder; without it, the first source's name with -model behind.
        preset: The model's shape; nano, unless the TOML file says otherwise.
        recipe: All other settings, to start from; default, unless the TOML file says otherwise.
        config: A TOML file with any of the fields below.
        initial: A bundle to go on from, with its tokenizer and shape, on other texts; pretrained
            names the one that comes with anekdot.
        track: Programs that shall show the run too, divided by commas: tensorboard, trackio
            (both on this machine), wandb (which sends the numbers away).
        fields: Any field of the configuration.
    """
    from anekdot import pipeline
    from anekdot.generation.generator import load

    if out is None:
        out = _default_out(sources)
    try:
        with bars() as progress:
            trained = pipeline.train(
                *sources,
                out=out,
                preset=preset,
                recipe=recipe,
                config=config,
                initial=initial,
                track=[*filter(None, map(str.strip, track.split(",")))],
                observe=training_watcher(progress),
                progress=progress,
                notice=console.print,
                **(dataclasses.asdict(fields) if fields is not None else {}),
            )
    except KeyboardInterrupt:
        if (out / "run").exists():
            console.print(f"{out} keeps what was done; the same command goes on with it.")
        raise
    if trained.validation is not None:
        console.print(
            f"Validation: {trained.validation.bits_per_byte:.3f} bits per byte, "
            f"{trained.validation.loss:.3f} nats a token, "
            f"perplexity {trained.validation.perplexity:.1f}"
        )
    console.print(trained.limit)
    console.print(f"Curves: {trained.curves}\nThree texts of the new model:\n")
    for sample in load(trained.bundle).samples(n=3, seed=0):
        print(
            escape_control_characters(sample.text) if sys.stdout.isatty() else sample.text,
            end="\n\n",
        )
    console.print(f'More: anekdot generate --model {trained.bundle} "…"')


def _default_out(sources: tuple[str, ...]) -> Path:
    if not sources:
        raise ConfigurationError("No texts were named.", "Name a file, a folder, or - .")
    name = "stdin" if sources[0] == "-" else Path(sources[0]).resolve().name
    return Path(f"{name.strip('.').split('.')[0] or 'anekdot'}-model")
