"""Strings that a tokenizer may meet: of many scripts, with what tokenizers get wrong."""

import random
from collections.abc import Iterator

PIECES = [
    *"абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВЕКМНОРСТУХ",
    *"abcdefghijklmnopqrstuvwxyzSTREVMLD",
    *"0123456789٣४Ⅷ½²",
    *" \t\n\r\v\f\u00a0\u2003\u3000\u2028\u0085\u200b\ufeff",
    *".,!?…–—-«»\"'’()<>|/\\@#&*",
    *"\u0301\u0308\u093f\u0902\u064b\u0e31\ufe0f\u200d",
    *"हिन्दीमेंไทย中文字かなカナ한국عربيעברית",
    "😀", "👩‍👩‍👧", "🇷🇺", "e\u0301", "й", "\u0000", "\u007f", "\U0010ffff", "𝐀",
    "'s", "'T", "'re", "'VE", "'m", "'ll", "'D", "’s",
    "<|end|>", "<|begin|>", "<|pad|>", "<|endoftext|>", "<s>",
    " ", "  ", "\n\n", "\r\n", " \n ", "- ", "привет", " мужик", "Штирлиц", "123", "http://",
]  # fmt: skip


def random_strings(n: int, seed: int = 0) -> Iterator[str]:
    """Yields strings of up to forty pieces, the same for the same seed."""
    rng = random.Random(seed)
    for _ in range(n):
        yield "".join(rng.choices(PIECES, k=rng.randint(0, 40)))
