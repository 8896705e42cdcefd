"""No terminal obeys a foreign text, whichever way it comes in and wherever it is printed."""

import csv
import dataclasses
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anekdot.atomic_files import LOCK
from anekdot.bundle import CONFIG, Bundle
from anekdot.corpus.database import connect, literal
from anekdot.model.weights import model_weights
from anekdot.run_folder import RunFolder
from anekdot.text_output import MAX_MESSAGE
from anekdot.tokenizer.tokenizer import Tokenizer
from tests.support.commands import TINY_FLAGS, run, terminal
from tests.support.models import tiny_model
from tests.support.outcomes import zipped
from tests.support.texts import make_texts

# the title of a window, a colour and the clearing of the screen, in both encodings, and a turn
EVIL = "\x1b]0;PWN\x07\x1b[38;5;201m\x1b[2J\x9d0;\x9c\x9b2J\x7f\r\u202e\u2066\u200f[red]:cat:[/]"
LINE = EVIL.replace("\r", "")
NAME = EVIL.replace("/", "")  # as a file may be called
COLUMN = "PWN\x1b[2J\x9b\u202e:cat:"  # as a header may be long
OBEYED = [
    "\x1b]",
    "\x1b[38",
    "\x1b[2J",
    "\x07",
    "\x7f",
    "\x9b",
    "\x9d",
    "\u202e",
    "\u2066",
    "\u200f",
]
STEPS = [*TINY_FLAGS, "--steps", "6"]
READ = ["tokenizer", "train", "--vocab-size", "260", "--out", "t.json"]

TEXTS = [text.replace("\n", " ") for text in make_texts(60)]


def table(folder: Path, separator: str = ",") -> Path:
    buffer = io.StringIO()
    rows = csv.writer(buffer, delimiter=separator)
    rows.writerows([["id", COLUMN], *([n, text] for n, text in enumerate(TEXTS))])
    return written(folder / "a.csv", buffer.getvalue())


def objects(folder: Path) -> Path:
    return written(folder / "a.jsonl", "\n".join(json.dumps({"n": 1, EVIL: t}) for t in TEXTS))


def array(folder: Path) -> Path:
    return written(folder / "a.json", json.dumps({EVIL: [{EVIL: text} for text in TEXTS]}))


def parquet(folder: Path) -> Path:
    path = folder / "a.parquet"
    name = EVIL.replace('"', '""')
    with connect() as connection:
        rows = ", ".join(f"({n}, {literal(text)})" for n, text in enumerate(TEXTS))
        query = f'SELECT * FROM (VALUES {rows}) AS t(id, "{name}")'
        connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT parquet)")
    return path


def named(folder: Path) -> Path:
    return written(folder / f"{NAME}.txt", "\n".join(TEXTS))


def archive(folder: Path) -> Path:
    path = folder / "a.zip"
    path.write_bytes(zipped({f"{NAME}.txt": "\n".join(TEXTS).encode()}))
    return path


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8", newline="")
    return path


def settings(folder: Path, text: str) -> Path:
    return written(folder / "a.toml", text)


def bundle(folder: Path, **changes: Any) -> Path:
    """A bundle; with changes to its configuration, under the right hash."""
    model = tiny_model(vocab_size=300)
    tokenizer = Tokenizer.train([f"{EVIL} {text}" for text in TEXTS], 300)
    whole = Bundle(model.config, tokenizer, model_weights(model), {})
    whole.save(folder / "b")
    content = json.loads((folder / "b" / CONFIG).read_text("utf-8"))
    content["model"] |= changes.pop("model", {})
    written(folder / "b" / CONFIG, json.dumps(content | changes))
    whole.save_weights(folder / "b")
    return folder / "b"


def with_tensor(folder: Path) -> Path:
    whole = Bundle.load(bundle(folder))
    more = {**whole.stored, EVIL: np.zeros((2, 2), np.float32)}
    dataclasses.replace(whole, stored=more).save_weights(folder / "b")
    return folder / "b"


def tokenizer_of_evil(folder: Path) -> Path:
    Tokenizer.train([EVIL.replace(" ", "")] * 99, 300).save(folder / "t.json")
    return folder / "t.json"


def evil_ids(folder: Path) -> list[object]:
    return Tokenizer.load(tokenizer_of_evil(folder)).encode(EVIL)


def held(folder: Path) -> Path:
    """A folder of a run, held by a process that calls itself what it likes."""
    import fcntl

    RunFolder(folder / "m").run.mkdir(parents=True)
    path = written(folder / "m" / "run" / LOCK, EVIL)
    fcntl.flock(os.open(path, os.O_RDWR), fcntl.LOCK_EX)
    return folder / "m"


def prepared(folder: Path) -> Path:
    from anekdot import prepare

    written(folder / "a.txt", "\n".join(TEXTS))
    prepare(folder / "a.txt", out=folder / "p", vocab_size=300)
    return folder / "p"


def with_setting(folder: Path) -> Path:
    path = prepared(folder) / "manifest.json"
    content = json.loads(path.read_text("utf-8"))
    content["settings"]["separator"] = EVIL
    written(path, json.dumps(content))
    return folder / "p"


