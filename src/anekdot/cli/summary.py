"""A prepared folder in a few lines."""

from anekdot.corpus.manifest import Manifest


def describe(manifest: Manifest) -> str:
    """Returns what came in, what was dropped and why, and what is there now."""
    kept = sum(manifest.documents.values())
    lines = [f"{manifest.texts_in:,} texts in, {kept:,} kept"]
    lines += [f"  {count:,} dropped: {reason}" for reason, count in manifest.dropped.items()]
    lines += [
        f"{side}: {count:,} documents, {manifest.tokens[side]:,} tokens"
        for side, count in manifest.documents.items()
    ]
    lines.append(f"vocabulary: {manifest.vocab_size:,} tokens")
    return "\n".join(lines)
