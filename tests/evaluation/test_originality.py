"""The longest copied span, against trying all of them."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from anekdot.evaluation import originality
from anekdot.evaluation.originality import longest_shared_span

TOKENS = st.lists(st.integers(0, 3), max_size=24)
SEPARATOR = 9


def brute_force(ids, others):
    """Tries all spans of the text, longest first, and of several the first to end in others."""
    for length in range(min(len(ids), len(others)), 0, -1):
        for first in range(len(others) - length + 1):
            for begin in range(len(ids) - length, -1, -1):
                if ids[begin : begin + length] == others[first : first + length]:
                    return length, ids[begin : begin + length]
    return 0, []


def joined(texts):
    return [token for text in texts for token in [SEPARATOR, *text, SEPARATOR]]


@given(TOKENS, st.lists(TOKENS, max_size=4))
@example([], [[1]])
@example([1], [])
@example([1, 2, 1, 2, 1], [[2, 1, 2, 1]])
@example([0, 0, 0], [[0, 0], [0, 0, 0, 0, 0]])
def test_the_span_is_that_of_brute_force(ids, texts):
    others = joined(texts)
    length, span = brute_force(ids, others)
    begin, found = longest_shared_span(ids, np.array(others, np.int64))
    assert found == length
    assert ids[begin : begin + found] == span


@given(TOKENS, st.lists(TOKENS, min_size=1, max_size=4), st.integers(1, 7))
def test_pieces_that_go_by_one_after_another_change_nothing(ids, texts, size):
    others = np.array(joined(texts), np.uint16)
    at_once = longest_shared_span(ids, others)
    whole, originality.CHUNK = originality.CHUNK, size
    try:
        assert longest_shared_span(ids, others) == at_once
    finally:
        originality.CHUNK = whole


def test_a_copy_inside_a_longer_text_is_found():
    chance = np.random.default_rng(0)
    others = chance.integers(0, 50, 5000)
    ids = chance.integers(50, 99, 300)
    ids[100:180] = others[2000:2080]
    assert longest_shared_span(ids.tolist(), others) == (100, 80)
