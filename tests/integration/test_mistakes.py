"""Whatever a person gets wrong is answered with one message and exit status 2.

Every case names the command line and the words that the message must hold. Nothing that
was there before may be lost, and no half-written file may be left.
"""

import errno
import os
import sys
from pathlib import Path

import pytest

from anekdot import atomic_files, errors
from anekdot.bundle import PRETRAINED
from tests.support.commands import run
from tests.support.texts import make_texts

TINY = [
    *("--n-layer", "1", "--n-head", "2", "--n-kv-head", "1", "--hidden-dim", "8"),
    *("--intermediate-dim", "8", "--steps", "2"),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch) -> Path:
    """A folder with good and bad files, which is also the current one."""
    one_a_line = [text.replace("\n", " ") for text in make_texts(60)]
    files = {
        "good.txt": "\n".join(one_a_line),
        "empty.txt": "",
        "blank.txt": "\n \n\n",
        "picture.png": "x",
        "list.jsonl": "[1, 2]\n",
        "stepz.toml": "stepz = 3\n",
        "table.toml": "[model]\nn_layers = 3\n",
        "type.toml": 'vocab_size = "big"\n',
        "broken.toml": "steps = \n",
        "recipes.toml": 'recipe = ["default"]\n',
        "preset.toml": 'preset = "huge"\n',
        "full/thesis.doc": "precious",
        "no_bundle/config.json": "{}",
        "rest/tokenizer.json": '{"model": 1}',
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "empty_folder").mkdir()
    (tmp_path / "cp1251.txt").write_bytes("Кот спит.\nКот ест.\n".encode("cp1251"))
    (tmp_path / "cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03cut")
    monkeypatch.chdir(tmp_path)
    return tmp_path


