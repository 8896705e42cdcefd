"""The tokenizer's loops as machine code, made by Numba from the Python source.

Everything here has a plain twin one folder up, which gives the same results more slowly
and is what runs where Numba is missing, or where the texts are too few to wait for the
compiler.
"""

import importlib.util
import os
import sys

WORTH_COMPILING = 1 << 22  # bytes of text; the plain loops take about half a second for them
WORTH_CALLING = 1 << 12  # bytes of text, once the compiled loops are at hand


def available() -> bool:
    """Whether the compiled loops can run here."""
    return importlib.util.find_spec("numba") is not None and sys.byteorder == "little"


def cores() -> int:
    """How many threads can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
