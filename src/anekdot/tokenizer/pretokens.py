r"""Text into pretokens: the pieces that no merge may cross.

A pretoken is a word with the space before it, one digit, a run of punctuation, or a run of
white space. There are two patterns, with the contractions spelled out, and under their names in
llama.cpp: by "qwen2" a word consists of letters; by "qwen35" of letters and marks, for scripts
that write vowels as marks (हिन्दी has three of each). tiktoken, Hugging Face tokenizers and
llama.cpp all split the same way by them.

The standard library has no ``\p{L}``. So every character is replaced by a one-byte stand-in
for its class, and the pattern, rewritten for stand-ins, runs over those at the speed of C. For a
text of ordinary characters only, the letters can be spelled out in the pattern.

Sources: https://huggingface.co/Qwen/Qwen2-7B/blob/main/tokenizer.json (``pre_tokenizer``);
https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp for both.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from anekdot.errors import TokenizerError
from anekdot.tokenizer.unicode_classes import LETTERS, MARKS, NUMBERS, WHITESPACE

PatternName = Literal["qwen2", "qwen35"]

PATTERNS: dict[PatternName, str] = {
    "qwen2": (
        r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+"
        r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "qwen35": (
        r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
        r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+"
        r"|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
IN_WORDS: dict[PatternName, tuple[tuple[int, int], ...]] = {
    "qwen2": LETTERS,
    "qwen35": (*LETTERS, *MARKS),
}
"""The characters that words consist of, as ranges of code points; all else is alike."""

# The same over stand-ins: a-z of words, 0 numbers, \n line ends, \t other white space, . the rest.
_STAND_INS = re.compile(rb"'(?:[stmd]|[rv]e|ll)|[^\na-z0]?[a-z]+|0| ?[.']+\n*|\s*\n+|\s+(?!\S)|\s+")

_LETTERS = "A-Za-z\u0400-\u0481"
_ORDINARY = re.compile(f"[\t\n\r -@[-`{{-~«»–—“”„…№{_LETTERS}]*")
_OF_ORDINARY = re.compile(
    r"'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])|[^\r\n0-9{}]?[{}]+|[0-9]| ?[^\s0-9{}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+".replace("{}", _LETTERS)
)


@cache
def _classes(pattern: PatternName) -> npt.NDArray[np.uint8]:
    """Returns the stand-in of every code point.

    Letters of the contractions, the apostrophe and the space stand for themselves.
    """
    classes = np.full(0x110000, ord("."), np.uint8)
    for stand_in, ranges in (("a", IN_WORDS[pattern]), ("0", NUMBERS), ("\t", WHITESPACE)):
        for first, last in ranges:
            classes[first : last + 1] = ord(stand_in)
    for character in "sStTrReEvVmMlLdD' \n":
        classes[ord(character)] = ord(character.lower())
    classes[ord("\r")] = ord("\n")
    return classes


def split(data: bytes, pattern: PatternName = "qwen2") -> list[bytes]:
    r"""Splits UTF-8 text into pretokens, which joined give the text back.

    An invalid byte counts as one character that is neither a letter, a number nor white space.

    >>> [pretoken.decode() for pretoken in split("Штирлиц, 17 мгновений!\n".encode())]
    ['Штирлиц', ',', ' ', '1', '7', ' мгновений', '!\n']
    >>> split(b"\xd0 ok")
    [b'\xd0', b' ok']
    >>> [pretoken.decode() for pretoken in split("हिन्दी में".encode(), "qwen35")]
    ['हिन्दी', ' में']
    """
    text = data.decode("utf-8", "surrogateescape")
    if _ORDINARY.fullmatch(text):
        return [pretoken.encode() for pretoken in _OF_ORDINARY.findall(text)]
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    pretokens = []
    start = 0
    for stand_ins in _STAND_INS.findall(_classes(pattern)[codes].tobytes()):
        end = start + len(stand_ins)
        pretokens.append(text[start:end].encode("utf-8", "surrogateescape"))
        start = end
    return pretokens


def to_bytes(documents: Iterable[str | bytes], first: int = 0) -> Iterator[bytes]:
    """Yields documents as UTF-8.

    Args:
        documents: Strings or bytes; bytes are taken as they are.
        first: The number of the first document, for the error.

    Raises:
        TokenizerError: A string holds a lone surrogate, which UTF-8 cannot express.
    """
    for number, document in enumerate(documents, start=first):
        yield document_to_bytes(document, number)


def document_to_bytes(document: str | bytes, number: int = 0) -> bytes:
    """Returns a document as UTF-8; its number is for the error, which ``to_bytes`` describes."""
    try:
        return document.encode() if isinstance(document, str) else document
    except UnicodeEncodeError as error:
        raise TokenizerError(
            f"Document {number} holds a lone surrogate, {error.object[error.start]!a}, "
            f"at character {error.start}.",
            "Read the texts as UTF-8, or drop this document.",
        ) from error
