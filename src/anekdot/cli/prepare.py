"""anekdot prepare."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from anekdot.cli.progress import bars, console
from anekdot.cli.summary import describe
from anekdot.corpus.config import PreparationConfig
from anekdot.machine import parse_memory


def prepare(
    *sources: str,
    out: Path,
    vocab_size: int = PreparationConfig.vocab_size,
    validation: float = PreparationConfig.validation,
    test: float = PreparationConfig.test,
    no_obscene: Annotated[bool, Parameter(negative="")] = False,
    without: str = "",
    script: str | None = None,
    separator: str | None = None,
    column: str | None = None,
    memory: str | None = None,
    ray: str | None = None,
) -> None:
    """Turn texts into a folder that a model can be trained on; go on if it was stopped.

    Args:
        sources: Text, JSON, CSV or Parquet files, compressed or not, .zip files, folders of
            them, patterns, web addresses of files, or - for standard input.
        out: The folder to make.
        vocab_size: Tokens of the tokenizer.
        validation: Share of the documents that choose the best model.
        test: Share of the documents kept for the final measurement.
        no_obscene: Leave out documents with hard profanity.
        without: Rules of cleaning to switch off, divided by commas, such as html,link.
        script: Drop texts most of whose letters are of another script than, say, cyrillic.
        separator: What stands between the texts of a text file; guessed unless given.
        column: The column or key that holds the text; guessed unless given.
        memory: What to stay within, such as 1GiB; half of the machine's memory unless given.
        ray: A Ray cluster to read the texts on: its address, or local.
    """
    from anekdot import pipeline

    with bars() as progress:
        manifest = pipeline.prepare(
            *sources,
            out=out,
            memory=None if memory is None else parse_memory(memory),
            ray=ray,
            progress=progress,
            notice=console.print,
            vocab_size=vocab_size,
            validation=validation,
            test=test,
            no_obscene=no_obscene,
            without=without,
            script=script,
            separator=separator,
            column=column,
        )
    console.print(describe(manifest, out))
    print(out)
