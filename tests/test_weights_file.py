"""What a hostile author can claim of a model, under right hashes: refused in a sentence."""

import json
import shutil
import struct
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anekdot import machine, weights_file
from anekdot.bundle import CONFIG, MAX_CONFIG_BYTES, WEIGHTS, Bundle
from anekdot.errors import AnekdotError, BundleError, ConfigurationError
from anekdot.generation.generator import load
from anekdot.model.config import parameter_shapes
from anekdot.model.weights import model_weights
from anekdot.quantization import quantize_weights
from anekdot.tokenizer.tokenizer import Tokenizer
from anekdot.weights_file import FORMAT, MAX_WEIGHT
from tests.support.bundles import NAMES, Tensor, hashes, tensor, write_raw, write_weights
from tests.support.models import tiny_model
from tests.support.texts import make_texts

MATRIX, NORM, EMBEDDING = "blocks.0.attention.q_proj.weight", "final_norm.weight", "token_embedding"
SCALE = MATRIX + ".scale"

Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = tiny_model(vocab_size=300)
    folder = tmp_path_factory.mktemp("bundles") / "pristine"
    Bundle(model.config, Tokenizer.train(make_texts(200), 300), model_weights(model)).save(folder)
    return folder


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "b")


def arrays_of(folder: Path, quantized: bool = False) -> Arrays:
    weights = Bundle.load(folder).weights
    return dict(quantize_weights(weights)) if quantized else dict(weights)


def write(folder: Path, arrays: Arrays) -> None:
    write_weights(folder, {name: tensor(np.asarray(array)) for name, array in arrays.items()})


def with_value(array: Any, value: Any) -> Any:
    changed = array.copy()
    changed.flat[3] = value
    return changed


def as_dtype(name: str, dtype: str) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {name: arrays[name].astype(dtype)}


def holding(name: str, value: float) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {name: with_value(arrays[name], value)}


