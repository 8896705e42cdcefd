"""What a GGUF file holds, without an engine; tests/export/test_llama_cpp.py runs it in one."""

import dataclasses

import numpy as np
import pytest

from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.export import export, gguf, llama_cpp
from anekdot.export.agreement import reference_log_probs
from anekdot.export.gguf_import import read
from anekdot.export.gguf_reading import open_gguf
from anekdot.tokenizer.tokenizer import Tokenizer
from tests.support.bundles import random_bundle

peer = pytest.importorskip("gguf")

ROUNDING = {"f16": 2**-11, "bf16": 2**-8}  # of a weight


def written(bundle: Bundle, tmp_path, dtype="f32", usable_context=1024):
    path = tmp_path / f"{dtype}.gguf"
    gguf.write(bundle, path, dtype, usable_context)
    return path


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("pattern", ["qwen2", "qwen35"])
def test_float32_comes_back_identical(tied, pattern, tmp_path):
    bundle = random_bundle(tie_embeddings=tied, dropout=0.1, rms_eps=3e-6)
    bundle = dataclasses.replace(bundle, tokenizer=Tokenizer(bundle.tokenizer.merges, pattern))
    again = read(written(bundle, tmp_path))
    assert again.config == bundle.config
    assert again.tokenizer == bundle.tokenizer
    assert again.fingerprint() == bundle.fingerprint()


@pytest.mark.parametrize(
    "bundle", [random_bundle().quantized(), Bundle.load()], ids=["tiny", "own"]
)
def test_int8_rows_come_back_as_the_same_integers(bundle, tmp_path):
    again = read(written(bundle, tmp_path, "q8_0"))
    assert again.stored.keys() == bundle.stored.keys()
    for name, array in bundle.stored.items():
        if name.endswith(".scale"):
            np.testing.assert_array_equal(again.stored[name], array.astype(np.float16))
        else:
            np.testing.assert_array_equal(again.stored[name], array)


@pytest.mark.parametrize("dtype", ROUNDING)
def test_half_precision_comes_back_rounded(bundle, tmp_path, dtype):
    again = read(written(bundle, tmp_path, dtype)).weights
    for name, array in bundle.weights.items():
        np.testing.assert_allclose(again[name], array, rtol=ROUNDING[dtype], atol=1e-7)


def test_blocks_are_those_of_the_gguf_package(bundle, tmp_path):
    """Another hand reads the blocks that we copied integers into."""
    path = written(bundle.quantized(), tmp_path, "q8_0")
    tensors = {tensor.name: tensor for tensor in peer.GGUFReader(path).tensors}
    found = peer.quants.dequantize(
        tensors["blk.1.ffn_down.weight"].data, peer.GGMLQuantizationType.Q8_0
    )
    matrix = bundle.quantized().weights["blocks.1.feed_forward.down_proj.weight"]
    np.testing.assert_allclose(found, matrix, rtol=2**-10)


def test_what_llama_cpp_would_guess_wrongly_is_written(bundle, tmp_path):
    keys = open_gguf(written(bundle, tmp_path, usable_context=77)).keys
    ours = {key.removeprefix("tokenizer.ggml."): value for key, value in keys.items()}
    assert (ours["bos_token_id"], ours["eos_token_id"], ours["padding_token_id"]) == (1, 2, 0)
    assert (ours["add_bos_token"], ours["add_eos_token"]) == (True, False)
    assert ours["token_type"][:4] == [3, 3, 3, 1]
    assert len(ours["tokens"]) == 300
    assert (keys["refact.context_length"], keys["anekdot.context_length"]) == (77, 32)
    assert "message['content']" in keys["tokenizer.chat_template"]


@pytest.mark.parametrize("name", ["hidden_dim", "intermediate_dim"])
@pytest.mark.parametrize("dtype", ["q8_0", "q4_0"])
def test_a_width_that_blocks_do_not_hold_is_refused(name, dtype, tmp_path):
    bundle = random_bundle(**{name: 48})
    bundle.save(tmp_path / "model")
    with pytest.raises(BundleError, match=rf"{name} is 48.*32"):
        export(tmp_path / "model", "gguf", tmp_path / "x.gguf", dtype=dtype)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_split_pattern_that_llama_cpp_lacks_is_refused(bundle, tmp_path):
    other = dataclasses.replace(bundle, tokenizer=Tokenizer(bundle.tokenizer.merges, "words"))
    with pytest.raises(BundleError, match="words, which llama"):
        written(other, tmp_path)


