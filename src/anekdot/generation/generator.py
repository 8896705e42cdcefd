"""Prompts continued to whole texts: the only file where text, ids and engine meet."""

import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anekdot.bundle import Bundle
from anekdot.errors import ConfigurationError
from anekdot.field_checks import check_integer, check_number
from anekdot.generation.beam_search import beam_search
from anekdot.generation.engine import Engine
from anekdot.generation.numpy_engine import NumpyEngine
from anekdot.generation.sampling import sample
from anekdot.machine import refuse_too_large
from anekdot.tokenizer.tokenizer import Tokenizer

TEMPERATURE = 0.8
TOP_K = 50
MAX_TOKENS = 400


@dataclass(frozen=True)
class Sample:
    """One generated text.

    Attributes:
        prompt: What was given.
        text: The whole text, the prompt included.
        finish_reason: "end" (the model ended it), "stop" (a stop string came) or
            "length" (``max_tokens`` were reached).
        tokens: Tokens generated, without the prompt and the end token.
        seed: Gives the same text again, alone, with the same settings.
    """

    prompt: str
    text: str
    finish_reason: str
    tokens: int
    seed: int

    def __str__(self) -> str:
        return self.text


def load(bundle: Path | str | None = None) -> "Generator":
    """Loads a bundle, a folder or one .zip; without an argument, the pretrained one.

    Raises:
        BundleError: The folder is no bundle, or a damaged one, or its model has a part that the
            engine does not compute.
    """
    loaded = Bundle.load(bundle)
    return Generator(loaded.tokenizer, NumpyEngine.from_bundle(loaded))


