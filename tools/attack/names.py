"""Odd names of sources, folders and files, not UTF-8 among them."""

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tools.attack.arena import SHORT, TINY, Arena, Case

NAMES: dict[str, bytes] = {
    "latin-1": b"caf\xe9", "cp1251": "анекдот".encode("cp1251"), "koi8-r": "шутки".encode("koi8-r"),
    "cp866": "кот".encode("cp866"), "bare 0xff": b"\xff", "newline": b"a\nb", "tab": b"a\tb",
    "quote": b"a'b", "double quote": b'a"b', "semicolon": b"a;b", "spaces": b"  a  ",
    "percent": b"%s%n", "hash": b"a#b", "question": b"a?b", "star": b"a*b", "brackets": b"a[b]c",
    "braces": b"{a}", "backslash": b"a\\b", "dash": b"-a", "two dashes": b"--out", "dots": b"...",
    "dollar": b"$HOME", "tilde": b"~", "emoji": "😹".encode(), "combining": "й́".encode(),
    "right to left": "\u202ea".encode(), "escape": b"\x1b[31m", "long": b"x" * 240,
    "UTF-16 surrogate": b"\xed\xa0\x80", "equals": b"a=b", "pipe": b"a|b",
    "markup": b"[red]a[bold]",
}  # fmt: skip


def verbs(arena: Arena, room: bytes, name: bytes) -> dict[str, list[object]]:
    """Returns a command for each place where a name may stand."""
    place = room + b"/" + name
    source, folder = place + b".txt", place + b"-folder"
    data = [flag for flag in TINY if flag.startswith(("--vocab", "--valid", "--test"))]
    shutil.copyfile(arena.texts, source)
    os.mkdir(folder)
    shutil.copyfile(arena.texts, folder + b"/" + name + b".txt")
    bundle, prepared = place + b"-bundle", place + b"-prepared"
    shutil.copytree(os.fsencode(arena.unbroken), bundle)
    shutil.copytree(os.fsencode(arena.data), prepared)
    out = room + b"/"
    return {
        "prepare FILE": ["prepare", source, "--out", out + b"p1", *data],
        "prepare FOLDER": ["prepare", folder, "--out", out + b"p2", *data],
        "prepare --out": ["prepare", arena.texts, "--out", place + b"-p", *data],
        "train FILE": ["train", source, "--out", out + b"m1", *SHORT],
        "train --out": ["train", arena.texts, "--out", place + b"-m", *SHORT],
        "train PREPARED": ["train", prepared, "--out", out + b"m2", *SHORT],
        "evaluate MODEL": ["evaluate", bundle],
        "evaluate --texts": ["evaluate", arena.bundle, "--texts", source],
        "generate --model": ["generate", "Кот", "--model", bundle, "--max-tokens=4"],
        "tokenizer train FILE": ["tokenizer", "train", source, "--out", out + b"t1.json"],
        "tokenizer train --out": ["tokenizer", "train", arena.texts, "--out", place + b".json"],
        "tokenizer encode": ["tokenizer", "encode", "Кот", "--tokenizer", bundle],
        "curves MODEL": ["curves", bundle, "--out", out + b"c.svg"],
        "curves --out": ["curves", arena.unbroken, "--out", place + b".svg"],
        "forecast": ["forecast", prepared, "--seconds=0.2"],
    }


def odd(arena: Arena) -> Iterator[Case]:
    """Each verb with each odd name: it works, or says in a sentence why it does not."""

    def try_it(name: bytes, verb: str) -> str | None:
        room = arena.room()
        command = verbs(arena, os.fsencode(room), name)[verb]
        lost = arena.run(*command).lost()
        shutil.rmtree(os.fsencode(room))
        return lost

    for verb in (
        "prepare FILE", "prepare FOLDER", "prepare --out", "train FILE", "train --out",
        "train PREPARED", "evaluate MODEL", "evaluate --texts", "generate --model",
        "tokenizer train FILE", "tokenizer train --out", "tokenizer encode", "curves MODEL",
        "curves --out", "forecast",
    ):  # fmt: skip
        for label, name in NAMES.items():
            yield f"{verb}, {label}", partial(try_it, name, verb)


def strange_files(arena: Arena) -> Iterator[Case]:
    """Sources that are no regular files, or stand nowhere."""
    room = arena.room()

    def try_it(place: str, verb: str) -> str | None:
        out = arena.room()
        words = {
            "prepare": ["prepare", place, "--out", out / "p"],
            "evaluate": ["evaluate", arena.bundle, "--texts", place],
            "generate": ["generate", "Кот", "--model", place],
            "train --config": [
                "train",
                arena.texts,
                f"--config={place}",
                "--out",
                out / "m",
                *SHORT,
            ],
        }[verb]
        ended = arena.run(*words, seconds=20)
        is_empty = place == "/dev/null" and "--config" in verb  # as a file without settings
        return ended.lost() or (None if ended.status == 2 or is_empty else "accepted")

    os.mkfifo(room / "pipe.txt")
    (room / "loop.txt").symlink_to("loop.txt")
    (room / "dangling.txt").symlink_to("nowhere")
    (room / "device.txt").symlink_to("/dev/zero")
    places = [room / name for name in ("pipe.txt", "loop.txt", "dangling.txt", "device.txt")]
    places += map(Path, ("/dev/zero", "/dev/random", "/proc/self/mem", "/proc/kmsg", "/dev/null"))
    for place in places:
        for verb in ("prepare", "evaluate", "generate", "train --config"):
            if verb == "train --config" and place.name in ("pipe.txt", "kmsg"):
                continue  # a shell's <(...) is a pipe, and whoever names one waits for it
            yield f"{verb} {place.name}", partial(try_it, str(place), verb)

    def curves_nowhere() -> str | None:
        target = arena.room() / "no/such/folder"
        ended = arena.run("curves", arena.unbroken, "--out", target / "a.png")
        return ended.lost() or ("made folders unasked" if target.exists() else None)

    yield "curves --out in a folder that is not there", curves_nowhere

    def forecast_nowhere() -> str | None:
        ended = arena.run("forecast", arena.room() / "none")
        is_late = b"econds" in ended.err + ended.out
        return ended.lost() or ("announces a measurement first" if is_late else None)

    yield "forecast of no folder", forecast_nowhere


ATTACKS = {"odd names": odd, "strange files": strange_files}
