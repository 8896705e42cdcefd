"""Which merge joins two ids: a hash table of pairs.

An entry is one 64-bit word: left id, right id and the id of the merge, 20 bits each. Zero
marks an empty entry, because id 0 is special and never part of a merge.
"""

import numpy as np
import numpy.typing as npt

from anekdot.numba_jit import Words64, jit
from anekdot.tokenizer.vocabulary import FIRST_MERGE

NO_MERGE = (1 << 20) - 1
MAX_IDS = NO_MERGE

_ONE, _BITS = np.uint64(1), np.uint64(20)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


def build_merge_table(merges: npt.NDArray[np.int64]) -> Words64:
    """Returns the table of some merges.

    Args:
        merges: Pairs of ids in the order of training, [n, 2].
    """
    pairs = np.zeros(1 << max(8, 2 + len(merges).bit_length()), np.uint64)
    fill(pairs, merges, FIRST_MERGE)
    return pairs


@jit
def fill(pairs: Words64, merges: npt.NDArray[np.int64], first: int) -> None:
    """Writes merges into an empty table; the first makes the id ``first``."""
    for n in range(len(merges)):
        pair = np.uint64(merges[n, 0]) << _BITS | np.uint64(merges[n, 1])
        place = _home(pairs, pair)
        while pairs[place]:
            place = _next(pairs, place)
        pairs[place] = pair << _BITS | np.uint64(first + n)


@jit
def _home(pairs: Words64, pair: int) -> int:
    return (pair * _MIX >> _HALF) & np.uint64(len(pairs) - 1)


@jit
def _next(pairs: Words64, place: int) -> int:
    return (place + _ONE) & np.uint64(len(pairs) - 1)


@jit
def merge_of(pairs: Words64, left: int, right: int) -> int:
    """Returns the id that two ids merge into, or NO_MERGE.

    Two entries are always read, which leaves the processor no branch to mispredict; a third
    is rarely needed.
    """
    pair = np.uint64(left) << _BITS | np.uint64(right)
    place = _home(pairs, pair)
    first = pairs[place]
    place = _next(pairs, place)
    second = pairs[place]
    found = first if first >> _BITS == pair else second
    while found and found >> _BITS != pair and first:
        place = _next(pairs, place)
        found = pairs[place]
    return np.int64(found) & NO_MERGE if found >> _BITS == pair else NO_MERGE
