"""The NumPy engine against the PyTorch model and against a float64 forward pass."""

import dataclasses
import math
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.generation import numpy_engine as numpy_engine_module
from anekdot.generation.engine import MAX_DISAGREEMENT, disagreement
from anekdot.generation.generator import load
from anekdot.generation.numpy_engine import NumpyEngine
from anekdot.generation.torch_engine import TorchEngine, load_transformer
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.model.transformer import Transformer
from anekdot.model.weights import load_weights, model_weights
from anekdot.quantization import dequantize_weights, quantize_weights
from tests.support.models import published_slopes, tiny_model


def numpy_engine(model: Transformer) -> NumpyEngine:
    return NumpyEngine(model.config, model_weights(model))


ENGINES = [numpy_engine, TorchEngine]


def float64_logits(config: ModelConfig, weights: dict, ids: list[int]) -> np.ndarray:
    """The whole model in float64, without a cache and without looking at either engine."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}
    n_head, n_kv_head, head_dim = config.n_head, config.n_kv_head, config.head_dim

    def norm(x, name):
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + config.rms_eps) * w[name + ".weight"]

    x = w["token_embedding.weight"][ids]
    for layer in range(config.n_layer):
        p = f"blocks.{layer}."
        h = norm(x, p + "attention_norm")
        q, k, v = (h @ w[f"{p}attention.{m}_proj.weight"].T for m in "qkv")
        heads = []
        for n in range(n_head):
            g = n // (n_head // n_kv_head)
            qn = q[:, n * head_dim : (n + 1) * head_dim]
            kn, vn = (m[:, g * head_dim : (g + 1) * head_dim] for m in (k, v))
            scores = qn @ kn.T / math.sqrt(head_dim)
            for i in range(len(ids)):
                for j in range(len(ids)):
                    scores[i, j] += -published_slopes(n_head)[n] * (i - j) if j <= i else -np.inf
            e = np.exp(scores - scores.max(-1, keepdims=True))
            heads.append(e / e.sum(-1, keepdims=True) @ vn)
        x = x + np.concatenate(heads, -1) @ w[p + "attention.out_proj.weight"].T
        h = norm(x, p + "feed_forward_norm")
        gate = h @ w[p + "feed_forward.gate_proj.weight"].T
        up = h @ w[p + "feed_forward.up_proj.weight"].T
        x = x + (gate / (1 + np.exp(-gate)) * up) @ w[p + "feed_forward.down_proj.weight"].T
    head = "token_embedding" if config.tie_embeddings else "lm_head"
    return norm(x, "final_norm") @ w[head + ".weight"].T


@pytest.mark.parametrize("tied", [True, False])
def test_both_engines_equal_float64(tied):
    model = tiny_model(tie_embeddings=tied)
    weights = model_weights(model)
    ids = [1, 30, 4, 61, 5, 5, 17]
    expected = float64_logits(model.config, weights, ids)[-1]
    for engine in (NumpyEngine(model.config, weights), TorchEngine(model)):
        np.testing.assert_allclose(engine.prefill(ids, engine.new_cache(7)), expected, atol=1e-4)


@pytest.mark.parametrize("make_engine", ENGINES)
def test_softmax_stays_finite_where_exp_would_overflow(make_engine):
    model = tiny_model()
    with torch.no_grad():
        for block in model.blocks:
            block.attention.q_proj.weight.mul_(200)
    ids = [1, 30, 4, 61, 5, 5, 17]
    engine = make_engine(model)
    normed_TD = model.blocks[0].attention_norm(model.token_embedding.weight[ids])
    attention = model.blocks[0].attention
    q_TD, k_TD = attention.q_proj(normed_TD), attention.k_proj(normed_TD)
    head_dim = model.config.head_dim
    assert (q_TD[:, :head_dim] @ k_TD[:, :head_dim].T / math.sqrt(head_dim)).max() > 200
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        logits_V = engine.prefill(ids, engine.new_cache(7))
    expected = float64_logits(model.config, model_weights(model), ids)[-1]
    np.testing.assert_allclose(logits_V, expected, atol=1e-3)


@pytest.mark.parametrize("damage", ["gate_up", "slope", "kv"])
def test_damage_is_noticed(damage):
    model = tiny_model()
    weights = model_weights(model)
    ids = [1, 30, 4, 61, 5]
    expected = float64_logits(model.config, weights, ids)[-1]
    swapped = dict(weights)
    if damage == "gate_up":
        a, b = "blocks.0.feed_forward.gate_proj.weight", "blocks.0.feed_forward.up_proj.weight"
        swapped[a], swapped[b] = weights[b], weights[a]
    if damage == "kv":
        a, b = "blocks.0.attention.k_proj.weight", "blocks.0.attention.v_proj.weight"
        swapped[a], swapped[b] = weights[b], weights[a]
    engine = NumpyEngine(model.config, swapped)
    if damage == "slope":
        engine.slopes_N = engine.slopes_N[::-1].copy()
    assert abs(engine.prefill(ids, engine.new_cache(5)) - expected).max() > 1e-3


def random_preset(preset: str) -> tuple[ModelConfig, dict]:
    config = ModelConfig(vocab_size=500, context_length=64, **PRESETS[preset])
    torch.manual_seed(0)
    weights = model_weights(Transformer(config))
    # enlarged, so that attention is far from uniform
    large = {name: array * (3 if array.ndim == 2 else 1) for name, array in weights.items()}
    return config, dequantize_weights(quantize_weights(large))


@pytest.mark.parametrize("name", ["nano", "mini", "pretrained"])
def test_numpy_engine_follows_torch_greedily_on_dequantized_weights(name):
    bundle = Bundle.load()
    config, weights = (
        (bundle.config, bundle.weights) if name == "pretrained" else random_preset(name)
    )
    model = Transformer(config)
    load_weights(model, weights)
    numpy_engine, torch_engine = NumpyEngine(config, weights), TorchEngine(model)
    caches = numpy_engine.new_cache(60), torch_engine.new_cache(60)
    ids = [1, 40, 41, 42]
    for _ in range(50):
        ours, theirs = numpy_engine.prefill(ids, caches[0]), torch_engine.prefill(ids, caches[1])
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
        assert ours.argmax() == theirs.argmax()
        ids = [int(ours.argmax())]


@pytest.mark.parametrize("make_engine", ENGINES)
def test_cached_equals_full_and_copies_are_independent(make_engine):
    engine = make_engine(tiny_model())
    ids = [1, 9, 8, 7, 6, 5]
    cache = engine.new_cache(6)
    engine.prefill(ids[:2], cache)
    twin = cache.copy()
    engine.prefill([50, 51], twin)
    for token in ids[2:]:
        logits = engine.decode([token], [cache])[0]
    np.testing.assert_allclose(logits, engine.prefill(ids, engine.new_cache(6)), atol=1e-4)


@pytest.mark.parametrize("make_engine", ENGINES)
def test_rows_that_are_decoded_together_are_as_if_alone(make_engine):
    engine = make_engine(tiny_model())
    prompts, tokens = ([1, 9, 8], [1], [1, 30, 31, 32, 33, 34]), [7, 50, 61]
    together, alone = ([engine.new_cache(8) for _ in prompts] for _ in range(2))
    for caches in (together, alone):
        for prompt, cache in zip(prompts, caches, strict=True):
            engine.prefill(prompt, cache)
    rows = engine.decode(tokens, together)
    for row, token, cache in zip(rows, tokens, alone, strict=True):
        assert (row == engine.prefill([token], cache)).all()


@settings(deadline=None, max_examples=30)
@given(
    kept=st.lists(st.integers(3, 63), min_size=1, max_size=6),
    undone=st.lists(st.integers(3, 63), max_size=6),
    more=st.lists(st.integers(3, 63), min_size=1, max_size=4),
)
@pytest.mark.parametrize("make_engine", ENGINES)
def test_a_truncated_cache_is_as_if_nothing_had_been_decoded(make_engine, kept, undone, more):
    engine = make_engine(tiny_model())
    cut, plain = engine.new_cache(16), engine.new_cache(16)
    for cache in (cut, plain):
        engine.prefill(kept, cache)
    for token in undone:
        engine.decode([token], [cut])
    assert cut.length == len(kept) + len(undone)
    cut.truncate(len(kept))
    for token in more:
        assert (engine.decode([token], [cut]) == engine.decode([token], [plain])).all()


@pytest.mark.parametrize("length", [-1, 5])
@pytest.mark.parametrize("make_engine", ENGINES)
def test_a_cache_is_never_cut_to_what_it_does_not_hold(make_engine, length):
    engine = make_engine(tiny_model())
    cache = engine.new_cache(8)
    engine.prefill([1, 2, 3, 4], cache)
    with pytest.raises(AssertionError):
        cache.truncate(length)


@pytest.mark.parametrize("make_engine", ENGINES)
def test_a_full_cache_takes_no_more(make_engine):
    engine = make_engine(tiny_model())
    cache = engine.new_cache(3)
    engine.prefill([1, 2, 3], cache)
    with pytest.raises(AssertionError, match="full"):
        engine.decode([4], [cache])
    with pytest.raises(AssertionError, match="full"):
        engine.prefill([1, 2, 3, 4], engine.new_cache(3))


def test_torch_engine_leaves_the_training_mode_alone():
    model = tiny_model(dropout=0.5).train()
    engine = TorchEngine(model)
    first, second = (engine.prefill([1, 2], engine.new_cache(2)) for _ in range(2))
    assert (first == second).all()
    assert model.training
    assert torch.is_grad_enabled()
    with pytest.raises(IndexError):
        engine.prefill([10**6], engine.new_cache(1))  # no such token
    assert model.training


@pytest.mark.parametrize("name", ["nano", "pretrained"])
def test_engines_of_one_model_agree(name):
    bundle = Bundle.load()
    config, weights = random_preset("nano")
    model = load_transformer(bundle) if name == "pretrained" else Transformer(config)
    if name == "nano":
        load_weights(model, weights)
    prompt_ids = [1, *range(40, 60)]
    assert 0 < disagreement(numpy_engine(model), TorchEngine(model), prompt_ids) < MAX_DISAGREEMENT


class LayerNormEngine(NumpyEngine):
    """A copy of the engine whose norm was changed, and its literal was not."""

    def _norm(self, x, name):
        return super()._norm(x - x.mean(axis=-1, keepdims=True), name)


def test_an_engine_of_another_part_disagrees():
    torch.manual_seed(0)
    model = Transformer(ModelConfig(vocab_size=500, context_length=64, **PRESETS["nano"]))
    other = LayerNormEngine(model.config, model_weights(model))
    assert disagreement(TorchEngine(model), other, [1, *range(40, 60)]) > MAX_DISAGREEMENT


def test_what_is_not_a_number_disagrees():
    model = tiny_model()
    engine = NumpyEngine(model.config, model_weights(model))
    with torch.no_grad():
        model.final_norm.weight[3] = math.nan
    assert disagreement(engine, TorchEngine(model), [1, 5, 9]) == math.inf


@pytest.mark.parametrize(
    ("part", "named", "known"),
    [
        ("position", "rope", "alibi"),
        ("norm", "layernorm", "rmsnorm"),
        ("feed_forward", "gelu", "swiglu"),
        ("norm", None, "rmsnorm"),
        ("experts", "top-2", "no experts"),
    ],
)
def test_a_model_of_another_part_is_refused_by_every_engine(tmp_path, part, named, known):
    whole = Bundle.load()
    parts = {name: p for name, p in {**whole.parts, part: named}.items() if p is not None}
    changed = dataclasses.replace(whole, parts=parts)
    changed.save(tmp_path)
    for refuse, engine in (
        (lambda: load(tmp_path), "NumPy"),
        (lambda: load_transformer(Bundle.load(tmp_path)), "PyTorch"),
    ):
        with pytest.raises(BundleError, match=engine) as error:
            refuse()
        for word in (part, named or "no norm", known):
            assert word in error.value.cause


@pytest.mark.parametrize("max_scores", [1, 6 * 40 * 7, 6 * 40 * 40])
def test_a_prompt_read_in_parts_gives_the_same_logits(monkeypatch, max_scores):
    engine, ids = numpy_engine(tiny_model()), [1, *range(3, 42)]
    whole = engine.prefill(ids, engine.new_cache(40))
    monkeypatch.setattr(numpy_engine_module, "MAX_SCORES", max_scores)
    cache = engine.new_cache(50)
    np.testing.assert_allclose(engine.prefill(ids, cache), whole, atol=1e-4)
    assert cache.length == 40


def test_a_long_prompt_takes_little_memory():
    engine = numpy_engine(tiny_model(context_length=1 << 20))
    tracemalloc.start()
    try:
        engine.prefill([5] * 6_000, engine.new_cache(6_000))
        assert tracemalloc.get_traced_memory()[1] < 600 << 20  # the square alone has 824 MiB
    finally:
        tracemalloc.stop()


def test_a_cache_grows_with_its_tokens_and_keeps_them(monkeypatch):
    engine, ids = numpy_engine(tiny_model()), [1, *range(3, 33)]
    whole = engine.prefill(ids, engine.new_cache(len(ids)))
    assert engine.new_cache(10**9).keys_LKSH.nbytes < 1 << 20
    monkeypatch.setattr(numpy_engine_module, "FIRST_CAPACITY", 2)
    cache = engine.new_cache(len(ids))
    for token in ids:
        logits_V = engine.decode([token], [cache])[0]
    np.testing.assert_allclose(logits_V, whole, atol=1e-4)
    assert cache.keys_LKSH.shape[2] == len(ids)


def too_large(change: dict[str, float]) -> Transformer:
    """A model with finite weights whose numbers become infinite."""
    model = tiny_model()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(max((f for part, f in change.items() if part in name), default=1.0))
    return model


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"q_proj": 1e20, "k_proj": 1e20}, "_proj"),
        ({"final_norm": 1e38, "embed": 1e18}, "final_norm"),
        ({"down_proj": 1e17, "up_proj": 1e17}, "_proj"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_infinite_logits_name_the_largest_weight(change, name):
    engine = numpy_engine(too_large(change))
    with pytest.raises(BundleError, match=rf"not finite.*e\+\d\d, in \S*{name}"):
        engine.prefill([1, 5, 9], engine.new_cache(3))
