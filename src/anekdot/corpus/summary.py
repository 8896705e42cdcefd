"""What a person is told about prepared texts before anything is trained on them."""

import json
from pathlib import Path

from anekdot.callbacks import Notice
from anekdot.corpus.manifest import Manifest
from anekdot.corpus.report import FACTS, PAGE

MAX_REASONS = 4  # that are listed one by one


def tell(
    manifest: Manifest, folder: Path, notice: Notice | None, *, is_known: bool = False
) -> None:
    """Says what a prepared folder holds: in full, or on one line where a run goes on with it."""
    for sentence in [_short(manifest, folder)] if is_known else _summary(manifest, folder):
        if notice:
            notice(sentence)


def _summary(manifest: Manifest, folder: Path) -> list[str]:
    """Returns what came in, what was dropped and why, and what a prepared folder holds now."""
    kept = sum(manifest.documents.values())
    reasons = sorted(manifest.dropped.items(), key=lambda item: -item[1])
    lines = [f"{manifest.texts_in:,} texts in, {kept:,} kept"]
    lines += [f"  {count:,} dropped: {reason}" for reason, count in reasons[:MAX_REASONS]]
    if others := reasons[MAX_REASONS:]:
        count = sum(count for _, count in others)
        lines.append(f"  {count:,} dropped for {len(others)} more reasons")
    lines += [
        f"{split}: {count:,} documents, {manifest.tokens[split]:,} tokens"
        for split, count in manifest.documents.items()
    ]
    lines.append(f"vocabulary: {manifest.vocab_size:,} tokens; more in {folder / PAGE}")
    return lines + [f"Warning: {sentence}" for sentence in _reported_warnings(folder)]


def _short(manifest: Manifest, folder: Path) -> str:
    """Returns what texts a run goes on with, on one line."""
    kept = sum(manifest.documents.values())
    return (
        f"The texts are those of before: {manifest.texts_in:,} in, {kept:,} kept; "
        f"more in {folder / PAGE}"
    )


def _reported_warnings(folder: Path) -> list[str]:
    """Returns the warnings in the report of a prepared folder; older reports have none."""
    try:
        return [*map(str, json.loads((folder / FACTS).read_text("utf-8")).get("warnings", []))]
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return []
