"""Merges and ids equal those of Hugging Face tokenizers, tiktoken and rustbpe.

With the versions in constraints.txt all three class every character alike.
"""

import random
from collections.abc import Iterable
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
import rustbpe
import tiktoken
import tokenizers

from anekdot.tokenizer import Tokenizer
from anekdot.tokenizer.pretokens import PATTERNS
from tests.support.peers import hugging_face_merges, written

PIECES = (
    *("кот", "Ёж", "zйro", "за́мок", "й", "ё", "a", "s", "ll"),
    *(" ", "  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u202f", "\u2028", "\u3000"),
    *("'s", "'RE", "'ſ", "'", "’", "-", "—", "«", "»", "…", "!!", "№", "\u00ad", "\u200b"),
    *("1", "17", "²", "٣", "Ⅷ", "🙂", "👨‍👩‍👧", "漢字", "<|end|>", "\x00", "\x85", "\ufeff"),
)


def tiktoken_of(tokenizer: Tokenizer) -> tiktoken.Encoding:
    return tiktoken.Encoding("anekdot", **tokenizer.to_tiktoken())


def hugging_face_of(tokenizer: Tokenizer, folder: Path) -> tokenizers.Tokenizer:
    tokenizer.save(folder / "tokenizer.json")
    peer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    peer.encode_special_tokens = True
    return peer


def differing(tokenizer: Tokenizer, texts: list[str], theirs: Iterable[list[int]]) -> list[int]:
    """Returns the numbers of the texts that a peer encodes otherwise."""
    ids, offsets = tokenizer.encode_batch(texts)
    expected = list(theirs)
    assert len(expected) == len(texts)
    if np.array_equal(ids, np.fromiter(chain.from_iterable(expected), np.int64)) and np.array_equal(
        np.diff(offsets), np.fromiter(map(len, expected), np.int64)
    ):
        return []
    pairs = zip(pairwise(offsets.tolist()), expected, strict=True)
    return [n for n, ((a, b), ours) in enumerate(pairs) if not np.array_equal(ids[a:b], ours)]


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["tiktoken", "tokenizers"])
def test_every_character_in_several_contexts(
    tokenizer: Tokenizer, tmp_path: Path, peer: str
) -> None:
    characters = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    contexts = [f"{c}|а{c}б {c}1 {c}\n{c} \n'{c}s{c}{c}" for c in characters]
    texts = ["".join(contexts[first : first + 64]) for first in range(0, len(contexts), 64)]
    if peer == "tiktoken":
        theirs: Iterable[list[int]] = tiktoken_of(tokenizer).encode_ordinary_batch(texts)
    else:
        theirs = (each.ids for each in hugging_face_of(tokenizer, tmp_path).encode_batch(texts))
    assert not differing(tokenizer, texts, theirs)


@pytest.mark.slow
def test_a_million_strings_of_odd_pieces(tokenizer: Tokenizer, tmp_path: Path) -> None:
    chance = random.Random(11)
    ends = np.cumsum(chance.choices(range(1, 10), k=1_000_000)).tolist()
    pieces = chance.choices(PIECES, k=ends[-1])
    texts = ["".join(pieces[start:stop]) for start, stop in pairwise([0, *ends])]
    assert not differing(tokenizer, texts, tiktoken_of(tokenizer).encode_ordinary_batch(texts))
    few = texts[:200_000]
    theirs = hugging_face_of(tokenizer, tmp_path).encode_batch(few)
    assert not differing(tokenizer, few, (each.ids for each in theirs))


@pytest.mark.slow
@pytest.mark.parametrize("vocab_size", [1024, 8192, 32768])
def test_the_corpus(corpus: list[str], tmp_path: Path, vocab_size: int) -> None:
    largest = Tokenizer.train(corpus, 32768)
    tokenizer = largest.truncate(vocab_size)
    if vocab_size == 32768:
        assert written(list(tokenizer.merges)) == hugging_face_merges(corpus, vocab_size)
    assert Tokenizer.train(corpus, vocab_size) == tokenizer
    theirs = tiktoken_of(tokenizer).encode_ordinary_batch(corpus)
    assert not differing(tokenizer, corpus, theirs)
    few = corpus[:20_000]
    theirs = [each.ids for each in hugging_face_of(tokenizer, tmp_path).encode_batch(few)]
    assert not differing(tokenizer, few, theirs)


@pytest.mark.slow
def test_ties_by_bytes_equal_rustbpe(corpus: list[str]) -> None:
    texts = corpus[:30_000]
    peer = rustbpe.Tokenizer()
    peer.train_from_iterator(iter(texts), 8192 - 3, pattern=PATTERNS["qwen2"])
    trained = [bytes(token) for token, _ in sorted(peer.get_mergeable_ranks(), key=lambda p: p[1])]
    tokenizer = Tokenizer.train(texts, 8192, ties="bytes")
    assert [tokenizer.token_bytes(id) for id in range(259, 8192)] == trained[256:]


def test_tiktoken_gives_special_tokens_where_it_is_asked_to(tokenizer: Tokenizer) -> None:
    peer = tiktoken_of(tokenizer)
    parts = [("<|begin|>", True), ("кот <|end|>", False), ("<|end|>", True)]
    expected = [1, *peer.encode_ordinary("кот <|end|>"), 2]
    assert tokenizer.encode_parts(parts) == expected
    assert peer.encode("<|begin|>кот", allowed_special="all") == [1, *tokenizer.encode("кот")]
