"""Texts out of a model that is random but fixed."""

import dataclasses
import math
import unicodedata

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot import machine
from anekdot.errors import BundleError, ConfigurationError, TokenizerError
from anekdot.generation.generator import TOP_K, Generator, Sample, load
from anekdot.generation.numpy_engine import NumpyEngine
from anekdot.generation.torch_engine import TorchEngine
from anekdot.model.weights import model_weights
from anekdot.tokenizer.tokenizer import Tokenizer
from tests.support.models import TINY_MODEL, tiny_model
from tests.support.texts import make_texts

PROMPT = "Студент"


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(make_texts(200), 300)


@pytest.fixture(scope="module")
def model(tokenizer):
    return tiny_model(vocab_size=tokenizer.vocab_size)


@pytest.fixture(scope="module", params=["cpu", "torch"])
def generator(request, tokenizer, model):
    engine = NumpyEngine(model.config, model_weights(model))
    return Generator(tokenizer, engine if request.param == "cpu" else TorchEngine(model))


def test_text_begins_with_the_prompt(generator):
    for prompt in (PROMPT, "", " Кот\n", "🙂"):
        sample = generator.generate(prompt, seed=1, max_tokens=10)
        assert sample.text.startswith(prompt)
        assert sample.prompt == prompt
        assert str(sample) == sample.text


def test_same_seed_same_text_alone_or_in_a_batch(generator):
    batch = list(generator.samples(PROMPT, n=4, seed=11, max_tokens=15))
    alone = [generator.generate(PROMPT, seed=s.seed, max_tokens=15) for s in reversed(batch)]
    assert batch == alone[::-1]
    assert len({sample.text for sample in batch}) > 1


def test_seedless_texts_tell_the_seed_that_repeats_them(generator):
    sample = generator.generate(PROMPT, max_tokens=8)
    assert generator.generate(PROMPT, seed=sample.seed, max_tokens=8) == sample


def test_longer_limit_continues_the_same_text(generator):
    short = generator.generate(PROMPT, seed=5, max_tokens=6)
    long = generator.generate(PROMPT, seed=5, max_tokens=12)
    assert long.text.startswith(short.text)


def test_finish_reasons_and_token_counts(generator):
    wild = {"temperature": 100.0, "top_k": generator.tokenizer.vocab_size}
    samples = list(generator.samples(n=200, seed=0, max_tokens=12, **wild))
    assert {sample.finish_reason for sample in samples} == {"end", "length"}
    for sample in samples:
        assert sample.tokens <= 12
        assert sample.tokens == 12 or sample.finish_reason == "end"


def test_stop_string_ends_the_text_before_it(generator):
    whole = generator.generate(PROMPT, seed=2, max_tokens=30)
    word = whole.text[len(PROMPT) + 3 : len(PROMPT) + 5]
    cut = generator.generate(PROMPT, seed=2, max_tokens=30, stop=[word])
    assert cut.finish_reason == "stop"
    assert cut.text == PROMPT + whole.text[len(PROMPT) :].split(word)[0]


def test_no_sample_holds_special_or_broken_text(generator):
    for sample in generator.samples(n=20, seed=3, max_tokens=20, temperature=3.0):
        assert "<|" not in sample.text


def test_a_text_without_prompt_is_never_empty(generator):
    assert all(s.tokens > 0 for s in generator.samples(n=50, seed=0, max_tokens=3))


def test_zero_temperature_and_one_likeliest_are_the_same(generator):
    greedy = generator.generate(PROMPT, temperature=0, seed=1, max_tokens=20)
    assert generator.generate(PROMPT, top_k=1, seed=9, max_tokens=20).text == greedy.text


def test_so_many_tokens_are_possible_unless_told(generator):
    settings = {"temperature": 100.0, "seed": 1, "max_tokens": 30}
    default = generator.generate(PROMPT, **settings)
    assert default == generator.generate(PROMPT, top_k=TOP_K, **settings)
    assert default != generator.generate(PROMPT, top_k=TOP_K - 1, **settings)
    assert default != generator.generate(PROMPT, top_k=TOP_K + 1, **settings)


def test_one_beam_is_greedy_and_more_are_not_worse(generator):
    greedy = generator.generate(PROMPT, temperature=0, seed=1, max_tokens=20)
    assert generator.generate(PROMPT, beams=1, seed=1, max_tokens=20) == greedy
    assert generator.generate(PROMPT, beams=4, max_tokens=20).text.startswith(PROMPT)


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": -1.0},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"top_k": 0},
        {"top_k": -3},
        {"top_k": 10**6},
        {"max_tokens": 0},
        {"beams": 0},
        {"seed": -1},
        {"prompt": "слово " * 100},
        {"prompt": b"bytes"},
        {"temperature": "1"},
        {"stop": "abc"},
        {"stop": [""]},
    ],
)
def test_impossible_settings_are_refused(generator, settings):
    with pytest.raises(ConfigurationError):
        generator.generate(**settings)


