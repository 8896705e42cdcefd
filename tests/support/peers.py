"""Hugging Face's tokenizers, as the tests ask them."""

import json

import tokenizers
from tokenizers import Regex, models, pre_tokenizers, trainers

from anekdot.tokenizer.pretokens import PATTERNS, PatternName
from anekdot.tokenizer.vocabulary import BYTE_CHARACTERS, SPECIALS, Merge, token_bytes


def hugging_face_merges(
    documents: list[str], vocab_size: int, pattern: PatternName = "qwen2"
) -> list[list[str]]:
    """Trains the peer and returns its merges as it writes them."""
    peer = tokenizers.Tokenizer(models.BPE())
    peer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERNS[pattern]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    peer.train_from_iterator(documents, trainer)
    return json.loads(peer.to_str())["model"]["merges"]


def written(merges: list[Merge]) -> list[list[str]]:
    """Writes merges as the peer does."""
    tokens = ["".join(map(BYTE_CHARACTERS.__getitem__, token)) for token in token_bytes(merges)]
    return [[tokens[left], tokens[right]] for left, right in merges]
