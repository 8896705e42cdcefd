"""A bundle that is incomplete, damaged, mixed up or lying is answered like any mistake."""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from anekdot.bundle import CONFIG, TOKENIZER, WEIGHTS, Bundle
from anekdot.cli import main
from anekdot.model.weights import model_weights
from anekdot.tokenizer.tokenizer import Tokenizer
from tests.support.commands import run
from tests.support.models import tiny_model
from tests.support.texts import make_texts

DAMAGES = {
    "missing": lambda data: None,
    "truncated": lambda data: data[: len(data) // 2],
    "flipped": lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
    "empty": lambda data: b"",
}

# What config.json claims of the model, and the words of the answer.
LIES = [
    ({"n_layer": 10**30}, ["n_layer", "1024"]),
    ({"n_layer": 3}, ["blocks.2"]),
    ({"n_layer": -1}, ["n_layer", "-1"]),
    ({"n_layer": 2.5}, ["n_layer", "2.5"]),
    ({"hidden_dim": "24"}, ["hidden_dim", "24"]),
    ({"hidden_dim": 1 << 16}, ["65536"]),
    ({"n_kv_head": 4}, ["n_head", "n_kv_head"]),
    ({"n_head": 5}, ["hidden_dim", "n_head"]),
    ({"vocab_size": 301}, ["301", "300"]),
    ({"dropout": float("nan")}, ["dropout"]),
    ({"surprise": 1}, ["surprise"]),
]


def saved(folder: Path, seed: int, texts: list[str]) -> Path:
    model = tiny_model(seed=seed, vocab_size=300)
    Bundle(model.config, Tokenizer.train(texts, 300), model_weights(model), {}).save(folder)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return saved(tmp_path_factory.mktemp("bundles") / "whole", 0, make_texts(200))


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Path:
    """Another bundle of the same shape, with other weights and another tokenizer."""
    folder = saved(tmp_path_factory.mktemp("bundles") / "other", 1, make_texts(150)[::-3])
    loaded = Bundle.load(folder)
    dataclasses.replace(loaded, training={"steps": 4}).save(folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "copy")


def test_the_undamaged_copy_tells(copy, capsys, monkeypatch):
    assert run(capsys, monkeypatch, "generate", "--model", copy, "--max-tokens", 3)[0] == 0


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, WEIGHTS])
def test_a_damaged_file(copy, capsys, monkeypatch, name, damage):
    changed = DAMAGES[damage]((copy / name).read_bytes())
    (copy / name).unlink()
    if changed is not None:
        (copy / name).write_bytes(changed)
    for command in (["generate", "--model"], ["evaluate"]):
        status, complaint = run(capsys, monkeypatch, *command, copy)
        assert (status, name in complaint) == (2, True)
        assert "Traceback" not in complaint


@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, WEIGHTS])
def test_a_file_of_another_bundle(copy, other, capsys, monkeypatch, name):
    shutil.copy(other / name, copy / name)
    status, complaint = run(capsys, monkeypatch, "generate", "--model", copy)
    assert (status, "saved with" in complaint) == (2, True)


@pytest.mark.parametrize(("lie", "words"), LIES, ids=[str(lie) for lie, _ in LIES])
def test_a_configuration_that_lies_under_a_right_hash(copy, capsys, monkeypatch, lie, words):
    content = json.loads((copy / CONFIG).read_text("utf-8"))
    content["model"].update(lie)
    bundle = Bundle.load(copy)
    (copy / CONFIG).write_text(json.dumps(content), "utf-8")
    bundle.save_weights(copy)
    status, complaint = run(capsys, monkeypatch, "generate", "--model", copy)
    assert status == 2
    assert str(copy) in complaint
    for word in words:
        assert word in complaint


def test_a_tokenizer_that_does_not_belong_under_a_right_hash(copy, capsys, monkeypatch):
    bundle = Bundle.load(copy)
    Tokenizer.train(make_texts(200), 290).save(copy / TOKENIZER)
    bundle.save_weights(copy)
    status, complaint = run(capsys, monkeypatch, "generate", "--model", copy)
    assert status == 2
    assert "290" in complaint
    assert "300" in complaint


@pytest.mark.parametrize("value", ["nan", "inf", "1e+30"])
@pytest.mark.parametrize("part", ["weight", "scale"])
def test_numbers_that_no_model_has(copy, capsys, monkeypatch, value, part):
    name = "blocks.1.feed_forward.up_proj.weight"
    bundle = Bundle.load(copy)
    stored = bundle.quantized().stored if part == "scale" else bundle.stored
    name += ".scale" if part == "scale" else ""
    stored[name].flat[5] = float(value)
    dataclasses.replace(bundle, stored=stored).save(copy)
    check_all_verbs(copy, capsys, monkeypatch, [name, value])


@pytest.mark.parametrize("factor", [1e10, 1e15])
def test_weights_that_make_logits_infinite(copy, capsys, monkeypatch, factor):
    bundle = Bundle.load(copy)
    for name, array in bundle.stored.items():
        if "norm" not in name:
            np.multiply(array, factor, out=array)
    bundle.save(copy)
    check_all_verbs(copy, capsys, monkeypatch, ["not finite"])


def check_all_verbs(copy: Path, capsys, monkeypatch, words: list[str]) -> None:
    """Every way to use a bundle answers with one sentence on standard error, and nothing else."""
    texts = copy.parent / "texts.txt"
    texts.write_text("\n\n".join(make_texts(5)), "utf-8")
    for command in (
        *(["generate", "--model", copy, *more] for more in (
            [], ["--temperature", 0], ["--beams", 3], ["--json"], ["--json", "--beams", 2])),
        ["evaluate", copy, "--texts", texts],
        ["evaluate", copy, "--texts", texts, "--json"],
    ):  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["anekdot", *map(str, command)])
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        assert (stop.value.code, printed.out) == (2, "")
        assert printed.err.count("anekdot: ") == 1
        assert "Traceback" not in printed.err
        assert "vocabulary" not in printed.err
        for word in words:
            assert word in printed.err
