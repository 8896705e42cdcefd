import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.tokenizer import Tokenizer, reference
from anekdot.tokenizer.encoder import Encoder
from anekdot.tokenizer.trainer import train_merges
from anekdot.tokenizer.vocabulary import token_bytes


def encoder_of(tokenizer: Tokenizer) -> Encoder:
    return Encoder(tokenizer.merges, tokenizer.token_lengths.tolist())


@given(st.text("abc", max_size=40), st.text("abc", max_size=60), st.integers(259, 300))
@settings(max_examples=500)
def test_equals_the_reference(training: str, text: str, vocab_size: int) -> None:
    merges = train_merges({training.encode(): 1}, vocab_size)
    encode = Encoder(merges, [len(token) for token in token_bytes(merges)]).encode
    assert encode([text.encode()]) == reference.encode(text, merges)


@given(st.binary(max_size=100))
def test_tokens_spell_the_pretoken(tokenizer: Tokenizer, pretoken: bytes) -> None:
    assert tokenizer.decode_bytes(encoder_of(tokenizer).encode([pretoken])) == pretoken


def test_the_earliest_merge_wins_not_the_longest_token() -> None:
    a, b, c = (reference.byte_ids()[byte] for byte in b"abc")
    merges = [(b, c), (a, b), (260, c)]  # bc, ab, abc
    assert Encoder(merges, [1] * 259 + [2, 2, 3]).encode([b"abc"]) == [a, 259]


def test_long_runs_equal_the_reference() -> None:
    chance = random.Random(5)
    text = "".join(chance.choices("абв", k=3000))
    tokenizer = Tokenizer.train([text[:500], "а" * 100], 300)
    for long in (text, "а" * 2999, "аб" * 1500):
        expected = reference.encode(long, tokenizer.merges)
        assert encoder_of(tokenizer).encode([long.encode()]) == expected


def test_200_000_letters_take_a_moment() -> None:
    # A quadratic encoder would need hours: this test then never ends.
    chance = random.Random(9)
    text = "".join(chance.choices("абвгдежзик", k=200_000))
    tokenizer = Tokenizer.train([text[:5000]], 1000)
    for long in (text, "а" * 200_000, "аб" * 100_000):
        assert tokenizer.decode(tokenizer.encode(long)) == long


def test_the_cache_keeps_to_its_bound(
    monkeypatch: pytest.MonkeyPatch, tokenizer: Tokenizer
) -> None:
    monkeypatch.setattr(Encoder, "CACHE_ENTRIES", 100)
    encoder = encoder_of(tokenizer)
    for n in range(1000):
        assert tokenizer.decode_bytes(encoder.encode([b"%d" % n])) == b"%d" % n
    assert encoder._cached.cache_info().currsize == 100


def test_long_pretokens_are_not_remembered(tokenizer: Tokenizer) -> None:
    encoder = encoder_of(tokenizer)
    encoder.encode([b"a" * (Encoder.MAX_CACHED_BYTES + 1)])
    assert encoder._cached.cache_info().currsize == 0
    encoder.encode([b"a" * Encoder.MAX_CACHED_BYTES])
    assert encoder._cached.cache_info().currsize == 1
