"""The longest token that a text begins with: the tokens as a trie in one array.

The trie is a double array: the child of a node for a byte stands at the node's base plus the
byte, if the entry there names the node as its parent. An entry is one 64-bit word, and entry 0
is the root:

    | parent: 22 bits | base: 22 bits | longest token on the way to this node: 20 bits |

Source: Aoe 1989, "An Efficient Digital Search Algorithm by Using a Double-Array Structure".
"""

from collections.abc import Sequence

import numpy as np

from anekdot.numba_jit import Bytes, Ints, Longs, Words64, jit

NO_TOKEN = (1 << 20) - 1
MAX_ENTRIES = 1 << 21
MAX_LOOKBACK = 1 << 12  # entries; free ones further back stay free

_TOKEN_BITS, _PARENT_SHIFT = np.uint64(20), np.uint64(42)
_BASE = np.uint64((1 << 22) - 1)
_FREE = np.uint64(2**64 - 1)


def build_trie(tokens: Sequence[bytes]) -> Words64 | None:
    """Returns the trie of all tokens that have bytes, or None if it would be too large."""
    data = np.frombuffer(b"".join(tokens), np.uint8)
    starts = np.append(0, np.cumsum([len(token) for token in tokens]))
    n_nodes = len(data) + 1
    child, sibling = np.zeros(n_nodes, np.int32), np.zeros(n_nodes, np.int32)
    byte, token = np.zeros(n_nodes, np.uint8), np.full(n_nodes, NO_TOKEN, np.int32)
    n_nodes = build_tree(data, starts, child, sibling, byte, token)
    n_entries = 2 * n_nodes + 512
    while n_entries <= MAX_ENTRIES:
        entries = np.full(n_entries, _FREE)
        slots, order = np.zeros((2, n_nodes), np.int64)
        if place_nodes(child, sibling, byte, token, slots, order, entries):
            return entries
        n_entries *= 2
    return None


@jit
def build_tree(
    data: Bytes, starts: Longs, child: Ints, sibling: Ints, byte: Bytes, token: Ints
) -> int:
    """Writes the trie as first children and next siblings; returns its number of nodes.

    Args:
        data: The bytes of all tokens.
        starts: Where those of each begin, and where the last one's end.
        child: Receives the first child of each node, or 0.
        sibling: Receives the next sibling of each node, or 0.
        byte: Receives the byte that leads to each node.
        token: Receives the token of each node that is the end of one.
    """
    n_nodes = 1
    for id in range(len(starts) - 1):
        node = 0
        for place in range(starts[id], starts[id + 1]):
            following = child[node]
            while following and byte[following] != data[place]:
                following = sibling[following]
            if not following:
                following = n_nodes
                n_nodes += 1
                byte[following] = data[place]
                sibling[following] = child[node]
                child[node] = following
            node = following
        if node:
            token[node] = id
    return n_nodes


@jit
def place_nodes(
    child: Ints,
    sibling: Ints,
    byte: Bytes,
    token: Ints,
    slots: Longs,
    order: Longs,
    entries: Words64,
) -> bool:
    """Gives every node its place in the array of entries; returns whether there was room.

    The first four are by node, see ``build_tree``; ``token`` is changed. ``slots`` and ``order``
    are working memory for each node's place and for the nodes from the root on: zeros.
    """
    n_order, first_free = 1, 1
    for node in order:
        slot = slots[node]
        base = 0
        if child[node]:
            while first_free < len(entries) and entries[first_free] != _FREE:
                first_free += 1
            base = find_base(child[node], sibling, byte, entries, max(1, first_free - 255))
            if not base:
                return False
            first_free = max(first_free, base - MAX_LOOKBACK)
            following = child[node]
            while following:
                slots[following] = base + byte[following]
                entries[base + byte[following]] = np.uint64(slot) << _PARENT_SHIFT
                if token[following] == NO_TOKEN:
                    token[following] = token[node]
                order[n_order] = following
                n_order += 1
                following = sibling[following]
        parent = np.uint64(0) if node == 0 else entries[slot] >> _PARENT_SHIFT
        entries[slot] = parent << _PARENT_SHIFT | np.uint64(base << 20 | token[node])
    return True


@jit
def find_base(first: int, sibling: Ints, byte: Bytes, entries: Words64, base: int) -> int:
    """Returns the first base, from one on, with free entries for siblings, or 0 if there is none.

    Args:
        first: The first of the siblings.
        sibling: The next sibling of each node.
        byte: The byte that leads to each node.
        entries: The trie so far.
        base: Where the search begins, at least 1.
    """
    while base + 256 <= len(entries) and base <= np.int64(_BASE):
        node = first
        while node and entries[base + byte[node]] == _FREE:
            node = sibling[node]
        if not node:
            return base
        base += 1
    return 0


@jit
def longest_token(entries: Words64, text: Bytes, place: int, end: int) -> int:
    """Returns the longest token at a place, or NO_TOKEN."""
    slot, entry = np.uint64(0), entries[0]
    while place < end:
        child = (entry >> _TOKEN_BITS & _BASE) + np.uint64(text[place])
        following = entries[child]
        if following >> _PARENT_SHIFT != slot:
            break
        slot, entry = child, following
        place += 1
    return np.int64(entry & np.uint64(NO_TOKEN))
