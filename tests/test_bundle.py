import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from anekdot.bundle import CONFIG, PRETRAINED, TOKENIZER, WEIGHTS, Bundle
from anekdot.errors import AnekdotError, BundleError
from anekdot.model.weights import load_weights, model_weights
from anekdot.tokenizer.tokenizer import Tokenizer
from tests.support.models import random_ids, tiny_model
from tests.support.texts import make_texts


@pytest.fixture(scope="module")
def model():
    return tiny_model(vocab_size=300)


@pytest.fixture(scope="module")
def bundle(model):
    tokenizer = Tokenizer.train(make_texts(200), 300)
    return Bundle(model.config, tokenizer, model_weights(model), {"steps": 3})


@pytest.fixture
def folder(bundle, tmp_path):
    bundle.save(tmp_path / "b", card="# A card")
    return tmp_path / "b"


def test_saved_and_loaded_gives_identical_logits(bundle, folder, model):
    loaded = Bundle.load(folder)
    assert (loaded.config, loaded.tokenizer) == (bundle.config, bundle.tokenizer)
    assert loaded.training == {"steps": 3}
    twin = tiny_model(seed=5, vocab_size=300)
    load_weights(twin, loaded.weights)
    ids = random_ids(2, 9)
    assert torch.equal(twin(ids), model(ids))


def test_quantized_bundle_is_small_and_near(bundle, tmp_path):
    bundle.quantized().save(tmp_path / "q")
    bundle.save(tmp_path / "f")
    small, large = ((tmp_path / name / WEIGHTS).stat().st_size for name in "qf")
    assert small < 0.45 * large
    loaded = Bundle.load(tmp_path / "q").weights
    for name, array in bundle.weights.items():
        np.testing.assert_allclose(loaded[name], array, atol=abs(array).max() / 200)


@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, WEIGHTS])
@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped", "empty", "garbage"])
def test_a_damaged_file_is_refused_by_name(folder, name, damage):
    path = folder / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        half = len(data) // 2
        path.write_bytes(
            {
                "truncated": data[:half],
                "flipped": data[:half] + bytes([data[half] ^ 1]) + data[half + 1 :],
                "empty": b"",
                "garbage": b"\xff\x00" * 999,
            }[damage]
        )
    with pytest.raises(AnekdotError, match=name):
        Bundle.load(folder)


def test_every_flipped_byte_of_the_weights_is_noticed(folder):
    data = (folder / WEIGHTS).read_bytes()
    for place in np.random.default_rng(0).integers(0, len(data), 60):
        changed = bytearray(data)
        changed[place] ^= 1 << int(place % 8)
        (folder / WEIGHTS).write_bytes(changed)
        with pytest.raises(BundleError):
            Bundle.load(folder)


@pytest.mark.parametrize("name", [CONFIG, TOKENIZER, WEIGHTS])
def test_a_file_of_another_bundle_is_refused(bundle, folder, tmp_path, name):
    other = dataclasses.replace(
        bundle,
        tokenizer=Tokenizer.train(make_texts(150)[::-3], 300),
        stored={key: array * 2 for key, array in bundle.weights.items()},
        training={"steps": 4},
    )
    other.save(tmp_path / "other")
    assert Bundle.load(tmp_path / "other").training == {"steps": 4}
    shutil.copy(tmp_path / "other" / name, folder / name)
    with pytest.raises(BundleError):
        Bundle.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"n_layer": 3},
        {"n_layer": 10**30},
        {"n_layer": -1},
        {"hidden_dim": "24"},
        {"surprise": 1},
        {"vocab_size": 301},
    ],
)
def test_a_configuration_that_lies_is_refused(folder, change):
    content = json.loads((folder / CONFIG).read_text("utf-8"))
    content["model"].update(change)
    (folder / CONFIG).write_text(json.dumps(content), "utf-8")
    with pytest.raises(BundleError):
        Bundle.load(folder)


def test_saving_again_replaces_and_leaves_no_drafts(bundle, folder):
    bundle.save(folder)
    names = {path.name for path in folder.iterdir()}
    assert names == {CONFIG, TOKENIZER, WEIGHTS, "README.md"}


def test_the_pretrained_bundle_is_small_and_quantized():
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) <= 16_000_000
    bundle = Bundle.load()
    assert bundle.stored["token_embedding.weight"].dtype == np.int8
