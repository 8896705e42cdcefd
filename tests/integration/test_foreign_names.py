"""Names that are not UTF-8, as old Russian archives have them, work wherever a name is given."""

import dataclasses
import json
import os
import sys
from pathlib import Path

import pytest

from anekdot.corpus.config import Rules
from anekdot.corpus.database import connect, literal, write_parquet
from anekdot.corpus.manifest import Manifest
from anekdot.corpus.plan import load_plan, make_plan
from anekdot.model.config import PRESETS
from tests.support.commands import TINY_FLAGS, run
from tests.support.texts import make_texts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all names are Unicode")

NAME = os.fsdecode("анекдоты".encode("cp1251"))
OTHER = os.fsdecode("байки".encode("koi8-r"))
TINY = [*TINY_FLAGS, "--steps", 6]
SMALL = ["--vocab-size", 300]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with texts, a prepared folder and a model, all under such names."""
    from anekdot import prepare, train

    folder = tmp_path_factory.mktemp("place") / OTHER
    texts = make_texts(80)
    for path in (folder / f"{NAME}.txt", folder / NAME / f"{OTHER}.txt"):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("\n\n".join(texts), "utf-8")
    with connect() as connection:
        rows = ", ".join(f"({literal(text)})" for text in texts)
        path = folder / "texts.parquet"
        query = f"SELECT * FROM (VALUES {rows}) AS t(text)"
        write_parquet(connection, query, path)
        path.rename(folder / f"{NAME}.parquet")
    (folder / f"{NAME}.toml").write_text("seed = 3\n")
    prepare(folder / f"{NAME}.txt", out=folder / f"p{NAME}", vocab_size=300)
    shape = {"n_layer": 1, "n_head": 2, "n_kv_head": 1, "hidden_dim": 16, "intermediate_dim": 32}
    train(folder / f"p{NAME}", out=folder / f"m{NAME}", steps=4, warmup_steps=1, **shape)
    return folder


TEXTS, FOLDER, PATTERN = f"{NAME}.txt", NAME, f"{NAME[:3]}*/*.t?t"
PREPARED, MODEL = f"p{NAME}", f"m{NAME}"
CASES: dict[str, list[object]] = {
    "prepare a file": ["prepare", TEXTS, *SMALL, "--out", f"{NAME}-1"],
    "prepare a folder": ["prepare", FOLDER, *SMALL, "--out", f"{NAME}/-2"],
    "prepare a pattern": ["prepare", PATTERN, *SMALL, "--out", f"{NAME}-[3]"],
    "prepare Parquet": ["prepare", f"{NAME}.parquet", *SMALL, "--out", f"{NAME}-'4'"],
    "train on a folder": ["train", FOLDER, "--from", MODEL, "--steps", 2, "--out", f"{NAME}-5"],
    "train on a pattern": ["train", PATTERN, "--config", f"{NAME}.toml", "--out", f"{NAME}-6",
                           *TINY],
    "forecast": ["forecast", PREPARED, "--seconds", 0.1],
    "generate": ["generate", "--model", MODEL, "--max-tokens", 3],
    "evaluate": ["evaluate", MODEL],
    "evaluate on texts": ["evaluate", MODEL, "--texts", TEXTS, "--json"],
    "curves": ["curves", MODEL, f"../{OTHER}/{MODEL}", "--out", f"{NAME}.png"],
    "curves as SVG": ["curves", MODEL, "--out", f"{NAME}.svg"],
    "curves as PDF": ["curves", MODEL, "--out", f"{NAME}/{NAME}.pdf"],
    "train a tokenizer on a file": ["tokenizer", "train", TEXTS, *SMALL, "--out", f"{NAME}.json"],
    "train one on a folder": ["tokenizer", "train", FOLDER, *SMALL, "--out", f"{NAME}/t.json"],
    "train one on a pattern": ["tokenizer", "train", PATTERN, *SMALL, "--out", f"{NAME}/u.json"],
    "encode": ["tokenizer", "encode", "Кот", "--tokenizer", MODEL],
    "decode": ["tokenizer", "decode", 70, "--tokenizer", f"{MODEL}/tokenizer.json"],
    "show": ["tokenizer", "show", "Кот", "--texts", TEXTS, "--tokenizer", MODEL],
    "info": ["info"],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_name_in_another_encoding_works(case, place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr("anekdot.forecast.PRESETS", {"nano": PRESETS["nano"]})  # larger ones last
    arguments = CASES[case]
    status, notes = run(capsys, monkeypatch, *arguments)
    assert status == 0, notes
    if "--out" in arguments:
        out = place / str(arguments[arguments.index("--out") + 1])
        assert out.exists()
        for manifest in out.rglob("manifest.json"):
            assert Manifest.load(manifest.parent).sources == [arguments[1]]
    # nothing is made beside what was asked for, under a name that only looks alike
    assert not [path for path in place.rglob("*") if "\ufffd" in str(path)]


def test_a_run_is_named_after_such_a_source_and_recognised_again(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    assert run(capsys, monkeypatch, "train", TEXTS, *TINY)[0] == 0
    status, notes = run(capsys, monkeypatch, "train", TEXTS, *TINY)
    assert (status, "is finished" in notes) == (2, True)
    assert (place / f"{NAME}-model").is_dir()


@pytest.mark.parametrize("name", ["анекдоты.txt", f"{NAME}.txt"])
def test_a_preparation_goes_on_from_the_plan_that_stands_there(name, tmp_path):
    source, work = tmp_path / name, tmp_path / f"work {name}"
    source.write_text("\n".join(make_texts(20)), "utf-8")
    (work / "done").mkdir(parents=True)
    plan = make_plan([source], work, Rules(), separator=None, column=None)
    assert not (work / "done").exists()
    (work / "done").mkdir()
    assert make_plan([source], work, Rules(), separator=None, column=None) == plan
    assert (work / "done").exists()
    assert [[piece.path for piece in task] for task in load_plan(work).tasks] == [[str(source)]]
    if name != f"{NAME}.txt":  # plans of earlier versions stand, to the byte
        text = json.dumps(dataclasses.asdict(plan), ensure_ascii=False, indent=1) + "\n"
        assert (work / "plan.json").read_text("utf-8") == text
