import dataclasses

import pytest

from anekdot.errors import ConfigurationError
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.settings import FIELDS, build, default_steps, resolve
from anekdot.training.config import RECIPES, TrainingConfig


def test_what_is_named_later_wins(tmp_path):
    toml = tmp_path / "run.toml"
    toml.write_text('preset = "mini"\n[training]\nsteps = 7\nseed = 3\n', "utf-8")
    settled = resolve("mission", "nano", toml, {"seed": 5, "dropout": None})
    assert settled["n_layer"] == PRESETS["mini"]["n_layer"]
    assert (settled["steps"], settled["seed"]) == (7, 5)
    assert settled["learning_rate"] == RECIPES["mission"]["learning_rate"]


def test_the_mission_recipe_is_pinned():
    settled = resolve("mission", "nano")
    model, training = build(ModelConfig, settled), build(TrainingConfig, settled)
    assert (model.vocab_size, model.context_length, model.tie_embeddings) == (1024, 128, False)
    assert (model.dropout, model.n_layer, model.n_head, model.n_kv_head) == (0.0, 3, 4, 2)
    assert dataclasses.asdict(training) | {"seed": 0} == {
        "steps": 10_000,
        "batch_size": 32,
        "rows": "documents",
        "learning_rate": 3e-4,
        "warmup_steps": 500,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "weight_decay": 0.01,
        "gradient_clip": 1.0,
        "precision": "auto",
        "seed": 0,
        "evaluate_every": 500,
        "sample_every": 500,
        "checkpoint_every": 500,
    }


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("stepz = 3", "steps"),
        ("[model]\nn_heads = 3", "n_head"),
        ("steps = ", "TOML"),
        ('preset = "huge"', "huge"),
        ('recipe = "x"', "mission"),
    ],
)
def test_faults_of_a_file_are_named(tmp_path, content, word):
    toml = tmp_path / "run.toml"
    toml.write_text(content, "utf-8")
    with pytest.raises(ConfigurationError, match=word):
        resolve(config=toml)


def test_a_missing_file_and_an_unknown_field_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        resolve(config=tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="learning_rate"):
        resolve(fields={"learning_rat": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 0},
        {"steps": 1.5},
        {"batch_size": 0},
        {"learning_rate": -1},
        {"learning_rate": float("nan")},
        {"beta2": 1.0},
        {"rows": "round"},
        {"precision": "fp8"},
        {"seed": -1},
    ],
)
def test_impossible_training_fields_are_refused(change):
    with pytest.raises(ConfigurationError, match=next(iter(change))):
        build(TrainingConfig, resolve("mission") | change)


def test_default_steps_follow_the_corpus_within_bounds():
    assert default_steps(1, 32) == 300
    assert default_steps(1600, 32) == 1000
    assert default_steps(10**9, 32) == 10_000


def test_every_field_has_one_name():
    assert len(FIELDS) == len(set(FIELDS))
