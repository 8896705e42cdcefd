"""One pretoken to ids, without merging: the longest tokens that fit side by side.

Whether two tokens may stand side by side is decided by undoing their merges: they may not
if an earlier merge would have crossed the border between them. Tokens are taken from the
left, the longest first; where none fits, the last one is taken back and made shorter.

That gives what merging gives for every vocabulary whose tokens can all be reached by its
merges, as those of a training can. It takes a number of steps that grows with the length.

Source: Neubeck and van Antwerpen 2024, "So many tokens, so little time", and the crate bpe.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anekdot.tokenizer.compiled.jit import compiled
from anekdot.tokenizer.compiled.keys import Words
from anekdot.tokenizer.compiled.merge_table import MOST_IDS, NO_MERGE, build_merge_table, merge_of
from anekdot.tokenizer.compiled.scanner import Bytes
from anekdot.tokenizer.compiled.trie import NO_TOKEN, build_trie, longest_token
from anekdot.tokenizer.vocabulary import FIRST_MERGE, Merge, token_bytes

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


class Vocabulary(NamedTuple):
    """A vocabulary for the loops.

    Attributes:
        trie: The tokens by their bytes.
        pairs: The merges by their ids.
        parts: The two ids that a merge joins, or twice the byte's own, by id.
        shorter: The longest other token that a token begins with, or NO_TOKEN, by id.
        lengths: Bytes, by id.
    """

    trie: Longs
    pairs: Words
    parts: Ints
    shorter: Ints
    lengths: Ints


def build_vocabulary(merges: Sequence[Merge]) -> Vocabulary | None:
    """Returns the vocabulary of some merges.

    None, if a token cannot be reached by them or if there are more than the tables can hold.
    """
    tokens = token_bytes(merges)
    if len(tokens) > MOST_IDS:
        return None
    lengths = np.array([*map(len, tokens)], np.int32)
    learned = np.array(merges, np.int32).reshape(-1, 2)
    parts = np.concatenate([np.arange(FIRST_MERGE, dtype=np.int32)[:, None].repeat(2, 1), learned])
    pairs = build_merge_table(learned.astype(np.int64))
    if not reachable(pairs, parts, FIRST_MERGE):
        return None
    trie = build_trie(tokens)
    if trie is None:
        return None
    shorter = np.empty(len(tokens), np.int32)
    data = np.frombuffer(b"".join(tokens), np.uint8)
    find_shorter(trie, data, np.append(0, np.cumsum(lengths, dtype=np.int64)), shorter)
    return Vocabulary(trie, pairs, parts, shorter, lengths)


@compiled
def find_shorter(trie: Longs, data: Bytes, starts: Longs, shorter: Ints) -> None:
    """Writes the longest other token that each token begins with.

    Args:
        trie: The tokens.
        data: The bytes of all tokens.
        starts: Where those of each begin, and the last one's end.
        shorter: Written, by id.
    """
    for id in range(len(shorter)):
        shorter[id] = longest_token(trie, data, starts[id], starts[id + 1] - 1)


@compiled
def reachable(pairs: Words, parts: Ints, first: int) -> bool:
    """Whether merging the bytes of each token, from the first learned one on, gives the token."""
    for id in range(first, len(parts)):
        if not may_stand(pairs, parts, parts[id, 0], parts[id, 1], id):
            return False
    return True


@compiled
def may_stand(pairs: Words, parts: Ints, left: int, right: int, limit: int) -> bool:
    """Whether two tokens may stand side by side where no merge from a limit on is made."""
    while True:
        if merge_of(pairs, left, right) < limit:
            return False
        whole_left, whole_right = left, right
        if left > right:
            limit, left = left, parts[left, 1]
            if left == whole_left:
                limit, right = right + 1, parts[right, 0]
        else:
            limit, right = right + 1, parts[right, 0]
            if right == whole_right:
                limit, left = left, parts[left, 1]
        if left == whole_left and right == whole_right:
            return True


@compiled
def segment(text: Bytes, size: int, vocabulary: Vocabulary, ids: Ints, closed: Bytes) -> int:
    """Writes the ids of a pretoken; returns how many there are.

    Args:
        text: The pretoken.
        size: Its bytes, at least one.
        vocabulary: Of the tokenizer.
        ids: As many as bytes.
        closed: Room for one more than bytes: where a token is known not to end.
    """
    trie, pairs, parts, shorter, lengths = vocabulary
    for place in range(size + 1):
        closed[place] = False
    n_ids = place = 0
    last = asked_left = asked_right = -1
    fits = True  # nothing stands before the first token
    token = longest_token(trie, text, 0, size)
    while place < size:
        end = place + lengths[token]
        if last != asked_left or token != asked_right:  # long runs ask the same again and again
            fits = n_ids == 0 or may_stand(pairs, parts, last, token, NO_MERGE)
            asked_left, asked_right = last, token
        if fits and not closed[end]:
            ids[n_ids] = last = token
            n_ids += 1
            place = end
            token = longest_token(trie, text, place, size)
        elif shorter[token] != NO_TOKEN:
            token = shorter[token]
        else:
            closed[place] = True
            n_ids -= 1
            token = last
            last = ids[n_ids - 1] if n_ids else -1
            place -= lengths[token]
    return n_ids
