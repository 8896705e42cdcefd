"""anekdot import."""

import shlex
from pathlib import Path


def importing(source: Path, /, *, out: Path) -> None:
    """Make a model's folder of a GGUF file or a Transformers folder that came from anekdot.

    Args:
        source: The file or folder.
        out: The model's folder to make.
    """
    from anekdot.export.importing import import_model

    bundle = import_model(source, out)
    print(f"{out}: {bundle.config.n_parameters:,} parameters.\n")
    quoted = shlex.quote(str(out))
    print(f'anekdot generate --model {quoted} "…"')
    print(f"anekdot train jokes.txt --from {quoted}")
