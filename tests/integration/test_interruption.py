"""Ctrl-C and kill: what is left loads, and the same command ends at the same weights."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from anekdot.bundle import Bundle
from tests.support.commands import TINY_FLAGS, anekdot

STEPS = 80


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, jokes) -> bytes:
    folder = tmp_path_factory.mktemp("unbroken")
    result = anekdot("train", jokes, "--out", "m", *flags(), cwd=folder)
    assert result.returncode == 0, result.stderr
    return (folder / "m/model.safetensors").read_bytes()


def flags() -> list[object]:
    return ["--steps", STEPS, "--dropout", 0.1, *TINY_FLAGS]


def start(jokes: Path, cwd: Path) -> subprocess.Popen:
    """Starts training and waits until some steps are recorded."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)  # under nohup: ignored
    process = subprocess.Popen(
        [sys.executable, "-m", "anekdot", "train", str(jokes), "--out", "m", *map(str, flags())],
        cwd=cwd,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
    )
    signal.signal(signal.SIGINT, previous)
    metrics = cwd / "m/run/metrics.jsonl"
    deadline = time.monotonic() + 900
    while not metrics.exists() or metrics.read_text("utf-8").count('"step"') < 3:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_loads_and_goes_on_to_the_same_weights(jokes, tmp_path, unbroken, number):
    process = start(jokes, tmp_path)
    process.send_signal(number)
    _, errors = process.communicate(timeout=900)
    assert not (tmp_path / "m/run/finished.json").exists()
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert "the same command goes on" in errors
        assert "Stopped." in errors
        assert "Traceback" not in errors
        assert any((tmp_path / "m/run/checkpoints").iterdir())
    assert Bundle.load(tmp_path / "m").config.n_layer == 2
    told = anekdot("generate", "Кот", "--model", "m", "--max-tokens", 5, cwd=tmp_path)
    assert told.stdout.startswith("Кот")
    result = anekdot("train", jokes, "--out", "m", *flags(), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "m/model.safetensors").read_bytes() == unbroken
    lines = (tmp_path / "m/run/metrics.jsonl").read_text("utf-8").splitlines()
    steps = [line for line in lines if '"kind": "evaluation"' in line]
    assert len(steps) == STEPS // 20
