import multiprocessing
import random
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.errors import TokenizerError
from anekdot.tokenizer import Tokenizer, pretokens, reference
from anekdot.tokenizer.encoder import Encoder
from anekdot.tokenizer.fast import counter, encoder, packed_documents, trainer
from anekdot.tokenizer.fast.encoder import FastEncoder
from anekdot.tokenizer.fast.segmenting import build_vocabulary
from anekdot.tokenizer.trainer import count_pretokens, train_merges
from anekdot.tokenizer.vocabulary import (
    FIRST_BYTE,
    FIRST_MERGE,
    SPECIALS,
    Merge,
    byte_ids,
    token_bytes,
)
from tests.support.strategies import DATA, DOCUMENTS, TEXTS

Documents = list[str | bytes]
ONE_LETTER_APART = [
    "a" * n + letter + "a" * (size - n) for size in (14, 30) for n in range(size) for letter in "bж"
]


def fast_of(tokenizer: Tokenizer) -> FastEncoder:
    vocabulary = build_vocabulary(tokenizer.merges, token_bytes(tokenizer.merges))
    assert vocabulary is not None
    return FastEncoder(vocabulary, tokenizer.id_type, tokenizer.pattern)


def plain_ids(tokenizer: Tokenizer, documents: Documents) -> list[list[int]]:
    plain = Encoder(tokenizer.merges, tokenizer.token_lengths.tolist())
    return [
        plain.encode(pretokens.split(data, tokenizer.pattern))
        for data in pretokens.to_bytes(documents)
    ]


def fast_ids(fast: FastEncoder, documents: Documents, threads: int = 1) -> list[list[int]]:
    ids, offsets = fast.encode(documents, threads, None)
    assert offsets[0] == 0
    assert offsets[-1] == len(ids)
    return [ids[start:stop].tolist() for start, stop in pairwise(offsets)]


def random_words(alphabet: str, n: int, longest: int, seed: int = 1) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(alphabet, k=chance.randint(1, longest))) for _ in range(n)]


@pytest.fixture(scope="module")
def fast(tokenizer: Tokenizer) -> FastEncoder:
    return fast_of(tokenizer)


@pytest.fixture(scope="module")
def wide() -> Tokenizer:
    """All pairs of bytes, then triples: more ids than 16 bits have."""
    pairs = [*product(reversed(range(FIRST_BYTE, FIRST_MERGE)), repeat=2)]
    falling = [n for n, (left, right) in enumerate(pairs) if left > right]  # all are reachable
    triples = [(FIRST_MERGE + n, byte_ids()[ord("!")]) for n in falling]
    return Tokenizer((*pairs, *triples[: 70_000 - FIRST_MERGE - len(pairs)]))


@pytest.fixture(scope="module")
def fast_wide(wide: Tokenizer) -> FastEncoder:
    return fast_of(wide)


@given(DOCUMENTS, st.sampled_from((1, 2, 5)), st.integers(1, 50))
@settings(max_examples=300)
def test_equals_the_plain_version_whatever_the_chunks_and_threads(
    tokenizer: Tokenizer, fast: FastEncoder, documents: Documents, threads: int, chunk: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_documents, "CHUNK_SIZE", chunk)
        assert fast_ids(fast, documents, threads) == plain_ids(tokenizer, documents)


@given(st.text("abc", max_size=40), st.text("abc", max_size=60), st.integers(259, 300))
@settings(max_examples=300)
def test_equals_the_reference(training: str, text: str, vocab_size: int) -> None:
    tokenizer = Tokenizer(tuple(train_merges({training.encode(): 1}, vocab_size)))
    assert fast_ids(fast_of(tokenizer), [text]) == [reference.encode(text, tokenizer.merges)]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=60), st.data())
@settings(max_examples=500)
def test_merges_that_no_training_would_find_equal_the_reference(
    picks: list[tuple[int, int]], data: st.DataObject
) -> None:
    tokens = {bytes([byte]): byte_ids()[byte] for byte in b"abc"}
    merges: list[Merge] = []
    for picked in picks:
        left, right = ([*tokens][n % len(tokens)] for n in picked)
        if left + right not in tokens and len(left + right) <= 40:
            merges.append((tokens[left], tokens[right]))
            tokens[left + right] = FIRST_MERGE + len(merges) - 1
    alone = {token: reference.encode(token.decode(), merges) for token in tokens}
    vocabulary = build_vocabulary(merges, token_bytes(merges))
    if vocabulary is None:
        assert any(alone[token] != [id] for token, id in tokens.items())
        return
    assert all(alone[token] == [id] for token, id in tokens.items())
    parts = data.draw(st.lists(st.sampled_from([*tokens]), max_size=10))
    for text in (b"".join(parts), b"".join(parts)[:15]):
        expected = [reference.encode(text.decode(), merges)]
        assert fast_ids(FastEncoder(vocabulary, np.uint16), [text]) == expected


