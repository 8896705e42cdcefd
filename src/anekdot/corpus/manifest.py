"""What a prepared folder holds and where it came from, as ``manifest.json``.

A folder is a prepared one if, and only if, it has this file.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from anekdot.atomic_files import sha256
from anekdot.corpus.database import database, parquet
from anekdot.corpus.splitting import SPLITS, Split
from anekdot.errors import CorpusError

MANIFEST = "manifest.json"
FORMAT = "anekdot-corpus-1"

_REMEDY = "Prepare the texts again."


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The facts about a prepared corpus.

    Attributes:
        sources: What the user named, in order.
        settings: The fields of the preparation.
        texts_in: Documents read.
        dropped: Documents dropped, by reason.
        documents: Documents of each side.
        tokens: Ids of each side, those of begin and end included.
        vocab_size: The number of ids of the tokenizer.
        files: The SHA-256 of every other file in the folder, by name.
        format: The version of this layout.
    """

    sources: list[str]
    settings: dict[str, Any]
    texts_in: int
    dropped: dict[str, int]
    documents: dict[Split, int]
    tokens: dict[Split, int]
    vocab_size: int
    files: dict[str, str]
    format: str = FORMAT

    def save(self, folder: Path) -> None:
        """Writes the manifest into a folder."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2, allow_nan=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Reads the manifest of a folder and compares the files that it names to their hashes.

        Raises:
            CorpusError: There is none, it is not one that `save` makes, or a file is
                missing or changed.
        """
        path = folder / MANIFEST
        try:
            manifest = _parse(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            cause = f"{folder} is no prepared corpus: it has no {MANIFEST}."
            raise CorpusError(cause, _REMEDY) from error
        except (OSError, ValueError, RecursionError) as error:
            raise CorpusError(f"{path} is damaged: {error}", _REMEDY) from error
        for name, digest in manifest.files.items():
            if not (folder / name).is_file() or sha256(folder / name) != digest:
                raise CorpusError(f"{folder / name} is not the file that was prepared.", _REMEDY)
        return manifest


def hash_files(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of each file directly in a folder, the manifest aside, by name."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    return {path.name: sha256(path) for path in paths}


def is_prepared(folder: Path) -> bool:
    """Whether a folder is a prepared one, also one whose manifest was lost."""
    return any((folder / name).is_file() for name in (MANIFEST, f"{SPLITS[0]}.ids.npy"))


def source_of(folder: Path, number: int) -> str:
    """Says which file and line a training document came from."""
    with database(folder / ".spill") as connection:
        rows = connection.execute(
            f"""
            SELECT source, line FROM {parquet(folder, "documents.parquet")}
            WHERE reason = '' AND side = 'train' AND place = {number}
            """
        ).fetchall()
    return ", ".join(f"{source}:{line}" for source, line in rows)


def _parse(record: Any) -> Manifest:
    """Builds a manifest of a JSON value, and trusts nothing in it."""
    _check(isinstance(record, dict), "no object")
    unlike = record.keys() ^ {field.name for field in fields(Manifest)}
    _check(not unlike, f"the keys {sorted(unlike)} are missing or unknown")
    _check(record["format"] == FORMAT, f"format {record['format']!r}")
    _check(isinstance(record["sources"], list), "no list of sources")
    for name in ("settings", "dropped", "documents", "tokens", "files"):
        _check(isinstance(record[name], dict), f"{name} is no object")
    for name in ("documents", "tokens"):
        _check(record[name].keys() == set(SPLITS), f"{name} has other sides")
    counts = [
        count for name in ("dropped", "documents", "tokens") for count in record[name].values()
    ]
    _check(all(map(_is_count, [*counts, record["texts_in"], record["vocab_size"]])), "no counts")
    strings = [*record["sources"], *record["files"].values()]
    _check(all(isinstance(value, str) for value in strings), "a source or hash is no string")
    return Manifest(**record)


def _check(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(f"{fault}.")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
