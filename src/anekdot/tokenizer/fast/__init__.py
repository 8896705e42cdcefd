"""The tokenizer's loops as machine code, made by Numba from the Python source.

Everything here has a plain twin one folder up, which gives the same results more slowly
and is what runs where Numba is missing, or where the texts are too few to wait for the
compiler.
"""

import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from anekdot.tokenizer.vocabulary import Merge

if TYPE_CHECKING:
    import numpy as np

    from anekdot.tokenizer.fast.encoder import CompiledEncoder

WORTH_COMPILING = 1 << 22  # characters of text; the plain loops take about half a second for them
WORTH_CALLING = 1 << 12  # characters of text, once the compiled loops are at hand


@cache
def available() -> bool:
    """Whether the compiled loops can run here."""
    try:
        import numba  # noqa: PLC0415 (slow)
    except Exception:  # missing, or in one of many ways not fit for this NumPy or this system
        return False
    settings: Any = numba.config
    return not settings.DISABLE_JIT and sys.byteorder == "little"


def build_encoder(
    merges: Sequence[Merge], tokens: Sequence[bytes], dtype: "type[np.unsignedinteger]"
) -> "CompiledEncoder | None":
    """Returns the compiled encoder of some merges, or None where the loops cannot encode.

    Args:
        merges: In the order of training.
        tokens: That they build, by id.
        dtype: Of the ids.
    """
    if not available():
        return None
    from anekdot.tokenizer.fast.encoder import CompiledEncoder  # noqa: PLC0415 (slow)
    from anekdot.tokenizer.fast.segmenting import build_vocabulary  # noqa: PLC0415

    vocabulary = build_vocabulary(merges, tokens)
    return None if vocabulary is None else CompiledEncoder(vocabulary, dtype)
