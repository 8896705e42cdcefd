"""Pretoken counts to merges: the loop of ``trainer`` on flat arrays.

All pretokens lie in one array with a gap between them. A token of several bytes writes its
id at its first and its last byte, so its neighbours are found from the lengths alone.

The places of a pair lie together, in ascending order: all pairs that hold a token are born
in the merge that makes it, so their places never have to be added to. The counts only fall
from then on, and a heap whose entries may be too large is corrected when they are taken out.
"""

from typing import NamedTuple

from anekdot.numba_jit import Bytes, Ints, Longs, jit
from anekdot.tokenizer.fast.pairs import Pairs, add_pair, lose, most_frequent, push

GAP = -1


class Texts(NamedTuple):
    """The pretokens.

    Attributes:
        ids: Of all pretokens, GAP before, between and behind them.
        pretoken: Which pretoken a place belongs to.
        counts: How often each pretoken occurs.
        lengths: Bytes of each id.
        size: How many ids there are.
    """

    ids: Ints
    pretoken: Ints
    counts: Longs
    lengths: Ints
    size: Longs


class Neighbours(NamedTuple):
    """Room to count what stands on one side of a pair.

    Attributes:
        weight: Occurrences, by id; zero between merges.
        n: Places, by id; zero between merges.
        at: Where the next place of an id goes.
        seen: The ids that were met.
        size: How many.
    """

    weight: Longs
    n: Longs
    at: Longs
    seen: Ints
    size: Longs


Sides = tuple[Neighbours, Neighbours]


class Events(NamedTuple):
    """Room for the places where one pair was joined, and for what stands beside them."""

    start: Ints
    before: Ints
    after: Ints


@jit
def lay_pretokens(data: Bytes, lengths: Longs, byte_ids: Ints, ids: Ints, pretoken: Ints) -> None:
    """Writes pretokens as ids with gaps around them, and which pretoken a place belongs to.

    Args:
        data: The bytes of all pretokens.
        lengths: Bytes of each.
        byte_ids: The id of each byte value.
        ids: Written: all bytes, and a gap more than pretokens.
        pretoken: Written; as long.
    """
    place = read = 0
    ids[0], pretoken[0] = GAP, 0
    for number in range(len(lengths)):
        for _ in range(lengths[number]):
            place += 1
            ids[place], pretoken[place] = byte_ids[data[read]], number
            read += 1
        place += 1
        ids[place], pretoken[place] = GAP, number


@jit
def start_pairs(texts: Texts, pairs: Pairs, n_symbols: int, weight: Longs, at: Longs) -> None:
    """Counts and places the pairs of single bytes.

    Args:
        texts: The pretokens.
        pairs: Written.
        n_symbols: Special tokens and bytes.
        weight: Room for a number a pair; zeros.
        at: The same.
    """
    ids = texts.ids
    for place in range(len(ids) - 1):
        if ids[place] != GAP and ids[place + 1] != GAP:
            pair = ids[place] * n_symbols + ids[place + 1]
            weight[pair] += texts.counts[texts.pretoken[place]]
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
def merge(texts: Texts, pairs: Pairs, pair: int, events: Events, sides: Sides) -> None:
    """Joins a pair everywhere, left to right, and corrects counts and places around it.

    Args:
        texts: The pretokens; changed.
        pairs: Changed.
        pair: Number of the pair.
        events: Room for as many as the pair has places.
        sides: Room.
    """
    left, right, new = pairs.left[pair], pairs.right[pair], texts.size[0]
    lefts, rights = sides
    texts.size[0] += 1
    texts.lengths[new] = texts.lengths[left] + texts.lengths[right]
    n_events = join(texts, pairs, pair, new, events, sides)
    for n in range(lefts.size[0]):
        id = lefts.seen[n]
        if id != new:
            lose(pairs, id, left, lefts.weight[id])
        lefts.at[id] = add_pair(pairs, id, new, lefts.weight[id], lefts.n[id])
        lefts.n[id] = lefts.weight[id] = 0
    for n in range(rights.size[0]):
        id = rights.seen[n]
        lose(pairs, right, id, rights.weight[id])
        weight, n_places = rights.weight[id], rights.n[id]
        if id == left:  # some of them have become the new token, and stand among the lefts
            weight -= rights.weight[new]
            n_places -= rights.n[new]
        rights.at[id] = add_pair(pairs, new, id, weight, n_places)
        rights.n[id] = rights.weight[id] = 0
    rights.n[new] = rights.weight[new] = lefts.size[0] = rights.size[0] = 0
    pairs.counts[pair] = 0
    for n in range(n_events):
        before, after = events.before[n], events.after[n]
        if before != GAP:
            pairs.places[lefts.at[before]] = events.start[n] - texts.lengths[before]
            lefts.at[before] += 1
        if after not in (GAP, new):
            pairs.places[rights.at[after]] = events.start[n]
            rights.at[after] += 1


@jit
def join(texts: Texts, pairs: Pairs, pair: int, new: int, events: Events, sides: Sides) -> int:
    """Joins a pair everywhere and notes what stands beside it; returns how often it stood.

    Where the pair follows itself, what stood behind the first is no more what it was; of
    those, ``rights`` counts occurrences and places under the new id.
    """
    ids, lengths = texts.ids, texts.lengths
    lefts, rights = sides
    left, right = pairs.left[pair], pairs.right[pair]
    n_events = 0
    for number in range(pairs.first[pair], pairs.first[pair] + pairs.n_places[pair]):
        start = pairs.places[number]
        middle = start + lengths[left]
        if ids[start] != left or ids[middle] != right:
            continue
        end = start + lengths[new]
        weight = texts.counts[texts.pretoken[start]]
        before, after = ids[start - 1], ids[end]
        note(lefts, before, weight)
        note(rights, after, weight)
        if before == new:
            events.after[n_events - 1] = new
            rights.n[new] += 1
            rights.weight[new] += weight
        ids[middle - 1] = ids[middle] = GAP
        ids[start] = ids[end - 1] = new
        events.start[n_events], events.before[n_events] = start, before
        events.after[n_events] = after
        n_events += 1
    return n_events


@jit
def note(side: Neighbours, id: int, weight: int) -> None:
    """Counts an id beside the pair."""
    if id == GAP:
        return
    if side.n[id] == 0:
        side.seen[side.size[0]] = id
        side.size[0] += 1
    side.n[id] += 1
    side.weight[id] += weight


@jit
def learn(
    texts: Texts, pairs: Pairs, merges: Longs, until: int, events: Events, sides: Sides
) -> bool:
    """Learns merges up to a number of ids; returns whether it stopped for want of room.

    Args:
        texts: The pretokens; changed.
        pairs: Changed.
        merges: Receives left and right of each merge, by id.
        until: Ids wanted.
        events: Room for as many as any pair has places.
        sides: Room.
    """
    while texts.size[0] < until:
        pair = most_frequent(pairs)
        if pair < 0:
            break
        n_places = pairs.n_places[pair]
        n_pairs = pairs.sizes[0] + 2 * min(n_places, texts.size[0] + 1)
        if n_pairs > len(pairs.left) or pairs.sizes[1] + 2 * n_places > len(pairs.places):
            push(pairs, pair)
            return True
        merges[texts.size[0], 0], merges[texts.size[0], 1] = pairs.left[pair], pairs.right[pair]
        merge(texts, pairs, pair, events, sides)
    return False
