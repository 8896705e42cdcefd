"""Pretoken counts to merges: the loop of ``trainer`` on flat arrays.

All pretokens lie in one array with a gap between them. A token of several bytes writes its
id at its first and its last byte, so its neighbours can be found from the lengths alone.

The places of a pair lie together, in ascending order: all pairs with a token in them first
appear in the merge that makes the token, so no place is ever added later. From then on the
counts only fall; see ``pairs``.
"""

from typing import NamedTuple

from anekdot.numba_jit import Bytes, Ints, Longs, jit
from anekdot.tokenizer.fast.pairs import Pairs, add_pair, pop_most_frequent, push, subtract

GAP = -1


class Pretokens(NamedTuple):
    """All pretokens, as ids in one array.

    Attributes:
        ids: The ids of all pretokens, with GAP before, between and after them.
        numbers: Which pretoken each place belongs to.
        counts: How often each pretoken occurs.
        lengths: Bytes of each id.
        n_ids: How many ids there are.
    """

    ids: Ints
    numbers: Ints
    counts: Longs
    lengths: Ints
    n_ids: Longs


class Neighbours(NamedTuple):
    """Working memory to count the neighbours of a pair on one side.

    Attributes:
        weight: Occurrences, by id; zero between merges.
        n: Places, by id; zero between merges.
        at: Where the next place of an id goes.
        seen: The ids that were found.
        size: How many were found.
    """

    weight: Longs
    n: Longs
    at: Longs
    seen: Ints
    size: Longs


Sides = tuple[Neighbours, Neighbours]


class JoinedPlaces(NamedTuple):
    """Working memory for the places where one pair was joined, and their neighbours."""

    start: Ints
    before: Ints
    after: Ints


@jit
def write_pretokens(data: Bytes, lengths: Longs, byte_ids: Ints, ids: Ints, numbers: Ints) -> None:
    """Writes pretokens as ids with gaps around them, and which pretoken each place belongs to.

    Args:
        data: The bytes of all pretokens.
        lengths: Bytes of each.
        byte_ids: The id of each byte value.
        ids: Written: all bytes, and one gap more than there are pretokens.
        numbers: Written; as long.
    """
    place = read = 0
    ids[0], numbers[0] = GAP, 0
    for number in range(len(lengths)):
        for _ in range(lengths[number]):
            place += 1
            ids[place], numbers[place] = byte_ids[data[read]], number
            read += 1
        place += 1
        ids[place], numbers[place] = GAP, number


@jit
def add_byte_pairs(
    pretokens: Pretokens, pairs: Pairs, n_symbols: int, weight: Longs, at: Longs
) -> None:
    """Counts the pairs of single bytes and records their places.

    Args:
        pretokens: The pretokens.
        pairs: Written.
        n_symbols: Number of special tokens and bytes.
        weight: Working memory, a number for each possible pair; zeros.
        at: The same.
    """
    ids = pretokens.ids
    for place in range(len(ids) - 1):
        if ids[place] != GAP and ids[place + 1] != GAP:
            pair = ids[place] * n_symbols + ids[place + 1]
            weight[pair] += pretokens.counts[pretokens.numbers[place]]
            at[pair] += 1
    for pair in range(len(at)):
        if at[pair]:
            left, right = pair // n_symbols, pair % n_symbols
            at[pair] = add_pair(pairs, left, right, weight[pair], at[pair])
    for place in range(len(ids) - 1):
        if ids[place] != GAP and ids[place + 1] != GAP:
            pair = ids[place] * n_symbols + ids[place + 1]
            pairs.places[at[pair]] = place
            at[pair] += 1


