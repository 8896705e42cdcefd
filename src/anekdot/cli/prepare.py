"""anekdot prepare."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from anekdot.cli.progress import bars, console
from anekdot.cli.summary import describe
from anekdot.settings import PreparationConfig


def prepare(
    *sources: str,
    out: Path,
    vocab_size: int = PreparationConfig.vocab_size,
    validation: float = PreparationConfig.validation,
    test: float = PreparationConfig.test,
    no_obscene: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Turn texts into a folder that a model can be trained on.

    Args:
        sources: .txt, .jsonl, .csv files (also .gz), folders of them, or - for standard input.
        out: The folder to make.
        vocab_size: Tokens of the tokenizer.
        validation: Share of the documents that choose the best model.
        test: Share of the documents kept for the final measurement.
        no_obscene: Leave out documents with hard profanity.
    """
    from anekdot import pipeline

    with bars() as progress:
        manifest = pipeline.prepare(
            *sources,
            out=out,
            progress=progress,
            notice=console.print,
            vocab_size=vocab_size,
            validation=validation,
            test=test,
            no_obscene=no_obscene,
        )
    console.print(describe(manifest))
    print(out)
