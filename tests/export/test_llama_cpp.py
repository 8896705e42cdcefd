"""GGUF files in llama.cpp itself: make test-export installs it."""

import dataclasses
import math

import numpy as np
import pytest

from anekdot.bundle import PRETRAINED, Bundle
from anekdot.export import gguf
from anekdot.generation.generator import load
from anekdot.tokenizer.tokenizer import Tokenizer
from tests.support.bundles import SHAPES, random_bundle
from tests.support.llama_cpp import FOLDER, Llama
from tests.support.oracle import log_probabilities
from tests.support.strings import random_strings

pytest.importorskip("gguf")
pytestmark = pytest.mark.skipif(not FOLDER, reason="ANEKDOT_LLAMA_CPP names no folder")

TOLERANCE = 1e-4  # of a log-probability in float32
LEAST = -15.0  # below, float32 has fewer digits, and nothing is ever drawn


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """Writes the pretrained model in a dtype, once."""
    folder = tmp_path_factory.mktemp("pretrained")

    def path(dtype):
        if not (folder / dtype).exists():
            gguf.write(Bundle.load(), folder / dtype, dtype, 1024)
        return folder / dtype

    return path


def in_llama(bundle, path, ids, **settings):
    """Returns log_p_TV as llama.cpp computes it in float32."""
    gguf.write(bundle, path, "f32", 1024)
    with Llama(path, **settings) as llama:
        return log_softmax(llama.logits(ids))


def log_softmax(logits_TV):
    shifted_TV = logits_TV.astype(np.float64) - logits_TV.max(1, keepdims=True)
    return shifted_TV - np.log(np.exp(shifted_TV).sum(1, keepdims=True))


def largest_difference(found_TV, expected_TV):
    return float(np.abs(found_TV - expected_TV)[expected_TV > LEAST].max())


@pytest.mark.parametrize("number", range(len(SHAPES)))
def test_log_probabilities_are_those_of_the_oracle(number, tmp_path, record_property):
    """At three times the trained length."""
    bundle = random_bundle(number, **SHAPES[number])
    bundle.save(tmp_path / "model")
    ids = np.random.default_rng(number).integers(0, 300, 3 * 32).tolist()
    expected_TV = log_probabilities(tmp_path / "model", ids)
    difference = largest_difference(in_llama(bundle, tmp_path / "x.gguf", ids), expected_TV)
    record_property("nats", difference)
    print(f"{SHAPES[number]}: {difference:.1e}")
    assert difference < TOLERANCE


def swap_gate_and_up(bundle):
    names = [f"blocks.0.feed_forward.{part}_proj.weight" for part in ("gate", "up")]
    return {**bundle.stored, names[0]: bundle.stored[names[1]], names[1]: bundle.stored[names[0]]}


def shift_slopes_by_a_head(bundle):
    """Moves each head to the place of the next, which has another slope."""
    stored, width = dict(bundle.stored), bundle.config.head_dim
    groups = bundle.config.n_head // bundle.config.n_kv_head
    for layer in range(bundle.config.n_layer):
        for part, axis, heads in (("q", 0, groups), ("k", 0, 1), ("v", 0, 1), ("out", 1, groups)):
            name = f"blocks.{layer}.attention.{part}_proj.weight"
            stored[name] = np.roll(stored[name], heads * width, axis)
    return stored


def flip_a_slope(bundle):
    """Gives the first head, whose slope is steep, the keys of one that looks the other way."""
    stored, width = dict(bundle.stored), bundle.config.head_dim
    name = "blocks.0.attention.q_proj.weight"
    stored[name] = stored[name].copy()
    stored[name][:width] *= -1
    return stored


@pytest.mark.parametrize("damage", [swap_gate_and_up, shift_slopes_by_a_head, flip_a_slope])
def test_damage_is_seen(damage, tmp_path):
    bundle = random_bundle()
    bundle.save(tmp_path / "model")
    ids = np.random.default_rng(0).integers(0, 300, 64).tolist()
    expected_TV = log_probabilities(tmp_path / "model", ids)
    worse = dataclasses.replace(bundle, stored=damage(bundle))
    assert largest_difference(in_llama(worse, tmp_path / "x.gguf", ids), expected_TV) > 0.01


def test_the_pretrained_model_at_three_times_its_length(pretrained):
    bundle = Bundle.load()
    texts = [sample.text for sample in load().samples(n=16, seed=1, max_tokens=64)]
    ids = [1, *bundle.tokenizer.encode("\n".join(texts))][: 3 * bundle.config.context_length]
    assert len(ids) == 384
    expected_TV = log_probabilities(PRETRAINED, ids)
    with Llama(pretrained("f32")) as llama:
        whole_TV = llama.logits(ids)
        found_TV = log_softmax(whole_TV)
        steps_TV = np.concatenate(
            [llama.logits(ids[:300]), *(llama.append([id]) for id in ids[300:])]
        )
    difference = largest_difference(found_TV, expected_TV)
    print(f"pretrained: {difference:.1e}")
    assert difference < TOLERANCE
    assert (found_TV.argmax(1) == expected_TV.argmax(1)).all()
    assert largest_difference(log_softmax(steps_TV), expected_TV) < TOLERANCE