class Evil(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.wfile.write(f"HTTP/1.1 404 {LINE}\r\n\r\n".encode("latin-1", "replace"))


def test_a_foreign_server_is_quoted_and_not_obeyed(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    status, shown = run(capsys, monkeypatch, *READ, f"http://127.0.0.1:{server.server_port}/a.txt")
    server.shutdown()
    server.server_close()
    assert status == 2
    check(shown)


Way = Callable[[Path], list[object]]
WAYS: dict[str, Way] = {
    "a column of CSV": lambda d: [*READ, table(d)],
    "a column of TSV": lambda d: [*READ, table(d, "\t")],
    "a key of JSON": lambda d: [*READ, objects(d)],
    "the key of an array": lambda d: [*READ, array(d)],
    "a column of Parquet": lambda d: [*READ, parquet(d)],
    "one of the columns": lambda d: ["prepare", table(d), "--column", "no", "--out", d / "p"],
    "one of the keys": lambda d: ["prepare", objects(d), "--column", "no", "--out", d / "p"],
    "one of Parquet's": lambda d: ["prepare", parquet(d), "--column", "no", "--out", d / "p"],
    "a column that is asked for": lambda d: ["prepare", table(d), "--column", EVIL + "!",
                                              "--out", d / "p"],
    "a name": lambda d: [*READ, named(d)],
    "a member": lambda d: [*READ, archive(d)],
    "a missing name": lambda d: ["prepare", d / NAME, "--out", d / "p"],
    "a pattern": lambda d: ["prepare", f"{d}/{NAME}*", "--out", d / "p"],
    "--out of prepare": lambda d: ["prepare", table(d), "--out", d / NAME],
    "--out of train": lambda d: ["train", table(d), "--out", d / NAME, *STEPS],
    "--out of a tokenizer": lambda d: ["tokenizer", "train", table(d), "--vocab-size", "300",
                                        "--out", d / NAME],
    "--out of curves": lambda d: ["curves", d, "--out", d / NAME],
    "a key of TOML": lambda d: ["train", named(d), "--config",
                                 settings(d, f"{json.dumps(EVIL)} = 1"), "--out", d / "m"],
    "a value of TOML": lambda d: ["train", named(d), "--config",
                                   settings(d, f"preset = {json.dumps(EVIL)}"), "--out", d / "m"],
    "a flag's value": lambda d: ["train", named(d), "--n-layer", EVIL, "--out", d / "m"],
    "a flag": lambda d: ["train", named(d), f"--{LINE}=1"],
    "a verb": lambda d: [EVIL],
    "too much": lambda d: ["generate", "a", EVIL],
    "a bundle's name": lambda d: ["generate", "--model", d / NAME],
    "a tensor": lambda d: ["generate", "--model", with_tensor(d)],
    "a tensor, measured": lambda d: ["evaluate", with_tensor(d)],
    "a key of the shape": lambda d: ["generate", "--model", bundle(d, model={EVIL: 1})],
    "a value of the shape": lambda d: ["generate", "--model", bundle(d, model={"n_layer": EVIL})],
    "a value without end": lambda d: ["generate", "--model",
                                       bundle(d, model={"n_layer": "PWN" + "7" * 1_000_000})],
    "a column without end": lambda d: [*READ, written(d / "a.csv", "\n".join(
        ["id,PWN" + "7" * 99_999, *(f"1,{text}" for text in TEXTS)]))],
    "a format": lambda d: ["generate", "--model", bundle(d, format=EVIL)],
    "a part": lambda d: ["generate", "--model", bundle(d, parts={EVIL: EVIL})],
    "tokens": lambda d: ["tokenizer", "show", "--tokenizer", tokenizer_of_evil(d)],
    "tokens of a text": lambda d: ["tokenizer", "show", EVIL, "--tokenizer", tokenizer_of_evil(d)],
    "texts to measure": lambda d: ["tokenizer", "show", "--texts", named(d), "--tokenizer",
                                    tokenizer_of_evil(d)],
    "ids": lambda d: ["tokenizer", "decode", *evil_ids(d), "--tokenizer", d / "t.json"],
    "a told text": lambda d: ["generate", EVIL, "--model", bundle(d), "--max-tokens", "3"],
    "a told text in JSON": lambda d: ["generate", EVIL, "--model", bundle(d), "--max-tokens", "3",
                                       "--json"],
    "a lock": lambda d: ["train", named(d), "--out", held(d)],
    "a changed setting": lambda d: ["train", with_setting(d), "--separator", "x", "--out", d / "m"],
}  # fmt: skip


def check(shown: str) -> None:
    assert "PWN" in shown, "the case shows nothing"
    assert not [mark for mark in OBEYED if mark in shown], shown
    assert "🐱" not in shown, "the name of an emoji was read"
    assert "Traceback" not in shown
    assert all(len(line) < MAX_MESSAGE + 100 for line in shown.split("\n"))


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal, and names as POSIX allows them")
@pytest.mark.parametrize("way", WAYS)
def test_a_foreign_text_is_shown_and_not_obeyed(way, tmp_path, capsys, monkeypatch):
    for where in ("a terminal", "a pipe"):
        (folder := tmp_path / where).mkdir()
        monkeypatch.chdir(folder)
        command = WAYS[way](folder)
        capsys.readouterr()
        if where == "a terminal":
            with terminal(monkeypatch) as shown:
                run(capsys, monkeypatch, *command)
            check(shown[0])
        else:
            with redirect_stdout(sys.stderr):
                check(run(capsys, monkeypatch, *command)[1])


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal")
def test_a_terminal_still_obeys_our_own_bars(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with terminal(monkeypatch) as shown:
        run(capsys, monkeypatch, *READ, table(tmp_path))
    assert "\x1b[?25l" in shown[0]  # hides the cursor
    assert "\x1b[?25h" in shown[0]
    assert "━" in shown[0]


def test_what_python_itself_prints_is_harmless_too(tmp_path):
    script = """
import sys, warnings
from anekdot.cli import main
sys.argv = ["anekdot", "--version"]
try:
    main()
except SystemExit:
    pass
warnings.warn("PWN \\x1b[31m")
raise ValueError("PWN \\x9b31m")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=False
    )
    assert done.stderr.count("PWN \ufffd") == 2
    assert not {"\x1b", "\x9b"} & {*done.stderr}
