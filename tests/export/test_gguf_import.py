"""GGUF files from elsewhere, damaged or dishonest: one clear sentence each."""

import re
import struct
from contextlib import suppress

import pytest

from anekdot.bundle import Bundle
from anekdot.errors import AnekdotError
from anekdot.export import gguf
from anekdot.export.gguf_import import read
from anekdot.export.gguf_reading import open_gguf
from anekdot.export.importing import import_model
from tests.support.bundles import random_bundle

peer = pytest.importorskip("gguf")


@pytest.fixture
def path(bundle, tmp_path):
    gguf.write(bundle, tmp_path / "x.gguf", "f32", 1024)
    return tmp_path / "x.gguf"


def refusal(path):
    """Returns the sentences that a file is refused with."""
    with pytest.raises(AnekdotError) as info:
        read(path)
    assert info.value.cause.endswith(".")
    assert info.value.remedy.endswith(".")
    assert "\n" not in str(info.value)
    return info.value.cause


def rewritten(path, monkeypatch, **changes):
    """Writes the file again with some keys changed, or left out where the value is None."""
    add = peer.GGUFWriter.add_key_value

    def add_changed(self, key, value, kind, sub_type=None):
        short = key.rpartition(".")[2]
        if short not in changes:
            add(self, key, value, kind, sub_type)
        elif (changed := changes[short]) is not None:
            kinds = peer.GGUFValueType
            kind = kinds.BOOL if isinstance(changed, bool) else kinds.get_type(changed)
            add(self, key, changed, kind)

    path.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(peer.GGUFWriter, "add_key_value", add_changed)
        gguf.write(random_bundle(), path, "f32", 1024)
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architecture": "llama"}, "architecture 'llama'"),
        ({"architecture": None}, "architecture"),
        ({"block_count": None}, "n_layer"),
        ({"block_count": 1}, "blk.1"),
        ({"block_count": 3}, "no blk.2"),
        ({"block_count": 2_000_000_000}, "n_layer"),
        ({"block_count": "two"}, "n_layer"),
        ({"block_count": True}, "n_layer"),
        ({"head_count": 5}, "n_head 5"),
        ({"head_count": 0}, "n_head"),
        ({"head_count_kv": 1}, "shape"),
        ({"embedding_length": 48}, "shape"),
        ({"feed_forward_length": 32}, "shape"),
        ({"layer_norm_rms_epsilon": float("nan")}, "rms_eps"),
        ({"layer_norm_rms_epsilon": None}, "rms_eps"),
        ({"context_length": None}, "context_length"),
        ({"model": "llama"}, "'llama'"),
        ({"pre": "llama-bpe"}, "'llama-bpe'"),
        ({"pre": ["qwen2"]}, "anekdot by"),
        ({"merges": None}, "merges"),
        ({"merges": ["a b c"]}, r"model.merges\[0\]"),
        ({"merges": ["привет мир"]}, r"model.merges\[0\]"),
        ({"tokens": ["a", "b"]}, "vocabulary"),
        ({"bos_token_id": 5}, "bos token 5"),
        ({"eos_token_id": None}, "eos token None"),
        ({"padding_token_id": 2}, "padding token 2"),
    ],
)  # fmt: skip
def test_a_foreign_header_is_refused(path, monkeypatch, changes, said):
    assert re.search(said, refusal(rewritten(path, monkeypatch, **changes)))


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (0, b"GGML", "does not begin with GGUF"),
        (4, struct.pack("<I", 1), "version is 1"),
        (4, struct.pack(">I", 3), "version is 50331648"),
        (8, struct.pack("<Q", 10_000), "claims 10,000 tensors"),
        (8, struct.pack("<Q", 1 << 63), "tensors"),
        (8, struct.pack("<Q", 19), "holds|has no|damaged|cannot"),
        (16, struct.pack("<Q", 1 << 40), "keys"),
        (24, struct.pack("<Q", (1 << 64) - 1), "cut off"),
        (32, b"\xff\xfe", "damaged"),
    ],
)  # fmt: skip
def test_a_damaged_beginning_is_refused(path, place, value, said):
    data = bytearray(path.read_bytes())
    data[place : place + len(value)] = value
    path.write_bytes(data)
    assert re.search(said, refusal(path))


