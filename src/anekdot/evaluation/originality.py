"""What a text copies from the training texts.

No index is needed: the training texts are read once, and each of their tokens is compared with
the whole text.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anekdot.numba_jit import Longs, jit

Ids = npt.NDArray[np.integer]

CHUNK = 1 << 22  # tokens per compiled call; Python handles signals between two calls


def longest_shared_span(ids: Sequence[int], others: Ids) -> tuple[int, int]:
    """Returns the beginning and length of a text's longest span that occurs in other texts too.

    Of several equally long ones, the one that ends first in the others is returned.

    Args:
        ids: Tokens of the text.
        others: Tokens of many texts, one after the other; each begins and ends with a token
            that the text does not have.

    >>> longest_shared_span([7, 8, 9, 5], np.array([1, 8, 9, 2, 1, 7, 2]))
    (1, 2)
    """
    own = np.asarray(ids, np.int64)
    n_tokens = int(max(own.max(initial=0), others.max(initial=0))) + 1
    last = np.full(n_tokens, -1, np.int64)
    before = np.full(len(own), -1, np.int64)
    for place, token in enumerate(own.tolist()):
        before[place] = last[token]
        last[token] = place
    lengths, ends = np.zeros(len(own), np.int64), np.full(len(own), -2, np.int64)
    best = np.zeros(2, np.int64)
    for first in range(0, len(others), CHUNK):
        write_longest(others[first : first + CHUNK], first, last, before, lengths, ends, best)
    end, length = best.tolist()
    return end - length, length


@jit
def write_longest(
    others: Ids, first: int, last: Longs, before: Longs, lengths: Longs, ends: Longs, best: Longs
) -> None:
    """Compares a chunk of the others with the text, and updates the longest span.

    The textbook table of common suffixes, of which only one row is kept, and only the places
    where tokens are equal are filled.

    Args:
        others: The chunk.
        first: How many tokens of the others came before it.
        last: The last place of each token in the text, or -1.
        before: For each place of the text, the place before it of the same token, or -1.
        lengths: For each place of the text, the length of the common span that ends there.
        ends: At which token of the others that span ended.
        best: The end (in the text) and the length of the longest span.
    """
    for offset in range(len(others)):
        number = first + offset
        place = last[others[offset]]
        while place >= 0:
            # places descend, so place - 1 still holds what the previous token of the others left
            length = 1
            if place > 0 and ends[place - 1] == number - 1:
                length += lengths[place - 1]
            lengths[place], ends[place] = length, number
            if length > best[1]:
                best[0], best[1] = place + 1, length
            place = before[place]
