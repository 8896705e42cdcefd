"""The tokenizer that the other rooms see: immutable, bytes into ids and back.

>>> tokenizer = Tokenizer.train(["кот и кит", "кот и пёс"], vocab_size=270)
>>> tokenizer.decode(tokenizer.encode("кот"))
'кот'
"""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from anekdot.callbacks import Progress
from anekdot.errors import TokenizerError
from anekdot.store import staged
from anekdot.tokenizer import formats
from anekdot.tokenizer.encoder import Encoder
from anekdot.tokenizer.pretokens import split
from anekdot.tokenizer.trainer import count_pretokens, train_merges
from anekdot.tokenizer.vocabulary import SPECIALS, Merge, token_bytes


@dataclass(frozen=True, repr=False)
class Tokenizer:
    """A byte-level BPE tokenizer.

    Ids 0, 1 and 2 are special: only code can place them, and no text is ever encoded to
    one. Then come the 256 bytes, so that anything can be encoded, and one id per merge.

    Args:
        merges: Pairs of ids in the order of training.

    Raises:
        TokenizerError: A merge joins something that is not an earlier token, or builds a
            token twice.

    >>> Tokenizer(())
    Tokenizer(vocab_size=259)
    """

    merges: tuple[Merge, ...]

    pad_id: ClassVar[int] = SPECIALS.index("<|pad|>")
    begin_id: ClassVar[int] = SPECIALS.index("<|begin|>")
    end_id: ClassVar[int] = SPECIALS.index("<|end|>")

    def __post_init__(self) -> None:
        _ = self._tokens  # a merge that cannot be is refused here, not at the first use

    def __repr__(self) -> str:
        return f"Tokenizer(vocab_size={self.vocab_size})"

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Merge, ...]]]:
        return type(self), (self.merges,)  # without the encoder and its cache

    @classmethod
    def train(
        cls, documents: Iterable[str], vocab_size: int, *, progress: Progress | None = None
    ) -> Self:
        """Learns a vocabulary from documents; their order does not matter.

        Args:
            documents: The texts.
            vocab_size: Special tokens, bytes and merges together. Few texts may not support
                so many merges: the tokenizer then simply has fewer.
            progress: Called with (merges done, merges wanted, "merges").

        Raises:
            TokenizerError: The size leaves no room for the bytes, or a document holds a
                lone surrogate.

        >>> Tokenizer.train(["ха-ха-ха"], vocab_size=1000).vocab_size
        263
        """
        smallest = len(SPECIALS) + 256
        if vocab_size < smallest:
            raise TokenizerError(
                f"A vocabulary of {vocab_size} has no room for the special tokens and the bytes.",
                f"Ask for at least {smallest}.",
            )
        counts = count_pretokens(documents)
        return cls(tuple(train_merges(counts, vocab_size, progress=progress)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a ``tokenizer.json``.

        Raises:
            TokenizerError: The file cannot be read, or is not one that ``save`` could write.
        """
        return cls(tuple(formats.read(Path(path))))

    def save(self, path: Path) -> None:
        """Writes a ``tokenizer.json`` that Hugging Face tokenizers reads too."""
        with staged(Path(path)) as draft:
            draft.write_bytes(formats.serialize(self.merges))

    def encode(self, text: str | bytes) -> list[int]:
        """Returns the ids of a text; none of them is special, whatever the text says.

        Args:
            text: Any string, or any bytes, valid UTF-8 or not.

        Raises:
            TokenizerError: A string holds a lone surrogate, which UTF-8 cannot express.

        >>> Tokenizer(()).encode("!<")
        [3, 30]
        """
        if isinstance(text, str):
            try:
                text = text.encode()
            except UnicodeEncodeError as error:
                raise TokenizerError(
                    f"The text holds a lone surrogate, {text[error.start]!a}, "
                    f"at character {error.start}.",
                    "Read the text as UTF-8, or give bytes.",
                ) from error
        encode = self._encoder
        return [id for pretoken in split(text) for id in encode(pretoken)]

    def encode_batch(self, texts: Iterable[str | bytes]) -> list[list[int]]:
        """Returns the ids of each text."""
        return [self.encode(text) for text in texts]

    def count(self, text: str | bytes) -> int:
        """Returns how many tokens a text has."""
        return len(self.encode(text))

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Returns the bytes of tokens; special tokens have none.

        Raises:
            TokenizerError: An id is not of this vocabulary.
        """
        return b"".join(map(self.token_bytes, ids))

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of tokens, with U+FFFD where their bytes are not UTF-8.

        Raises:
            TokenizerError: An id is not of this vocabulary.

        >>> tokenizer = Tokenizer(())
        >>> tokenizer.decode([tokenizer.begin_id, *tokenizer.encode("кот"), tokenizer.end_id])
        'кот'
        """
        return self.decode_bytes(ids).decode(errors="replace")

    def stream_decoder(self) -> "StreamDecoder":
        """Returns a decoder that takes ids one at a time."""
        return StreamDecoder(self)

    def token_bytes(self, id: int) -> bytes:
        """Returns the bytes of one token.

        Raises:
            TokenizerError: The id is not of this vocabulary.
        """
        if not 0 <= id < self.vocab_size:
            raise TokenizerError(
                f"Id {id} is outside the vocabulary of {self.vocab_size} tokens.",
                "Decode ids with the tokenizer that made them.",
            )
        return self._tokens[id]

    @property
    def vocab_size(self) -> int:
        """How many ids there are: special tokens, bytes and merges."""
        return len(self._tokens)

    @cached_property
    def token_lengths(self) -> npt.NDArray[np.int32]:
        """Bytes per token, by id; 0 for special tokens."""
        lengths = np.array([len(token) for token in self._tokens], np.int32)
        lengths.flags.writeable = False
        return lengths

    @cached_property
    def _tokens(self) -> list[bytes]:
        return token_bytes(self.merges)

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(self.merges, [len(token) for token in self._tokens])


class StreamDecoder:
    """Decodes ids one at a time into text that never ends in half a character.

    What it gives, joined, is what ``Tokenizer.decode`` gives for all the ids. It holds back
    three bytes at most.

    >>> tokenizer = Tokenizer(())
    >>> decoder = tokenizer.stream_decoder()
    >>> [decoder.feed(id) for id in tokenizer.encode("да")] + [decoder.flush()]
    ['', 'д', '', 'а', '']
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._token_bytes = tokenizer.token_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, id: int) -> str:
        """Returns the characters that this token completes.

        Raises:
            TokenizerError: The id is not of the vocabulary.
        """
        return self._decoder.decode(self._token_bytes(id))

    def flush(self) -> str:
        """Returns what is held back, as U+FFFD, and starts anew."""
        rest = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return rest
