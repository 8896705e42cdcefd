"""The tokenizer that the rest of the package uses: immutable, text into ids and back.

>>> tokenizer = Tokenizer.train(["кот и кит", "кот и пёс"], vocab_size=270)
>>> tokenizer.decode(tokenizer.encode("кот"))
'кот'
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anekdot.atomic_files import staged
from anekdot.callbacks import Progress
from anekdot.errors import TokenizerError
from anekdot.machine import available_cores
from anekdot.tokenizer import fast, formats, trainer
from anekdot.tokenizer.encoder import Encoder
from anekdot.tokenizer.pretokens import PATTERNS, PatternName, document_to_bytes, split, to_bytes
from anekdot.tokenizer.streaming import StreamDecoder
from anekdot.tokenizer.vocabulary import FIRST_MERGE, SPECIALS, Merge, token_bytes, with_specials

if TYPE_CHECKING:
    from anekdot.numba_jit import Ids, Ints, Longs
    from anekdot.tokenizer.fast.encoder import FastEncoder


@dataclass(frozen=True, repr=False)
class Tokenizer:
    """A byte-level BPE tokenizer.

    Ids 0, 1 and 2 are special: only code can place them, and no text is ever encoded to
    one. Then come the 256 bytes, so that anything can be encoded, and one id per merge.

    Args:
        merges: Pairs of ids in the order of training.
        pattern: The name of the pattern that splits texts into pretokens.

    Raises:
        TokenizerError: A merge joins something that is not an earlier token, or builds a
            token twice.

    >>> Tokenizer(())
    Tokenizer(vocab_size=259)
    """

    merges: tuple[Merge, ...]
    pattern: PatternName = "qwen2"

    pad_id: ClassVar[int] = SPECIALS.index("<|pad|>")
    begin_id: ClassVar[int] = SPECIALS.index("<|begin|>")
    end_id: ClassVar[int] = SPECIALS.index("<|end|>")

    def __post_init__(self) -> None:
        _ = self._tokens  # refuses an impossible merge now, not at the first use

    def __repr__(self) -> str:
        return f"Tokenizer(vocab_size={self.vocab_size})"

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Merge, ...], PatternName]]:
        return type(self), (self.merges, self.pattern)  # without the encoder and its cache

    @classmethod
    def train(
        cls,
        documents: Iterable[str | bytes],
        vocab_size: int,
        *,
        pattern: PatternName | None = None,
        ties: trainer.Ties = "huggingface",
        threads: int | None = None,
        memory_limit: int | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Trains a tokenizer on documents; their order does not matter.

        Args:
            documents: The texts; they are read once, a few at a time.
            vocab_size: Special tokens, bytes and merges together. A small corpus may not have
                that many merges to offer: the tokenizer then simply has fewer.
            pattern: How texts are split; chosen by the first four million characters unless given.
            ties: Which of equally frequent pairs comes first: "huggingface" numbers the bytes
                as Hugging Face does, "bytes" by their values, as rustbpe does.
            threads: Threads that count, one per core by default. Neither they nor the limit
                change the result.
            memory_limit: Bytes that the tables of counts may take if Numba is installed; the
                rest goes to temporary files. The distinct words must fit in any case.
            progress: Called with (merges done, merges wanted, "merges").

        Raises:
            TokenizerError: The size is too small for the bytes, or a document holds a lone
                surrogate.

        >>> Tokenizer.train(["ха-ха-ха"], vocab_size=1000).vocab_size
        263
        """
        if vocab_size < FIRST_MERGE:
            raise TokenizerError(
                f"A vocabulary of {vocab_size} is too small for the special tokens and the bytes.",
                f"Ask for at least {FIRST_MERGE}.",
            )
        trained = trainer.train(
            documents,
            vocab_size,
            ties,
            pattern=pattern,
            threads=threads,
            memory_limit=memory_limit,
            progress=progress,
        )
        tokenizer = cls(tuple(trained.merges), trained.pattern)
        if trained.segmentation is not None and tokenizer._fast_encoder is not None:
            tokenizer._fast_encoder.remember(trained.segmentation)
        return tokenizer

    def truncate(self, vocab_size: int) -> Self:
        """Returns the tokenizer that training to a smaller size would have given.

        Raises:
            TokenizerError: The size is larger than this one, or too small for the bytes.

        >>> Tokenizer.train(["ха-ха-ха"], 263).truncate(261)
        Tokenizer(vocab_size=261)
        """
        if not FIRST_MERGE <= vocab_size <= self.vocab_size:
            raise TokenizerError(
                f"A vocabulary of {self.vocab_size} cannot be cut down to {vocab_size}.",
                f"Ask for {FIRST_MERGE} to {self.vocab_size}.",
            )
        return type(self)(self.merges[: vocab_size - FIRST_MERGE], self.pattern)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a ``tokenizer.json``.

        Raises:
            TokenizerError: The file cannot be read, or is not one that ``save`` could write.
        """
        return cls(*formats.read(Path(path)))

    def save(self, path: Path) -> None:
        """Writes a ``tokenizer.json`` that Hugging Face tokenizers reads too."""
        with staged(Path(path)) as draft:
            draft.write_bytes(formats.serialize(self.merges, self.pattern))

    def encode(self, text: str | bytes) -> list[int]:
        """Returns the ids of a text; none of them is special, whatever the text says.

        Args:
            text: Any string, or any bytes, valid UTF-8 or not.

        Raises:
            TokenizerError: A string holds a lone surrogate, which UTF-8 cannot express.

        >>> Tokenizer(()).encode("!<")
        [3, 30]
        """
        if (encoder := self._fast_encoder_for(len(text))) is not None:
            ids: list[int] = encoder.encode([text], 1, None)[0].tolist()
            return ids
        return self._encoder.encode(split(document_to_bytes(text), self.pattern))

    def encode_batch(
        self,
        texts: Iterable[str | bytes],
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> "tuple[Ids, Longs]":
        """Returns the ids of all texts end to end, and where each text's begin.

        Args:
            texts: Strings or bytes.
            threads: Threads that encode, one per core by default.
            progress: Called with (documents done, documents, "documents encoded").

        Returns:
            Ids, of the smallest unsigned type that can hold them, and offsets: text n has the ids
            from offsets[n] up to offsets[n + 1].

        Raises:
            TokenizerError: A string holds a lone surrogate.

        >>> ids, offsets = Tokenizer(()).encode_batch(["!", "", "!!"])
        >>> ids.tolist(), offsets.tolist()
        ([3, 3, 3], [0, 1, 1, 3])
        """
        documents = list(texts)
        if (encoder := self._fast_encoder_for(sum(map(len, documents)))) is not None:
            return encoder.encode(documents, threads or available_cores(), progress)
        encoded = []
        for number, document in enumerate(to_bytes(documents), start=1):
            encoded.append(self.encode(document))
            if progress is not None and (number % 1000 == 0 or number == len(documents)):
                progress(number, len(documents), "documents encoded")
        offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        return np.fromiter(chain.from_iterable(encoded), self.id_type, offsets[-1]), offsets

    def encode_parts(self, parts: Iterable[tuple[str, bool]]) -> list[int]:
        """Returns the ids of a text that is assembled from parts.

        Args:
            parts: Pairs of a text and whether it is trusted. In a trusted part, the names of
                special tokens become those tokens; anywhere else, they are ordinary text.

        >>> Tokenizer(()).encode_parts([("<|begin|>", True), ("!", False)])
        [1, 3]
        """
        ids: list[int] = []
        for text, trusted in parts:
            for piece in with_specials(text) if trusted else [text]:
                ids += [piece] if isinstance(piece, int) else self.encode(piece)
        return ids

    def count(self, text: str | bytes) -> int:
        """Returns how many tokens a text has."""
        return len(self.encode(text))

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Returns the bytes of tokens; special tokens have none.

        Raises:
            TokenizerError: An id is not in this vocabulary.
        """
        return b"".join(map(self.token_bytes, ids))

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of tokens, with U+FFFD where their bytes are not UTF-8.

        Raises:
            TokenizerError: An id is not in this vocabulary.

        >>> tokenizer = Tokenizer(())
        >>> tokenizer.decode([tokenizer.begin_id, *tokenizer.encode("кот"), tokenizer.end_id])
        'кот'
        """
        return self.decode_bytes(ids).decode(errors="replace")

    def stream_decoder(self) -> StreamDecoder:
        """Returns a decoder that takes ids one at a time."""
        return StreamDecoder(self.token_bytes)

    def token_bytes(self, id: int) -> bytes:
        """Returns the bytes of one token.

        Raises:
            TokenizerError: The id is not in this vocabulary.
        """
        if not 0 <= id < self.vocab_size:
            raise TokenizerError(
                f"Id {id} is outside the vocabulary of {self.vocab_size} tokens.",
                "Decode ids with the tokenizer that made them.",
            )
        return self._tokens[id]

    @property
    def vocab_size(self) -> int:
        """How many ids there are."""
        return len(self._tokens)

    @property
    def id_type(self) -> type[np.unsignedinteger]:
        """The smallest type that can hold every id."""
        return np.uint16 if self.vocab_size <= 1 << 16 else np.uint32

    def to_tiktoken(self) -> dict[str, Any]:
        """Returns the arguments with which ``tiktoken.Encoding("anekdot", **…)`` does the same."""
        ranks = {token: id for id, token in enumerate(self._tokens) if token}
        specials = {name: id for id, name in enumerate(SPECIALS)}
        pattern = PATTERNS[self.pattern]
        return {"pat_str": pattern, "mergeable_ranks": ranks, "special_tokens": specials}

    @cached_property
    def token_lengths(self) -> "Ints":
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

    def _fast_encoder_for(self, size: int) -> "FastEncoder | None":
        """Returns the fast encoder if it is worth using for so many characters."""
        loaded = "_fast_encoder" in self.__dict__
        least = fast.MIN_CHARACTERS_TO_CALL if loaded else fast.MIN_CHARACTERS_TO_COMPILE
        return self._fast_encoder if size >= least else None

    @cached_property
    def _fast_encoder(self) -> "FastEncoder | None":
        return fast.build_encoder(self.merges, self._tokens, self.id_type, self.pattern)
