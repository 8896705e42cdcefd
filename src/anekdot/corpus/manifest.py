"""manifest.json: what a prepared folder holds; it is known by this file."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anekdot.errors import CorpusError
from anekdot.store import sha256

MANIFEST = "manifest.json"
FORMAT = "anekdot-corpus-1"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a prepared folder holds.

    Attributes:
        sources: As they were named.
        settings: Fields of the preparation.
        texts_in: Texts read.
        dropped: Texts left out, by reason.
        documents: Documents of each side.
        tokens: Ids of each side, special tokens included.
        vocab_size: Of the tokenizer.
        files: SHA-256 of every other file.
        format: The version of all this.
    """

    sources: list[str]
    settings: dict[str, Any]
    texts_in: int
    dropped: dict[str, int]
    documents: dict[str, int]
    tokens: dict[str, int]
    vocab_size: int
    files: dict[str, str]
    format: str = FORMAT

    def save(self, folder: Path) -> None:
        """Writes manifest.json."""
        content = json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(content + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Reads manifest.json and checks the files that it names.

        Raises:
            CorpusError: It cannot be read, or a file is missing or changed.
        """
        path = folder / MANIFEST
        try:
            manifest = cls(**json.loads(path.read_text("utf-8")))
            if manifest.format != FORMAT:
                raise ValueError(f"format {manifest.format!r}")
        except (OSError, ValueError, TypeError) as error:
            raise CorpusError(
                f"{path} is no manifest of a prepared folder ({error}).",
                "Prepare the texts again.",
            ) from None
        for name, digest in manifest.files.items():
            file = folder / Path(name).name
            if not file.is_file() or sha256(file) != digest:
                raise CorpusError(
                    f"{file} is missing or damaged.", "Prepare the texts again."
                )
        return manifest


def hash_files(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of each file in a folder, by name."""
    return {path.name: sha256(path) for path in sorted(folder.iterdir()) if path.is_file()}
