"""Control characters in every way in, and streams that are closed, full or strange."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tools.attack.arena import SHORT, Arena, Case, texts
from tools.attack.child import Ended

EVIL = "\x1b]0;PWN\x07\x1b[31mRED\x1b[2J\u202e\x9b"
RAW = re.compile("\x1b\\]0;PWN|\x07|\x1b\\[31mRED|[\u202a-\u202e\u2066-\u2069]|[\x80-\x9f\x7f]")
RUN = "\u202e\x9b" * 12  # becomes one long token
LINES = texts(40)


def raw(said: bytes) -> str:
    """Returns the first control character of ours that reached a terminal."""
    match = RAW.search(said.decode("utf-8", "replace"))
    return match[0] if match else ""


def in_terminal(arena: Arena, words: list[object], cwd: Path, seconds: float = 60) -> Ended:
    """Runs a command whose three streams are a terminal."""
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "anekdot", *map(str, words)],
        cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(theirs)
    said, deadline = b"", time.monotonic() + seconds * arena.patience
    while time.monotonic() < deadline:
        if select.select([mine], [], [], 0.2)[0]:
            try:
                block = os.read(mine, 65536)
            except OSError:
                break
            said += block
        elif process.poll() is not None:
            break
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL if time.monotonic() > deadline else signal.SIGCONT)
    status = process.wait()
    os.close(mine)
    return Ended(None if time.monotonic() > deadline else status, b"", said)


def sources(room: Path) -> dict[str, list[object]]:
    """Writes files with control characters in names that are told, and returns commands."""
    rows = [{"id": n, EVIL: line} for n, line in enumerate(LINES)]
    (room / "a.csv").write_text(
        f'id,"{EVIL}"\n' + "".join(f'{n},"{line}"\n' for n, line in enumerate(LINES)), "utf-8"
    )
    (room / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    (room / "a.json").write_text(json.dumps(rows), "utf-8")
    (room / "nested.json").write_text(json.dumps({EVIL: rows}), "utf-8")
    import duckdb  # noqa: PLC0415

    (room / "rows.jsonl").write_text("\n".join(json.dumps({"t": line}) for line in LINES), "utf-8")
    column = '"' + EVIL.replace('"', "") + '"'
    duckdb.sql(
        f"COPY (SELECT t AS {column} FROM read_json('{room}/rows.jsonl')) TO '{room}/a.parquet'"
    )
    (room / "a.toml").write_text(f'"{json.dumps(EVIL)[1:-1]}" = 1\n'.replace("\\u001b", "\\u001B"))
    (room / f"{EVIL}.txt").write_text("\n".join(LINES), "utf-8")
    named = {
        f"{name}, {what}": ["prepare", name, "--out", f"p{number}{what}", *more]
        for number, name in enumerate(("a.csv", "a.jsonl", "a.json", "nested.json", "a.parquet"))
        for what, more in {"guessed": [], "no such column": ["--column=nix"]}.items()
    }
    return named | {
        "a file's name": ["prepare", f"{EVIL}.txt", "--out", "p9"],
        "a source that is not there": ["prepare", f"no {EVIL}.txt", "--out", "p9"],
        "a TOML key": ["train", f"{EVIL}.txt", "--config=a.toml", "--out", "m"],
        "a TOML name": ["train", f"{EVIL}.txt", f"--config={EVIL}.toml", "--out", "m"],
        "--column": ["prepare", "a.csv", f"--column={EVIL}", "--out", "p8"],
        "--without": ["prepare", "a.csv", f"--without={EVIL}", "--out", "p8"],
        "--script": ["prepare", "a.csv", f"--script={EVIL}", "--out", "p8"],
        "--from": ["train", f"{EVIL}.txt", f"--from={EVIL}", "--out", "m"],
        "--track": ["train", f"{EVIL}.txt", f"--track={EVIL}", "--out", "m"],
        "--memory": ["prepare", "a.csv", f"--memory={EVIL}", "--out", "p8"],
        "a preset": ["train", "a.csv", f"--preset={EVIL}", "--out", "m"],
        "a flag": ["prepare", f"--{EVIL}"],
        "a verb": [EVIL],
        "--model": ["generate", f"--model={EVIL}"],
        "--texts": ["evaluate", "--texts", f"{EVIL}.csv", "b"],
        "forecast": ["forecast", EVIL],
        "curves": ["curves", EVIL],
    }


def ways_in(arena: Arena) -> Iterator[Case]:
    """Control characters of foreign files and flags, in a terminal."""

    def try_it(room: Path, words: list[object]) -> str | None:
        return judge(in_terminal(arena, words, room))

    room = arena.room()
    for name, words in sources(room).items():
        yield name, partial(try_it, room, words)


def judge(ended: Ended) -> str | None:
    """Returns what of a command in a terminal was raw or wrong."""
    if lost := ended.lost():
        return lost
    found = raw(ended.err + ended.out)
    place = (ended.err + ended.out).decode("utf-8", "replace").find(found) if found else 0
    said = (ended.err + ended.out).decode("utf-8", "replace")
    return f"raw {found!a} in {said[max(0, place - 40) : place + 20]!a}" if found else None


def bundles(arena: Arena) -> Iterator[Case]:
    """Control characters in a bundle, and in what a model or a tokenizer tells."""
    room = arena.room()
    model = arena.bundle

    def config(key: str, value: object, verb: str) -> str | None:
        folder = Path(shutil.copytree(model, arena.room() / "b"))
        content = json.loads((folder / "config.json").read_text("utf-8"))
        (content if key in ("format", "parts") else content["model"])[key] = value
        (folder / "config.json").write_text(json.dumps(content), "utf-8")
        words = [verb, "--model", folder] if verb == "generate" else [verb, folder]
        return judge(in_terminal(arena, words, room))

    for verb in ("generate", "evaluate"):
        yield f"{verb}, a key in config.json", partial(config, EVIL, 1, verb)
        yield f"{verb}, the format", partial(config, "format", EVIL, verb)
        yield f"{verb}, a part", partial(config, "parts", {"norm": EVIL}, verb)
        yield f"{verb}, a number", partial(config, "n_layer", EVIL, verb)

    def tensor(verb: str) -> str | None:
        import numpy as np  # noqa: PLC0415
        from safetensors.numpy import load_file  # noqa: PLC0415

        from tools.attack.lies import write  # noqa: PLC0415

        folder = Path(shutil.copytree(model, arena.room() / "b"))
        arrays = load_file(folder / "model.safetensors")
        write(folder, {**arrays, EVIL: np.ones(3, np.float32)})
        words = [verb, "--model", folder] if verb == "generate" else [verb, folder]
        return judge(in_terminal(arena, words, room))

    for verb in ("generate", "evaluate"):
        yield f"{verb}, a tensor's name", partial(tensor, verb)

    def evil_tokenizer() -> tuple[Path, list[str]]:
        from anekdot.tokenizer.tokenizer import Tokenizer  # noqa: PLC0415

        path = room / "evil-tokenizer.json"
        Tokenizer.train([f"{EVIL} {line} {RUN} " for line in LINES * 9], 400).save(path)
        return path, [str(n) for n in Tokenizer.load(path).encode(EVIL)]

    def with_tokenizer(*words: str) -> str | None:
        path, ids = evil_tokenizer()
        filled = [word for part in words for word in (ids if part == "IDS" else [part])]
        return judge(in_terminal(arena, ["tokenizer", *filled, "--tokenizer", path], room))

    yield "tokenizer show", partial(with_tokenizer, "show")
    yield "tokenizer show TEXT", partial(with_tokenizer, "show", f"Кот {EVIL}")
    yield "tokenizer decode", partial(with_tokenizer, "decode", "IDS")

    def piped(flags: str) -> str | None:
        line = f"$A generate 'Кот {EVIL}' --model '{model}' --max-tokens=60 {flags} | cat"
        ended = arena.shell(line, cwd=room)
        found = re.search(b"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae", ended.out)
        return ended.lost() or (f"raw {found[0]!a}" if found else None)

    for flags in ("--temperature=2 --seed=3 -n 5", "--seed=1", "--json --seed=1"):
        yield f"generate {flags} into a pipe", partial(piped, flags)
    yield (
        "generate in a terminal",
        lambda: judge(
            in_terminal(arena, ["generate", f"Кот {EVIL}", "--model", model, "-n", "5"], room)
        ),
    )
    yield (
        "train, --out",
        lambda: judge(
            in_terminal(
                arena, ["train", arena.texts, "--out", f"{arena.room()}/o{EVIL}", *SHORT], room
            )
        ),
    )

    def samples_file() -> str | None:
        said = (arena.unbroken / "run/samples.md").read_text("utf-8")
        found = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", said)
        return f"samples.md holds a raw {found[0]!a}" if found else None

    yield "samples.md", samples_file


def streams(arena: Arena) -> Iterator[Case]:
    """Closed, full and strange standard streams."""
    model, data, run = arena.bundle, arena.data, " ".join(SHORT)
    generate = f"$A generate Кот --model '{model}' --max-tokens=8 --seed=1"
    train = f"$A train '{data}' --out m {run}"
    prepare = f"$A prepare '{arena.texts}' --out p --vocab-size=300"

    def try_it(line: str, wants: str | None, allowed: tuple[int, ...] = ()) -> str | None:
        room = arena.room()
        ended = arena.shell(line, cwd=room)
        lost = ended.lost(*allowed)
        is_mute = lost == "refuses without a word" and "2>" in line
        if lost and not is_mute:
            return lost
        if b"Fatal Python error" in ended.err or b"Exception ignored" in ended.err:
            return f"Python complains: {ended.err[:120]!r}"
        if wants and not (room / wants).exists():
            return f"status {ended.status}, and no {wants}"
        return None

    finished, manifest = "m/run/finished.json", "p/manifest.json"
    for redirection in (">&-", "2>&-", "<&-", ">&- 2>&-", ">&- 2>&- <&-", "2>/dev/full"):
        yield f"generate {redirection}", partial(try_it, f"{generate} {redirection}", None)
        yield f"train {redirection}", partial(try_it, f"{train} {redirection}", finished)
        yield f"prepare {redirection}", partial(try_it, f"{prepare} {redirection}", manifest)
    yield "generate >/dev/full", partial(try_it, f"{generate} >/dev/full", None)
    yield "train >/dev/full", partial(try_it, f"{train} >/dev/full", finished)
    yield "prepare >/dev/full", partial(try_it, f"{prepare} >/dev/full", manifest)
    for source in ("<&-", "< /dev/null"):  # a folder is refused by Python before we begin
        yield f"train - {source}", partial(try_it, f"$A train - --out m {run} {source}", None)
        yield f"prepare - {source}", partial(try_it, f"$A prepare - --out p {source}", None)
    for verb in ("info", "tokenizer show Кот", "--help", "--version", "curves x"):
        for redirection in (">&-", ">/dev/full", "2>&-", "| true"):
            line = f"set -o pipefail; $A {verb} {redirection}"
            gone = (1, 141) if "|" in redirection else ()  # the reader has had enough
            yield f"{verb} {redirection}", partial(try_it, line, None, gone)


ATTACKS = {
    "control characters of sources and flags": ways_in,
    "control characters of bundles": bundles,
    "standard streams": streams,
}
