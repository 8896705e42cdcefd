import dataclasses

import pytest

from anekdot.config import FIELDS, build, fill_up, resolve
from anekdot.corpus.config import PreparationConfig
from anekdot.errors import ConfigurationError
from anekdot.model.config import PRESETS, ModelConfig
from anekdot.training.config import RECIPES, TrainingConfig


def test_what_is_named_later_wins(tmp_path):
    toml = tmp_path / "run.toml"
    toml.write_text('preset = "mini"\n[training]\nsteps = 7\nseed = 3\n', "utf-8")
    settled, asked = resolve("mission", None, toml, {"seed": 5, "dropout": None})
    assert settled["n_layer"] == PRESETS["mini"]["n_layer"]
    assert asked == {"steps": 7, "seed": 5}
    assert resolve(preset="small", config=toml)[0]["n_layer"] == PRESETS["small"]["n_layer"]
    assert (settled["steps"], settled["seed"]) == (7, 5)
    assert settled["learning_rate"] == RECIPES["mission"]["learning_rate"]


def test_the_mission_recipe_is_pinned():
    settled, _ = resolve("mission", "nano")
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
        "checkpoint_minutes": 10.0,
        "checkpoints_kept": 2,
        "batch": "whole",
        "skip_spikes": False,
        "patience": 0,
    }


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("stepz = 3", "steps"),
        ("[model]\nn_heads = 3", "n_head"),
        ("steps = ", "TOML"),
        ('preset = "huge"', "huge"),
        ('recipe = "x"', "mission"),
        ('recipe = "finetune"', "--from"),
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
        build(TrainingConfig, resolve("mission")[0] | change)


@pytest.mark.parametrize(
    ("tokens", "steps", "every"), [(1, 300, 15), (4096 * 50, 1000, 50), (10**12, 10_000, 500)]
)
def test_length_and_rhythm_follow_the_corpus_within_bounds(tokens, steps, every):
    settled, asked = resolve()
    filled = fill_up(settled, asked, documents=1, tokens=tokens)
    assert (filled["steps"], filled["evaluate_every"]) == (steps, every)
    again = fill_up({**filled, "steps": 7}, asked, documents=1, tokens=tokens)
    assert again["steps"] == 7


def test_twenty_passes_over_documents_are_twenty_passes():
    settled, asked = resolve(fields={"rows": "documents", "batch_size": 10})
    assert fill_up(settled, asked, documents=1000, tokens=10**9)["steps"] == 2000


def test_a_short_run_keeps_its_decay_unless_asked_otherwise():
    settled, asked = resolve("mission", fields={"steps": 20})
    assert fill_up(settled, asked, documents=9, tokens=99)["warmup_steps"] == 2
    settled, asked = resolve("mission", fields={"steps": 20, "warmup_steps": 30})
    with pytest.raises(ConfigurationError, match="warmup_steps"):
        build(TrainingConfig, fill_up(settled, asked, documents=9, tokens=99))
    full, asked = resolve("mission")
    assert fill_up(full, asked, documents=9, tokens=99)["warmup_steps"] == 500


@pytest.mark.parametrize("name", ["batch_size", "context_length", "steps"])
def test_numbers_that_lengths_are_made_of_are_checked_first(name):
    settled, asked = resolve(fields={name: "16"})
    with pytest.raises(ConfigurationError, match=name):
        fill_up(settled, asked, documents=9, tokens=99)


@pytest.mark.parametrize(
    "change",
    [
        {"vocab_size": "big"},
        {"vocab_size": 258},
        {"validation": "0.1"},
        {"validation": 0.6, "test": 0.6},
        {"test": float("nan")},
        {"no_obscene": 1},
    ],
)
def test_impossible_preparations_are_refused(change):
    with pytest.raises(ConfigurationError, match=next(iter(change))):
        PreparationConfig(**change)


def test_every_field_has_one_name():
    assert len(FIELDS) == len(set(FIELDS))
