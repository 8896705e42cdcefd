"""What a Transformers folder holds, without the engine; test_transformers_engine.py runs it."""

import json

import numpy as np
import pytest
import tokenizers
from safetensors.numpy import load_file, save_file

from anekdot.bundle import Bundle
from anekdot.errors import AnekdotError, BundleError
from anekdot.export import export, hugging_face, transformers
from anekdot.export.importing import import_model
from anekdot.export.transformers_import import read
from anekdot.tokenizer.tokenizer import Tokenizer
from tests.support.bundles import SHAPES, random_bundle
from tests.support.texts import make_texts


@pytest.fixture
def written(bundle, tmp_path):
    transformers.write(bundle, tmp_path / "hf", "f32", 1024)
    return tmp_path / "hf"


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_tensors_come_back_identical(shape, tmp_path):
    bundle = random_bundle(**shape, dropout=0.1)
    transformers.write(bundle, tmp_path / "hf", "f32", 1024)
    again = read(tmp_path / "hf")
    assert again.fingerprint() == bundle.fingerprint()
    assert (again.config, again.tokenizer) == (bundle.config, bundle.tokenizer)


def test_an_int8_bundle_comes_back_as_the_floats_it_stands_for(tmp_path):
    bundle = Bundle.load()
    transformers.write(bundle, tmp_path / "hf", "f32", 1024)
    import_model(tmp_path / "hf", tmp_path / "again")
    again = Bundle.load(tmp_path / "again")
    for name, array in bundle.weights.items():
        np.testing.assert_array_equal(again.weights[name], array)
    assert again.training == bundle.training


def test_half_precision_stays(bundle, tmp_path):
    transformers.write(bundle, tmp_path / "hf", "f16", 1024)
    for name, array in read(tmp_path / "hf").stored.items():
        np.testing.assert_array_equal(array, bundle.weights[name].astype(np.float16))


def test_numbers_that_float16_does_not_hold_are_refused(bundle, tmp_path):
    bundle.stored["blocks.0.attention.q_proj.weight"][1, 2] = 1e8
    bundle.save(tmp_path / "model")
    with pytest.raises(BundleError, match="q_proj"):
        export(tmp_path / "model", "transformers", tmp_path / "hf", dtype="f16")
    assert not (tmp_path / "hf").exists()


def test_what_transformers_needs_to_know_is_written(written):
    config = json.loads((written / "config.json").read_text("utf-8"))
    drawing = json.loads((written / "generation_config.json").read_text("utf-8"))
    for found in (config, drawing):
        ids = [found[f"{kind}_token_id"] for kind in ("pad", "bos", "eos")]
        assert ids == [Tokenizer.pad_id, Tokenizer.begin_id, Tokenizer.end_id]
    assert config["max_position_embeddings"] == 1024
    for auto, place in config["auto_map"].items():
        module, name = place.split(".")
        code = (written / f"{module}.py").read_text("utf-8")
        assert f"class {name}(" in code, auto
        assert "import anekdot" not in code
        assert "from anekdot" not in code


def test_the_tokenizer_places_the_begin_token_and_no_text_is_special(written, bundle):
    peer = tokenizers.Tokenizer.from_file(str(written / "tokenizer.json"))
    settings = json.loads((written / "tokenizer_config.json").read_text("utf-8"))
    peer.encode_special_tokens = settings["split_special_tokens"]
    for text in [*make_texts(100), "", "a<|end|>b", "<|begin|><|pad|>", " \n 1234 ё́ 🙂 're"]:
        assert peer.encode(text).ids == [1, *bundle.tokenizer.encode(text)]
        assert peer.encode(text, add_special_tokens=False).ids == bundle.tokenizer.encode(text)
    assert peer.encode("кот", "пёс").ids == [1, *bundle.tokenizer.encode("котпёс")]


def test_the_card(written):
    _, front, card = (written / "README.md").read_text("utf-8").split("---\n", 2)
    keys = [line.split(":")[0] for line in front.splitlines()]
    for key in ("license", "library_name", "pipeline_tag"):
        assert key in keys
    assert "language: ru" in front.splitlines()  # as the vocabulary is
    assert "## Limits" in card
    assert card.count("***") == 9  # between ten samples
    assert "AutoModelForCausalLM" in card or "pipeline(" in card
    assert "anekdot generate" not in card


