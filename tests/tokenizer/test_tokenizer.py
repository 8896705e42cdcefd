import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anekdot.errors import TokenizerError
from anekdot.tokenizer import Tokenizer, reference

TEXTS = st.text(st.characters(codec="utf-8")) | st.text("кот и 'Ёs1\n\u00a0", max_size=60)
SPECIAL_TEXTS = ["<|end|>", "<|begin|>кот<|end|>", "<|pad|><|pad|>", "<<|end|>|>", " <|end|>\n"]


@pytest.fixture(scope="module")
def peer(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> tokenizers.Tokenizer:
    path = tmp_path_factory.mktemp("peer") / "tokenizer.json"
    tokenizer.save(path)
    loaded = tokenizers.Tokenizer.from_file(str(path))
    loaded.encode_special_tokens = True
    return loaded


@given(TEXTS)
@settings(max_examples=500)
def test_text_comes_back_and_ids_equal_the_reference(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert ids == reference.encode(text, tokenizer.merges)
    assert ids == tokenizer.encode(text.encode())
    assert tokenizer.count(text) == len(ids)


@given(TEXTS)
@settings(max_examples=500)
def test_ids_equal_hugging_face(
    tokenizer: Tokenizer, peer: tokenizers.Tokenizer, text: str
) -> None:
    assert tokenizer.encode(text) == peer.encode(text).ids


@pytest.mark.slow
def test_ids_equal_hugging_face_on_the_corpus(corpus: list[str], tmp_path: Path) -> None:
    tokenizer = Tokenizer.train(corpus[::4], 2048)
    tokenizer.save(tmp_path / "tokenizer.json")
    peer = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    peer.encode_special_tokens = True
    expected = [e.ids for e in peer.encode_batch(corpus)]
    ids, offsets = tokenizer.encode_batch(corpus)
    assert ids.tolist() == list(chain.from_iterable(expected))
    assert np.diff(offsets).tolist() == [len(each) for each in expected]


@given(st.binary())
def test_arbitrary_bytes_come_back(tokenizer: Tokenizer, data: bytes) -> None:
    ids = tokenizer.encode(data)
    assert tokenizer.decode_bytes(ids) == data
    assert tokenizer.decode(ids) == data.decode(errors="replace")


@pytest.mark.parametrize("text", SPECIAL_TEXTS)
def test_no_text_becomes_a_special_token(
    tokenizer: Tokenizer, peer: tokenizers.Tokenizer, text: str
) -> None:
    trained = Tokenizer.train([text * 10], 400)
    for each in (tokenizer, trained):
        assert min(each.encode(text)) > 2
        assert each.decode(each.encode(text)) == text
    assert tokenizer.encode(text) == peer.encode(text).ids


def test_special_tokens(tokenizer: Tokenizer) -> None:
    assert (tokenizer.pad_id, tokenizer.begin_id, tokenizer.end_id) == (0, 1, 2)
    assert tokenizer.decode([0, 1, 2]) == ""
    ya = tokenizer.encode("я")
    assert tokenizer.decode([1, *ya, 2, *ya]) == "яя"


def test_a_batch_is_its_members(tokenizer: Tokenizer) -> None:
    texts = ["кот", "", b"\xff", "врач кота"]
    ids, offsets = tokenizer.encode_batch(texts)
    members = [ids[start:stop].tolist() for start, stop in pairwise(offsets)]
    assert members == [tokenizer.encode(text) for text in texts]
    assert ids.dtype == np.uint16


def test_a_lone_surrogate_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(TokenizerError, match=r"\\udcff.* character 3"):
        tokenizer.encode("кот\udcff")


@pytest.mark.parametrize("id", [-1, 10**6])
@pytest.mark.parametrize(
    "use",
    [
        lambda t, id: t.decode([id]),
        lambda t, id: t.decode_bytes([3, id]),
        lambda t, id: t.token_bytes(id),
        lambda t, id: t.stream_decoder().feed(id),
    ],
)
def test_an_id_of_another_vocabulary_is_refused(
    tokenizer: Tokenizer, use: Callable[[Tokenizer, int], object], id: int
) -> None:
    with pytest.raises(TokenizerError, match=str(id)):
        use(tokenizer, id)


def test_the_last_id_is_inside(tokenizer: Tokenizer) -> None:
    assert tokenizer.token_bytes(tokenizer.vocab_size - 1)
    with pytest.raises(TokenizerError):
        tokenizer.token_bytes(tokenizer.vocab_size)


def test_vocabulary_sizes() -> None:
    with pytest.raises(TokenizerError, match="258"):
        Tokenizer.train(["кот"], 258)
    assert Tokenizer.train(["кот"], 259).vocab_size == 259
    assert Tokenizer.train(["кот"], 260).vocab_size == 260
    assert Tokenizer.train(["кот"], 5000).vocab_size == 264
    assert Tokenizer.train([], 5000).vocab_size == 259


def test_a_lone_surrogate_in_training_names_its_document() -> None:
    with pytest.raises(TokenizerError, match=r"Document 1 .* character 2"):
        Tokenizer.train(["да", "да\ud800"], 300)


def test_documents_in_any_order_give_one_tokenizer() -> None:
    documents = ["кот и кит", "кит и пёс", "пёс и кот"]
    assert Tokenizer.train(documents, 280) == Tokenizer.train(reversed(documents), 280)


def test_token_lengths(tokenizer: Tokenizer) -> None:
    lengths = tokenizer.token_lengths
    assert lengths.shape == (tokenizer.vocab_size,)
    assert np.issubdtype(lengths.dtype, np.integer)
    assert lengths[:4].tolist() == [0, 0, 0, 1]
    assert all(lengths[id] == len(tokenizer.token_bytes(id)) for id in range(len(lengths)))
    with pytest.raises(ValueError, match="read-only"):
        lengths[0] = 1


def test_equality_is_by_content(tokenizer: Tokenizer) -> None:
    same = Tokenizer(tokenizer.merges)
    other = Tokenizer(tokenizer.merges[:-1])
    assert same == tokenizer
    assert hash(same) == hash(tokenizer)
    assert other != tokenizer
    assert pickle.loads(pickle.dumps(tokenizer)).encode("кот") == tokenizer.encode("кот")


def test_it_cannot_be_changed(tokenizer: Tokenizer) -> None:
    with pytest.raises(FrozenInstanceError):
        tokenizer.merges = ()  # type: ignore[misc]


def test_impossible_merges_are_refused_at_once() -> None:
    with pytest.raises(TokenizerError, match="Merge 0"):
        Tokenizer(((0, 3),))


@given(st.lists(st.integers(0, 399)) | TEXTS.map(str.encode) | st.binary())
@settings(max_examples=500)
@example(b"\xed\xa0\x80")
@example(b"\xf4\xbf\xbf\xbf")
def test_a_stream_gives_what_decode_gives(tokenizer: Tokenizer, ids: list[int] | bytes) -> None:
    if isinstance(ids, bytes):  # one token per byte: every split of every character
        ids = [reference.byte_ids()[byte] for byte in ids]
    ids = [id for id in ids if id < tokenizer.vocab_size]
    decoder = tokenizer.stream_decoder()
    given_out, fed = "", b""
    for id in ids:
        given_out += decoder.feed(id)
        fed += tokenizer.token_bytes(id)
        kept = fed.decode(errors="replace").removeprefix(given_out)
        assert len(kept) <= 3  # one U+FFFD a byte at worst
    assert given_out + decoder.flush() == tokenizer.decode(ids)


def test_a_stream_never_gives_half_a_character(tokenizer: Tokenizer) -> None:
    byte_ids = reference.byte_ids()
    for character in "ы№😀\ufffd":
        decoder = tokenizer.stream_decoder()
        *first, last = (byte_ids[byte] for byte in character.encode())
        assert [decoder.feed(id) for id in first] == [""] * len(first)
        assert decoder.feed(last) == character  # a genuine U+FFFD too, and at once
        assert decoder.flush() == ""


def test_a_stream_starts_over_after_a_flush(tokenizer: Tokenizer) -> None:
    decoder = tokenizer.stream_decoder()
    half = reference.byte_ids()[0xD0]
    assert decoder.feed(half) == ""
    assert decoder.feed(tokenizer.end_id) == ""
    assert decoder.flush() == "\ufffd"
    assert "".join(map(decoder.feed, tokenizer.encode("кот"))) + decoder.flush() == "кот"


def test_invalid_bytes_do_not_pile_up(tokenizer: Tokenizer) -> None:
    decoder = tokenizer.stream_decoder()
    bad = reference.byte_ids()[0xFF]
    assert "".join(decoder.feed(bad) for _ in range(1000)) == "\ufffd" * 1000
