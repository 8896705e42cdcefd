"""The oracle and the NumPy engine do not share a line, and agree."""

import numpy as np
import pytest

from anekdot.bundle import PRETRAINED
from anekdot.generation.generator import load
from tests.support.bundles import SHAPES, random_bundle
from tests.support.oracle import log_probabilities


@pytest.mark.parametrize("shape", SHAPES)
def test_the_oracle_agrees_with_the_engine(shape, tmp_path):
    bundle = random_bundle(**shape)
    bundle.save(tmp_path)
    ids = np.random.default_rng(1).integers(0, 300, 96).tolist()
    compare(tmp_path, ids)


def test_the_oracle_agrees_with_the_engine_on_the_pretrained_model():
    compare(PRETRAINED, [1, *load().tokenizer.encode("Приходит мужик к врачу и говорит:")])


def compare(folder, ids):
    engine = load(folder).engine
    cache = engine.new_cache(len(ids))
    logits_TV = np.stack([engine.prefill([id], cache) for id in ids]).astype(np.float64)
    logits_TV -= logits_TV.max(1, keepdims=True)
    found_TV = logits_TV - np.log(np.exp(logits_TV).sum(1, keepdims=True))
    expected_TV = log_probabilities(folder, ids)
    assert np.abs(found_TV - expected_TV)[expected_TV > -15].max() < 1e-4
