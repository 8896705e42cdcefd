"""The model that was trained is the one that is told, measured and gone on from, or it is said."""

import json

import pytest

import anekdot
from anekdot.bundle import Bundle
from anekdot.corpus.manifest import Manifest
from anekdot.corpus.shards import Shard
from anekdot.errors import BundleError, ConfigurationError
from anekdot.generation import numpy_engine
from anekdot.model.config import PARTS
from anekdot.training import validation
from tests.support.runs import TINY_RUN, metrics

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
    assert not [sentence for sentence in said if " engine" in sentence]


def test_an_engine_that_computes_another_model_is_said(jokes, tmp_path, monkeypatch):
    real, said = numpy_engine.head_slopes, []
    monkeypatch.setattr(numpy_engine, "head_slopes", lambda n_head: real(n_head)[::-1])
    anekdot.train(jokes, out=tmp_path / "m", notice=said.append, **TINY_RUN)
    (sentence,) = [sentence for sentence in said if " engine" in sentence]
    assert "computes another model" in sentence
    assert "nats" in sentence


def test_an_engine_that_does_not_know_a_part_is_said(jokes, tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setitem(numpy_engine.COMPUTED_PARTS, "position", "rope")
    anekdot.train(jokes, out=tmp_path / "m", notice=said.append, **FEW)
    (sentence,) = [sentence for sentence in said if " engine" in sentence]
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


OWN = {name: value for name, value in FEW.items() if name not in ("validation", "test")}


@pytest.fixture
def measured(monkeypatch):
    """The documents that each measurement of a run was given, as lists of ids."""
    given, real = [], validation.likelihood

    def watched(model, documents, *arguments, **others):
        given.append([ids.tolist() for ids in documents])
        return real(model, documents, *arguments, **others)

    monkeypatch.setattr(validation, "likelihood", watched)
    return given


def test_the_validation_split_and_no_other_judges_the_model(jokes, tmp_path, measured):
    data = tmp_path / "data"
    anekdot.prepare(jokes, out=data, vocab_size=300, validation=0.2, test=0.1)
    sizes = {split: len(Shard.open(data, split)) for split in ("train", "validation", "test")}
    assert len({*sizes.values()}) == 3
    trained = anekdot.train(data, out=tmp_path / "m", **OWN)
    expected = [ids.tolist() for ids in Shard.open(data, "validation").documents()]
    assert measured == [expected, expected]  # at step 4, and at the end
    assert trained.validation.documents == Manifest.load(data).documents["validation"]


def test_while_training_a_part_of_every_source_is_measured_and_at_the_end_all(
    data, tmp_path, measured, monkeypatch
):
    shard = Shard.open(data, "validation")
    monkeypatch.setattr(validation, "INTERIM_TOKENS", len(shard.ids) // 3)
    trained = anekdot.train(data, out=tmp_path / "m", **OWN | {"evaluate_every": 2})
    everything = [ids.tolist() for ids in shard.documents()]
    *interim, final = measured
    assert interim == 2 * [[ids.tolist() for ids in shard.spread(len(shard.ids) // 3)]]
    places = [everything.index(ids) for ids in interim[0]]
    assert 0 < len(places) < len(everything)
    assert min(places) < len(everything) / 4
    assert max(places) > len(everything) * 3 / 4
    assert final == everything
    assert trained.validation.documents == len(shard)


def test_train_card_and_evaluate_say_one_number(data, tmp_path):
    """Also where training rounds: the last measurement is float32, as that of evaluate is."""
    out = tmp_path / "m"
    trained = anekdot.train(data, out=out, precision="bf16", **OWN)
    tokenizer = Bundle.load(out).tokenizer
    texts = [tokenizer.decode(ids[1:-1]) for ids in Shard.open(data, "validation").documents()]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    (tmp_path / "texts.jsonl").write_text(lines, "utf-8")
    assert anekdot.evaluate(out, tmp_path / "texts.jsonl") == trained.validation
    card = (out / "README.md").read_text("utf-8")
    assert f"{trained.validation.bits_per_byte:.3f} ± " in card
    interim = metrics(out, "evaluation")[-1]["bits_per_byte"]  # of the same model, in bfloat16
    assert interim != trained.validation.bits_per_byte
    assert interim == pytest.approx(trained.validation.bits_per_byte, rel=0.01)


def test_engines_are_compared_on_a_prompt_with_many_positions(jokes, tmp_path, monkeypatch):
    prompts = []
    monkeypatch.setattr(
        validation, "disagreement", lambda _, __, prompt_ids: prompts.append(prompt_ids) or 0.0
    )
    anekdot.train(jokes, out=tmp_path / "m", **FEW)
    assert len(prompts[0]) == validation.PROMPT_TOKENS


def stop(record: dict) -> None:
    raise RuntimeError("enough")
