"""The NumPy engine against the PyTorch model and against a float64 forward pass."""

import math

import numpy as np
import pytest
import torch

from anekdot.bundle import Bundle
from anekdot.generation.numpy_engine import NumpyEngine
from anekdot.generation.torch_engine import TorchEngine
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.model.transformer import Transformer
from anekdot.model.weights import load_weights, model_weights
from anekdot.quantization import dequantize_weights, quantize_weights
from tests.support.models import published_slopes, tiny_model


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
        np.testing.assert_allclose(engine.forward(ids, engine.new_cache(7)), expected, atol=1e-4)


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
    assert abs(engine.forward(ids, engine.new_cache(5)) - expected).max() > 1e-3


def random_preset(preset: str) -> tuple[ModelConfig, dict]:
    config = ModelConfig(vocab_size=500, context_length=64, **PRESETS[preset])
    torch.manual_seed(0)
    weights = model_weights(Transformer(config))
    # enlarged, so that attention is far from uniform
    large = {name: array * (3 if array.ndim == 2 else 1) for name, array in weights.items()}
    return config, dequantize_weights(quantize_weights(large))


@pytest.mark.parametrize("name", ["nano", "mini", "pretrained"])
def test_cpu_engine_follows_torch_greedily_on_dequantized_weights(name):
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
        ours, theirs = numpy_engine.forward(ids, caches[0]), torch_engine.forward(ids, caches[1])
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
        assert ours.argmax() == theirs.argmax()
        ids = [int(ours.argmax())]


@pytest.mark.parametrize("kind", [NumpyEngine, TorchEngine])
def test_cached_equals_full_and_copies_are_independent(kind):
    model = tiny_model()
    engine = kind(model.config, model_weights(model)) if kind is NumpyEngine else kind(model)
    ids = [1, 9, 8, 7, 6, 5]
    cache = engine.new_cache(6)
    engine.forward(ids[:2], cache)
    twin = cache.copy()
    engine.forward([50, 51], twin)
    for token in ids[2:]:
        logits = engine.forward([token], cache)
    np.testing.assert_allclose(logits, engine.forward(ids, engine.new_cache(6)), atol=1e-4)


def test_torch_engine_leaves_the_training_mode_alone():
    model = tiny_model(dropout=0.5).train()
    engine = TorchEngine(model)
    first, second = (engine.forward([1, 2], engine.new_cache(2)) for _ in range(2))
    assert (first == second).all()
    assert model.training
    assert torch.is_grad_enabled()