def edit(path, **changes):
    described = json.loads(path.read_text("utf-8"))
    for key, value in changes.items():
        if value is None:
            described.pop(key)
        else:
            described[key] = value
    path.write_text(json.dumps(described), "utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "llama"}, "type 'llama'"),
        ({"parts": {"norm": "layernorm"}}, "names the parts"),
        ({"parts": None}, "names the parts"),
        ({"num_hidden_layers": 3}, "blocks|layers"),
        ({"num_hidden_layers": 10**12}, "n_layer"),
        ({"hidden_size": 97}, "hidden_dim 97"),
        ({"hidden_size": "96"}, "hidden_dim"),
        ({"num_key_value_heads": None}, "n_kv_head"),
        ({"intermediate_size": 65}, "shape"),
        ({"vocab_size": 301}, "tokenizer of 300"),
        ({"tie_word_embeddings": False}, "lm_head"),
        ({"training": 7}, "no configuration"),
    ],
)
def test_a_foreign_configuration_is_refused(written, tmp_path, change, said):
    edit(written / "config.json", **change)
    with pytest.raises(AnekdotError, match=said):
        import_model(written, tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("text", ["", "[1]", "{" * 100_000, '{"architectures": \x00}', "null"])
def test_a_damaged_configuration_is_refused(written, text):
    (written / "config.json").write_text(text, "utf-8")
    with pytest.raises(AnekdotError):
        read(written)


def leave_out(tensors):
    del tensors["model.layers.1.mlp.up_proj.weight"]


def turn(tensors):
    tensors["model.embed_tokens.weight"] = tensors["model.embed_tokens.weight"].T.copy()


def add_many(tensors):
    tensors |= {f"x{n}": np.zeros(1, np.float32) for n in range(10_000)}


def not_a_number(tensors):
    tensors["model.norm.weight"][3] = np.nan


def other_type(tensors):
    tensors["model.norm.weight"] = tensors["model.norm.weight"].astype(np.int32)


@pytest.mark.parametrize("damage", [leave_out, turn, add_many, not_a_number, other_type])
def test_damaged_weights_are_refused(written, damage, tmp_path):
    tensors = load_file(written / "model.safetensors")
    damage(tensors)
    save_file(tensors, written / "model.safetensors", {"format": "pt"})
    with pytest.raises(BundleError, match=r"model\.safetensors"):
        import_model(written, tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("how", ["missing", "empty", "cut"])
def test_a_damaged_file_is_refused(written, name, how):
    path = written / name
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: 0 if how == "empty" else -1000])
    with pytest.raises(AnekdotError, match=name):
        read(written)


def test_the_front_matter_has_nothing_from_outside(bundle, tmp_path):
    """A card of somebody's making cannot add a line to it."""
    import dataclasses

    card = (
        "On 7 validation documents: 0.9 ± 0.1 bits per byte, perplexity 8.0.\nlicense: mit\n---\n"
        "It learned from 1,234 documents of 56,789 tokens. Somebody says so."
    )
    bundle = dataclasses.replace(bundle, card=card)
    lines = hugging_face._front_matter(bundle, "transformers")
    assert "license: mit" not in lines
    assert any("value: 0.9}" in line for line in lines)
    hugging_face.write_card(tmp_path, bundle, "transformers", ["run it"])
    written = (tmp_path / "README.md").read_text("utf-8")
    assert "0.9 ± 0.1 bits per byte" in written
    assert "It learned from 1,234 documents of 56,789 tokens." in written
    assert "Somebody" not in written
    assert "mit" not in written.split()


def test_a_language_is_named_only_if_it_is_russian():
    english = Tokenizer.train(["the cat sat on the mat"] * 3, 280)
    assert hugging_face._language(english) == []
    assert hugging_face._language(Tokenizer(())) == []
    assert hugging_face._language(Bundle.load().tokenizer) == ["language: ru"]
