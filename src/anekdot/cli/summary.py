"""A prepared folder in ten lines."""

from pathlib import Path

from anekdot.corpus.manifest import Manifest

REASONS = 4  # told one by one


def describe(manifest: Manifest, folder: Path) -> str:
    """Returns what came in, what was dropped and why, what is there now, and where to see more."""
    kept = sum(manifest.documents.values())
    reasons = sorted(manifest.dropped.items(), key=lambda item: -item[1])
    lines = [f"{manifest.texts_in:,} texts in, {kept:,} kept"]
    lines += [f"  {count:,} dropped: {reason}" for reason, count in reasons[:REASONS]]
    if others := reasons[REASONS:]:
        count = sum(count for _, count in others)
        lines.append(f"  {count:,} dropped for {len(others)} more reasons")
    lines += [
        f"{side}: {count:,} documents, {manifest.tokens[side]:,} tokens"
        for side, count in manifest.documents.items()
    ]
    lines.append(f"vocabulary: {manifest.vocab_size:,} tokens; more in {folder / 'report.html'}")
    return "\n".join(lines)