CASES: list[tuple[str, list[str]]] = [
    # sources
    ("train nothing.txt --out x", ["nothing.txt"]),
    ("train --out x", ["No texts"]),
    ("train empty.txt --out x", ["No text", "0"]),
    ("train blank.txt --out x", ["No text"]),
    ("train picture.png --out x", ["picture.png", ".txt"]),
    ("train empty_folder --out x", ["empty_folder"]),
    ("train cut.jsonl.gz --out x", ["cut.jsonl.gz"]),
    ("train list.jsonl --out x", ["list.jsonl"]),
    ("prepare nothing.txt --out x", ["nothing.txt"]),
    ("tokenizer train nothing.txt --out t.json", ["nothing.txt"]),
    # where to write
    ("train good.txt --out full", ["full"]),
    ("prepare good.txt --out full", ["full"]),
    ("train good.txt --out good.txt/inside", ["good.txt"]),
    ("prepare good.txt --out good.txt", ["good.txt"]),
    ("tokenizer train good.txt --out good.txt/t.json", ["good.txt"]),
    # fields
    ("train good.txt --out x --n-head 5", ["n_head"]),
    ("train good.txt --out x --n-head 4 --n-kv-head 3", ["n_kv_head"]),
    ("train good.txt --out x --n-layer -1", ["n_layer"]),
    ("train good.txt --out x --n-layer two", ["n-layer", "two"]),
    ("train good.txt --out x --hidden-dim 1000000000", ["hidden_dim"]),
    ("train good.txt --out x --steps 0", ["steps"]),
    ("train good.txt --out x --learning-rate nan", ["learning_rate"]),
    ("train good.txt --out x --dropout 1.5", ["dropout"]),
    ("train good.txt --out x --vocab-size 5", ["vocab_size", "259"]),
    ("train good.txt --out x --test 1.5", ["test", "1.5"]),
    ("train good.txt --out x --test 0.6 --validation 0.5", ["test", "validation"]),
    ("train good.txt --out x --preset huge", ["huge", "nano"]),
    ("train good.txt --out x --stepz 3", ["--stepz", "--steps"]),
    ("train good.txt --out x --config stepz.toml", ["stepz.toml", "stepz", "steps"]),
    ("train good.txt --out x --config table.toml", ["n_layers", "n_layer"]),
    ("train good.txt --out x --config type.toml", ["vocab_size", "big"]),
    ("train good.txt --out x --config broken.toml", ["broken.toml"]),
    ("train good.txt --out x --config preset.toml", ["huge", "nano"]),
    ("train good.txt --out x --config nothing.toml", ["nothing.toml"]),
    ("train good.txt --out x --config recipes.toml", ["recipe"]),
    ("prepare good.txt --out .", ["current"]),
    ("train good.txt --out x --config full", ["full"]),
    ("tokenizer train good.txt --vocab-size 5 --out t", ["259"]),
    # generation
    ("generate --model nowhere", ["nowhere", "config.json"]),
    ("generate --model no_bundle", ["no_bundle"]),
    ("generate --model good.txt", ["good.txt"]),
    ("generate --temperature -1", ["temperature", "-1"]),
    ("generate --temperature nan", ["temperature", "nan"]),
    ("generate --temperature hot", ["temperature", "hot"]),
    ("generate --temprature 1", ["--temprature", "--temperature"]),
    ("generate --top-k 0", ["top-k", "0"]),
    ("generate --top-k -4", ["top-k", "-4"]),
    ("generate --top-k 99999999", ["top-k"]),
    ("generate -n 0", ["n is 0"]),
    ("generate -n 1000000000", ["n is 1000000000"]),
    ("generate --max-tokens 0", ["max-tokens"]),
    ("generate --beams 0", ["beams"]),
    ("generate --beams 1000", ["beams"]),
    ("generate --seed -5", ["seed"]),
    ("generate Раз два", ["два"]),
    # export and import
    ("export nowhere --to bundle --out x", ["nowhere"]),
    ("export no_bundle --to bundle --out x", ["no_bundle"]),
    ("export pretrained --to bundles --out x", ["bundles", "Did you mean bundle"]),
    ("export pretrained --to bundle --out x --dtype q8", ["'q8'", "int8"]),
    ("export pretrained --to bundle --out good.txt", ["good.txt", "exists"]),
    ("export pretrained --to bundle --out empty_folder", ["empty_folder", "exists"]),
    ("export pretrained --to bundle --out good.txt/x.zip", ["good.txt"]),
    ("export pretrained --to bundle --out x --usable-context 9", ["usable_context"]),
    ("export pretrained --to bundle", ["out"]),
    ("import nowhere --out x", ["nowhere"]),
    ("import good.txt --out x", ["good.txt", "GGUF"]),
    ("import full --out x", ["full"]),
    ("import good.txt --out full", ["full", "exists"]),
    ("info nowhere", ["nowhere"]),
    ("info good.txt", ["good.txt"]),
    # the rest
    ("evaluate nowhere", ["nowhere"]),
    ("evaluate no_bundle", ["no_bundle"]),
    ("curves full", ["full"]),
    ("curves", ["No run"]),
    ("tokenizer decode 99999999", ["99999999"]),
    ("tokenizer decode one", ["one"]),
    ("tokenizer encode а --tokenizer good.txt", ["good.txt"]),
    ("tokenizer encode а --tokenizer rest", ["rest"]),
    ("tokenizer encode а --tokenizer nothing.json", ["nothing.json"]),
    ("tell Кот", ["tell"]),
]


@pytest.mark.parametrize(("line", "words"), CASES, ids=[line for line, _ in CASES])
def test_a_mistake_is_one_message_and_status_2(place, capsys, monkeypatch, line, words):
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    status, complaint = run(capsys, monkeypatch, *line.split())
    assert status == 2
    assert "Traceback" not in complaint
    assert "\nanekdot: " in "\n" + complaint
    for word in words:
        assert word in complaint
    assert {path: path.read_bytes() for path in before} == before
    assert not list(place.rglob("*.staged"))


@pytest.mark.parametrize(
    ("prompt", "word"), [("слово " * 2000, "tokens"), ("Кот\udcd0", "surrogate")]
)
def test_impossible_prompts(place, capsys, monkeypatch, prompt, word):
    status, complaint = run(capsys, monkeypatch, "generate", prompt)
    assert (status, word in complaint) == (2, True)


@pytest.mark.parametrize("prompt", ["", "\x00\x00", "\n\n", "🙂", "e\u0301", "<|end|>"])
def test_odd_prompts_are_continued(place, capsys, monkeypatch, prompt):
    assert run(capsys, monkeypatch, "generate", prompt, "--max-tokens", 3)[0] == 0


