"""Going on from a trained bundle, on other texts."""

from pathlib import Path

import numpy as np
import pytest

import anekdot
from anekdot.bundle import Bundle
from anekdot.errors import ConfigurationError
from anekdot.evaluation.likelihood import Likelihood
from tests.support.runs import TINY_RUN, metrics

DIARY = Path(__file__).parents[1] / "data" / "cat_diary.txt"
SPLITS = {"validation": 0.15, "test": 0.15}


@pytest.fixture(scope="module")
def base_bundle(jokes, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("base_bundle") / "m"
    anekdot.train(jokes, out=out, **TINY_RUN)
    return out


@pytest.mark.slow
def test_a_few_texts_in_one_style_are_learned_from_the_pretrained_model(tmp_path):
    out = tmp_path / "m"
    trained = anekdot.train(DIARY, out=out, base="pretrained", steps=20, **SPLITS)
    before = metrics(out, "evaluation")[0]
    assert before["step"] == 0
    assert trained.validation.bits_per_byte < 0.9 * before["bits_per_byte"]


def test_tokenizer_and_shape_stay_and_the_bundle_is_not_touched(base_bundle, jokes, tmp_path):
    files = {path.name: path.read_bytes() for path in base_bundle.iterdir() if path.is_file()}
    out = tmp_path / "m"
    anekdot.train(DIARY, out=out, base=base_bundle, steps=5, dropout=0.3, **SPLITS)
    old, new = Bundle.load(base_bundle), Bundle.load(out)
    assert new.tokenizer == old.tokenizer
    assert new.config.hidden_dim == old.config.hidden_dim
    assert new.config.dropout == 0.3
    assert any((old.weights[name] != new.weights[name]).any() for name in old.weights)
    assert files == {
        path.name: path.read_bytes() for path in base_bundle.iterdir() if path.is_file()
    }


def test_without_a_step_that_helps_the_base_stays_the_best(base_bundle, tmp_path, monkeypatch):
    nats = iter([1.0, 2.0, 3.0])
    monkeypatch.setattr(
        "anekdot.training.validation.likelihood", lambda *_, **__: Likelihood(next(nats), 10, 10, 1)
    )
    anekdot.train(DIARY, out=tmp_path / "m", base=base_bundle, steps=5, evaluate_every=5, **SPLITS)
    old, new = Bundle.load(base_bundle).weights, Bundle.load(tmp_path / "m").weights
    assert all(np.array_equal(old[name], new[name]) for name in old)


def test_another_shape_or_another_base_is_refused(base_bundle, jokes, tmp_path):
    with pytest.raises(ConfigurationError, match="hidden_dim is 64"):
        anekdot.train(DIARY, out=tmp_path / "m", base=base_bundle, hidden_dim=64)
    anekdot.train(jokes, out=tmp_path / "other", **(TINY_RUN | {"seed": 1, "steps": 4}))
    stop = RuntimeError("stop")

    def observe(record):
        if record["step"] == 2:
            raise stop

    few = {"steps": 6, "evaluate_every": 2, **SPLITS}
    with pytest.raises(RuntimeError):
        anekdot.train(DIARY, out=tmp_path / "m", base=base_bundle, observe=observe, **few)
    with pytest.raises(ConfigurationError, match=r"from \w+ → \w+"):
        anekdot.train(DIARY, out=tmp_path / "m", base=tmp_path / "other", **few)
    anekdot.prepare(DIARY, out=tmp_path / "d", vocab_size=300, **SPLITS)
    with pytest.raises(ConfigurationError, match="tokenizer"):
        anekdot.train(tmp_path / "d", out=tmp_path / "n", base=base_bundle, steps=5, **SPLITS)