def test_more_layers_than_llama_cpp_holds_are_refused(tmp_path):
    deep = random_bundle(n_layer=513, n_head=1, n_kv_head=1, hidden_dim=1, intermediate_dim=1)
    with pytest.raises(BundleError, match=r"n_layer is 513.*512"):
        written(deep, tmp_path)


@pytest.mark.parametrize("dtype", ["f16", "q8_0", "q4_0"])
@pytest.mark.parametrize("quantized", [True, False])
def test_numbers_that_float16_does_not_hold_are_refused(bundle, dtype, quantized, tmp_path):
    bundle.stored["blocks.0.attention.q_proj.weight"][1, 2] = 1e8
    bundle = bundle.quantized() if quantized else bundle
    with pytest.raises(BundleError, match=r"q_proj.*65504"):
        written(bundle, tmp_path, dtype)


def test_a_modelfile_lies_beside(folder, tmp_path):
    exported = export(folder, "gguf", tmp_path / "my joke.gguf", usable_context=99)
    modelfile = (tmp_path / "my joke.Modelfile").read_text("utf-8").splitlines()
    assert "FROM ./my joke.gguf" in modelfile
    assert "PARAMETER num_ctx 99" in modelfile
    assert len(exported.commands) == 3
    assert "'my joke.Modelfile'" in exported.commands[2].replace(f"{tmp_path}/", "")


def test_a_modelfile_that_is_there_is_kept(folder, tmp_path):
    (tmp_path / "x.Modelfile").write_text("mine", "utf-8")
    with pytest.raises(Exception, match="exists already"):
        export(folder, "gguf", tmp_path / "x.gguf")
    assert (tmp_path / "x.Modelfile").read_text("utf-8") == "mine"
    assert not (tmp_path / "x.gguf").exists()


def swap_gate_and_up(bundle):
    names = [f"blocks.0.feed_forward.{part}_proj.weight" for part in ("gate", "up")]
    stored = {**bundle.stored, names[0]: bundle.stored[names[1]], names[1]: bundle.stored[names[0]]}
    return dataclasses.replace(bundle, stored=stored)


def round_a_weight(bundle):
    array = bundle.stored["final_norm.weight"].copy()
    array[0] = np.nextafter(array[0], np.float32(2))
    return dataclasses.replace(bundle, stored={**bundle.stored, "final_norm.weight": array})


def drop_a_merge(bundle):
    shorter = bundle.tokenizer.truncate(299)
    merges = (*shorter.merges, (3, 4))
    return dataclasses.replace(bundle, tokenizer=Tokenizer(merges))


@pytest.mark.parametrize("damage", [swap_gate_and_up, round_a_weight, drop_a_merge])
@pytest.mark.parametrize("dtype", gguf.FILE_TYPES)
def test_the_check_sees_that_another_model_was_written(bundle, tmp_path, damage, dtype):
    path = written(bundle, tmp_path, dtype)
    gguf.check(bundle, path, dtype)
    path.unlink()
    with pytest.raises(BundleError, match="does not hold"):
        gguf.check(bundle, written(damage(bundle), tmp_path, dtype), dtype)


@pytest.mark.parametrize("key", ["add_eos_token_id", "add_bos_token_id", "add_token_merges"])
def test_the_check_sees_what_was_left_out(bundle, tmp_path, key, monkeypatch):
    monkeypatch.setattr(peer.GGUFWriter, key, lambda *_: None)
    with pytest.raises(BundleError):
        gguf.check(bundle, written(bundle, tmp_path), "f32")


@pytest.mark.parametrize("error", [0.0, 0.001, float("nan")])
def test_the_check_asks_llama_cpp_where_it_is_installed(bundle, tmp_path, monkeypatch, error):
    def log_probs(path, ids, vocab_size):
        assert vocab_size == 300
        return reference_log_probs(bundle.config, bundle.weights, ids)[-1] + error

    path = written(bundle, tmp_path)
    monkeypatch.setattr(llama_cpp, "is_installed", lambda: True)
    monkeypatch.setattr(llama_cpp, "log_probs", log_probs)
    if error == 0:
        assert "by llama.cpp differ by 0 nats" in gguf.check(bundle, path, "f32")
    else:
        with pytest.raises(BundleError, match=r"llama\.cpp computes other"):
            gguf.check(bundle, path, "f32")
