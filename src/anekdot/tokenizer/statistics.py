"""What is in a vocabulary: tokens by script, by length, and the longest."""

import unicodedata
from collections import Counter
from dataclasses import dataclass

from anekdot.tokenizer.tokenizer import Tokenizer


@dataclass(frozen=True)
class VocabularyView:
    """A vocabulary in numbers; the special tokens are left out.

    Attributes:
        scripts: Tokens by script, most first; see ``script``.
        lengths: Tokens by number of characters, shortest first; 0 for a part of one.
        longest: The tokens of most characters, longest first.
    """

    scripts: dict[str, int]
    lengths: dict[int, int]
    longest: list[str]


def view(tokenizer: Tokenizer, n_longest: int = 20) -> VocabularyView:
    """Returns the numbers of a vocabulary.

    >>> view(Tokenizer(())).scripts
    {'part of a character': 128, 'punctuation': 56, 'Latin': 52, 'digits': 10, 'white space': 10}
    """
    texts = [_text(tokenizer.token_bytes(id)) for id in range(3, tokenizer.vocab_size)]
    scripts = Counter(map(script, texts))
    lengths = Counter(map(len, texts))
    longest = sorted(texts, key=lambda text: (-len(text), text))
    return VocabularyView(
        dict(scripts.most_common()), dict(sorted(lengths.items())), longest[:n_longest]
    )


def _text(token: bytes) -> str:
    """Returns a token as text, empty where it is not whole characters."""
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
    """Returns what a token is made of, spaces apart.

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
