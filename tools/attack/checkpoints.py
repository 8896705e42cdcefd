"""Pieces of a stopped run that are gone, torn, moved or forged."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tools.attack.arena import SHORT, Arena, Case, die_after, difference, sha, told

PIECES = (
    "run/checkpoints", "run/checkpoints/step-00000012", "run/checkpoints/step-00000008",
    "run/checkpoints/step-00000012/state.json", "run/checkpoints/step-00000012/model.safetensors",
    "run/checkpoints/step-00000012/optimizer.safetensors",
    "run/checkpoints/step-00000012/hashes.json", "run/metrics.jsonl", "run/samples.md", "run/lock",
    "run/config.json", "run/data", "run/data/manifest.json", "run/data/train.ids.npy",
    "run/data/train.offsets.npy", "run/data/validation.ids.npy", "run/data/tokenizer.json",
    "config.json", "tokenizer.json", "model.safetensors", "README.md",
)  # fmt: skip
FORECAST_MEMORY = 4000  # MB: it trains the largest preset for a moment
WRONG = (None, "x", -1, 10**30, [], {}, 0.5, True, [None], [{}], float("nan"))


def go_on(
    arena: Arena, out: Path, *, may_refuse: bool = True, is_history_lost: bool = False
) -> str | None:
    """Goes on twice: killed at the first weights it publishes, and to the end.

    At no moment may the best model be worse than it was, and either the end is that of the
    unbroken run, or the command refuses and leaves the model and its history alone.
    """
    best, history = sha(out / "model.safetensors"), len(records(out))
    for setup in (partial(die_after, out, "model.safetensors"), None):
        ended = arena.run("train", arena.texts, "--out", out, *SHORT, setup=setup)
        if lost := ended.lost(-9):
            return lost
        if sha(out / "model.safetensors") == arena.untrained != best:
            return "an untrained model took the place of the best one"
        if len(records(out)) < min(history, 4):
            return f"metrics cut from {history} records to {len(records(out))}"
        if ended.status == 2:
            trained = sha(arena.unbroken / "model.safetensors")
            if sha(out / "model.safetensors") not in (best, trained):
                return f"refused, and changed the best model: {ended.err[-300:]!r}"
            return None if may_refuse else f"refused: {ended.err.decode('utf-8')[:160]}"
    return arena.go_on(out, is_history_lost=is_history_lost)


def records(out: Path) -> list[list[object]]:
    """Returns the records of a run, as far as there are any."""
    try:
        return told(out, "step", "evaluation")
    except (OSError, ValueError):
        return []


def pieces(arena: Arena) -> Iterator[Case]:
    """Each piece of a stopped run removed, torn, emptied, or replaced by something else."""

    def remove(path: Path) -> None:
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    def tear(path: Path) -> None:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    def empty(path: Path) -> None:
        path.write_bytes(b"")

    def zeros(path: Path) -> None:
        path.write_bytes(bytes(path.stat().st_size))

    def folder(path: Path) -> None:
        remove(path)
        path.mkdir()

    def link(path: Path) -> None:
        remove(path)
        path.symlink_to("/nonexistent/place")

    def try_it(piece: str, hurt: Callable[[Path], None]) -> str | None:
        out = copy(arena)
        if not (out / piece).exists():  # what is written at the end is in the way before
            (out / piece).write_text("something else", "utf-8")
        hurt(out / piece)
        is_needless = piece == "run/config.json" and hurt is remove  # the checkpoints know it all
        is_record = piece == "run/metrics.jsonl" and hurt is not folder
        return go_on(arena, out, may_refuse=not is_needless, is_history_lost=is_record)

    for piece in PIECES:
        is_folder = "." not in Path(piece).name and piece != "run/lock"
        for hurt in (remove, folder, link) if is_folder else (remove, tear, empty, zeros, folder):
            yield f"{piece}: {hurt.__name__}", partial(try_it, piece, hurt)


def copy(arena: Arena) -> Path:
    """Returns a copy of the stopped run."""
    return Path(shutil.copytree(arena.stopped, arena.room() / "m"))


def removals(arena: Arena) -> Iterator[Case]:
    """Several random pieces of a stopped run removed at once."""

    def try_it(name: str) -> str | None:
        chance, out = arena.chance(name), copy(arena)
        every = sorted(path for path in out.rglob("*") if path.is_file())
        for path in chance.sample(every, chance.randint(2, 6)):
            path.unlink()
        return go_on(arena, out)

    for number in arena.numbered(20):
        yield f"removal {number}", partial(try_it, f"removal {number}")


def forged_states(arena: Arena) -> Iterator[Case]:
    """A state.json with each field gone or wrong, under right hashes."""

    def forge(change: Callable[[dict[str, Any]], object]) -> str | None:
        out = copy(arena)
        path = out / "run/checkpoints/step-00000012/state.json"
        state = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(change(state)), "utf-8")
        rehash(path.parent)
        is_state = isinstance(change(state), dict) and change(state)
        return survives_forgery(arena, out) if is_state else go_on(arena, out)

    def put(name: str, value: object, state: dict[str, Any]) -> dict[str, Any]:
        return {**state, name: value}

    def drop(name: str, state: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in state.items() if key != name}

    for value in (None, [], {}, "x", 7, [1, 2]):
        yield f"state is {value!r}", partial(forge, lambda state, value=value: value)
    path = arena.stopped / "run/checkpoints/step-00000012/state.json"
    known = json.loads(path.read_text("utf-8"))
    for name in known:
        yield f"{name} is gone", partial(forge, partial(drop, name))
        for value in WRONG:
            yield f"{name} is {value!r}", partial(forge, partial(put, name, value))
    yield "a field more", partial(forge, partial(put, "surprise", 1))


def rehash(checkpoint: Path) -> None:
    """Writes the right hashes of a checkpoint."""
    names = ("model.safetensors", "optimizer.safetensors", "state.json")
    hashes = {name: sha(checkpoint / name) for name in names}
    (checkpoint / "hashes.json").write_text(json.dumps(hashes), "utf-8")


def survives_forgery(arena: Arena, out: Path) -> str | None:
    """Goes on from a forged checkpoint, whose numbers may be legal though not the right ones."""
    return arena.run("train", arena.texts, "--out", out, *SHORT).lost()


def forged_arrays(arena: Arena) -> Iterator[Case]:
    """Weights and moments of a checkpoint that lie, under right hashes."""
    import numpy as np  # noqa: PLC0415
    from safetensors.numpy import load_file, save_file  # noqa: PLC0415

    def first(change: Callable[[Any], Any], arrays: dict[str, Any]) -> None:
        name = next(key for key in arrays if arrays[key].ndim == 2)
        arrays[name] = change(arrays[name])

    def rename(to: str, arrays: dict[str, Any]) -> None:
        arrays[to] = arrays.pop(next(iter(arrays)))

    changes: dict[str, Callable[[dict[str, Any]], object]] = {
        "nothing there": lambda arrays: arrays.clear(),
        "one is gone": lambda arrays: arrays.pop(next(iter(arrays))),
        "one more": lambda arrays: arrays.update(more=np.ones(3, np.float32)),
        "a bare name": partial(rename, "surprise"),
        "a number too large": partial(rename, "99999.exp_avg"),
        "a negative number": partial(rename, "-1.exp_avg"),
        "a wrong shape": partial(first, lambda array: array[:-1]),
        "transposed": partial(first, lambda array: np.ascontiguousarray(array.T)),
        "NaN": partial(first, lambda array: array * np.nan),
        "int32": partial(first, lambda array: array.astype(np.int32)),
        "bool": partial(first, lambda array: array > 0),
        "complex": partial(first, lambda array: array.astype(np.complex64)),
    }

    def try_it(file: str, change: Callable[[dict[str, Any]], object]) -> str | None:
        out = copy(arena)
        path = out / "run/checkpoints/step-00000012" / file
        arrays = load_file(path)
        change(arrays)
        save_file(arrays, path)
        rehash(path.parent)
        return survives_forgery(arena, out)

    for file in ("model.safetensors", "optimizer.safetensors"):
        for name, change in changes.items():
            yield f"{file}: {name}", partial(try_it, file, change)


def manifests(arena: Arena) -> Iterator[Case]:
    """A manifest.json with each field gone or wrong."""
    known = json.loads((arena.data / "manifest.json").read_text("utf-8"))
    place = os.path.relpath("/etc/hostname", arena.data)
    outside = {**known, "files": {"../../../../../" + place: sha(Path("/etc/hostname"))}}

    def try_it(content: object) -> str | None:
        data = shutil.copytree(arena.data, arena.room() / "data")
        (data / "manifest.json").write_text(json.dumps(content), "utf-8")
        for words in (
            ("train", data, "--out", data.parent / "m", *SHORT),
            ("forecast", data, "--seconds=0.1"),
            ("prepare", arena.texts, "--out", data),
        ):
            if lost := arena.run(*words).lost(memory=FORECAST_MEMORY):
                return f"{words[0]}: {lost}"
        out = copy(arena)
        (out / "run/data/manifest.json").write_text(json.dumps(content), "utf-8")
        if lost := arena.run("train", arena.texts, "--out", out, *SHORT).lost():
            return f"going on: {lost}"
        if content in ({**known, "files": {}}, outside):
            return "accepted" if (data.parent / "m/run/finished.json").exists() else None
        return None

    for value in (None, [], {}, "x", 7):
        yield f"manifest is {value!r}", partial(try_it, value)
    for name, value in known.items():
        yield f"{name} is gone", partial(try_it, {k: v for k, v in known.items() if k != name})
        for wrong in WRONG[:8]:
            yield f"{name} is {wrong!r}", partial(try_it, {**known, name: wrong})
        for key in value if isinstance(value, dict) else ():
            for wrong in WRONG[:6]:
                changed = {**known, name: {**value, key: wrong}}
                yield f"{name}.{key} is {wrong!r}", partial(try_it, changed)
    yield "files outside", partial(try_it, outside)


def moved(arena: Arena) -> Iterator[Case]:
    """A stopped run that is moved, renamed, or goes on in other circumstances."""

    def elsewhere(name: str) -> str | None:
        out = copy(arena)
        target = out.parent / name
        out.rename(target)
        return go_on(arena, target, may_refuse=False)

    def threads() -> str | None:
        import torch  # noqa: PLC0415

        out = copy(arena)
        ended = arena.run(
            "train", arena.texts, "--out", out, *SHORT, setup=lambda: torch.set_num_threads(2)
        )
        return ended.lost() or arena.go_on(out)

    def without_record() -> str | None:
        out = arena.room() / "m"
        words = ("train", arena.data, "--out", out, *SHORT)
        arena.run(*words, setup=partial(die_after, out, "step-00000012"))
        (out / "run/config.json").unlink()
        ended = arena.run(*words)
        if lost := ended.lost():
            return lost
        if ended.status == 2:
            return f"no way to go on: {ended.err.decode('utf-8', 'replace')[:200]}"
        return difference(out, arena.unbroken)

    yield "texts elsewhere, run/config.json gone", without_record
    for name in ("other", "имя с пробелом", "a'b\"c", "-x", "%s{}"):
        yield f"renamed to {name}", partial(elsewhere, name)
    yield "two threads", threads


ATTACKS = {
    "pieces of a stopped run": pieces,
    "random removals": removals,
    "forged state.json": forged_states,
    "forged arrays": forged_arrays,
    "forged manifests": manifests,
    "moved": moved,
}