class Generator:
    """Continues prompts to whole texts.

    Args:
        tokenizer: Text to ids and back.
        engine: The model.
    """

    def __init__(self, tokenizer: Tokenizer, engine: Engine[Any]) -> None:
        self.tokenizer = tokenizer
        self.engine = engine

    def generate(
        self,
        prompt: str = "",
        *,
        temperature: float = TEMPERATURE,
        top_k: int | None = None,
        beams: int | None = None,
        max_tokens: int = MAX_TOKENS,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Sample:
        """Returns one whole text that begins with the prompt.

        Args:
            prompt: Its beginning; may be empty.
            temperature: 0 takes the likeliest token each time; below 1 is calmer.
            top_k: How many of the likeliest tokens are possible; TOP_K unless given.
            beams: Width of a beam search, which takes the place of sampling.
            max_tokens: Most tokens generated.
            seed: The same seed and settings give the same text.
            stop: Strings before which the text ends.

        Raises:
            ConfigurationError: A setting or the prompt's length cannot work.
            TokenizerError: The prompt cannot be encoded (a lone surrogate).
        """
        *_, whole = self.stream(
            prompt, temperature=temperature, top_k=top_k, beams=beams, max_tokens=max_tokens,
            seed=seed, stop=stop,
        )  # fmt: skip
        assert isinstance(whole, Sample)
        return whole

    def stream(
        self,
        prompt: str = "",
        *,
        temperature: float = TEMPERATURE,
        top_k: int | None = None,
        beams: int | None = None,
        max_tokens: int = MAX_TOKENS,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str | Sample]:
        """Yields the text in pieces as it is generated, and at last the whole as a ``Sample``.

        The pieces, joined, are what follows the prompt in ``Sample.text``. None holds half a
        character, or what may yet become a stop string. A beam search yields nothing before it
        has ended.

        Args and errors are those of ``generate``. Errors are raised by the call itself.
        """
        self._check(temperature, top_k, beams, max_tokens, seed)
        _check_text(prompt, stop)
        seed = secrets.randbelow(1 << 32) if seed is None else seed
        prompt_ids = self._encode(prompt)
        self._check_memory(len(prompt_ids) + max_tokens, beams)
        if beams is None:
            tokens = self._sample(prompt_ids, temperature, top_k, max_tokens, seed)
        else:
            tokens = self._search(prompt_ids, beams, max_tokens)
        return self._pieces(prompt, tokens, seed, stop)

    def samples(
        self, prompt: str = "", *, n: int, seed: int | None = None, **settings: Any
    ) -> Iterator[Sample]:
        """Yields n texts; number i has the seed ``seed + i``, and is the same alone."""
        check_integer("n", n, 1, 1_000_000)
        if n > 1 and settings.get("beams") is not None:
            raise ConfigurationError(
                f"A beam search finds one text, not {n}.", "Leave out the number, or the beams."
            )
        first = secrets.randbelow(1 << 32) if seed is None else seed
        for number in range(n):
            yield self.generate(prompt, seed=first + number, **settings)

    @property
    def _forbidden(self) -> list[int]:
        return [self.tokenizer.pad_id, self.tokenizer.begin_id]

    def _sample(
        self,
        prompt_ids: list[int],
        temperature: float,
        top_k: int | None,
        max_tokens: int,
        seed: int,
    ) -> Iterator[int]:
        """Yields sampled ids, the end token included when it comes."""
        cache = self.engine.new_cache(len(prompt_ids) + max_tokens)
        logits_V = self.engine.prefill(prompt_ids, cache)
        for position in range(max_tokens + 1):
            logits_V[self._forbidden] = -np.inf
            if len(prompt_ids) == 1 and position == 0:
                logits_V[self.tokenizer.end_id] = -np.inf  # no empty texts
            token = sample(
                logits_V,
                temperature=temperature,
                top_k=top_k or TOP_K,
                seed=seed,
                position=position,
            )
            if position == max_tokens and token != self.tokenizer.end_id:
                return
            yield token
            if token == self.tokenizer.end_id:
                return
            logits_V = self.engine.decode([token], [cache])[0]

    def _search(self, prompt_ids: list[int], beams: int, max_tokens: int) -> Iterator[int]:
        """Yields the ids of the likeliest text found, the end token included when it comes."""
        ids, ended = beam_search(
            self.engine,
            prompt_ids,
            beams=beams,
            max_tokens=max_tokens,
            end_id=self.tokenizer.end_id,
            forbidden=self._forbidden,
            allow_empty=len(prompt_ids) > 1,
        )
        yield from ids
        if ended:
            yield self.tokenizer.end_id

    def _pieces(
        self, prompt: str, tokens: Iterator[int], seed: int, stop: Sequence[str]
    ) -> Iterator[str | Sample]:
        """Decodes ids to pieces of text and a sample, and draws no more at a stop string."""
        decoder = self.tokenizer.stream_decoder()
        text, given, count, reason = "", 0, 0, "length"
        for token in tokens:
            if token == self.tokenizer.end_id:
                text, reason = text + decoder.flush(), "end"
                break
            count += 1
            text += decoder.feed(token)
            found = [at for word in stop if (at := text.find(word, given)) >= 0]
            if found:
                text, reason = text[: min(found)], "stop"
                break
            safe = len(text) - max((_overlap(text, word) for word in stop), default=0)
            if safe > given:
                yield text[given:safe]
                given = safe
        # if cut off by max_tokens, half a character is left out rather than shown as U+FFFD
        if given < len(text):
            yield text[given:]
        yield Sample(prompt, prompt + text, reason, count, seed)

    def _encode(self, prompt: str) -> list[int]:
        """Returns the begin token and the ids of the prompt.

        Raises:
            ConfigurationError: It is longer than the model's context.
            TokenizerError: It cannot be encoded (a lone surrogate).
        """
        composed = unicodedata.normalize("NFC", prompt)  # as the training texts are
        ids = [self.tokenizer.begin_id, *self.tokenizer.encode(composed)]
        longest = self.engine.config.context_length
        if len(ids) > longest:
            raise ConfigurationError(
                f"The prompt has {len(ids) - 1} tokens, and the model reads at most {longest - 1}.",
                "Give a shorter prompt.",
            )
        return ids

    def _check(
        self,
        temperature: float,
        top_k: int | None,
        beams: int | None,
        max_tokens: int,
        seed: int | None,
    ) -> None:
        check_number("temperature", temperature, 0.0, 1e6)
        if top_k is not None:
            check_integer("top-k", top_k, 1, self.engine.config.vocab_size)
        if beams is not None:
            check_integer("beams", beams, 1, 64)
        check_integer("max-tokens", max_tokens, 1, 100_000)
        if seed is not None:
            check_integer("seed", seed, 0, (1 << 63) - 1)

    def _check_memory(self, tokens: int, beams: int | None) -> None:
        """Refuses a text whose keys and values would not fit; beams are copied while they grow."""
        config = self.engine.config
        token_bytes = 2 * 4 * config.n_layer * config.n_kv_head * config.head_dim
        refuse_too_large(
            tokens * token_bytes * (1 if beams is None else 2 * beams),
            f"A text of {tokens:,} tokens" + (f" with {beams} beams" if beams else ""),
            "Ask for fewer tokens or beams.",
        )


def _check_text(prompt: str, stop: Sequence[str]) -> None:
    strings = not isinstance(stop, str) and all(isinstance(word, str) for word in stop)
    if not isinstance(prompt, str) or not strings or not all(stop):
        raise ConfigurationError(
            "The prompt or a stop string is not text, or a stop string is empty.",
            "Give a string, and a list of strings that are not empty.",
        )


def _overlap(text: str, word: str) -> int:
    """Returns how many characters at the end of the text are the beginning of the word."""
    longest = min(len(text), len(word) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(word[:n])), 0)