def test_evaluate_on_no_texts_and_on_a_long_one(place, capsys, monkeypatch):
    status, complaint = run(capsys, monkeypatch, "evaluate", PRETRAINED, "--texts", "empty.txt")
    assert (status, "empty.txt" in complaint) == (2, True)
    (place / "long.txt").write_text("Кот спит на печи и видит сны. " * 100, "utf-8")
    assert run(capsys, monkeypatch, "evaluate", PRETRAINED, "--texts", "long.txt")[0] == 0
    status, complaint = run(capsys, monkeypatch, "evaluate", PRETRAINED)
    assert (status, "--texts" in complaint) == (2, True)


@pytest.mark.parametrize("records", [1, 2, 20])
def test_a_corpus_too_small_to_split_says_so_and_trains_if_asked(
    place, capsys, monkeypatch, records
):
    (place / "small.txt").write_text("\n".join(make_texts(200)[1 : 3 * records : 3]), "utf-8")
    status, complaint = run(capsys, monkeypatch, "train", "small.txt", "--out", "x", *TINY)
    assert status in (0, 2)
    assert "Traceback" not in complaint
    if status == 2:
        assert "--validation 0 --test 0" in complaint
    everything = ["--validation", 0, "--test", 0]
    assert run(capsys, monkeypatch, "train", "small.txt", "--out", "y", *everything, *TINY)[0] == 0


def test_one_record_can_be_measured(place, capsys, monkeypatch):
    (place / "one.txt").write_text("Кот спит на печи и видит сны.\n", "utf-8")
    assert run(capsys, monkeypatch, "evaluate", PRETRAINED, "--texts", "one.txt")[0] == 0


def test_a_vocabulary_larger_than_the_texts_give_is_said(place, capsys, monkeypatch):
    status, notes = run(
        capsys, monkeypatch, "train", "good.txt", "--out", "x", "--vocab-size", 9000, *TINY
    )
    assert (status, "not 9,000" in notes) == (0, True)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that even root cannot write")
@pytest.mark.parametrize("verb", ["prepare", "train", "tokenizer train"])
def test_a_read_only_folder_is_named(place, capsys, monkeypatch, verb):
    status, complaint = run(capsys, monkeypatch, *verb.split(), "good.txt", "--out", "/sys/x")
    assert (status, "/sys/x" in complaint) == (2, True)
    assert "Traceback" not in complaint


def test_a_full_disk_is_named_and_leaves_nothing_half_written(place, capsys, monkeypatch):
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(atomic_files, "sync", full)
    status, complaint = run(capsys, monkeypatch, "prepare", "good.txt", "--out", "x")
    assert status == 2
    assert os.strerror(errno.ENOSPC) in complaint
    assert not (place / "x").exists()
    assert not list(place.rglob("*.staged"))


@pytest.mark.parametrize(
    ("line", "module"),
    [("train good.txt", "torch"), ("evaluate full", "torch"), ("curves full", "matplotlib")],
)
def test_a_missing_extra_says_what_to_install(place, capsys, monkeypatch, line, module):
    find = errors.importlib.util.find_spec
    monkeypatch.setattr(
        errors.importlib.util, "find_spec", lambda name: None if name == module else find(name)
    )
    status, complaint = run(capsys, monkeypatch, *line.split())
    assert (status, "anekdot[train]" in complaint) == (2, True)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 6.0 GiB for an array"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
        ),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB."),
    ],
)
@pytest.mark.parametrize(
    "line", ["train good.txt --out x", "generate Кот", "prepare good.txt --out x"]
)
def test_too_little_memory_is_a_sentence(place, capsys, monkeypatch, error, line):
    def fail(*_: object, **__: object) -> None:
        raise error

    for name in ("pipeline.train", "pipeline.prepare", "cli.generate.load"):
        monkeypatch.setattr(f"anekdot.{name}", fail)
    status, complaint = run(capsys, monkeypatch, *line.split())
    assert (status, "memory" in complaint) == (2, True)
    assert complaint.count("\n") == 1


def test_a_model_too_large_for_the_memory_is_refused(place, capsys, monkeypatch):
    shape = ("--hidden-dim", 1 << 16, "--intermediate-dim", 1 << 18, "--n-layer", 1024)
    status, complaint = run(capsys, monkeypatch, "train", "good.txt", "--out", "x", *shape)
    assert status == 2
    assert "parameters needs" in complaint
    assert "GiB" in complaint
