"""One pretoken to ids, without merging: the longest tokens that fit side by side.

Whether two tokens may stand side by side is found by undoing their merges: they may not if an
earlier merge would have crossed the boundary between them. Tokens are taken from the left, the
longest first; if none fits, the last one is taken back and replaced by a shorter one.

This gives the same ids as merging for every vocabulary whose merges can reach all its tokens,
as those of a trained tokenizer can. The number of steps is at most proportional to the length
of the pretoken times that of the longest tokens in it.

Source: Neubeck and van Antwerpen 2024, "So many tokens, so little time", and the crate bpe.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from anekdot.numba_jit import Bytes, Ids, Ints, Longs, Words64, jit
from anekdot.tokenizer.fast.merge_table import MAX_IDS, NO_MERGE, build_merge_table, merge_of
from anekdot.tokenizer.fast.trie import NO_TOKEN, build_trie, longest_token
from anekdot.tokenizer.vocabulary import FIRST_MERGE, Merge


class Vocabulary(NamedTuple):
    """A vocabulary as the fast loops need it.

    Attributes:
        trie: Finds tokens by their bytes.
        pairs: Finds merges by the ids that they join.
        edges: For each token, [ids, 4]: its left part and its right part, which for a byte are
            the byte itself; the earliest merge that joins something to what stands at its right
            edge (the token, its right part, the right part of that ...); the same for the left.
        shorter: The longest other token that a token begins with, or NO_TOKEN, by id.
        lengths: Bytes, by id.
    """

    trie: Words64
    pairs: Words64
    edges: Ints
    shorter: Ints
    lengths: Ints


LEFT, RIGHT, TO_RIGHT, TO_LEFT = range(4)


def build_vocabulary(merges: Sequence[Merge], tokens: Sequence[bytes]) -> Vocabulary | None:
    """Returns the vocabulary of some merges and of the tokens that they build.

    Returns None if the merges cannot reach a token, or if the tables cannot hold all tokens.
    """
    if len(tokens) > MAX_IDS:
        return None
    lengths = np.array([*map(len, tokens)], np.int32)
    merged = np.array(merges, np.int64).reshape(-1, 2)
    pairs = build_merge_table(merged)
    edges = np.full((len(tokens), 4), NO_MERGE, np.int32)
    edges[:, LEFT] = edges[:, RIGHT] = np.arange(len(tokens))
    edges[FIRST_MERGE:, : RIGHT + 1] = merged
    find_earliest(edges, FIRST_MERGE)
    if not reachable(pairs, edges, FIRST_MERGE):
        return None
    trie = build_trie(tokens)
    if trie is None:
        return None
    shorter = np.empty(len(tokens), np.int32)
    data = np.frombuffer(b"".join(tokens), np.uint8)
    find_shorter(trie, data, np.append(0, np.cumsum(lengths, dtype=np.int64)), shorter)
    return Vocabulary(trie, pairs, edges, shorter, lengths)


@jit
def find_earliest(edges: Ints, first: int) -> None:
    """Writes the earliest merges at the edges of all tokens; the first merge makes an id."""
    for id in range(len(edges) - 1, first - 1, -1):
        edges[edges[id, LEFT], TO_RIGHT] = edges[edges[id, RIGHT], TO_LEFT] = id
    for id in range(first, len(edges)):
        edges[id, TO_RIGHT] = min(edges[id, TO_RIGHT], edges[edges[id, RIGHT], TO_RIGHT])
        edges[id, TO_LEFT] = min(edges[id, TO_LEFT], edges[edges[id, LEFT], TO_LEFT])


@jit
def find_shorter(trie: Words64, data: Bytes, starts: Longs, shorter: Ints) -> None:
    """Writes the longest other token that each token begins with.

    Args:
        trie: The tokens.
        data: The bytes of all tokens.
        starts: Where those of each begin, and the last one's end.
        shorter: Written, by id.
    """
    for id in range(len(shorter)):
        shorter[id] = longest_token(trie, data, starts[id], starts[id + 1] - 1)


@jit
def reachable(pairs: Words64, edges: Ints, first: int) -> bool:
    """Whether merging the bytes of each token, from the first merge on, gives that token."""
    for id in range(first, len(edges)):
        if not may_stand(pairs, edges, edges[id, LEFT], edges[id, RIGHT], id):
            return False
    return True


@jit
def may_stand(pairs: Words64, edges: Ints, left: int, right: int, limit: int) -> bool:
    """Whether two tokens may stand side by side, if only the merges before a limit are made.

    Of the two tokens at the boundary, the one that was merged last is undone, again and again:
    a merge that could have crossed the boundary before that would have been made.
    """
    a, b = np.uint64(left), np.uint64(right)
    while edges[a, TO_RIGHT] < limit and edges[b, TO_LEFT] < limit:
        if merge_of(pairs, a, b) < limit:
            return False
        if a < FIRST_MERGE and b < FIRST_MERGE:
            return True
        undo_left = a > b
        limit = np.int64(a) if undo_left else np.int64(b) + 1
        a = np.uint64(edges[a, RIGHT]) if undo_left else a
        b = b if undo_left else np.uint64(edges[b, LEFT])
    return True


@jit
def segment(
    text: Bytes, size: int, vocabulary: Vocabulary, closed: Bytes, ids: Ids, first: int
) -> int:
    """Writes the ids of a pretoken; returns how many there are.

    Args:
        text: The pretoken.
        size: Its bytes, at least one.
        vocabulary: The tokenizer's.
        closed: Working memory, one more than bytes: where no token can end.
        ids: Receives the ids.
        first: Where in them.
    """
    trie, pairs, edges, shorter, lengths = vocabulary
    for place in range(size + 1):
        closed[place] = False
    n_ids = place = 0
    last = asked_left = asked_right = -1
    fits = True  # nothing stands before the first token
    token = longest_token(trie, text, 0, size)
    while place < size:
        end = place + lengths[token]
        if last != asked_left or token != asked_right:  # long runs repeat the question
            fits = n_ids == 0 or may_stand(pairs, edges, last, token, NO_MERGE)
            asked_left, asked_right = last, token
        if fits and not closed[end]:
            ids[first + n_ids] = last = token
            n_ids += 1
            place = end
            token = longest_token(trie, text, place, size)
        elif shorter[token] != NO_TOKEN:
            token = shorter[token]
        else:
            closed[place] = True
            n_ids -= 1
            token = last
            last = np.int64(ids[first + n_ids - 1]) if n_ids else -1
            place -= lengths[token]
    return n_ids
