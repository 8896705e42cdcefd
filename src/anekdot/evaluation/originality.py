"""What was copied from the training texts.

No index is needed: one text is looked for in all others at once, while these go by.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anekdot.numba_jit import Longs, jit

Ids = npt.NDArray[np.integer]

CHUNK = 1 << 22  # tokens that are looked at without a pause in which signals are heard


def longest_shared_span(ids: Sequence[int], others: Ids) -> tuple[int, int]:
    """Returns where in a text its longest span begins that stands in others too, and its length.

    Of several that are as long, the one that ends first in the others counts.

    Args:
        ids: Tokens of the text.
        others: Tokens of many texts end to end, which begin and end with tokens that the text
            does not have.

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
    """Lets some tokens go by, and notes the longest span.

    The classic table of common suffixes with one row, filled where tokens are equal only.

    Args:
        others: Tokens of many texts.
        first: The number of the first of them.
        last: The last place of each token in the text, or -1.
        before: The place of the same token before each, or -1.
        lengths: Of the span that ends at each place of the text, and ...
        ends: ... at which number of the others that was.
        best: The end in the text, and the length, of the longest span.
    """
    for offset in range(len(others)):
        number = first + offset
        place = last[others[offset]]
        while place >= 0:
            # places descend, so that the one before still is as the token before left it
            length = 1
            if place > 0 and ends[place - 1] == number - 1:
                length += lengths[place - 1]
            lengths[place], ends[place] = length, number
            if length > best[1]:
                best[0], best[1] = place + 1, length
            place = before[place]
