"""Texts out of a model that is random but fixed."""

import math
import unicodedata

import pytest

from anekdot.errors import ConfigurationError, TokenizerError
from anekdot.generation.generator import Generator
from anekdot.generation.numpy_engine import NumpyEngine
from anekdot.generation.torch_engine import TorchEngine
from anekdot.model.weights import model_weights
from anekdot.tokenizer.tokenizer import Tokenizer
from tests.support.models import tiny_model
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