@jit
def merge(
    pretokens: Pretokens, pairs: Pairs, pair: int, joined: JoinedPlaces, sides: Sides
) -> None:
    """Joins a pair everywhere, left to right, and corrects counts and places around it.

    The pair is given by its number. ``joined`` and ``sides`` are working memory, for as many
    places as the pair has.
    """
    left, right, new = pairs.left[pair], pairs.right[pair], pretokens.n_ids[0]
    lefts, rights = sides
    pretokens.n_ids[0] += 1
    pretokens.lengths[new] = pretokens.lengths[left] + pretokens.lengths[right]
    n_joined = join(pretokens, pairs, pair, new, joined, sides)
    for n in range(lefts.size[0]):
        id = lefts.seen[n]
        if id != new:
            subtract(pairs, id, left, lefts.weight[id])
        lefts.at[id] = add_pair(pairs, id, new, lefts.weight[id], lefts.n[id])
        lefts.n[id] = lefts.weight[id] = 0
    for n in range(rights.size[0]):
        id = rights.seen[n]
        subtract(pairs, right, id, rights.weight[id])
        weight, n_places = rights.weight[id], rights.n[id]
        if id == left:  # some of these have become the new token and count on the left
            weight -= rights.weight[new]
            n_places -= rights.n[new]
        rights.at[id] = add_pair(pairs, new, id, weight, n_places)
        rights.n[id] = rights.weight[id] = 0
    rights.n[new] = rights.weight[new] = lefts.size[0] = rights.size[0] = 0
    pairs.counts[pair] = 0
    for n in range(n_joined):
        before, after = joined.before[n], joined.after[n]
        if before != GAP:
            pairs.places[lefts.at[before]] = joined.start[n] - pretokens.lengths[before]
            lefts.at[before] += 1
        if after not in (GAP, new):
            pairs.places[rights.at[after]] = joined.start[n]
            rights.at[after] += 1


@jit
def join(
    pretokens: Pretokens, pairs: Pairs, pair: int, new: int, joined: JoinedPlaces, sides: Sides
) -> int:
    """Joins a pair everywhere and counts its neighbours; returns how often it was joined.

    Where the pair follows itself, the right neighbour of the first one is joined in its turn;
    ``rights`` counts the occurrences and places of those under the new id.
    """
    ids, lengths = pretokens.ids, pretokens.lengths
    lefts, rights = sides
    left, right = pairs.left[pair], pairs.right[pair]
    n_joined = 0
    for number in range(pairs.first[pair], pairs.first[pair] + pairs.n_places[pair]):
        start = pairs.places[number]
        middle = start + lengths[left]
        if ids[start] != left or ids[middle] != right:
            continue
        end = start + lengths[new]
        weight = pretokens.counts[pretokens.numbers[start]]
        before, after = ids[start - 1], ids[end]
        count_neighbour(lefts, before, weight)
        count_neighbour(rights, after, weight)
        if before == new:
            joined.after[n_joined - 1] = new
            rights.n[new] += 1
            rights.weight[new] += weight
        ids[middle - 1] = ids[middle] = GAP
        ids[start] = ids[end - 1] = new
        joined.start[n_joined], joined.before[n_joined] = start, before
        joined.after[n_joined] = after
        n_joined += 1
    return n_joined


@jit
def count_neighbour(side: Neighbours, id: int, weight: int) -> None:
    """Counts one neighbour of the pair."""
    if id == GAP:
        return
    if side.n[id] == 0:
        side.seen[side.size[0]] = id
        side.size[0] += 1
    side.n[id] += 1
    side.weight[id] += weight


@jit
def train_until(
    pretokens: Pretokens,
    pairs: Pairs,
    merges: Longs,
    until: int,
    joined: JoinedPlaces,
    sides: Sides,
) -> bool:
    """Trains merges up to a number of ids; returns whether it stopped because arrays are full.

    Args:
        pretokens: Changed.
        pairs: Changed.
        merges: Receives left and right of each merge, by id.
        until: Ids wanted.
        joined: Working memory for as many as any pair has places.
        sides: Working memory.
    """
    while pretokens.n_ids[0] < until:
        pair = pop_most_frequent(pairs)
        if pair < 0:
            break
        n_places = pairs.n_places[pair]
        n_pairs = pairs.sizes[0] + 2 * min(n_places, pretokens.n_ids[0] + 1)
        if n_pairs > len(pairs.left) or pairs.sizes[1] + 2 * n_places > len(pairs.places):
            push(pairs, pair)
            return True
        merges[pretokens.n_ids[0], 0], merges[pretokens.n_ids[0], 1] = (
            pairs.left[pair],
            pairs.right[pair],
        )
        merge(pretokens, pairs, pair, joined, sides)
    return False
