"""anekdot prepare."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from anekdot.cli.console import say
from anekdot.cli.flags import DATA, PREPARATION_FLAGS, RUN, explicit_flags
from anekdot.cli.progress import bars
from anekdot.machine import parse_size

MIN_MEMORY = 1 << 29


def prepare(
    *sources: str,
    out: Path,
    memory: Annotated[str | None, Parameter(group=RUN)] = None,
    ray: Annotated[str | None, Parameter(group=RUN)] = None,
    max_download: Annotated[str, Parameter(group=DATA)] = "1GiB",
    flags: Annotated[PREPARATION_FLAGS | None, Parameter(name="*")] = None,  # type: ignore[valid-type]
) -> None:
    """Turn texts into a folder that a model can be trained on; go on if it was stopped.

    Args:
        sources: Text, JSON, CSV or Parquet files, compressed or not, .zip files, folders of
            them, patterns, web addresses of files, or - for standard input.
        out: The folder to make.
        memory: Memory to stay within, such as 1GiB; half of the machine's unless given.
        ray: A Ray cluster to read the texts on: its address, or local.
        max_download: The largest file to download from a web address.
        flags: Any field of the preparation.
    """
    from anekdot import pipeline

    with bars() as progress:
        pipeline.prepare(
            *sources,
            out=out,
            memory=None if memory is None else parse_size("memory", memory, MIN_MEMORY),
            ray=ray,
            max_download=parse_size("max-download", max_download, 1),
            progress=progress,
            notice=say,
            **explicit_flags(flags),
        )
    print(out)
