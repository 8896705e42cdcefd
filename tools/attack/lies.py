"""Bundles of a hostile author, whose hashes are right and whose contents lie."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tools.attack.arena import ADDRESS_SPACE, Arena, Case

NORM, MATRIX = "final_norm.weight", "blocks.0.attention.q_proj.weight"
Arrays = dict[str, Any]


def write(folder: Path, arrays: Arrays, metadata: str | None = None) -> None:
    """Writes weights of any dtype under right hashes."""
    from safetensors.numpy import save  # noqa: PLC0415

    from anekdot import bundle  # noqa: PLC0415
    from anekdot.weights_file import weights_hash  # noqa: PLC0415

    hashes = {
        "config": bundle.sha256(folder / "config.json"),
        "tokenizer": bundle.sha256(folder / "tokenizer.json"),
        "weights": weights_hash(arrays),
    }
    path = folder / "model.safetensors"
    path.write_bytes(save(arrays, {bundle.FORMAT: metadata or json.dumps(hashes)}))


def filled(name: str, value: float) -> Callable[[Arrays], None]:
    """Puts one value into one weight."""

    def lie(arrays: Arrays) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name].flat[0] = value

    return lie


def cast(name: str | None, dtype: str) -> Callable[[Arrays], None]:
    """Gives one array, or all, another dtype."""

    def lie(arrays: Arrays) -> None:
        for key in [name] if name else [*arrays]:
            arrays[key] = arrays[key].astype(dtype)

    return lie


def times(factor: float) -> Callable[[Arrays], None]:
    """Makes all weights much larger."""

    def lie(arrays: Arrays) -> None:
        for name in arrays:
            arrays[name] = arrays[name] * np.float32(factor)

    return lie


def extra(name: str, array: Any) -> Callable[[Arrays], None]:
    """Adds an array."""
    return lambda arrays: arrays.update({name: array})


def scaled(change: Callable[[Any], Any]) -> Callable[[Arrays], None]:
    """Makes one matrix int8, and its scales what the change says."""

    def lie(arrays: Arrays) -> None:
        rows = np.abs(arrays[MATRIX]).max(axis=1) / 127
        arrays[MATRIX] = np.round(arrays[MATRIX] / rows[:, None]).astype(np.int8)
        arrays[MATRIX + ".scale"] = change(rows.astype(np.float32))

    return lie


WEIGHTS: dict[str, Callable[[Arrays], None]] = {
    "NaN in a matrix": filled(MATRIX, np.nan),
    "NaN in a norm": filled(NORM, np.nan),
    "NaN in the embedding": filled("token_embedding.weight", np.nan),
    "infinity in a matrix": filled(MATRIX, np.inf),
    "-infinity in the embedding": filled("token_embedding.weight", -np.inf),
    "weights of 1e30": times(1e30),
    "int32 everywhere": cast(None, "int32"),
    "int32 for a norm": cast(NORM, "int32"),
    "bool for a matrix": cast(MATRIX, "bool"),
    "uint8 for a matrix": cast(MATRIX, "uint8"),
    "complex for a matrix": cast(MATRIX, "complex64"),
    "int64 for the embedding": cast("token_embedding.weight", "int64"),
    "float64 everywhere": cast(None, "float64"),
    "a norm in int8": cast(NORM, "int8"),
    "scales without a matrix": extra("x.scale", np.ones(4, np.float32)),
    "scales of a norm": extra(NORM + ".scale", np.ones(16, np.float32)),
    "scales of a float matrix": extra(MATRIX + ".scale", np.full(16, 2, np.float32)),
    "scales of a wrong length": extra(MATRIX + ".scale", np.ones(5, np.float32)),
    "the bare name .scale": extra(".scale", np.ones(4, np.float32)),
    "scales of two axes": scaled(lambda scale: scale[:, None]),
    "scales of a row too few": scaled(lambda scale: scale[:-1]),
    "bool scales": scaled(lambda scale: scale > 0),
    "int8 scales": scaled(lambda scale: np.ones(len(scale), np.int8)),
    "NaN scales": scaled(lambda scale: scale * np.nan),
    "infinite scales": scaled(lambda scale: scale * np.inf),
    "scales of 1e38": scaled(lambda scale: scale * np.float32(1e38) * 99),
    "scales in float16": scaled(lambda scale: scale.astype(np.float16) * np.float16(np.inf)),
    "an empty array more": extra("nothing", np.zeros(0, np.float32)),
    "a name of control characters": extra("\x1b]0;PWN\x07\x1b[31mRED", np.ones(3, np.float32)),
    "a name of a megabyte": extra("x" * (1 << 20), np.ones(3, np.float32)),
}
SHAPES: dict[str, dict[str, object]] = {
    "n_layer is a megabyte of text": {"n_layer": "x" * (1 << 20)},
    "n_layer is a list": {"n_layer": [1]},
    "n_layer is true": {"n_layer": True},
    "n_layer is 1e308": {"n_layer": 1e308},
    "rms_eps is NaN": {"rms_eps": float("nan")},
    "rms_eps is infinite": {"rms_eps": float("inf")},
    "rms_eps is 1e300": {"rms_eps": 1e300},
    "rms_eps is a string": {"rms_eps": "1"},
    "dropout is null": {"dropout": None},
    "tie_embeddings is 0.5": {"tie_embeddings": 0.5},
    "vocab_size is 10**9": {"vocab_size": 10**9},
    "context_length is 0": {"context_length": 0},
    "a key of a megabyte": {"x" * (1 << 20): 1},
}


def judge(arena: Arena, folder: Path, is_legal: bool = False, prompt: str = "Кот") -> str | None:
    """Returns what three ways to use a lying bundle lose."""
    use = ("generate", prompt, "--model", folder, "--max-tokens=8")
    for words in (
        (*use, "--seed=1"),
        (*use, "--temperature=0"),
        (*use, "--beams=3"),
        ("evaluate", folder, "--texts", arena.texts),
    ):
        ended = arena.run(*words, setup=bounded)
        way = " ".join(map(str, (words[0], words[-1])))
        if lost := ended.lost():
            return f"{way}: {lost}"
        if ended.status == 0 and not is_legal:
            return f"{way}: accepted"
        if ended.status == 2 and os.fsencode(folder) not in ended.err:
            return f"{way}: does not name the bundle: {ended.err.decode('utf-8', 'replace')[:120]}"
    return None


def bounded() -> None:
    """Keeps a child from taking the machine down."""
    import resource  # noqa: PLC0415

    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def weights(arena: Arena) -> Iterator[Case]:
    """Weights of wrong values, dtypes and companions."""
    from safetensors.numpy import load_file  # noqa: PLC0415

    def try_it(lie: Callable[[Arrays], None]) -> str | None:
        folder = shutil.copytree(arena.bundle, arena.room() / "b")
        arrays = load_file(folder / "model.safetensors")
        lie(arrays)
        write(folder, arrays)
        return judge(arena, folder)

    for name, lie in WEIGHTS.items():
        yield name, partial(try_it, lie)


def shapes(arena: Arena) -> Iterator[Case]:
    """A config.json that lies."""
    from safetensors.numpy import load_file  # noqa: PLC0415

    def try_it(changes: dict[str, object], prompt: str = "Кот", is_legal: bool = False):
        folder = shutil.copytree(arena.bundle, arena.room() / "b")
        config = json.loads((folder / "config.json").read_text("utf-8"))
        config["model"] |= changes
        (folder / "config.json").write_text(json.dumps(config), "utf-8")
        write(folder, load_file(folder / "model.safetensors"))
        return judge(arena, folder, is_legal, prompt)

    for name, changes in SHAPES.items():
        yield name, partial(try_it, changes)
    long = "Кот пришёл домой. " * 1100
    yield "context_length is believed", partial(try_it, {"context_length": 1 << 20}, long, True)


def headers(arena: Arena) -> Iterator[Case]:
    """A header of model.safetensors that lies of sizes, or nests too deep."""
    from safetensors.numpy import load_file  # noqa: PLC0415

    def sparse(size: int) -> str | None:
        folder = shutil.copytree(arena.bundle, arena.room() / "b")
        path = folder / "model.safetensors"
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
        offsets = [len(body), len(body) + size]
        header["more"] = {"dtype": "U8", "shape": [size], "data_offsets": offsets}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with path.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text + body)
            file.truncate(8 + len(text) + len(body) + size)
        return judge(arena, folder)

    def metadata(text: str) -> str | None:
        folder = shutil.copytree(arena.bundle, arena.room() / "b")
        write(folder, load_file(folder / "model.safetensors"), text)
        return judge(arena, folder)

    for size in (1, 40):
        yield f"a tensor of {size} GiB that is a hole", partial(sparse, size << 30)
    for name, text in {
        "metadata nests deep": "[" * 100_000,
        "metadata is a list": "[]",
        "metadata is a number": "7",
        "metadata is null": "null",
        "metadata is not JSON": "{",
        "hashes are lists": '{"config": [], "tokenizer": [], "weights": []}',
    }.items():
        yield name, partial(metadata, text)


def tokenizers(arena: Arena) -> Iterator[Case]:
    """A tokenizer.json that lies."""
    from safetensors.numpy import load_file  # noqa: PLC0415

    def change(content: Any, name: str) -> Any:
        model = content["model"]
        match name:
            case "merges are numbers":
                model["merges"] = [1] * len(model["merges"])
            case "merges nest":
                model["merges"] = [[["a"], "b"]] * len(model["merges"])
            case "ids are strings":
                model["vocab"] = {key: str(value) for key, value in model["vocab"].items()}
            case "an id twice":
                model["vocab"] = dict.fromkeys(model["vocab"], 7)
            case "an id is huge":
                model["vocab"] |= {[*model["vocab"]][-1]: 1 << 62}
            case "a token is a megabyte":
                model["vocab"]["x" * (1 << 20)] = model["vocab"].pop([*model["vocab"]][-1])
            case "merges in a circle":
                model["merges"] = model["merges"][::-1]
            case "no model":
                del content["model"]
            case "a list":
                return [content]
        return content

    def try_it(name: str) -> str | None:
        folder = shutil.copytree(arena.bundle, arena.room() / "b")
        path = folder / "tokenizer.json"
        path.write_text(json.dumps(change(json.loads(path.read_text("utf-8")), name)), "utf-8")
        write(folder, load_file(folder / "model.safetensors"))
        return judge(arena, folder)

    for name in (
        "merges are numbers", "merges nest", "ids are strings", "an id twice", "an id is huge",
        "a token is a megabyte", "merges in a circle", "no model", "a list",
    ):  # fmt: skip
        yield name, partial(try_it, name)


ATTACKS = {
    "weights": weights,
    "config.json": shapes,
    "headers": headers,
    "tokenizer.json": tokenizers,
}