def info_of(path, name):
    """Returns where the description of a tensor goes on behind its name."""
    data = path.read_bytes()
    return data.index(struct.pack("<Q", len(name)) + name.encode()) + 8 + len(name)


@pytest.mark.parametrize(
    ("offset", "value", "said"),
    [
        (0, struct.pack("<I", 3), "axes|type|cannot"),
        (0, struct.pack("<I", 4_000_000_000), "axes"),
        (4, struct.pack("<Q", 1 << 62), "ends at byte"),
        (4, struct.pack("<Q", 64), "does not follow"),
        (20, struct.pack("<I", 1), "does not follow"),
        (20, struct.pack("<I", 12), "type 12"),
        (20, struct.pack("<I", 2), "does not follow"),
        (24, struct.pack("<Q", (1 << 64) - 32), "does not follow"),
        (24, struct.pack("<Q", 0), "does not follow"),
    ],
)  # fmt: skip
def test_a_tensor_that_lies_is_refused(path, offset, value, said):
    place = info_of(path, "blk.1.attn_q.weight") + offset
    data = bytearray(path.read_bytes())
    data[place : place + len(value)] = value
    path.write_bytes(data)
    assert re.search(said, refusal(path))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.3, 0.999])
def test_a_file_that_is_cut_off_is_refused(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "cannot be read as GGUF" in refusal(path)


def test_numbers_that_are_not_finite_are_refused(bundle, tmp_path):
    bundle.stored["final_norm.weight"][3] = float("nan")
    gguf.write(bundle, tmp_path / "x.gguf", "f32", 1024)
    assert "final_norm.weight" in refusal(tmp_path / "x.gguf")


def test_four_bits_do_not_come_back(bundle, tmp_path):
    gguf.write(bundle, tmp_path / "x.gguf", "q4_0", 1024)
    assert "Q4_0" in refusal(tmp_path / "x.gguf")


def test_blocks_of_different_scales_become_float32(bundle, tmp_path):
    gguf.write(bundle, tmp_path / "x.gguf", "q8_0", 1024)
    again = read(tmp_path / "x.gguf")
    name = "blocks.0.attention.q_proj.weight"
    assert again.stored[name].dtype == "float32"
    data = open_gguf(tmp_path / "x.gguf").read("blk.0.attn_q.weight")
    expected = peer.quants.dequantize(data, peer.GGMLQuantizationType.Q8_0)
    assert (again.stored[name] == expected).all()


def test_any_flipped_byte_of_the_header_is_survived(path):
    """What a flip makes is a model of the same shape, or a sentence."""
    data = path.read_bytes()
    end = min(tensor.offset for tensor in open_gguf(path).tensors.values())
    for place in range(0, end, 97):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        with suppress(AnekdotError):
            assert read(path).config.vocab_size == 300


def test_an_import_is_a_bundle(bundle, path, tmp_path):
    imported = import_model(path, tmp_path / "again")
    assert (
        imported.fingerprint()
        == bundle.fingerprint()
        == Bundle.load(tmp_path / "again").fingerprint()
    )
    assert "GGUF file x.gguf" in imported.card


def test_an_import_never_replaces_anything(path, tmp_path):
    (tmp_path / "again").mkdir()
    with pytest.raises(AnekdotError, match="exists already"):
        import_model(path, tmp_path / "again")


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "folder", "bundle"])
def test_a_source_that_is_neither_is_refused(bundle, tmp_path, kind):
    source = tmp_path / "source"
    if kind in ("empty", "text"):
        source.write_text("" if kind == "empty" else "кот", "utf-8")
    elif kind == "folder":
        source.mkdir()
    elif kind == "bundle":
        bundle.save(source)
    with pytest.raises(AnekdotError, match="source"):
        import_model(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()
