"""anekdot train."""

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from anekdot.cli.console import console, say
from anekdot.cli.flags import DATA, TRAINING_FLAGS, explicit_flags
from anekdot.cli.progress import bars, training_watcher
from anekdot.cli.streams import as_view
from anekdot.errors import BundleError, ConfigurationError
from anekdot.machine import parse_size
from anekdot.model_card import texts_inside
from anekdot.recipes import PresetName, RecipeName
from anekdot.run_folder import RunFolder

if TYPE_CHECKING:
    from anekdot.pipeline import Trained


def train(
    *sources: str,
    out: Path | None = None,
    preset: PresetName | None = None,
    recipe: RecipeName | None = None,
    config: Path | None = None,
    base: Annotated[str | None, Parameter(name="--from")] = None,
    track: Annotated[str, Parameter(show_default=False)] = "",
    max_download: Annotated[str, Parameter(group=DATA)] = "1GiB",
    flags: Annotated[TRAINING_FLAGS | None, Parameter(name="*")] = None,  # type: ignore[valid-type]
) -> None:
    """Train a model on texts, or go on with a run that was stopped.

    Args:
        sources: .txt, .jsonl, .csv files (also .gz), folders of them, - for standard input,
            or one folder that anekdot prepare made.
        out: The bundle's folder; without it, the name of the first source followed by -model.
        preset: The model's shape; nano, unless the TOML file says otherwise.
        recipe: All other settings to start from; default (with --from, finetune), unless the
            TOML file says otherwise.
        config: A TOML file with any of the fields below.
        base: A bundle, a folder or one .zip, to start from with its tokenizer and shape;
            pretrained names the one that comes with anekdot.
        track: Programs that show the run too, separated by commas: tensorboard, trackio
            (both on this machine), wandb (which sends the numbers away).
        max_download: The largest file to download from a web address.
        flags: Any field of the configuration.
    """
    from anekdot import pipeline

    sys.stdout = as_view(sys.stdout)  # the model is what counts
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
                base=base,
                track=[*filter(None, map(str.strip, track.split(",")))],
                max_download=parse_size("max-download", max_download, 1),
                observe=training_watcher(progress),
                progress=progress,
                notice=say,
                **explicit_flags(flags),
            )
    except KeyboardInterrupt:
        if RunFolder(out).run.exists():
            console.print(f"{out} keeps what was done; the same command goes on with it.")
        raise
    _show(trained)


def _show(trained: "Trained") -> None:
    """Prints how well the model has become, and three texts of it."""
    from anekdot.generation.generator import load

    if trained.validation is not None:
        console.print(
            f"Validation: {trained.validation.bits_per_byte:.3f} bits per byte, "
            f"{trained.validation.loss:.3f} nats per token, "
            f"perplexity {trained.validation.perplexity:.1f}"
        )
    console.print(trained.diagnosis)
    console.print(f"Curves: {trained.curves}")
    try:
        generator = load(trained.bundle)
    except BundleError:  # a part that is not computed here: a notice has said so
        return
    console.print("Three texts of the new model:\n")
    for sample in generator.samples(n=3, seed=0):
        print(sample.text, end="\n\n")
    console.print(f'More: anekdot generate --model {shlex.quote(str(trained.bundle))} "…"')
    if RunFolder(trained.bundle).data.exists():
        console.print(texts_inside(trained.bundle))


def _default_out(sources: tuple[str, ...]) -> Path:
    if not sources:
        raise ConfigurationError("No texts were named.", "Name a file, a folder, or - .")
    path = Path("stdin" if sources[0] == "-" else sources[0]).resolve()
    plain = (re.split(r"[*?\[]", part)[0].strip("._- ") for part in reversed(path.parts))
    name = next((part for part in plain if part), "anekdot")
    return Path(f"{name.split('.')[0]}-model")
