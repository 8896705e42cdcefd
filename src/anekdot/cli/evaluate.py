"""anekdot evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from anekdot.cli.console import say
from anekdot.cli.progress import bars
from anekdot.errors import ConfigurationError
from anekdot.text_output import json_line

if TYPE_CHECKING:
    from anekdot.evaluation.likelihood import Likelihood


def evaluate(
    bundle: Path,
    /,
    *,
    texts: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    column: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    json_object: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Measure a model on held-out texts.

    Args:
        bundle: The model's folder, or its .zip.
        texts: Texts to measure on; without them, the test split that was kept in training.
        column: The column or key that holds the texts; guessed unless given.
        separator: What stands between the texts ("line", "blank line", or the separator
            itself); guessed unless given.
        encoding: The encoding of the texts, such as cp1250; guessed unless given.
        json_object: Print one JSON object.
    """
    from anekdot import pipeline

    reading = {"column": column, "separator": separator, "encoding": encoding}
    if texts is None and any(reading.values()):
        cause = "--column, --separator and --encoding say how texts are read; none are named."
        raise ConfigurationError(cause, "Name them with --texts FILE.")
    with bars() as progress:
        result = pipeline.evaluate(bundle, texts, progress, **reading, notice=say)
    _show(result, json_object)


def _show(result: "Likelihood", json_object: bool) -> None:
    figures = {
        "loss": result.loss,
        "perplexity": result.perplexity,
        "bits_per_byte": result.bits_per_byte,
        "documents": result.documents,
        "tokens": result.tokens,
        "bytes": result.bytes,
    }
    if json_object:
        print(json_line(figures))
        return
    print(f"{result.bits_per_byte:.4f} bits per byte")
    print(f"{result.loss:.4f} nats per token (perplexity {result.perplexity:.2f})")
    print(f"{result.documents:,} documents, {result.tokens:,} tokens, {result.bytes:,} bytes")
