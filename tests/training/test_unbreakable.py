"""A run cannot be lost: killed, on a failing disk, on a full one, with a bit flipped."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import anekdot
from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.training.checkpoints import checkpoints, is_whole
from tests.training.nursery import Nursery
from tests.training.test_run import TINY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="forks, /proc and LD_PRELOAD"),
]

OWN = {name: value for name, value in TINY.items() if name not in ("validation", "test")}
OWN |= {"steps": 24, "evaluate_every": 4, "sample_every": 12, "dropout": 0.1}
VARIANTS = (
    OWN | {"checkpoint_every": 2},
    OWN | {"checkpoint_every": 5, "checkpoint_minutes": 0.0},
    OWN | {"checkpoint_every": 3, "checkpoints_kept": 1, "rows": "documents"},
)
PLAIN = OWN | {"checkpoint_every": 4}
KILLS = 50
RED = (AssertionError, BundleError)


@pytest.fixture(scope="module")
def data(tmp_path_factory, jokes):
    folder = tmp_path_factory.mktemp("data") / "data"
    anekdot.prepare(jokes, out=folder, vocab_size=300, validation=0.1, test=0.1)
    return folder


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """The compiled faults.c, or None where there is no compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        return None
    library = tmp_path_factory.mktemp("shim") / "faults.so"
    source = Path(__file__).with_name("faults.c")
    options = ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"]
    subprocess.run([compiler, *options], check=True)
    return library


@pytest.fixture(scope="module")
def nursery(shim):
    nursery = Nursery(shim)
    yield nursery
    nursery.close()


@pytest.fixture(scope="module")
def unbroken(nursery, data, tmp_path_factory):
    """Returns the folder of an unbroken run with some fields, trained once."""
    folders = {}

    def run(fields):
        key = json.dumps(fields)
        if key not in folders:
            folders[key] = tmp_path_factory.mktemp("unbroken") / "m"
            assert nursery.run(data, folders[key], fields)["error"] is None
        return folders[key]

    return run


def check(out):
    """What must hold whenever a run is stopped, in whatever way."""
    if (out / "model.safetensors").exists():
        Bundle.load(out)
    found = checkpoints(out / "run" / "checkpoints")
    if found:
        assert is_whole(found[-1]), f"{found[-1]} is damaged"
        assert (out / "model.safetensors").exists()


def sha(out):
    return hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()


def told(out):
    """What metrics.jsonl says, without times."""
    lines = map(json.loads, (out / "run" / "metrics.jsonl").read_text("utf-8").splitlines())
    return [
        [record.get(name) for name in ("kind", "step", "loss", "bits_per_byte", "text")]
        for record in lines
        if record["kind"] in ("step", "evaluation", "sample")
    ]


def assert_same(out, other):
    assert sha(out) == sha(other)
    assert told(out) == told(other)
    assert (out / "run" / "finished.json").exists()


def test_fifty_kills_lose_nothing(nursery, data, unbroken, tmp_path):
    chance = random.Random(7)
    kills = inside = runs = 0; calls = []
    while kills < KILLS or not finished:
        out, fields = tmp_path / str(runs), VARIANTS[runs % len(VARIANTS)]
        if kills >= KILLS:
            how = {}
        elif kills % 3 == 2:
            how = {"kill_after": chance.uniform(0, 0.5)}
        else:
            delay = chance.choice([0, chance.uniform(0, 0.003)])
            how = {"at_event": chance.randrange(1, 80), "delay": delay}
        import time; t = time.time(); answer = nursery.run(data, out, fields, **how); calls.append((round(time.time()-t,2), answer.get("events"), str(how.get("at_event",""))))
        assert answer["error"] is None, answer
        kills += answer["killed"]
        inside += answer["killed"] and "at_event" in how
        check(out)
        finished = (out / "run" / "finished.json").exists()
        if finished:
            assert_same(out, unbroken(fields))
            runs += 1
    print(kills, inside, runs, calls)
    assert inside >= 10
    assert runs >= len(VARIANTS)
