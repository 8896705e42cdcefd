"""Rules: new runs have the latest ones, and an old run that goes on keeps its own."""

import dataclasses
import json

import pytest

import anekdot
from anekdot.errors import ConfigurationError
from anekdot.run_folder import RunFolder
from anekdot.training.config import TrainingConfig
from tests.support.runs import TINY_RUN, metrics, weights_hash

FIELDS = {name: value for name, value in TINY_RUN.items() if name not in ("validation", "test")}
NEW = {"interim_documents": "spread", "begin_targets": False, "auto_fp16": True}
OLD = {"interim_documents": "first", "begin_targets": True, "auto_fp16": False}


@pytest.fixture(autouse=True)
def _few_interim_tokens(monkeypatch):
    monkeypatch.setattr("anekdot.training.validation.INTERIM_TOKENS", 300)


def stop_at(step):
    def stop(record):
        if record["step"] == step:
            raise KeyboardInterrupt

    return stop


def recorded(out):
    return json.loads((out / "run/config.json").read_text())["training"]


def forget_the_rules(out):
    """Leaves the record of the run as it was before there were rules."""
    path = out / "run/config.json"
    record = json.loads(path.read_text())
    for name in OLD:
        del record["training"][name]
    path.write_text(json.dumps(record))


@pytest.fixture
def by_the_old_rules(monkeypatch):
    """Lets new runs have the rules of old ones."""
    monkeypatch.setattr(
        RunFolder, "keep_rules", lambda _, training: dataclasses.replace(training, **OLD)
    )
    return monkeypatch


def test_a_run_says_by_which_rules_it_is_made(data, tmp_path):
    anekdot.train(data, out=tmp_path / "m", **FIELDS)
    assert NEW.items() <= recorded(tmp_path / "m").items()
    assert NEW.items() <= json.loads((tmp_path / "m/config.json").read_text())["training"].items()
    rules = [f.name for f in dataclasses.fields(TrainingConfig) if "before" in f.metadata]
    assert sorted(rules) == sorted(NEW)


def test_an_old_run_goes_on_to_the_weights_that_it_would_have_had(data, tmp_path, by_the_old_rules):
    whole, stopped, new = (tmp_path / name for name in ("whole", "stopped", "new"))
    anekdot.train(data, out=whole, **FIELDS)
    with pytest.raises(KeyboardInterrupt):
        anekdot.train(data, out=stopped, observe=stop_at(10), **FIELDS)
    by_the_old_rules.undo()
    by_the_old_rules.setattr("anekdot.training.validation.INTERIM_TOKENS", 300)
    forget_the_rules(stopped)
    with pytest.raises(KeyboardInterrupt):  # once without the rules, and once with them
        anekdot.train(data, out=stopped, observe=stop_at(24), **FIELDS)
    assert OLD.items() <= recorded(stopped).items()
    anekdot.train(data, out=stopped, **FIELDS)
    assert weights_hash(stopped) == weights_hash(whole)
    assert metrics(stopped, "evaluation") == metrics(whole, "evaluation")
    tokens = [
        json.loads((out / "run/finished.json").read_text())["tokens"] for out in (stopped, whole)
    ]
    assert tokens[0] == tokens[1]
    anekdot.train(data, out=new, **FIELDS)
    assert weights_hash(new) != weights_hash(whole)
    evaluations = metrics(new, "evaluation"), metrics(whole, "evaluation")
    assert all(a["loss"] != b["loss"] for a, b in zip(*evaluations, strict=True))


def test_rules_are_nothing_that_anybody_sets(data, tmp_path):
    for name, value in OLD.items():
        with pytest.raises(ConfigurationError, match=name):
            anekdot.train(data, out=tmp_path / "m", **FIELDS, **{name: value})
        (tmp_path / "run.toml").write_text(f"{name} = {json.dumps(value)}")
        with pytest.raises(ConfigurationError, match=name):
            anekdot.train(data, out=tmp_path / "m", config=tmp_path / "run.toml", **FIELDS)


def test_a_rule_of_a_later_version_is_refused_in_a_sentence(data, tmp_path):
    out = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        anekdot.train(data, out=out, observe=stop_at(10), **FIELDS)
    record = json.loads((out / "run/config.json").read_text())
    record["training"]["interim_documents"] = "random"
    (out / "run/config.json").write_text(json.dumps(record))
    with pytest.raises(ConfigurationError, match="random"):
        anekdot.train(data, out=out, **FIELDS)
