"""What a prepared folder holds and where it came from, as ``manifest.json``.

A folder is a prepared corpus if, and only if, it has this file.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePath
from typing import Any

from anekdot.atomic_files import escape_surrogates, sha256
from anekdot.bundle import TOKENIZER
from anekdot.corpus.config import PreparationConfig
from anekdot.corpus.splitting import SPLITS, Split
from anekdot.errors import CorpusError, refuse_difference
from anekdot.run_folder import MANIFEST

FORMAT = "anekdot-corpus-1"

_REMEDY = "Prepare the texts again."

_NEEDED = {TOKENIZER, *(f"{split}.{part}.npy" for split in SPLITS for part in ("ids", "offsets"))}
"""What training reads: a manifest must know the hash of it."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The facts about a prepared corpus.

    Attributes:
        sources: What the user named, in order.
        settings: The fields of the preparation.
        texts_in: Documents read.
        dropped: Documents dropped, by reason.
        documents: Documents of each split.
        tokens: Ids of each split, begin and end tokens included.
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
        (folder / MANIFEST).write_text(escape_surrogates(text) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Reads the manifest of a folder and checks the files that it names against their hashes.

        Raises:
            CorpusError: There is none, it is damaged, or a file is missing or was changed.
        """
        path = folder / MANIFEST
        try:
            manifest = _parse(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            cause = f"{folder} is no prepared corpus: it has no {MANIFEST}."
            raise CorpusError(cause, _REMEDY) from error
        except (OSError, ValueError, RecursionError) as error:
            raise CorpusError(f"{path} is damaged: {error}", _REMEDY) from error
        for name, expected in manifest.files.items():
            if not (folder / name).is_file() or sha256(folder / name) != expected:
                raise CorpusError(f"{folder / name} is not the file that was prepared.", _REMEDY)
        return manifest


def check_settings(
    folder: Path,
    wanted: PreparationConfig,
    *,
    only: Collection[str] | None = None,
    shown_as: Path | None = None,
) -> Manifest:
    """Checks that a prepared folder was made with the settings that are wanted now.

    Returns:
        What the folder holds.

    Args:
        folder: The prepared folder.
        wanted: The settings.
        only: The fields that count; all unless given.
        shown_as: The folder that a message names, if it is another one.

    Raises:
        ConfigurationError: Some differ; the message lists them.
        CorpusError: The folder is not a prepared one, or is damaged.
    """
    manifest = Manifest.load(folder)
    before = manifest.settings
    now = {**before, **{k: v for k, v in asdict(wanted).items() if only is None or k in only}}
    refuse_difference(shown_as or folder, before, now)
    return manifest


def hash_files(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of each file directly in a folder, the manifest aside, by name."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    return {path.name: sha256(path) for path in paths}


def is_prepared(folder: Path) -> bool:
    """Whether a folder is a prepared corpus, even one whose manifest was lost."""
    return any((folder / name).is_file() for name in (MANIFEST, f"{SPLITS[0]}.ids.npy"))


def _parse(record: Any) -> Manifest:
    """Builds a manifest from a JSON value, of which nothing is taken on trust."""
    _check(isinstance(record, dict), "no object")
    unlike = record.keys() ^ {field.name for field in fields(Manifest)}
    _check(not unlike, f"the keys {sorted(unlike)} are missing or unknown")
    _check(record["format"] == FORMAT, f"format {record['format']!r}")
    _check(isinstance(record["sources"], list), "no list of sources")
    for name in ("settings", "dropped", "documents", "tokens", "files"):
        _check(isinstance(record[name], dict), f"{name} is no object")
    for name in ("documents", "tokens"):
        _check(record[name].keys() == set(SPLITS), f"{name} has other splits")
    counts = [
        count for name in ("dropped", "documents", "tokens") for count in record[name].values()
    ]
    _check(all(map(_is_count, [*counts, record["texts_in"], record["vocab_size"]])), "no counts")
    strings = [*record["sources"], *record["files"].values()]
    _check(all(isinstance(value, str) for value in strings), "a source or hash is no string")
    _check(_is_count(record["settings"].get("vocab_size")), "settings name no vocab_size")
    for name in record["files"]:
        is_plain = PurePath(name).name == name not in ("", "..") and "\\" not in name
        _check(is_plain, f"{name!r:.80} is no name of a file")
    missing = _NEEDED - record["files"].keys()
    _check(not missing, f"files do not name {', '.join(sorted(missing))}")
    return Manifest(**record)


def _check(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(f"{fault}.")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
