import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anekdot.tokenizer.fast.trie import NO_TOKEN, build_trie, longest_token

TOKENS = st.lists(
    st.text("ab", max_size=8).map(str.encode) | st.binary(max_size=3), max_size=40, unique=True
)


def longest(tokens: list[bytes], text: bytes) -> int:
    fitting = [id for id, token in enumerate(tokens) if token and text.startswith(token)]
    return max(fitting, key=lambda id: len(tokens[id]), default=NO_TOKEN)


@given(TOKENS, st.text("ab", max_size=20).map(str.encode) | st.binary(max_size=6))
@settings(max_examples=300)
@example([b"\xff\xff", b"\x00", b"\xff"], b"\xff\xff\x00\xff")
def test_finds_the_longest_token_everywhere(tokens: list[bytes], text: bytes) -> None:
    trie, data = build_trie(tokens), np.frombuffer(text, np.uint8)
    for place in range(len(text)):
        for end in range(place, len(text) + 1):
            expected = longest(tokens, text[place:end])
            assert longest_token(trie, data, place, end) == expected


def test_finds_every_token_among_many() -> None:
    chance = random.Random(3)
    tokens = [*dict.fromkeys(chance.randbytes(chance.randint(1, 5)) for _ in range(20_000))]
    trie = build_trie(tokens)
    for id, token in enumerate(tokens):
        assert longest_token(trie, np.frombuffer(token, np.uint8), 0, len(token)) == id


@pytest.mark.slow
def test_finds_every_token_of_the_largest_tree_that_is_built() -> None:
    chance = random.Random(1)
    stems = [n.to_bytes(2, "big") + bytes(1400) for n in range(1360)]
    ends = [bytes([end, 1]) for end in range(256)]
    tokens = [stem + end for stem in stems for end in chance.sample(ends, 70)]
    assert build_trie(tokens) is None
    tokens = tokens[: len(tokens) // 2]
    trie = build_trie(tokens)
    assert trie is not None
    for id, token in enumerate(tokens):
        assert longest_token(trie, np.frombuffer(token, np.uint8), 0, len(token)) == id


def test_an_array_that_is_full_to_its_end_is_made_larger() -> None:
    seconds = [*range(16), *range(31, 256, 16)]
    firsts = [byte for byte in range(256) if byte not in seconds][:60]
    tips = [bytes([first, second]) for first in firsts for second in seconds]
    tokens = [tip + b"\xff" * n for n in range(5) for tip in tips][: len(tips) + 6500]
    trie = build_trie(tokens)
    assert trie is not None
    for id, token in enumerate(tokens):
        assert longest_token(trie, np.frombuffer(token, np.uint8), 0, len(token)) == id
