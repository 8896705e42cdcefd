"""Every command as a user types it, and what it prints."""

import gzip
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from anekdot.bundle import Bundle
from anekdot.generation.generator import load
from anekdot.tokenizer.tokenizer import Tokenizer
from tests.support.commands import TINY_FLAGS, anekdot

VERBS = ["generate", "prepare", "train", "evaluate", "tokenizer", "curves", "info"]


def test_help_names_every_verb(tmp_path):
    result = anekdot("--help", cwd=tmp_path)
    assert result.returncode == 0
    assert all(verb in result.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, tmp_path):
    result = anekdot(verb, "--help", cwd=tmp_path)
    assert result.returncode == 0
    assert f"anekdot {verb}" in result.stdout


def test_every_field_is_a_documented_flag(tmp_path):
    shown = anekdot("train", "--help", cwd=tmp_path).stdout
    for flag in ("--steps", "--context-length", "--n-layer", "--weight-decay", "--no-obscene"):
        assert flag in shown
    assert "Optimizer steps" in shown


def test_version_and_info(tmp_path):
    assert anekdot("--version", cwd=tmp_path).stdout.startswith("anekdot 0.")
    shown = anekdot("info", cwd=tmp_path).stdout
    assert "parameters" in shown
    assert "(split pattern qwen2)" in shown
    assert "torch" in shown