def test_several_texts_of_one_beam_search_are_refused(generator):
    with pytest.raises(ConfigurationError):
        next(generator.samples(n=2, beams=2))


def test_a_decomposed_prompt_is_continued_like_a_composed_one(generator):
    composed, decomposed = (
        generator.generate(unicodedata.normalize(form, "Мой йод"), seed=4, max_tokens=9)
        for form in ("NFC", "NFD")
    )
    assert composed.text[7:] == decomposed.text[9:]
    assert decomposed.text.startswith(unicodedata.normalize("NFD", "Мой йод"))


@pytest.mark.parametrize("n", [0, -1, 10**9])
def test_impossible_numbers_of_texts_are_refused(generator, n):
    with pytest.raises(ConfigurationError):
        next(generator.samples(n=n))


def test_a_lone_surrogate_is_no_prompt(generator):
    with pytest.raises(TokenizerError):
        generator.generate("\ud800")


def read_whole(generator, prompt, ids, seed, stop):
    """What a sample is, told plainly: all ids are decoded, and nothing is held back."""
    decoder, text = generator.tokenizer.stream_decoder(), ""
    for count, token in enumerate(ids):
        if token == generator.tokenizer.end_id:
            return Sample(prompt, prompt + text + decoder.flush(), "end", count, seed)
        text += decoder.feed(token)
        cuts = [text.find(word) for word in stop if word in text]
        if cuts:
            return Sample(prompt, prompt + text[: min(cuts)], "stop", count + 1, seed)
    return Sample(prompt, prompt + text, "length", len(ids), seed)


@settings(deadline=None, max_examples=60)
@given(
    data=st.data(),
    prompt=st.sampled_from([PROMPT, "", "Мой йод", "🙂"]),
    options=st.fixed_dictionaries(
        {
            "seed": st.integers(0, 1 << 40),
            "max_tokens": st.integers(1, 40),
            "temperature": st.sampled_from([0.0, 0.8, 3.0]),
        }
    ),
)
def test_what_is_streamed_is_the_whole_text(generator, data, prompt, options):
    whole = generator.generate(prompt, **options).text[len(prompt) :]
    spans = st.tuples(st.integers(0, len(whole)), st.integers(1, 6)).map(
        lambda span: whole[span[0] : span[0] + span[1]]
    )
    # spans of the text, and spans that go on otherwise than the text does
    words = spans | spans.map(lambda word: word + "☃") | st.text("аео \n☃", max_size=3)
    stop = data.draw(st.lists(words.filter(bool), max_size=4))
    *pieces, sample = generator.stream(prompt, stop=stop, **options)
    prompt_ids = generator._encode(prompt)
    ids = list(generator._sample(prompt_ids, top_k=None, **options))
    assert sample == read_whole(generator, prompt, ids, options["seed"], stop)
    assert sample == generator.generate(prompt, stop=stop, **options)
    assert all(isinstance(piece, str) and piece for piece in pieces)
    assert prompt + "".join(pieces) == sample.text


@pytest.mark.parametrize("max_tokens", [1, 5, 20])
@pytest.mark.parametrize("cut", [None, slice(2, 5)])
def test_a_streamed_beam_search_is_the_whole_text(generator, max_tokens, cut):
    options = {"beams": 3, "seed": 0, "max_tokens": max_tokens}
    whole = generator.generate(PROMPT, **options).text[len(PROMPT) :]
    stop = [word] if cut and (word := whole[cut]) else []
    *pieces, sample = generator.stream(PROMPT, stop=stop, **options)
    assert sample == generator.generate(PROMPT, stop=stop, **options)
    assert PROMPT + "".join(pieces) == sample.text


def test_pieces_come_while_the_text_is_generated(tokenizer, model):
    calls = []
    generator = Generator(tokenizer, TorchEngine(model, poll=lambda: calls.append(None)))
    stream = generator.stream(PROMPT, seed=1, max_tokens=30)
    assert not calls
    assert isinstance(next(stream), str)
    assert len(calls) < 10
    *_, sample = stream
    assert len(calls) > sample.tokens > 10


def test_a_stream_refuses_before_it_is_read(generator):
    with pytest.raises(ConfigurationError):
        generator.stream(max_tokens=0)
    with pytest.raises(ConfigurationError):
        generator.stream("слово " * 100)
    with pytest.raises(ConfigurationError):
        generator.stream(stop=[1])


