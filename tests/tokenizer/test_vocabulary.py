import pytest
from tokenizers import pre_tokenizers

from anekdot.errors import TokenizerError
from anekdot.tokenizer.vocabulary import (
    ALPHABET,
    BYTE_CHARACTERS,
    SPECIALS,
    Merge,
    byte_ids,
    token_bytes,
)


def test_the_alphabet_is_hugging_face_s_in_its_order() -> None:
    assert sorted(ALPHABET) == list(range(256))
    assert [BYTE_CHARACTERS[byte] for byte in ALPHABET] == sorted(
        pre_tokenizers.ByteLevel.alphabet()
    )


def test_bytes_and_ids_agree() -> None:
    tokens = token_bytes([])
    assert len(tokens) == 259
    assert tokens[: len(SPECIALS)] == [b""] * 3
    assert all(tokens[id] == bytes([byte]) for byte, id in enumerate(byte_ids()))


@pytest.mark.parametrize(
    ("merges", "named"),
    [
        ([(2, 3)], "2"),
        ([(3, 259)], "259"),
        ([(-1, 3)], "-1"),
        ([(3, 3), (3, 3)], "b'!!'"),
        ([(3, 3), (3, 259), (259, 3)], "b'!!!'"),
    ],
)
def test_merges_that_cannot_be_are_named(merges: list[Merge], named: str) -> None:
    with pytest.raises(TokenizerError, match=named) as caught:
        token_bytes(merges)
    assert caught.value.remedy
