"""CONTRIBUTING.md names what exists, and the change that it works through works."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patches import apply, changes
from tests.support.paths import ROOT
from tests.support.runs import TINY_RUN

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
TO_COME = {"export/NAME.py", "cli/export.py", "tests/export/test_NAME.py"}
NUMPY_ENGINE = "src/anekdot/generation/numpy_engine.py"

TRAIN = """
import sys, anekdot
jokes, bundle, fields = sys.argv[1], sys.argv[2], eval(sys.argv[3])
anekdot.train(jokes, out=bundle, **fields)
print(anekdot.__file__)
"""

COMPARE = """
import dataclasses, sys
from unittest.mock import patch
import anekdot, torch
import numpy as np
from anekdot.generation.numpy_engine import NumpyEngine
from anekdot.generation.torch_engine import TorchEngine, load_transformer

assert anekdot.load(sys.argv[1]).generate("Кот", seed=1, max_tokens=60).text.startswith("Кот")

bundle = anekdot.Bundle.load(sys.argv[1])
large = {name: array * (10 if array.ndim == 2 else 1) for name, array in bundle.weights.items()}
bundle = dataclasses.replace(bundle, stored=large)  # a model so young hardly attends otherwise
engines = NumpyEngine.from_bundle(bundle), TorchEngine(load_transformer(bundle))
ids = [1, *bundle.tokenizer.encode("Студент номер 7 спрашивает профессора о смысле жизни")]
caches = [engine.new_cache(100) for engine in engines]
logits = [engine.prefill(ids, cache) for engine, cache in zip(engines, caches)]
swapped = engines[0].prefill([1, ids[2], ids[1], *ids[3:]], engines[0].new_cache(100))
assert abs(swapped - logits[0]).max() > 1e-3, "position does not enter"
for _ in range(100 - len(ids)):
    np.testing.assert_allclose(*logits, atol=1e-4, rtol=0)
    token = int(logits[0].argmax())
    logits = [engine.decode([token], [cache])[0] for engine, cache in zip(engines, caches)]

model = load_transformer(bundle)
ids_BT = torch.tensor([ids, ids[::-1]])
documents_BT = torch.arange(len(ids)).expand(2, -1) // 9
for documents in (None, documents_BT):
    by_products = model(ids_BT, documents_BT=documents).detach()
    with torch.no_grad():
        by_kernel = model(ids_BT, documents_BT=documents)
        with patch("anekdot.model.transformer.should_fold_bias", return_value=True):
            folded = model(ids_BT, documents_BT=documents)
    for other in (by_kernel, folded):
        torch.testing.assert_close(other, by_products, atol=1e-4, rtol=0)
print(anekdot.__file__)
"""

LOAD = """
import sys, anekdot
try:
    anekdot.load(*sys.argv[1:])
except anekdot.AnekdotError as error:
    print(f"refused: {error}")
"""


def run(source: Path, program: str, *arguments: object) -> str:
    """Runs a program with a copy of the package, and returns what it printed."""
    result = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=source.parent,
        env={**os.environ, "PYTHONPATH": str(source), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=900,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def changed_copy(folder: Path, *, without: str = "") -> Path:
    """Returns a copy of src in which the page's blocks, but for one file's, are applied."""
    copy = folder / "src"
    shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, change in changes(PAGE).items():
        if name != without:
            apply(change, folder / name)
    if not without:
        (copy / "anekdot/model/alibi.py").unlink()  # the page says that nothing needs it any more
    return copy


@pytest.fixture(scope="module")
def changed(tmp_path_factory) -> Path:
    return changed_copy(tmp_path_factory.mktemp("changed"))


@pytest.fixture(scope="module")
def rope(changed, jokes) -> Path:
    """A bundle that the changed copy made."""
    bundle = changed.parent / "model"
    printed = run(changed, TRAIN, jokes, bundle, TINY_RUN)
    assert Path(printed.split()[-1]).is_relative_to(changed)
    return bundle


def test_every_path_exists():
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE)
    inline = re.findall(r"`([\w./]+(?:\.(?:py|md|toml|txt)|/))`", PAGE)
    named = {*links, *inline} - TO_COME - {"export/"}
    assert len(named) > 40
    source = ROOT / "src/anekdot"
    assert [
        path for path in named if not ((ROOT / path).exists() or (source / path).exists())
    ] == []


def test_every_function_that_is_named_exists():
    named = set(re.findall(r"`(?:\w+\.)?([A-Za-z_]\w+)(?:\(…\))?`", PAGE))
    code = "\n".join(
        path.read_text("utf-8")
        for folder in ("src", "tests")
        for path in (ROOT / folder).rglob("*.py")
    )
    words = {"slow", "gpu", "src", "export", "sources", "separator", "column"}
    assert [name for name in named - words if not re.search(rf"\b{name}\b", code)] == []


def test_the_change_is_short_enough_to_be_read():
    assert 80 < sum(len(change.splitlines()) for change in changes(PAGE).values()) < 130


@pytest.mark.slow
def test_the_changed_copy_trains_and_both_engines_agree(changed, rope):
    records = map(json.loads, (rope / "run/metrics.jsonl").read_text("utf-8").splitlines())
    losses = [record["loss"] for record in records if record["kind"] == "step"]
    assert losses[-1] < losses[0]
    assert Path(run(changed, COMPARE, rope).split()[-1]).is_relative_to(changed)


@pytest.mark.slow
def test_the_unchanged_code_and_the_changed_copy_refuse_each_others_bundles(changed, rope):
    assert "position 'rope'" in run(ROOT / "src", LOAD, rope)
    assert "position 'alibi'" in run(changed, LOAD)  # the pretrained one


@pytest.mark.slow
def test_an_engine_that_was_forgotten_refuses(rope, tmp_path):
    forgetful = changed_copy(tmp_path, without=NUMPY_ENGINE)
    assert "the NumPy engine computes the position 'alibi'" in run(forgetful, LOAD, rope)
