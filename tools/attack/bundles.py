"""Bundles with random damage: refused in a sentence, or told from as before."""

import dataclasses
import json
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.attack.arena import Arena, Case
from tools.attack.child import Child

FILES = ("config.json", "tokenizer.json", "model.safetensors")
PIECES = (b"\0", b"{", b"}", b'"', b"[", b",", b"-1", b"1e999", b"null", b"NaN", b"\xff\xfe")
MEMORY = 700  # MB, 400 of them PyTorch's


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Returns bytes with one to four random changes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed) + 1)
        size = chance.choice((1, 1, 4, 64, 4096))
        match chance.randrange(6):
            case 0 if place < len(changed):
                changed[place] ^= 1 << chance.randrange(8)
            case 1:
                del changed[place : place + size]
            case 2:
                changed[place:place] = chance.choice(PIECES) * chance.choice((1, 1, 9, 999))
            case 3:
                del changed[place:]
            case 4:
                changed[place : place + size] = chance.randbytes(size)
            case _:
                changed[place:place] = changed[max(0, place - size) : place]
    return bytes(changed)


def change_value(data: bytes, chance: random.Random) -> bytes:
    """Returns JSON with one random value replaced."""
    content = json.loads(data)
    place: object = content
    while isinstance(place, dict | list) and place:
        key = chance.choice([*place]) if isinstance(place, dict) else chance.randrange(len(place))
        if not isinstance(place[key], dict | list) or chance.random() < 0.2:
            place[key] = chance.choice(
                (None, -1, 0, 10**30, 1e308, "", "x" * 9999, [], {}, True, [[]], 2.5, "\ud800")
            )
            break
        place = place[key]
    return json.dumps(content).encode()


def rehash(folder: Path) -> None:
    """Writes the right hashes of config.json and tokenizer.json into the weights' file."""
    from anekdot.atomic_files import sha256  # noqa: PLC0415

    path = folder / "model.safetensors"
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    [(name, hashes)] = header["__metadata__"].items()
    named = {"config": sha256(folder / FILES[0]), "tokenizer": sha256(folder / FILES[1])}
    header["__metadata__"] = {name: json.dumps(json.loads(hashes) | named)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])


def tell(folder: Path) -> str:
    """Returns a text of a bundle."""
    from anekdot.generation.generator import load  # noqa: PLC0415

    [sample] = load(folder).samples("Кот", n=1, seed=1, max_tokens=12)
    return str(dataclasses.asdict(sample))


def mutants(arena: Arena) -> Iterator[Case]:
    """Random mutants of a bundle's files, a third of them under right hashes."""
    right: list[str] = []

    def try_it(name: str) -> str | None:
        right or right.append(tell(arena.bundle))
        chance, folder = arena.chance(name), arena.folder / "mutant"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(arena.bundle, folder)
        is_rehashed = chance.random() < 0.34
        path = folder / FILES[chance.randrange(2 if is_rehashed else 3)]
        change = change_value if path.suffix == ".json" and chance.random() < 0.4 else mutate
        path.write_bytes(change(path.read_bytes(), chance))
        if is_rehashed:
            rehash(folder)

        def work() -> None:
            from anekdot.errors import AnekdotError  # noqa: PLC0415
            from anekdot.text_output import one_line  # noqa: PLC0415

            try:
                print(tell(folder), end="")
            except AnekdotError as error:
                print(one_line(str(error)), file=sys.stderr)
                sys.exit(2)

        ended = Child(work, arena.room("std"), patience=arena.patience).end(20)
        if lost := ended.lost(memory=MEMORY):
            return lost
        is_other = ended.status == 0 and ended.out.decode("utf-8", "replace") != right[0]
        return "another text, unnoticed" if is_other and not is_rehashed else None

    for number in arena.numbered(2000):
        yield f"mutant {number}", lambda name=f"mutant {number}": try_it(name)


ATTACKS = {"random mutants": mutants}