@pytest.mark.parametrize("alphabet", ["a", "ab", "аб", "ж\u0301!"])
def test_pretokens_of_every_length(alphabet: str) -> None:
    training_texts = random_words(alphabet, 100, 40)
    tokenizer = Tokenizer(tuple(train_merges(count_pretokens(training_texts), 500)))
    chance = random.Random(2)
    texts = ["".join(chance.choices(alphabet, k=n)) for n in range(1, 81) for _ in range(5)]
    fast = fast_of(tokenizer)
    for _ in range(2):  # the second time from the cache
        assert fast_ids(fast, texts) == plain_ids(tokenizer, texts)


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_every_number_of_ids_a_pretoken(dtype: type[np.unsignedinteger]) -> None:
    tokenizer = Tokenizer(())
    words = [letter * n for n in range(1, 70) for letter in "aж中😀"] * 2
    fast = FastEncoder(build_vocabulary((), token_bytes(())), dtype)
    assert fast_ids(fast, words) == plain_ids(tokenizer, words)
    assert fast.encode(words, 1, None)[0].dtype == dtype


def test_long_pretokens_equal_the_plain_version(tokenizer: Tokenizer, fast: FastEncoder) -> None:
    chance = random.Random(4)
    texts = ["".join(chance.choices(alphabet, k=50_000)) for alphabet in ("а", "кот", "врачежя")]
    texts += [" ", "!" * 50_000, " " * 50_000, "ёж", "кот" * 12, "кот"]
    assert fast_ids(fast, texts) == plain_ids(tokenizer, texts)


def test_long_pretokens_of_deep_merges_equal_the_plain_version() -> None:
    tokenizer = Tokenizer(
        tuple(train_merges({b"a" * 4096: 1, b"ab" * 700: 1, b"aab" * 90: 1}, 300))
    )
    for n in (32, 33, 63, 64, 65, 1023, 4095, 4096, 4097, 50_001):
        texts = ["a" * n, "ab" * n, "aab" * n, "a" * n + "b" + "a" * n]
        assert fast_ids(fast_of(tokenizer), texts) == plain_ids(tokenizer, texts)


@pytest.mark.parametrize("slots", [1, 4, 64])
def test_a_cache_much_smaller_than_the_texts_changes_nothing(
    slots: int, monkeypatch: pytest.MonkeyPatch, tokenizer: Tokenizer
) -> None:
    monkeypatch.setattr(encoder, "CACHE_SLOTS", slots)
    fast = fast_of(tokenizer)
    words = random_words("котврачиёж ", 300, 30) + random_words("щъюЫ", 100, 15) + ONE_LETTER_APART
    for seed in range(5):
        texts = random.Random(seed).choices(words, k=1000)
        assert fast_ids(fast, texts) == plain_ids(tokenizer, texts)


@pytest.mark.parametrize("n_ids", [65_536, 65_537, 70_000])
def test_vocabularies_about_and_above_16_bits(wide: Tokenizer, n_ids: int) -> None:
    tokenizer = wide.truncate(n_ids)
    chance = random.Random(n_ids)
    top = [tokenizer.token_bytes(id) for id in range(n_ids - 300, n_ids)]
    texts = [*top, *(b"".join(chance.choices(top, k=9)) for _ in range(300))]
    texts += [chance.randbytes(chance.randint(0, 60)) for _ in range(500)]
    ids, _ = fast_of(tokenizer).encode(texts, 1, None)
    assert ids.dtype == (np.uint16 if n_ids == 65_536 else np.uint32)
    assert ids.max() >= n_ids - 300
    assert fast_ids(fast_of(tokenizer), texts, 2) == plain_ids(tokenizer, texts)


@given(st.lists(TEXTS | DATA, max_size=8))
@settings(max_examples=100)
def test_wide_ids_equal_the_plain_version(
    wide: Tokenizer, fast_wide: FastEncoder, documents: Documents
) -> None:
    assert fast_ids(fast_wide, documents) == plain_ids(wide, documents)


def test_one_encoder_serves_several_threads_at_once(
    tokenizer: Tokenizer, fast: FastEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_documents, "CHUNK_SIZE", 50)
    batches = [random_words("котврач ёж", 300, 40, seed) for seed in range(24)]
    expected = [plain_ids(tokenizer, batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(lambda n: fast_ids(fast, batches[n], 1 + n % 3), range(24))] == expected


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_encodes_too(
    tokenizer: Tokenizer, fast: FastEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_documents, "CHUNK_SIZE", 100)
    texts = random_words("котврач ёж", 300, 40)
    expected = plain_ids(tokenizer, texts)
    assert fast_ids(fast, texts, 2) == expected
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(fast_ids(fast, texts, 2)))
    child.start()
    answered = receiver.poll(60)
    found = receiver.recv() if answered else child.kill()
    child.join()
    assert found == expected
    assert fast_ids(fast, texts, 2) == expected


