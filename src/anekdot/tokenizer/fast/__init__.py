"""The tokenizer's loops in machine code, which Numba compiles from the Python source.

Each of them has a plain version one folder up. It gives the same results more slowly, and is
what runs if Numba is missing, or if there is too little text to be worth compiling for.

From the outside in:

    trainer    merges from counts        encoder            ids of documents, on all threads
    counter    counts of pretokens       encoding           the loop: look up, or segment
    merging    the loop of merges        segmenting         one pretoken into ids
    pairs      pairs and their heap      merge_table, trie  a vocabulary, as arrays
    counting   the loop of counts

    packed_documents   documents in one array        scanner   where pretokens end
    keys               pretokens as hash-table keys: has a picture of a slot
"""

import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from anekdot.tokenizer.pretokens import PatternName
from anekdot.tokenizer.vocabulary import Merge

if TYPE_CHECKING:
    import numpy as np

    from anekdot.tokenizer.fast.encoder import FastEncoder

MIN_CHARACTERS_TO_COMPILE = 1 << 22  # the plain loops take about half a second for them
MIN_CHARACTERS_TO_CALL = 1 << 12  # once the fast loops have been loaded


@cache
def available() -> bool:
    """Whether the fast loops can run here."""
    try:
        import numba  # noqa: PLC0415 (slow)
    except Exception:  # missing, or in one of many ways unfit for this NumPy or this system
        return False
    config: Any = numba.config
    return not config.DISABLE_JIT and sys.byteorder == "little"


def build_encoder(
    merges: Sequence[Merge],
    tokens: Sequence[bytes],
    dtype: "type[np.unsignedinteger]",
    pattern: PatternName,
) -> "FastEncoder | None":
    """Returns the fast encoder for some merges, or None if the fast loops cannot encode them.

    Args:
        merges: In the order of training.
        tokens: The tokens that they build, by id.
        dtype: Type of the ids.
        pattern: What splits documents into pretokens.
    """
    if not available():
        return None
    from anekdot.tokenizer.fast.encoder import FastEncoder  # noqa: PLC0415 (slow)
    from anekdot.tokenizer.fast.segmenting import build_vocabulary  # noqa: PLC0415

    vocabulary = build_vocabulary(merges, tokens)
    return None if vocabulary is None else FastEncoder(vocabulary, dtype, pattern)
