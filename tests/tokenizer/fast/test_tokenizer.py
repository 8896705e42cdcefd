import pickle
import random
import subprocess
import sys
from itertools import pairwise, product
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.errors import TokenizerError
from anekdot.tokenizer import Tokenizer
from anekdot.tokenizer import fast as fast_module
from anekdot.tokenizer.encoder import Encoder
from anekdot.tokenizer.fast.encoder import FastEncoder
from anekdot.tokenizer.pretokens import split
from anekdot.tokenizer.vocabulary import FIRST_BYTE, FIRST_MERGE, byte_ids
from tests.support.strategies import DOCUMENTS, TEXTS

Ties = Literal["huggingface", "bytes"]

FORBIDS_NUMBA = """
import sys
sys.modules["numba"] = None
from anekdot.tokenizer import Tokenizer, fast
fast.MIN_CHARACTERS_TO_COMPILE = fast.MIN_CHARACTERS_TO_CALL = 0
assert not fast.available()
tokenizer = Tokenizer.train(["кот и кит", "кот и пёс"] * 9, 270, memory_limit=1)
print(tokenizer.vocab_size, *tokenizer.encode("кот"))
"""
SHORT_TEXT = """
import sys
from pathlib import Path
import anekdot
from anekdot.tokenizer import Tokenizer
tokenizer = Tokenizer.load(Path(sys.argv[1]))
assert tokenizer.decode(tokenizer.encode("Кот")) == "Кот"
assert len(tokenizer.encode_batch(["Кот"] * 1000)[1]) == 1001
assert Tokenizer.train(["Кот и кит"] * 100, 265).vocab_size == 265
assert "numba" not in sys.modules
assert "anekdot.numba_jit" not in sys.modules
"""
ENDLESS_WORD = """
import random, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
from anekdot.tokenizer import Tokenizer, fast
fast.MIN_CHARACTERS_TO_COMPILE = fast.MIN_CHARACTERS_TO_CALL = 0
word = "".join(random.Random(1).choices("abcdefgh", k={length}))
tokenizer = Tokenizer.train([word], 1_000_000, threads=1)
print(tokenizer.encode(word) == [tokenizer.vocab_size - 1])
"""


@pytest.fixture(scope="module", autouse=True)
def always_fast():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_module, "MIN_CHARACTERS_TO_COMPILE", 0)
        patch.setattr(fast_module, "MIN_CHARACTERS_TO_CALL", 0)
        yield


@pytest.fixture(scope="module")
def plain(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer where nothing can be fast."""
    alike = Tokenizer(tokenizer.merges)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_module, "available", lambda: False)
        alike.encode("")
    return alike


@pytest.fixture(scope="module")
def fast(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer where everything is fast."""
    return Tokenizer(tokenizer.merges)


def trained_plainly(documents: list[str | bytes], vocab_size: int, ties: Ties) -> Tokenizer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_module, "available", lambda: False)
        return Tokenizer.train(documents, vocab_size, ties=ties)


@given(DOCUMENTS, st.sampled_from((None, 1, 2, 5)))
@settings(max_examples=300)
def test_both_paths_encode_alike(
    fast: Tokenizer, plain: Tokenizer, documents: list[str | bytes], threads: int | None
) -> None:
    ids, offsets = fast.encode_batch(documents, threads=threads)
    expected, expected_offsets = plain.encode_batch(documents, threads=threads)
    assert np.array_equal(ids, expected)
    assert np.array_equal(offsets, expected_offsets)
    assert (ids.dtype, offsets.dtype) == (expected.dtype, expected_offsets.dtype)
    for document, (start, stop) in zip(documents, pairwise(offsets), strict=True):
        assert fast.encode(document) == plain.encode(document) == ids[start:stop].tolist()


@given(DOCUMENTS, st.integers(259, 300), st.sampled_from(("huggingface", "bytes")))
@settings(max_examples=200)
def test_both_paths_train_alike(documents: list[str | bytes], vocab_size: int, ties: Ties) -> None:
    expected = trained_plainly(documents, vocab_size, ties)
    for threads, memory_limit in ((None, None), (2, 1)):
        found = Tokenizer.train(
            iter(documents), vocab_size, ties=ties, threads=threads, memory_limit=memory_limit
        )
        assert found == expected


@given(
    st.lists(TEXTS, max_size=8), st.integers(259, 400), st.sampled_from(("huggingface", "bytes"))
)
@settings(max_examples=100)
def test_a_tokenizer_fresh_from_training_encodes_as_a_loaded_one(
    documents: list[str], vocab_size: int, ties: Ties
) -> None:
    fresh = Tokenizer.train(documents, vocab_size, ties=ties)
    plain = trained_plainly(documents, vocab_size, ties)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_module, "available", lambda: False)
        expected = [plain.encode(document) for document in documents]
    assert [fresh.encode(document) for document in documents] == expected
    restored = pickle.loads(pickle.dumps(fresh))
    assert [restored.encode(document) for document in documents] == expected


