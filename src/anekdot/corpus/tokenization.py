"""Texts → ids: the tokenizer is trained, and all documents are encoded by split."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anekdot.bundle import TOKENIZER
from anekdot.callbacks import Notice, Progress
from anekdot.corpus.collection import Collection
from anekdot.corpus.manifest import Manifest
from anekdot.corpus.shards import shard_writer
from anekdot.corpus.splitting import SPLITS, Split
from anekdot.errors import ConfigurationError
from anekdot.tokenizer.signs import choose_pattern
from anekdot.tokenizer.tokenizer import Tokenizer


def train_tokenizer(
    collection: Collection, vocab_size: int, path: Path, progress: Progress | None
) -> Tokenizer:
    """Returns the tokenizer of the training split, trained once."""
    if path.exists():
        return Tokenizer.load(path)
    tokenizer = Tokenizer.train(
        collection.training_texts(),
        vocab_size,
        pattern=choose_pattern(collection.characters["train"]),
        memory_limit=collection.memory,
        progress=progress,
    )
    tokenizer.save(path)
    return tokenizer


def load_tokenizer(folder: Path, expected: Tokenizer | None, notice: Notice) -> Tokenizer:
    """Returns the tokenizer of a prepared folder.

    Args:
        folder: The prepared folder.
        expected: What it must be equal to, if anything.
        notice: Receives a sentence where its vocabulary is smaller than was asked for.

    Raises:
        ConfigurationError: It is another one.
    """
    tokenizer = Tokenizer.load(folder / TOKENIZER)
    if expected is not None and tokenizer != expected:
        raise ConfigurationError(
            f"{folder} was prepared with another tokenizer than that of the base model.",
            "Give the texts themselves, and another folder with --out.",
        )
    wanted = Manifest.load(folder).settings["vocab_size"]
    if expected is None and tokenizer.vocab_size < wanted:
        notice(
            f"The vocabulary has {tokenizer.vocab_size:,} tokens, not {wanted:,}: "
            "the texts offer no more merges."
        )
    return tokenizer


def write_shards(
    collection: Collection, tokenizer: Tokenizer, folder: Path, progress: Progress | None
) -> dict[Split, int]:
    """Writes the shards of all splits; returns how many ids each has."""
    tokens = dict.fromkeys(SPLITS, 0)
    done, total = 0, collection.count()
    with ExitStack() as stack:
        appends = [
            stack.enter_context(shard_writer(folder, split, tokenizer.vocab_size))
            for split in SPLITS
        ]
        for splits, texts in collection.kept():
            for number, split in enumerate(SPLITS):
                ids, offsets = encode_documents(tokenizer, texts[splits == number].tolist())
                appends[number](ids, np.diff(offsets))
                tokens[split] += len(ids)
            done += len(texts)
            if progress:
                progress(done, total, "documents encoded")
    return tokens


def encode_documents(
    tokenizer: Tokenizer, texts: Sequence[str]
) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    """Returns the ids of whole documents, begin and end tokens included, and their offsets."""
    ids, offsets = tokenizer.encode_batch(texts)
    offsets = offsets + 2 * np.arange(len(offsets))
    inside = np.ones(len(ids) + 2 * len(texts), np.bool_)
    inside[offsets[:-1]] = inside[offsets[1:] - 1] = False
    enclosed = np.empty(len(inside), ids.dtype)
    enclosed[inside] = ids
    enclosed[offsets[:-1]], enclosed[offsets[1:] - 1] = tokenizer.begin_id, tokenizer.end_id
    return enclosed, offsets