def test_no_text_becomes_a_special_token() -> None:
    chance = random.Random(8)
    parts = (*SPECIALS, "<|", "|>", "pad", "кот", " ", "\n", "<", ">", "end|>", "\0")
    texts = ["".join(chance.choices(parts, k=chance.randint(1, 6))) for _ in range(100_000)]
    tokenizer = Tokenizer(tuple(train_merges(count_pretokens(texts[:500]), 500)))
    ids, offsets = fast_of(tokenizer).encode(texts, 2, None)
    assert ids.min() >= FIRST_BYTE
    assert len(offsets) == 100_001
    assert tokenizer.decode(ids.tolist()) == "".join(texts)


def test_no_documents_and_empty_documents(fast: FastEncoder) -> None:
    for documents in ([], [""], ["", b"", ""]):
        ids, offsets = fast.encode(documents, 2, None)
        assert ids.dtype == np.uint16
        assert (len(ids), offsets.tolist()) == (0, [0] * (len(documents) + 1))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_lone_surrogate_names_its_document_and_does_no_harm(
    threads: int, fast: FastEncoder, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_documents, "CHUNK_SIZE", 10)
    texts = random_words("котврач ёж", 300, 40)
    with pytest.raises(TokenizerError, match=r"Document 150 .* character 1"):
        fast.encode([*texts[:150], "я\udcff", *texts, "\ud800"], threads, None)
    assert fast_ids(fast, texts, threads) == plain_ids(tokenizer, texts)


@pytest.mark.parametrize("threads", [1, 2])
def test_progress_counts_the_documents(
    threads: int, fast: FastEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_documents, "CHUNK_SIZE", 20)
    calls: list[tuple[int, int, str]] = []
    fast.encode(["кот", "", "ёж"] * 50, threads, lambda *call: calls.append(call))
    assert calls[-1] == (150, 150, "documents encoded")
    assert calls == sorted({*calls})
    assert len(calls) > 10


@pytest.mark.parametrize("slots", [4, 64, 1 << 10])
@pytest.mark.parametrize("vocab_size", [261, 300, 900])
def test_what_training_left_behind_changes_no_ids(
    slots: int, vocab_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "CACHE_SLOTS", slots)
    words = [*random_words("котврачиёж", 300, 30), "а" * 31, "a" * 31, "a" * 32, "!" * 15, "?" * 16]
    counts = counter.count_pretokens_fast(words, 1, None)
    merges, segmentation = trainer.train_merges_fast(counts, vocab_size, byte_ids(), None)
    tokenizer = Tokenizer(tuple(merges))
    for seed in range(10):
        texts = random.Random(seed).sample(words, len(words))
        fast = fast_of(tokenizer)
        fast.remember(segmentation)
        assert fast_ids(fast, texts, 2) == plain_ids(tokenizer, texts)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("kind", [str, str.encode])
def test_documents_of_the_training_are_encoded_by_copying(
    threads: int, kind: type[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_documents, "CHUNK_SIZE", 200)
    training_texts = [
        *random_words("кот, врач и ёж\n1", 300, 30),
        "",
        "а" * 31,
        "🐀" * 9,
        "",
        "?" * 16,
    ]
    texts = [kind(text) for text in training_texts]
    counts = counter.count_pretokens_fast(iter(texts), threads, None)
    merges, segmentation = trainer.train_merges_fast(counts, 400, byte_ids(), None)
    tokenizer = Tokenizer(tuple(merges))
    encoded: list[int] = []
    encode_documents = encoder.encode_documents

    def encode(laid_out: packed_documents.PackedDocuments, *rest: object) -> int:
        encoded.append(laid_out.n_documents)
        return encode_documents(laid_out, *rest)

    monkeypatch.setattr(encoder, "encode_documents", encode)
    fast = fast_of(tokenizer)
    fast.remember(segmentation)
    assert fast_ids(fast, texts, threads) == plain_ids(tokenizer, texts)
    assert not encoded
    assert fast_ids(fast, texts, threads) == plain_ids(tokenizer, texts)
    assert sum(encoded) == len(texts)

    encoded.clear()
    fast.remember(segmentation)
    place = len(texts) // 2
    texts[place] = texts[place].swapcase() if texts[place].swapcase() != texts[place] else kind("Ж")
    assert fast_ids(fast, texts, threads) == plain_ids(tokenizer, texts)
    assert 0 < len(encoded) < len(counts.chunks)


@pytest.mark.slow
def test_equals_the_plain_version_on_the_corpus(corpus: list[str]) -> None:
    counts = counter.count_pretokens_fast(corpus[::2], 2, None)
    merges, segmentation = trainer.train_merges_fast(counts, 8192, byte_ids(), None)
    tokenizer = Tokenizer(tuple(merges))
    expected = plain_ids(tokenizer, corpus)
    for threads in (1, 2, 5):
        assert fast_ids(fast_of(tokenizer), corpus, threads) == expected
    remembering = fast_of(tokenizer)
    remembering.remember(segmentation)
    assert fast_ids(remembering, corpus[::2], 2) == expected[::2]
    assert fast_ids(remembering, corpus, 2) == expected