def shaped(name: str, shape: tuple[int, ...]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {name: np.resize(arrays[name], shape)}


# Each changes the float32 weights: the words of the answer, and what takes the place of what.
FLOAT_LIES: dict[str, tuple[str, Callable[[Arrays], Arrays]]] = {
    **{f"a matrix in {dtype}": (MATRIX, as_dtype(MATRIX, dtype)) for dtype in NAMES
       if dtype not in ("f4", "f2")},
    **{f"a norm in {dtype}": (NORM, as_dtype(NORM, dtype)) for dtype in NAMES
       if dtype not in ("f4", "f2")},
    **{f"a weight of {value}": (MATRIX, holding(MATRIX, value))
       for value in (np.nan, np.inf, -np.inf, 1e30, -1e30, 2 * MAX_WEIGHT)},
    "a norm that is not a number": (NORM, holding(NORM, np.nan)),
    "an embedding that is infinite": (EMBEDDING, holding("token_embedding.weight", np.inf)),
    "half a precision, infinite": (
        MATRIX, lambda a: {MATRIX: with_value(a[MATRIX].astype("f2"), np.inf)}
    ),
    "half a precision, not a number": (
        NORM, lambda a: {NORM: with_value(a[NORM].astype("f2"), np.nan)}
    ),
    "a norm that is too large": ("final_norm", lambda a: {NORM: a[NORM] * np.float32(1e30)}),
    "a transposed shape": (MATRIX, shaped(MATRIX, (12, 48))),
    "a missing axis": (MATRIX, shaped(MATRIX, (576,))),
    "an axis more": (MATRIX, shaped(MATRIX, (24, 24, 1))),
    "a scalar": (NORM, shaped(NORM, ())),
    "no rows": (MATRIX, shaped(MATRIX, (0, 24))),
    "a longer norm": (NORM, shaped(NORM, (25,))),
    "a stray tensor": ("'x'", lambda a: {"x": np.zeros(3, np.float32)}),
    "a stray scalar": ("'x'", lambda a: {"x": np.float32(1)}),
    "a stray name without letters": ("''", lambda a: {"": np.zeros(3, np.float32)}),
    "a stray layer": ("blocks.2", lambda a: {"blocks.2.attention_norm.weight": a[NORM]}),
    "a layer with a zero": ("blocks.00", lambda a: {"blocks.00.attention_norm.weight": a[NORM]}),
    "a stray head": ("lm_head", lambda a: {"lm_head.weight": a["token_embedding.weight"]}),
    "a stray bias": ("bias", lambda a: {"blocks.0.attention.q_proj.bias": a[NORM]}),
    "a stray name of another alphabet": (r"\\u0430|а", lambda a: {"а": a[NORM]}),
    "a scale of nothing": ("x.scale", lambda a: {"x.scale": np.ones(3, np.float32)}),
    "a bare scale": (".scale", lambda a: {".scale": np.ones(3, np.float32)}),
    "a scale of a scale": ("scale.scale", lambda a: {SCALE + ".scale": np.ones(24, np.float32)}),
    "a scale of a norm": (NORM, lambda a: {NORM + ".scale": np.ones(24, np.float32)}),
    "a scale of floats": (SCALE, lambda a: {SCALE: np.ones(24, np.float32)}),
    "a wrong scale of floats": (SCALE, lambda a: {SCALE: np.ones(7, np.float32)}),
    "a scale of two axes of floats": (SCALE, lambda a: {SCALE: np.ones((24, 1), np.float32)}),
    "int8 without a scale": (SCALE, as_dtype(MATRIX, "i1")),
}  # fmt: skip

# Each changes the int8 weights.
INT8_LIES: dict[str, tuple[str, Callable[[Arrays], Arrays]]] = {
    **{f"a scale in {dtype}": (SCALE, as_dtype(SCALE, dtype)) for dtype in NAMES
       if dtype != "f4"},
    **{f"a scale of {value}": (SCALE, holding(SCALE, value))
       for value in (np.nan, np.inf, -np.inf, -1.0, 1e30, MAX_WEIGHT)},
    "a shorter scale": (SCALE, shaped(SCALE, (23,))),
    "a longer scale": (SCALE, shaped(SCALE, (25,))),
    "a single scale": (SCALE, shaped(SCALE, (1,))),
    "a scale without axes": (SCALE, shaped(SCALE, ())),
    "an empty scale": (SCALE, shaped(SCALE, (0,))),
    "a scale of two axes": (SCALE, shaped(SCALE, (24, 1))),
    "a scale of columns": (SCALE, shaped(SCALE, (1, 24))),
    "a quantized norm": (NORM, lambda a: {NORM: np.ones(24, np.int8),
                                          NORM + ".scale": np.ones(1, np.float32)}),
    "uint8 with scales": (MATRIX, as_dtype(MATRIX, "u1")),
}  # fmt: skip


def check_refused(folder: Path, words: str) -> None:
    for opening in (Bundle.load, load):
        with pytest.raises(BundleError, match=words) as caught:
            opening(folder)
        assert len(str(caught.value)) < 1_000
        assert str(folder) in caught.value.cause


@pytest.mark.parametrize(("words", "change"), FLOAT_LIES.values(), ids=FLOAT_LIES)
def test_lies_about_floats(folder, words, change):
    arrays = arrays_of(folder)
    write(folder, arrays | change(arrays))
    check_refused(folder, words)


@pytest.mark.parametrize(("words", "change"), INT8_LIES.values(), ids=INT8_LIES)
def test_lies_about_int8(folder, words, change):
    arrays = arrays_of(folder, quantized=True)
    write(folder, arrays | change(arrays))
    check_refused(folder, words)


@pytest.mark.parametrize("missing", [MATRIX, NORM, "token_embedding.weight", SCALE])
def test_what_is_missing_is_named(folder, missing):
    arrays = arrays_of(folder, quantized=True)
    del arrays[missing]
    write(folder, arrays)
    check_refused(folder, missing)


def test_nothing_at_all(folder):
    write(folder, {})
    check_refused(folder, "blocks.0")


@pytest.mark.parametrize("kind", ["float32", "float16", "int8", "mixed"])
def test_what_is_no_lie_is_read(folder, kind):
    true = arrays_of(folder)
    arrays = arrays_of(folder, quantized=kind in ("int8", "mixed"))
    if kind == "float16":
        arrays = {name: array.astype(np.float16) for name, array in arrays.items()}
    if kind == "mixed":
        del arrays[SCALE]
        arrays[MATRIX] = true[MATRIX]
    write(folder, arrays)
    loaded = Bundle.load(folder).weights
    assert loaded.keys() == true.keys()
    for name, array in loaded.items():
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, true[name], atol=abs(true[name]).max() / 200)


