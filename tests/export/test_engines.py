"""Exported folders in the engines that they are for; each test needs its engine's packages."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.export import export
from anekdot.generation.numpy_engine import NumpyEngine
from tests.support import engines, oracle
from tests.support.bundles import SHAPES, random_bundle
from tests.support.texts import make_texts

PACKAGES = {"transformers": "transformers", "ctranslate2": "ctranslate2", "onnx": "onnxruntime"}
TARGETS = [
    pytest.param(
        target,
        marks=pytest.mark.skipif(
            not pytest.importorskip("importlib.util").find_spec(package),
            reason=f"{package} is not installed",
        ),
    )
    for target, package in PACKAGES.items()
]
LEAST = -15  # nats; rarer tokens are not compared
every_target = pytest.mark.parametrize("target", TARGETS)


def random_ids(bundle: Bundle, n: int) -> list[int]:
    return [1, *np.random.default_rng(7).integers(3, bundle.config.vocab_size, n - 1).tolist()]


def own_text(bundle: Bundle, n: int) -> list[int]:
    """Returns the ids of texts that a model could have learned from, one after the other."""
    return [1, *bundle.tokenizer.encode("\n".join(make_texts(200)))][:n]


def exported(bundle: Bundle, target: str, tmp_path, dtype="f32"):
    bundle.save(tmp_path / "model")
    export(tmp_path / "model", target, tmp_path / target, dtype=dtype)
    return engines.load(target, tmp_path / target)


def largest_difference(engine, tmp_path, ids: Sequence[int]) -> float:
    expected_TV = oracle.log_probabilities(tmp_path / "model", ids)
    found_TV = engine.log_probs(ids)
    return float(np.abs(found_TV - expected_TV)[expected_TV > LEAST].max())


@every_target
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_shapes_agree_with_float64(target, shape, tmp_path):
    bundle = random_bundle(**shape)
    engine = exported(bundle, target, tmp_path)
    ids = random_ids(bundle, 3 * bundle.config.context_length)
    assert largest_difference(engine, tmp_path, ids) <= 1e-4


@every_target
def test_the_own_model_agrees_with_float64(target, tmp_path):
    bundle = Bundle.load()
    engine = exported(bundle, target, tmp_path)
    for ids in (own_text(bundle, 384), random_ids(bundle, 384)):
        assert largest_difference(engine, tmp_path, ids) <= 1e-4


@pytest.mark.slow
@every_target
def test_the_likeliest_texts_are_the_same(target, tmp_path):
    """64 prompts of 64 tokens, up to ties that float32 does not decide."""
    bundle = Bundle.load()
    engine = exported(bundle, target, tmp_path)
    ties = 0
    for text in make_texts(64):
        ids = [1, *bundle.tokenizer.encode(" ".join(text.split()[:3]))]
        tie, expected = greedy(bundle, ids, engine.greedy(ids, 64))
        ties += tie
        assert expected is None, f"{ids} goes on with {expected}"
    print(f"{target}: {ties} ties")


def greedy(bundle: Bundle, ids: list[int], found: list[int]) -> tuple[bool, int | None]:
    """Returns whether a continuation leaves ours at a tie, and where ours goes if it is none."""
    engine = NumpyEngine.from_bundle(bundle)
    cache = engine.new_cache(len(ids) + len(found))
    logits_V = engine.prefill(ids, cache)
    for token in found:
        if token != logits_V.argmax():
            is_tie = bool(logits_V.max() - logits_V[token] < 1e-4)
            return is_tie, None if is_tie else int(logits_V.argmax())
        logits_V = engine.prefill([token], cache)
    assert len(found) == 64 or found[-1] == engines.END
    return False, None


def nats(engine, documents: list[list[int]]) -> float:
    """Returns nats a token."""
    found = [
        -engine.log_probs(ids[:-1])[np.arange(len(ids) - 1), ids[1:]].sum() for ids in documents
    ]
    return sum(found) / sum(len(ids) - 1 for ids in documents)


@pytest.mark.slow
@pytest.mark.parametrize(
    "target", [target for target in TARGETS if "transformers" not in target.values]
)
def test_int8_predicts_as_well(target, tmp_path):
    bundle = Bundle.load()
    documents = [[1, *bundle.tokenizer.encode(text), 2][:128] for text in make_texts(100)]
    engine = exported(bundle, target, tmp_path, "int8")
    reference = bundle_engine(bundle)
    assert np.exp(nats(engine, documents) - nats(reference, documents)) <= 1.003


def bundle_engine(bundle: Bundle):
    from anekdot.export.agreement import reference_log_probs

    return engines.Loaded(
        lambda ids: reference_log_probs(bundle.config, bundle.weights, ids), lambda ids, n: []
    )


def flip_a_slope(slopes):
    return [-slopes[0], *slopes[1:]]


def shift_slopes(slopes):
    return [*slopes[1:], slopes[0]]


@pytest.mark.parametrize("damage", [flip_a_slope, shift_slopes])
@pytest.mark.parametrize("target", TARGETS[2:])
def test_the_check_sees_other_slopes(target, damage, folder, tmp_path, monkeypatch):
    from anekdot.export import onnx_graph

    real = onnx_graph.head_slopes
    monkeypatch.setattr(onnx_graph, "head_slopes", lambda n: damage(real(n)))
    with pytest.raises(BundleError, match="other log-probabilities"):
        export(folder, target, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@every_target
def test_the_check_sees_that_gate_and_up_are_swapped(target, bundle, folder, tmp_path):
    import importlib

    swapped = dict(bundle.stored)
    for name in bundle.stored:
        if "gate_proj" in name:
            other = name.replace("gate_proj", "up_proj")
            swapped[name], swapped[other] = bundle.stored[other], bundle.stored[name]
    module = importlib.import_module(f"anekdot.export.{target}")
    module.write(dataclasses.replace(bundle, stored=swapped), tmp_path / "out", "f32", 1024)
    with pytest.raises(BundleError):
        module.check(bundle, tmp_path / "out", "f32")
