"""The documents that a model is measured on."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anekdot.bundle import TOKENIZER
from anekdot.corpus.reading import Source, clean_texts
from anekdot.corpus.reading.given import as_source
from anekdot.corpus.shards import Shard
from anekdot.corpus.tokenization import encode_documents
from anekdot.errors import BundleError, CorpusError
from anekdot.run_folder import RunFolder
from anekdot.tokenizer.tokenizer import Tokenizer


def held_out_documents(
    bundle: Path, tokenizer: Tokenizer, texts: Source | Iterable[str] | None, **reading: Any
) -> list[NDArray[Any]]:
    """Returns the ids of the documents of some texts, or of a bundle's test split.

    Args:
        bundle: The model's folder.
        tokenizer: The model's.
        texts: A file or folder of documents, or the texts themselves, if any.
        reading: How they are read, as `clean_texts` takes it.

    Raises:
        CorpusError: The texts cannot be read, or there are none.
        BundleError: No test split is known.
    """
    if texts is None:
        return _test_split(bundle, tokenizer)
    source = as_source(texts)
    found = [*clean_texts(source, **reading)]
    if not found:
        raise CorpusError(f"{source} has no texts.", "Name a file with at least one.")
    ids, offsets = encode_documents(tokenizer, found)
    return np.split(ids, offsets[1:-1])


def _test_split(bundle: Path, tokenizer: Tokenizer) -> list[NDArray[Any]]:
    """Returns the test documents of the folder that a bundle was trained on."""
    data = RunFolder(bundle).prepared_folder()
    if Tokenizer.load(data / TOKENIZER) != tokenizer:
        raise BundleError(
            f"{data} was prepared with another tokenizer than {bundle} has.",
            "Name texts with --texts FILE.",
        )
    shard = Shard.open(data, "test")
    if not len(shard):
        raise BundleError(f"The test split of {data} is empty.", "Name texts with --texts FILE.")
    return shard.documents()
