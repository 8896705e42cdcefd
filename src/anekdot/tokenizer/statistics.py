"""Statistics of a vocabulary: tokens by script and by length, and the longest."""

import unicodedata
from collections import Counter
from dataclasses import dataclass

from anekdot.tokenizer.tokenizer import Tokenizer


@dataclass(frozen=True)
class VocabularyStatistics:
    """Statistics of a vocabulary, without its special tokens.

    Attributes:
        scripts: Number of tokens by script, most first; see ``script``.
        lengths: Number of tokens by length in characters, shortest first; 0 stands for a part
            of a character.
        longest: The tokens with the most characters, longest first.
    """

    scripts: dict[str, int]
    lengths: dict[int, int]
    longest: list[str]


def vocabulary_statistics(tokenizer: Tokenizer, n_longest: int = 20) -> VocabularyStatistics:
    """Returns the statistics of a tokenizer's vocabulary.

    >>> vocabulary_statistics(Tokenizer(())).scripts
    {'part of a character': 128, 'punctuation': 56, 'Latin': 52, 'digits': 10, 'white space': 10}
    """
    texts = [_text(tokenizer.token_bytes(id)) for id in range(3, tokenizer.vocab_size)]
    scripts = Counter(map(script, texts))
    lengths = Counter(map(len, texts))
    longest = sorted(texts, key=lambda text: (-len(text), text))
    return VocabularyStatistics(
        dict(scripts.most_common()), dict(sorted(lengths.items())), longest[:n_longest]
    )


def _text(token: bytes) -> str:
    """Returns a token as text, or nothing if it is not whole characters."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return ""


def script_of(letter: str) -> str:
    """Returns the script of a letter: the first word of its name in Unicode, in lower case.

    >>> [script_of(letter) for letter in "яzעー"]
    ['cyrillic', 'latin', 'hebrew', 'katakana-hiragana']
    """
    return unicodedata.name(letter, "other").split()[0].lower()


def script(text: str) -> str:
    """Returns what a token is made of, not counting spaces.

    >>> [script(text) for text in ("", " ", " кот", "cat", "zйro", "17", " —", "кот!")]
    ['part of a character', 'white space', 'Cyrillic', 'Latin', 'mixed', 'digits', \
'punctuation', 'mixed']
    """
    if not text:
        return "part of a character"
    kinds = {_kind(character) for character in text if not character.isspace()}
    if len(kinds) > 1:
        return "mixed"
    return kinds.pop() if kinds else "white space"


def _kind(character: str) -> str:
    if character.isalpha():
        return script_of(character).capitalize()
    return "digits" if character.isnumeric() else "punctuation"