METADATA: dict[str, dict[str, Any]] = {
    "no hashes": {},
    "deep": {FORMAT: "[" * 100_000},
    "deep objects": {FORMAT: '{"a":' * 100_000},
    "a list": {FORMAT: "[1, 2]"},
    "a number": {FORMAT: "7"},
    "a long number": {FORMAT: "7" * 10_000},
    "not JSON": {FORMAT: "{"},
    "nothing": {FORMAT: "null"},
    "not a number": {FORMAT: "NaN"},
    "hashes that are no strings": {FORMAT: '{"weights": [[]], "config": {}}'},
    "a number for a string": {FORMAT: 7},
}


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
def test_lies_in_the_metadata(folder, metadata):
    arrays = arrays_of(folder)
    write_weights(folder, {name: tensor(array) for name, array in arrays.items()}, metadata)
    check_refused(folder, WEIGHTS)


HEADERS: dict[str, bytes] = {
    "deep": b"[" * 100_000,
    "deep in a tensor": b'{"a":' * 100_000,
    "a list": b"[]",
    "not UTF-8": b'{"\xff": 1}',
    "no data": b'{"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}',
    "a hole": b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}',
    "backwards": b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}',
    "negative": b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}',
    "larger than any number": b'{"a": {"dtype": "F32", "shape": [4294967296, 4294967296], '
    b'"data_offsets": [0, 0]}}',
    "a dtype of another world": b'{"a": {"dtype": "F7", "shape": [1], "data_offsets": [0, 4]}}',
    "overlapping": b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, '
    b'"b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}',
    "twice": b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, '
    b'"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}',
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_lies_in_the_header(folder, header):
    write_raw(folder / WEIGHTS, header, bytes(8))
    check_refused(folder, WEIGHTS)


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F8_E5M2"])
def test_dtypes_that_numpy_does_not_know(folder, dtype):
    tensors = {name: tensor(array) for name, array in arrays_of(folder).items()}
    wide = 2 if dtype == "BF16" else 1
    tensors[MATRIX] = (dtype, [24, 24], bytes(24 * 24 * wide))
    write_weights(folder, tensors)
    check_refused(folder, f"{MATRIX} in {dtype}")


def test_an_enormous_header_is_not_read(folder):
    write_raw(folder / WEIGHTS, b'{"__metadata__": {"a": "' + b"a" * (9 << 20) + b'"}}')
    check_refused(folder, "header")
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", (1 << 64) - 1) + b"{}")
    check_refused(folder, "header")


def test_a_header_that_the_model_does_not_need_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(weights_file, "MAX_HEADER_BYTES", 1_000)
    check_refused(folder, "header")


@pytest.mark.parametrize("extra", ["stray", "longer", "alone"])
def test_a_file_that_claims_much_costs_nothing(folder, extra):
    tensors: dict[str, Tensor] = {n: tensor(a) for n, a in arrays_of(folder).items()}
    length = 60 << 30
    if extra == "alone":
        write_raw(folder / WEIGHTS, b"{}")
    else:
        name = MATRIX if extra == "longer" else "zzz"
        end = sum(len(data) for _, _, data in tensors.values() if extra == "stray")
        header: dict[str, Any] = {FORMAT: json.dumps(hashes(folder, tensors))}
        entry = {"dtype": "U8", "shape": [length], "data_offsets": [end, end + length]}
        body = json.dumps({"__metadata__": header, name: entry}).encode()
        write_raw(folder / WEIGHTS, body)
    with (folder / WEIGHTS).open("r+b") as file:
        file.truncate((folder / WEIGHTS).stat().st_size + length)
    tracemalloc.start()
    try:
        check_refused(folder, "bytes")
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