def test_special_tokens(pretrained):
    with Llama(pretrained("q8_0"), 64) as llama:
        library, vocabulary = llama.llama, llama.vocabulary
        assert library.llama_vocab_bos(vocabulary) == Tokenizer.begin_id
        assert library.llama_vocab_eos(vocabulary) == Tokenizer.end_id
        assert library.llama_vocab_pad(vocabulary) == Tokenizer.pad_id
        assert library.llama_vocab_get_add_bos(vocabulary)
        assert not library.llama_vocab_get_add_eos(vocabulary)
        ends = [id for id in range(llama.vocab_size) if library.llama_vocab_is_eog(vocabulary, id)]
        assert ends == [Tokenizer.end_id]
        assert library.llama_model_n_ctx_train(llama.model) == 1024


@pytest.mark.slow
def test_greedy_texts_are_the_same(pretrained):
    """64 prompts of 64 tokens; where texts part, the two likeliest tokens must be a tie."""
    generator = load()
    engine, encode = generator.engine, generator.tokenizer.encode
    prompts = [sample.text[:25] for sample in generator.samples(n=64, seed=100, max_tokens=30)]
    ties = 0
    with Llama(pretrained("f32")) as llama:
        for prompt in prompts:
            ids = [Tokenizer.begin_id, *encode(prompt)]
            cache = engine.new_cache(len(ids) + 64)
            ours_V, theirs_V = engine.prefill(ids, cache), llama.logits(ids)[-1]
            for _ in range(64):
                if ours_V.argmax() != theirs_V.argmax():
                    best = np.sort(ours_V)[-2:]
                    assert best[1] - best[0] < TOLERANCE, prompt
                    ties += 1
                    break
                id = int(ours_V.argmax())
                if id == Tokenizer.end_id:
                    break
                ours_V, theirs_V = engine.prefill([id], cache), llama.append([id])[-1]
    print(f"ties: {ties} of 64")


@pytest.mark.parametrize("pattern", ["qwen2", "qwen35"])
@pytest.mark.parametrize("n", [2000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_generated_strings_have_the_same_ids(n, pattern, tmp_path):
    tokenizer = Tokenizer(Bundle.load().tokenizer.merges, pattern)
    bundle = dataclasses.replace(random_bundle(vocab_size=4096), tokenizer=tokenizer)
    gguf.write(bundle, tmp_path / "x.gguf", "f16", 64)
    with Llama(tmp_path / "x.gguf", 64) as llama:
        differences = [
            text for text in random_strings(n) if llama.encode(text) != tokenizer.encode(text)
        ]
    assert differences == []


def test_a_text_never_becomes_a_special_token(pretrained):
    text = "кот<|end|>кот<|begin|> <|pad|>"
    tokenizer = Bundle.load().tokenizer
    with Llama(pretrained("q8_0"), 64) as llama:
        assert llama.encode(text) == tokenizer.encode(text)
        assert Tokenizer.end_id not in llama.encode(text)
        assert Tokenizer.end_id in llama.encode(text, special=True)  # as servers read a prompt
        assert llama.encode(text, begin=True)[0] == Tokenizer.begin_id
        assert llama.decode(llama.encode(text)).decode() == text


LEAST_LOSS = {"f16": 1.0005, "bf16": 1.0005, "q8_0": 1.001, "q4_0": 1.04}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", LEAST_LOSS)
def test_perplexity_of_smaller_files(dtype, pretrained):
    """On texts of the model itself, whose perplexity is lower than that of any others."""
    texts = [sample.text for sample in load().samples(n=40, seed=500, max_tokens=100)]
    encode = Bundle.load().tokenizer.encode
    documents = [[Tokenizer.begin_id, *encode(text), Tokenizer.end_id] for text in texts]
    ratio = math.exp(loss(pretrained(dtype), documents) - loss(pretrained("f32"), documents))
    print(f"{dtype}: × {ratio:.5f}")
    assert ratio < LEAST_LOSS[dtype]


def loss(path, documents):
    """Returns nats per token, with llama.cpp's own settings."""
    nats = tokens = 0
    with Llama(path, exact=False) as llama:
        for ids in documents:
            log_p_TV = log_softmax(llama.logits(ids[:-1]))
            nats -= log_p_TV[np.arange(len(ids) - 1), ids[1:]].sum()
            tokens += len(ids) - 1
    return nats / tokens
