"""What stands at each id: the special tokens, the 256 bytes, then one token per merge.

The bytes stand in the order of the printable characters that GPT-2 writes for them,
which is the order in which Hugging Face numbers them. Ties between merges are broken
by id, so this order is part of the definition of a trained tokenizer.

Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners",
section 2.2, and ``bytes_to_unicode`` in its published code.
"""

import re
from collections.abc import Sequence

from anekdot.errors import TokenizerError

Merge = tuple[int, int]

SPECIALS = ("<|pad|>", "<|begin|>", "<|end|>")
FIRST_BYTE = len(SPECIALS)
FIRST_MERGE = FIRST_BYTE + 256

_SPECIAL = re.compile("(" + "|".join(map(re.escape, SPECIALS)) + ")")
_PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
_OTHERS = tuple(sorted(set(range(256)) - set(_PRINTABLE)))

# Byte values in the order of their ids, and the character that a file shows for each byte.
ALPHABET = _PRINTABLE + _OTHERS
BYTE_CHARACTERS = {
    **{byte: chr(byte) for byte in _PRINTABLE},
    **{byte: chr(0x100 + n) for n, byte in enumerate(_OTHERS)},
}


def byte_ids() -> list[int]:
    """Returns the id of each byte value.

    >>> byte_ids()[ord("!")]
    3
    """
    ids = [0] * 256
    for n, byte in enumerate(ALPHABET):
        ids[byte] = FIRST_BYTE + n
    return ids


def token_bytes(merges: Sequence[Merge]) -> list[bytes]:
    """Returns the bytes of every token, by id; special tokens have none.

    Raises:
        TokenizerError: A merge joins something that is not an earlier token, or builds a
            token that exists already.

    >>> a = byte_ids()[ord("a")]
    >>> token_bytes([(a, a), (259, a)])[259:]
    [b'aa', b'aaa']
    """
    tokens = [b""] * len(SPECIALS) + [bytes([byte]) for byte in ALPHABET]
    seen = set(tokens)
    for n, (left, right) in enumerate(merges):
        for id in (left, right):
            if not len(SPECIALS) <= id < len(tokens):
                raise TokenizerError(
                    f"Merge {n} joins ({left}, {right}), but {id} is not an earlier token.",
                    "Give merges in the order of training, as ids of bytes and of earlier merges.",
                )
        token = tokens[left] + tokens[right]
        if token in seen:
            raise TokenizerError(
                f"Merge {n} joins ({left}, {right}) into {token!r}, which is already a token.",
                "Give merges that each build a new token.",
            )
        seen.add(token)
        tokens.append(token)
    return tokens


def with_specials(text: str) -> list[str | int]:
    """Splits a text at the names of special tokens, and puts their ids in the names' place.

    >>> with_specials("а<|end|>")
    ['а', 2, '']
    """
    pieces = _SPECIAL.split(text)
    return [SPECIALS.index(piece) if piece in SPECIALS else piece for piece in pieces]