def test_a_model_larger_than_the_memory_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(machine, "physical_memory", lambda: 100_000)
    with pytest.raises(ConfigurationError, match="memory"):
        Bundle.load(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs sparse files")
def test_a_configuration_that_is_too_large_is_not_read(folder):
    with (folder / CONFIG).open("r+b") as file:
        file.truncate(60 << 30)
    check_refused(folder, f"{MAX_CONFIG_BYTES:,}")


CONFIGS: dict[str, Any] = {
    "a list": [],
    "a string": "anekdot-1",
    "nothing": None,
    "another format": {"format": "anekdot-9"},
    "a format that is a list": {"format": ["anekdot-1"]},
    "no format": {"format": ...},
    "no model": {"model": ...},
    "a model that is a list": {"model": [1]},
    "a model that is a string": {"model": "nano"},
    "a training that is a number": {"training": 3},
    "more layers": {"model": {"n_layer": 3}},
    "fewer layers": {"model": {"n_layer": 1}},
    "no layers": {"model": {"n_layer": 0}},
    "true layers": {"model": {"n_layer": True}},
    "layers in words": {"model": {"n_layer": "2"}},
    "a list of layers": {"model": {"n_layer": [2]}},
    "endless layers": {"model": {"n_layer": float("inf")}},
    "layers that are missing": {"model": {"n_layer": ...}},
    "a wider stream": {"model": {"hidden_dim": 48}},
    "a wider feed-forward": {"model": {"intermediate_dim": 33}},
    "fewer KV heads": {"model": {"n_kv_head": 1}},
    "heads that do not divide": {"model": {"n_head": 5}},
    "more tokens": {"model": {"vocab_size": 301}},
    "fewer tokens": {"model": {"vocab_size": 299}},
    "no tokens": {"model": {"vocab_size": 0}},
    "no context": {"model": {"context_length": 0}},
    "an endless context": {"model": {"context_length": 1 << 62}},
    "a head of its own": {"model": {"tie_embeddings": False}},
    "an embedding that is tied in words": {"model": {"tie_embeddings": "yes"}},
    "a dropout that is not a number": {"model": {"dropout": float("nan")}},
    "a dropout of one": {"model": {"dropout": 1}},
    "an epsilon of nothing": {"model": {"rms_eps": 0}},
    "a negative epsilon": {"model": {"rms_eps": -1e-5}},
    "an endless epsilon": {"model": {"rms_eps": float("inf")}},
    "a field more": {"model": {"surprise": 1}},
    "a field in another alphabet": {"model": {"n_lаyer": 2}},
    "the largest of all models": {
        "model": {"n_layer": 1024, "hidden_dim": 1 << 16, "intermediate_dim": 1 << 18}
    },
}


@pytest.mark.parametrize("change", CONFIGS.values(), ids=CONFIGS)
def test_lies_in_the_configuration(folder, change):
    content = json.loads((folder / CONFIG).read_text("utf-8"))
    bundle = Bundle.load(folder)
    if isinstance(change, dict):
        for key, value in change.items():
            if isinstance(value, dict):
                content[key] = {k: v for k, v in {**content[key], **value}.items() if v is not ...}
            else:
                content[key] = value
        content = {key: value for key, value in content.items() if value is not ...}
    else:
        content = change
    (folder / CONFIG).write_text(json.dumps(content), "utf-8")
    bundle.save_weights(folder)
    with pytest.raises(AnekdotError) as caught:
        load(folder)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format": 1e999}', "\ufeff{}", "{" + " " * 99])
def test_a_configuration_that_is_hard_to_parse(folder, text):
    bundle = Bundle.load(folder)
    (folder / CONFIG).write_text(text, "utf-8")
    bundle.save_weights(folder)
    check_refused(folder, CONFIG)


def test_the_names_of_a_model_are_those_of_its_shape(folder):
    bundle = Bundle.load(folder)
    assert bundle.stored.keys() == parameter_shapes(bundle.config).keys()
