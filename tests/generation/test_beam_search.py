"""Beam search against the exhaustive search of all texts."""

import itertools

import numpy as np
import pytest

from anekdot.generation.beam_search import beam_search
from anekdot.generation.sampling import log_probabilities

END, VOCABULARY = 2, 5


class TableEngine:
    """Logits that depend on all tokens so far, by a fixed rule."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def new_cache(self, capacity):
        return Tokens([])

    def decode(self, tokens, caches):
        return np.stack([self.prefill([token], c) for token, c in zip(tokens, caches, strict=True)])

    def prefill(self, ids, cache):
        cache += ids
        code = int("".join(map(str, cache)) or "0") % 10**9
        return np.random.default_rng([self.seed, code]).normal(0, 2, VOCABULARY).astype(np.float32)


class Tokens(list):
    def copy(self):
        return Tokens(self)


def best_text(seed: int, max_tokens: int) -> list[int]:
    """The text with the highest mean log-probability among all that end."""
    best, best_score = None, -np.inf
    for length in range(max_tokens + 1):
        for body in itertools.product((3, 4), repeat=length):
            engine, cache, nats = TableEngine(seed), Tokens([]), 0.0
            for before, token in itertools.pairwise((1, *body, END)):
                nats += log_probabilities(engine.prefill([before], cache))[token]
            if nats / (length + 1) > best_score:
                best, best_score = list(body), nats / (length + 1)
    return best


def search(seed, beams, max_tokens, allow_empty=True):
    return beam_search(
        TableEngine(seed), [1], beams=beams, max_tokens=max_tokens, end_id=END, forbidden=[0, 1],
        allow_empty=allow_empty,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_a_wide_search_finds_the_best_text(seed):
    ids, ended = search(seed, beams=64, max_tokens=5)
    assert ended
    assert ids == best_text(seed, max_tokens=5)


def greedy(seed: int, max_tokens: int) -> tuple[list[int], bool]:
    engine, cache, ids, last = TableEngine(seed), Tokens([]), [], 1
    while True:
        logits = engine.prefill([last], cache)
        logits[[0, 1]] = -np.inf
        last = int(logits.argmax())
        if last == END or len(ids) == max_tokens:
            return ids, last == END
        ids.append(last)


@pytest.mark.parametrize("max_tokens", [1, 2, 3, 6])
def test_one_beam_is_greedy_at_every_length(max_tokens):
    for seed in range(30):
        assert search(seed, beams=1, max_tokens=max_tokens) == greedy(seed, max_tokens)


class LateWinner(TableEngine):
    """Likely ends at once; what it says otherwise it says with certainty from then on."""

    def __init__(self) -> None:
        super().__init__(seed=0)

    def prefill(self, ids, cache):
        cache += ids
        likely = {1: {END: 0.6, 3: 0.3, 4: 0.1}}.get(len(cache), {4: 1.0})
        if len(cache) == 5:
            likely = {END: 1.0}
        return np.log(np.array([likely.get(id, 1e-9) for id in range(VOCABULARY)], np.float32))


@pytest.mark.parametrize(("max_tokens", "expected"), [(6, [3, 4, 4, 4]), (3, [])])
def test_the_search_goes_on_while_a_longer_text_may_still_win(max_tokens, expected):
    """ln 0.6 = -0.51 at once, against ln 0.3 / 5 = -0.24 a token, if there is room for it."""
    ids, ended = beam_search(
        LateWinner(), [1], beams=2, max_tokens=max_tokens, end_id=END, forbidden=[0, 1],
        allow_empty=True,
    )  # fmt: skip
    assert (ids, ended) == (expected, True)


def test_no_empty_text_unless_allowed():
    assert all(search(seed, 4, 4, allow_empty=False)[0] for seed in range(20))
