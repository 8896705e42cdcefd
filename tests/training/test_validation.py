"""The model that was trained is the one that is told, measured and gone on from, or it is said."""

import json

import pytest

import anekdot
from anekdot.bundle import Bundle
from anekdot.errors import BundleError, ConfigurationError
from anekdot.generation import numpy_engine
from anekdot.model.config import PARTS
from tests.support.runs import TINY_RUN

FEW = TINY_RUN | {"steps": 4}


@pytest.fixture
def rotated(data, tmp_path):
    """A bundle whose position enters by a part that this code does not have."""
    out = tmp_path / "rotated"
    own = {name: value for name, value in FEW.items() if name not in ("validation", "test")}
    anekdot.train(data, out=out, **own)
    bundle = Bundle.load(out)
    bundle.parts["position"] = "rope"
    bundle.save(out)
    assert json.loads((out / "config.json").read_text())["parts"]["position"] == "rope"
    return out


def test_engines_that_agree_are_not_spoken_of(jokes, tmp_path):
    said: list[str] = []
    anekdot.train(jokes, out=tmp_path / "m", notice=said.append, **FEW)
    assert not [sentence for sentence in said if "engine" in sentence]


def test_an_engine_that_computes_another_model_is_said(jokes, tmp_path, monkeypatch):
    real, said = numpy_engine.head_slopes, []
    monkeypatch.setattr(numpy_engine, "head_slopes", lambda n_head: real(n_head)[::-1])
    anekdot.train(jokes, out=tmp_path / "m", notice=said.append, **TINY_RUN)
    (sentence,) = [sentence for sentence in said if "engine" in sentence]
    assert "computes another model" in sentence
    assert "nats" in sentence


def test_an_engine_that_does_not_know_a_part_is_said(jokes, tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setitem(numpy_engine.COMPUTED_PARTS, "position", "rope")
    anekdot.train(jokes, out=tmp_path / "m", notice=said.append, **FEW)
    (sentence,) = [sentence for sentence in said if "engine" in sentence]
    assert "alibi" in sentence
    assert "rope" in sentence


def test_a_model_with_another_part_is_neither_generated_from_nor_measured_nor_gone_on_from(
    rotated, jokes, tmp_path
):
    with pytest.raises(BundleError, match="rope"):
        anekdot.load(rotated)
    with pytest.raises(BundleError, match="rope"):
        anekdot.evaluate(rotated, jokes)
    with pytest.raises(BundleError, match="rope"):
        anekdot.train(jokes, out=tmp_path / "n", base=rotated, steps=4)
    assert not (tmp_path / "n").exists()


def test_a_run_that_began_with_another_part_does_not_go_on(data, tmp_path, monkeypatch):
    own = {name: value for name, value in FEW.items() if name not in ("validation", "test")}
    out = tmp_path / "m"
    with pytest.raises(RuntimeError, match="enough"):
        anekdot.train(data, out=out, **own, observe=stop)
    monkeypatch.setitem(PARTS, "position", "rope")
    with pytest.raises(ConfigurationError, match="position alibi → rope"):
        anekdot.train(data, out=out, **own)
    monkeypatch.undo()
    record = json.loads((out / "run/config.json").read_text())
    del record["parts"]  # as runs were recorded before parts had names
    (out / "run/config.json").write_text(json.dumps(record))
    anekdot.train(data, out=out, **own)


def stop(record: dict) -> None:
    raise RuntimeError("enough")
