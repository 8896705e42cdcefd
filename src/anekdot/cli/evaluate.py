"""anekdot evaluate."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from anekdot.cli.progress import bars
from anekdot.text_output import json_line


def evaluate(
    bundle: Path,
    /,
    *,
    texts: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    json_object: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Measure a model on held-out texts.

    Args:
        bundle: The model's folder.
        texts: Texts to measure on; without them, the test split that was kept in training.
        json_object: Print one JSON object.
    """
    from anekdot import pipeline

    with bars() as progress:
        result = pipeline.evaluate(bundle, texts, progress)
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
