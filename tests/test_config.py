import dataclasses
from pathlib import Path
from typing import get_args

import pytest

from anekdot.config import FIELDS, MAX_STEPS, RECIPES, PresetName, Recipe, RecipeName, resolve
from anekdot.corpus.config import PreparationConfig
from anekdot.errors import ConfigurationError
from anekdot.model.config import PRESETS, ModelConfig


def completed(*names: str, documents: int = 9, tokens: int = 99, **fields: object):
    """Returns the training configuration of a run on a corpus of this size."""
    resolved = resolve(*names, fields=fields)
    known = resolved.with_corpus_defaults(documents=documents, tokens=tokens, vocab_size=1024)
    return known.training


def test_what_is_named_later_wins(tmp_path):
    toml = tmp_path / "run.toml"
    toml.write_text('preset = "mini"\n[training]\nsteps = 7\nseed = 3\n', "utf-8")
    resolved = resolve("mission", None, toml, {"seed": 5, "dropout": None})
    assert resolved.model.n_layer == PRESETS["mini"]["n_layer"]
    assert resolved.explicit == {"steps", "seed"}
    assert resolve(preset="small", toml=toml).model.n_layer == PRESETS["small"]["n_layer"]
    assert (resolved.training.steps, resolved.training.seed) == (7, 5)
    assert resolved.training.learning_rate == RECIPES["mission"].learning_rate


def test_the_mission_recipe_is_pinned():
    resolved = resolve("mission", "nano")
    model = resolved.model
    assert (model.vocab_size, model.context_length, model.tie_embeddings) == (1024, 128, False)
    assert (model.dropout, model.n_layer, model.n_head, model.n_kv_head) == (0.0, 3, 4, 2)
    expected = {
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
        "sample_every": 1000,
        "checkpoint_every": 500,
        "checkpoint_minutes": 10.0,
        "checkpoints_kept": 2,
        "batch": "whole",
        "skip_spikes": False,
        "patience": 0,
        "interim_documents": "spread",
        "begin_targets": False,
        "auto_fp16": True,
    }
    assert dataclasses.asdict(resolved.training) == expected
    assert dataclasses.asdict(completed("mission", documents=10**6)) == expected


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
        resolve(toml=toml)


def test_a_missing_file_and_an_unknown_field_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        resolve(toml=tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="learning_rate"):
        resolve(fields={"learning_rat": 1})


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device without an end")
def test_a_device_is_no_toml_file():
    with pytest.raises(ConfigurationError, match="1,000,000 characters"):
        resolve(toml=Path("/dev/zero"))


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
        resolve("mission", fields=change)


@pytest.mark.parametrize(
    ("tokens", "steps", "every"), [(1, 300, 15), (4096 * 50, 1000, 50), (10**12, 10_000, 500)]
)
def test_length_and_rhythm_follow_the_corpus_within_bounds(tokens, steps, every):
    training = completed(documents=1, tokens=tokens)
    assert (training.steps, training.evaluate_every) == (steps, every)
    assert completed(documents=1, tokens=tokens, steps=7).steps == 7


def test_twenty_passes_over_documents_are_twenty_passes():
    training = completed(documents=1000, tokens=10**9, rows="documents", batch_size=10)
    assert training.steps == 2000


def test_what_a_user_has_set_does_not_follow_the_corpus():
    training = completed(tokens=10**12, evaluate_every=3, warmup_steps=7)
    assert (training.steps, training.evaluate_every, training.warmup_steps) == (MAX_STEPS, 3, 7)
    assert (training.sample_every, training.checkpoint_every) == (1000, 500)


def test_a_short_run_keeps_its_decay_unless_asked_otherwise():
    assert completed("mission", steps=20).warmup_steps == 2
    with pytest.raises(ConfigurationError, match="warmup_steps"):
        resolve("mission", fields={"steps": 20, "warmup_steps": 30})
    assert completed("mission").warmup_steps == 500


@pytest.mark.parametrize("name", ["batch_size", "context_length", "steps"])
def test_numbers_that_lengths_are_made_of_are_checked_first(name):
    with pytest.raises(ConfigurationError, match=name):
        resolve(fields={name: "16"})


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_shape_of_the_base_stays_under_every_recipe(recipe):
    base = ModelConfig(vocab_size=700, context_length=77, tie_embeddings=False, **PRESETS["mini"])
    resolved = resolve(recipe, "small", base=base)
    expected = dataclasses.replace(base, dropout=RECIPES[recipe].dropout)
    assert resolved.model == expected
    with pytest.raises(ConfigurationError, match="n_layer is 5"):
        resolve(recipe, fields={"n_layer": 5}, base=base)
    assert resolve(recipe, fields={"dropout": 0.4}, base=base).model.dropout == 0.4


def test_a_recipe_speaks_of_fields_only():
    own = {"epochs", "min_steps"}
    assert {field.name for field in dataclasses.fields(Recipe)} - own <= set(FIELDS)


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


def test_the_names_that_the_command_line_offers_are_all_there_are():
    assert get_args(RecipeName) == tuple(RECIPES)
    assert get_args(PresetName) == tuple(PRESETS)


def test_every_field_has_one_name():
    assert len(FIELDS) == len(set(FIELDS))