def test_only_the_tokenizer_of_a_training_takes_over_what_it_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remembered: list[object] = []
    monkeypatch.setattr(FastEncoder, "remember", lambda _, left: remembered.append(left))
    fresh = Tokenizer.train(["кот и кит"], 262)
    for _ in range(2):
        fresh.encode("кот")
    Tokenizer(fresh.merges).encode("кот")
    assert len(remembered) == 1


def test_cutting_a_fresh_tokenizer_down_forgets_what_training_left() -> None:
    text = "на дворе трава, на траве дрова " * 20
    fresh = Tokenizer.train([text], 290)
    small = fresh.truncate(270)
    assert max(small.encode(text)) < 270
    assert small.decode(small.encode(text)) == text


def test_ids_are_plain_integers(fast: Tokenizer) -> None:
    assert {type(id) for id in fast.encode("кот и кит")} == {int}


@pytest.mark.parametrize(
    "use", [Tokenizer.encode_batch, lambda _, texts: Tokenizer.train(texts, 300)]
)
def test_a_lone_surrogate_is_refused_alike(
    use: object, fast: Tokenizer, plain: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = ["да"] * 7 + [b"\xed\xa0\x80", "да\ud800", "\udfff"]
    with pytest.raises(TokenizerError) as refused:
        use(fast, documents)
    monkeypatch.setattr(fast_module, "available", lambda: False)
    with pytest.raises(TokenizerError) as expected:
        use(plain, documents)
    assert str(refused.value) == str(expected.value)
    assert "Document 8" in str(refused.value)


def test_special_tokens_are_only_placed_by_code(fast: Tokenizer) -> None:
    text = "<|begin|>кот<|end|><|pad|>"
    assert min(fast.encode(text)) >= FIRST_BYTE
    assert min(fast.encode_batch([text] * 1000)[0]) >= FIRST_BYTE
    assert fast.encode_parts([("<|begin|>", True), (text, False)])[0] == fast.begin_id
    assert sorted(fast.encode_parts([("<|begin|>", True), (text, False)]))[1] >= FIRST_BYTE


def test_progress_ends_at_the_total(fast: Tokenizer) -> None:
    calls: list[tuple[int, int, str]] = []
    fast.encode_batch(["кот", "", "кит"], progress=lambda *call: calls.append(call))
    assert calls[-1] == (3, 3, "documents encoded")
    calls.clear()
    texts = ["".join(random.Random(1).choices("абвгдежз", k=3000))]
    Tokenizer.train(texts, FIRST_MERGE + 700, progress=lambda *call: calls.append(call))
    assert calls[-1] == (700, 700, "merges")
    assert len(calls) > 1


def test_short_texts_take_the_plain_path_until_it_pays(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_module, "MIN_CHARACTERS_TO_COMPILE", 1000)
    monkeypatch.setattr(fast_module, "MIN_CHARACTERS_TO_CALL", 100)
    lengths: list[int] = []
    encode = FastEncoder.encode

    def watched(self: FastEncoder, documents: list[bytes], *others: object) -> object:
        lengths.extend(map(len, documents))
        return encode(self, documents, *others)

    monkeypatch.setattr(FastEncoder, "encode", watched)
    alike = Tokenizer(tokenizer.merges)
    for length in (999, 1000, 100, 99):
        assert alike.decode(alike.encode("a" * length)) == "a" * length
    assert lengths == [1000, 100]


def test_a_short_text_does_not_import_numba(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    script = [sys.executable, "-c", SHORT_TEXT, str(tmp_path / "tokenizer.json")]
    subprocess.run(script, check=True)


def test_without_numba_everything_takes_the_plain_path() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORBIDS_NUMBA], capture_output=True, text=True, check=True
    )
    plain = trained_plainly(["кот и кит", "кот и пёс"] * 9, 270, "huggingface")
    assert done.stdout.split() == [str(plain.vocab_size), *map(str, plain.encode("кот"))]


@pytest.mark.slow
def test_more_ids_than_the_merge_table_holds_are_encoded_alike() -> None:
    marks = sorted(id for byte, id in enumerate(byte_ids()) if len(split(b"!%c!" % byte)) == 1)
    pairs = [*product(marks, marks)]
    rising = [n for n, (left, right) in enumerate(pairs) if left < right]  # all are reachable
    triples = [(FIRST_MERGE + n, last) for n, last in product(rising, marks)]
    tokenizer = Tokenizer((*pairs, *triples)[: (1 << 20) - FIRST_MERGE])
    text = tokenizer.token_bytes((1 << 20) - 1)
    plain = Encoder(tokenizer.merges, tokenizer.token_lengths.tolist())
    assert plain.encode([text]) == [(1 << 20) - 1]
    assert tokenizer.encode(text) == [(1 << 20) - 1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, to limit memory")
@pytest.mark.parametrize("length", [200_000, 250_000, 500_000])
def test_a_vocabulary_of_very_long_tokens_fits_or_takes_the_plain_path(length: int) -> None:
    script = [sys.executable, "-c", ENDLESS_WORD.format(length=length)]
    assert subprocess.run(script, check=True, capture_output=True, timeout=900).stdout == b"True\n"
