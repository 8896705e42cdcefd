"""Shards written document by document."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from anekdot.corpus.shards import shard_writer
from anekdot.corpus.splitting import Split


def write_shard(folder: Path, side: Split, documents: Iterable[list[int]], vocab_size: int) -> None:
    """Writes the documents of a side, one at a time."""
    with shard_writer(folder, side, vocab_size) as append:
        for document in documents:
            append(np.asarray(document, np.int64), np.array([len(document)]))