def test_the_pretrained_model_tells_what_the_documents_show():
    """Its bundle is older than every engine here, and its texts stand in docs/results.md."""
    text = load().generate("Приходит программист", seed=5).text
    assert text == "Приходит программист домой.\n— Что случилось?\n— Уважаемые пассажиры!"


@pytest.mark.parametrize("settings", [{}, {"temperature": 0}, {"beams": 3}])
def test_logits_that_are_not_finite_are_refused(tokenizer, settings):
    model = tiny_model(vocab_size=tokenizer.vocab_size)
    with torch.no_grad():
        model.final_norm.weight[3] = math.nan
    for engine in (NumpyEngine(model.config, model_weights(model)), TorchEngine(model)):
        with pytest.raises(BundleError, match="not finite"):
            Generator(tokenizer, engine).generate(PROMPT, **settings)


def test_a_search_larger_than_the_memory_is_refused_at_once(generator, monkeypatch):
    monkeypatch.setattr(machine, "physical_memory", lambda: 1 << 30)
    with pytest.raises(ConfigurationError, match=r"100,\d+ tokens with 64 beams needs .* GiB"):
        generator.generate(PROMPT, beams=64, max_tokens=100_000)
    assert generator.generate(PROMPT, beams=64, max_tokens=2).tokens <= 2


BYTES = Tokenizer(())


class ScriptedEngine:
    """Says ids one after the other, whatever it reads; others are likelier all the time."""

    def __init__(self, script, likelier=(), tokenizer=BYTES):
        self.script, self.likelier = script, list(likelier)
        self.config = dataclasses.replace(TINY_MODEL, vocab_size=tokenizer.vocab_size)

    def new_cache(self, capacity):
        return []

    def prefill(self, ids, cache):
        logits_V = np.zeros(self.config.vocab_size, np.float32)
        logits_V[self.script[min(len(cache), len(self.script) - 1)]] = 100.0
        logits_V[self.likelier] = 200.0
        cache.append(ids)
        return logits_V

    def decode(self, tokens, caches):
        return np.stack([self.prefill([t], cache) for t, cache in zip(tokens, caches, strict=True)])


@pytest.mark.parametrize("settings", [{"temperature": 0}, {"temperature": 2.0}, {"beams": 2}])
def test_begin_and_padding_are_never_generated(settings):
    script = [*BYTES.encode("Кот"), BYTES.end_id]
    engine = ScriptedEngine(script, likelier=[BYTES.begin_id, BYTES.pad_id])
    sample = Generator(BYTES, engine).generate(seed=1, max_tokens=9, **settings)
    assert sample == Sample("", "Кот", "end", 6, 1)


@pytest.mark.parametrize("settings", [{"temperature": 0}, {"beams": 1}])
def test_half_a_character_at_the_limit_is_left_out(settings):
    engine = ScriptedEngine([*BYTES.encode("аж"), BYTES.end_id])
    for max_tokens, text, reason in [(2, "а", "length"), (3, "а", "length"), (4, "аж", "end")]:
        *pieces, sample = Generator(BYTES, engine).stream(
            "к", max_tokens=max_tokens, seed=1, **settings
        )
        assert sample == Sample("к", "к" + text, reason, max_tokens, 1)
        assert "".join(pieces) == text


def test_half_a_character_at_the_end_is_shown():
    engine = ScriptedEngine([*BYTES.encode("аж")[:3], BYTES.end_id])
    assert Generator(BYTES, engine).generate(temperature=0).text == "а\ufffd"


def test_the_earlier_of_two_stop_strings_in_one_token_cuts(tokenizer):
    token = max(range(3, tokenizer.vocab_size), key=lambda id: len(set(tokenizer.decode([id]))))
    text = tokenizer.decode([token])
    first, second, third = text[0], text[1:].lstrip(text[0])[0], text[-1]
    assert len({first, second, third}) == 3
    engine = ScriptedEngine([token] * 3, tokenizer=tokenizer)
    for stop in ([second, third], [third, second]):
        sample = Generator(tokenizer, engine).generate(PROMPT, temperature=0, stop=stop)
        assert sample.text == PROMPT + text[: text.index(second)]
        assert sample.finish_reason == "stop"


def test_a_prompt_may_fill_the_context(generator):
    longest = generator.engine.config.context_length - 1
    prompt = "☃" * (longest // 3)  # a token for each of its bytes
    prompt += "0" * (longest - len(generator.tokenizer.encode(prompt)))
    assert len(generator.tokenizer.encode(prompt)) == longest
    assert generator.generate(prompt, max_tokens=3, seed=1).text.startswith(prompt)
    with pytest.raises(ConfigurationError, match=f"at most {longest}"):
        generator.generate(prompt + "0", max_tokens=3, seed=1)