def test_generate_tells_a_text_with_the_pretrained_model(tmp_path):
    result = anekdot("generate", "Студент МФТИ на экзамене", "--seed", 1, cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.startswith("Студент МФТИ на экзамене")
    assert len(result.stdout) > 40


def test_generate_json(trained):
    flags = ["-n", 3, "--seed", 7, "--max-tokens", 20, "--json"]
    result = anekdot("generate", "Кот", "--model", trained, *flags, cwd=trained)
    samples = [json.loads(line) for line in result.stdout.splitlines()]
    assert [sample["seed"] for sample in samples] == [7, 8, 9]
    for sample in samples:
        assert sample.keys() == {"prompt", "text", "finish_reason", "tokens", "seed"}
        assert sample["prompt"] == "Кот"
        assert sample["text"].startswith("Кот")
        assert sample["finish_reason"] in ("end", "length")
        assert 0 <= sample["tokens"] <= 20
    alone = anekdot(
        "generate", "Кот", "--model", trained, "--seed", 9, "--max-tokens", 20, "--json",
        cwd=trained,
    )  # fmt: skip
    assert json.loads(alone.stdout) == samples[2]


def test_generate_with_every_flag(trained):
    generator = load(trained)
    for flags, settings in (
        (["--temperature", 0], {"temperature": 0}),
        (["--top-k", 5, "--temperature", 1.5], {"top_k": 5, "temperature": 1.5}),
        (["--beams", 3], {"beams": 3}),
        (["--max-tokens", 4], {"max_tokens": 4}),
    ):
        result = anekdot("generate", "--model", trained, "--seed", 1, *flags, cwd=trained)
        assert result.returncode == 0, result.stderr
        assert result.stdout == f"{generator.generate(seed=1, **settings)}\n"


@pytest.mark.parametrize("prompt", ["- Доктор, я", "-Кот", "— Да", "-", "$HOME «»"])
def test_a_prompt_may_begin_with_a_hyphen(trained, prompt):
    flags = ["--model", trained, "--max-tokens", 5]
    assert anekdot("generate", prompt, *flags, cwd=trained).stdout.startswith(prompt)
    assert anekdot("generate", *flags, prompt, cwd=trained).stdout.startswith(prompt)


def test_generate_imports_no_torch(tmp_path):
    code = (
        "import sys; from anekdot.cli import main; sys.argv[1:] = ['generate', 'Кот']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('loaded:', sorted({'torch', 'matplotlib', 'numba'} & sys.modules.keys()))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert "loaded: []" in result.stdout


def test_train_leaves_a_bundle_curves_and_three_texts(trained):
    for name in (
        "README.md",
        "run/curves.png",
        "run/metrics.jsonl",
        "run/samples.md",
        "run/config.json",
    ):
        assert (trained / name).stat().st_size > 0
    output = (trained.parent / "output.txt").read_text("utf-8")
    assert "bits per byte" in output
    assert "tokens/s" in output
    assert "Three texts" in output
    kinds = [
        json.loads(line)["kind"]
        for line in (trained / "run/metrics.jsonl").read_text("utf-8").splitlines()
    ]
    assert {"step", "evaluation", "sample"} == set(kinds)


def test_training_lowers_the_loss(trained):
    records = [
        json.loads(line) for line in (trained / "run/metrics.jsonl").read_text("utf-8").splitlines()
    ]
    losses = [record["loss"] for record in records if record["kind"] == "step"]
    vocabulary = Bundle.load(trained).config.vocab_size
    assert losses[0] == pytest.approx(math.log(vocabulary), abs=0.3)
    assert losses[-1] < losses[0] - 1


def test_a_finished_run_is_refused_and_so_are_other_settings(trained, jokes):
    again = anekdot(
        "train", jokes, "--out", trained, "--steps", 60, *TINY_FLAGS, cwd=trained.parent
    )
    assert again.returncode == 2
    assert "finished" in again.stderr
    other = anekdot(
        "train", jokes, "--out", trained, "--steps", 61, *TINY_FLAGS, cwd=trained.parent
    )
    assert other.returncode == 2
    assert "steps 60 → 61" in other.stderr


def test_prepare_then_train_then_evaluate(jokes, tmp_path):
    sides = ["--validation", 0.1, "--test", 0.2]
    prepared = anekdot("prepare", jokes, "--out", "data", "--vocab-size", 400, *sides, cwd=tmp_path)
    assert prepared.returncode == 0, prepared.stderr
    assert "300 texts in" in prepared.stderr
    manifest = json.loads((tmp_path / "data/manifest.json").read_text("utf-8"))
    assert sum(manifest["documents"].values()) + sum(manifest["dropped"].values()) == 300
    flags = [flag for flag in TINY_FLAGS if flag not in ("--validation", "--test", "0.1")]
    result = anekdot("train", "data", "--out", "m", "--steps", 20, *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    measured = json.loads(anekdot("evaluate", "m", "--json", cwd=tmp_path).stdout)
    assert measured.keys() == {
        "loss", "perplexity", "bits_per_byte", "documents", "tokens", "bytes",
    }  # fmt: skip
    assert measured["documents"] == manifest["documents"]["test"]
    assert measured["tokens"] == manifest["tokens"]["test"] - manifest["documents"]["test"]
    assert measured["perplexity"] == pytest.approx(math.exp(measured["loss"]))
    nats = measured["loss"] * measured["tokens"]
    assert measured["bits_per_byte"] == pytest.approx(nats / math.log(2) / measured["bytes"])


def test_a_prepared_folder_keeps_its_settings(jokes, tmp_path):
    anekdot("prepare", jokes, "--out", "data", "--vocab-size", 400, cwd=tmp_path)
    other = anekdot("train", "data", "--out", "m", "--vocab-size", 500, cwd=tmp_path)
    assert other.returncode == 2
    assert "vocab_size 400 → 500" in other.stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/README.md").write_text("precious")
    taken = anekdot("train", "data", "--out", "mine", cwd=tmp_path)
    assert taken.returncode == 2
    assert (tmp_path / "mine/README.md").read_text() == "precious"
    (tmp_path / "data/train.ids.npy").write_bytes(b"damaged")
    damaged = anekdot("train", "data", "--out", "m", cwd=tmp_path)
    assert damaged.returncode == 2
    assert "train.ids.npy" in damaged.stderr


def test_evaluate_on_named_texts(trained, tmp_path):
    (tmp_path / "one.txt").write_text("Кот спит на печи.\n", "utf-8")
    shown = anekdot("evaluate", trained, "--texts", "one.txt", "--json", cwd=tmp_path)
    measured = json.loads(shown.stdout)
    assert measured["documents"] == 1
    assert measured["bytes"] == len("Кот спит на печи.".encode())
    plain = anekdot("evaluate", trained, "--texts", "one.txt", cwd=tmp_path).stdout
    assert "bits per byte" in plain


def test_the_same_texts_in_every_format_train_the_same_model(texts, tmp_path):
    (tmp_path / "a.txt").write_text("\n\n".join(texts), "utf-8")
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    (tmp_path / "b.jsonl").write_text("\n".join(lines), "utf-8")
    with gzip.open(tmp_path / "c.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines))
    quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
    (tmp_path / "d.csv").write_text("id,text\n" + "\n".join(f"1,{q}" for q in quoted), "utf-8")
    vocabularies = set()
    for source in ("a.txt", "b.jsonl", "c.jsonl.gz", "d.csv", "-"):
        out = tmp_path / f"{source}.json"
        result = anekdot(
            "tokenizer", "train", source, "--vocab-size", 300, "--out", out, cwd=tmp_path,
            text="\n\n".join(texts) if source == "-" else None,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        vocabularies.add(out.read_bytes())
    assert len(vocabularies) == 1


def test_train_from_standard_input(texts, tmp_path):
    result = anekdot(
        "train", "-", "--out", "m", "--steps", 6, *TINY_FLAGS, cwd=tmp_path, text="\n\n".join(texts)
    )
    assert result.returncode == 0, result.stderr
    assert Bundle.load(tmp_path / "m").config.n_layer == 2


def test_tokenizer_encode_decode_show(trained, tmp_path):
    encoded = anekdot(
        "tokenizer", "encode", "Кот и <|end|>", "--tokenizer", trained, cwd=tmp_path
    ).stdout.split()
    assert encoded == [str(i) for i in Bundle.load(trained).tokenizer.encode("Кот и <|end|>")]
    assert not {"0", "1", "2"} & set(encoded)
    path = trained / "tokenizer.json"
    decoded = anekdot("tokenizer", "decode", *encoded, "--tokenizer", path, cwd=tmp_path).stdout
    assert decoded == "Кот и <|end|>\n"
    shown = anekdot("tokenizer", "show", "Кот спит", "--tokenizer", path, cwd=tmp_path).stdout
    assert f"{Tokenizer.load(path).vocab_size:,} tokens" in shown
    assert "merges, split pattern qwen2" in shown
    assert "bytes per token" in shown


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_curves_of_two_runs(trained, tmp_path, ending):
    out = tmp_path / f"both.{ending}"
    result = anekdot("curves", trained, trained, "--out", out, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert out.stat().st_size > 10_000


def test_quantization_costs_little(trained, tmp_path):
    Bundle.load(trained).quantized().save(tmp_path / "small")
    texts = tmp_path / "t.txt"
    texts.write_text("Студент номер 7 молчит про обед.\nКот номер 2 поёт о погоде.\n", "utf-8")
    losses = [
        json.loads(anekdot("evaluate", b, "--texts", texts, "--json", cwd=tmp_path).stdout)["loss"]
        for b in (trained, tmp_path / "small")
    ]
    assert losses[0] == pytest.approx(losses[1], abs=0.05)
    stored = load_file(tmp_path / "small/model.safetensors")
    assert stored["token_embedding.weight"].dtype == np.int8
