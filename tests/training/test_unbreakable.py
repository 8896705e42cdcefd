"""A run cannot be lost: killed, on a failing disk, in a power cut; and these tests can fail."""

import json
import os
import random
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from anekdot.bundle import Bundle
from anekdot.errors import BundleError
from anekdot.training.checkpoint.format import checkpoints, is_whole
from tests.support.fault_injection import ForkServer
from tests.support.paths import ROOT
from tests.support.runs import TINY_RUN, weights_hash

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: forks, /proc and LD_PRELOAD"),
]

OWN = {name: value for name, value in TINY_RUN.items() if name not in ("validation", "test")}
OWN |= {"steps": 24, "evaluate_every": 4, "sample_every": 12, "dropout": 0.1}
VARIANTS = (
    OWN | {"checkpoint_every": 2},
    OWN | {"checkpoint_every": 5, "checkpoint_minutes": 0.0},
    OWN | {"checkpoint_every": 3, "checkpoints_kept": 1, "rows": "documents"},
)
PLAIN = OWN | {"steps": 12, "sample_every": 6, "checkpoint_every": 3}
KILLS = 50
POWER_CUTS, LEAST_POWER_CUTS = 8, 4
FAULTS = {  # what is counted, and how many places of it fail in turn
    "full": ("bytes", 16),
    "write fails": ("bytes", 12),
    "sync fails": ("syncs", 10),
    "rename fails": ("renames", 8),
}
RED = (AssertionError, BundleError)


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """The compiled faults.c, or None where there is no compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        return None
    library = tmp_path_factory.mktemp("shim") / "faults.so"
    source = ROOT / "tests/support/faults.c"
    options = ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"]
    subprocess.run([compiler, *options], check=True)
    return library


@pytest.fixture(scope="module")
def fork_server(shim):
    fork_server = ForkServer(shim)
    yield fork_server
    fork_server.close()


@pytest.fixture(scope="module")
def run(fork_server, data):
    """`ForkServer.run` on these texts."""
    return partial(fork_server.run, data)


@pytest.fixture(scope="module")
def unbroken(run, tmp_path_factory):
    """Returns a function that gives the folder of an unbroken run, trained once."""
    folders = {}

    def train(fields):
        key = json.dumps(fields)
        if key not in folders:
            folders[key] = tmp_path_factory.mktemp("unbroken") / "m"
            assert run(folders[key], fields)["error"] is None
        return folders[key]

    return train


def check(out):
    """What must hold whenever a run is stopped, in whatever way."""
    if (out / "model.safetensors").exists():
        Bundle.load(out)
    found = checkpoints(out / "run" / "checkpoints")
    if found:
        assert is_whole(found[-1]), f"{found[-1]} is damaged"
        assert (out / "model.safetensors").exists()


def told(out):
    """What metrics.jsonl says, without times."""
    lines = map(json.loads, (out / "run" / "metrics.jsonl").read_text("utf-8").splitlines())
    return [
        [record.get(name) for name in ("kind", "step", "loss", "bits_per_byte", "text")]
        for record in lines
        if record["kind"] in ("step", "evaluation", "sample")
    ]


def assert_same(out, other):
    assert weights_hash(out) == weights_hash(other)
    assert told(out) == told(other)
    assert (out / "run" / "finished.json").exists()


def test_fifty_kills_lose_nothing(run, unbroken, tmp_path):
    chance = random.Random(7)
    kills = inside = runs = 0
    finished = False
    while kills < KILLS or not finished:
        out, fields = tmp_path / str(runs), VARIANTS[runs % len(VARIANTS)]
        if kills >= KILLS:
            how = {}
        elif kills % 3 == 2:
            how = {"kill_after": chance.uniform(0, 0.5)}
        else:
            delay = chance.choice([0, chance.uniform(0, 0.003)])
            how = {"at_event": chance.randrange(1, 80), "delay": delay}
        before = checkpoints(out / "run" / "checkpoints")
        answer = run(out, fields, **how)
        assert answer["error"] is None, answer
        kills += answer["killed"]
        inside += answer["killed"] and "at_event" in how
        check(out)
        assert checkpoints(out / "run" / "checkpoints")[-1:] >= before[-1:]
        finished = (out / "run" / "finished.json").exists()
        if finished:
            assert_same(out, unbroken(fields))
            runs += 1
    assert inside >= 10
    assert runs >= len(VARIANTS)


@pytest.fixture(scope="module")
def totals(run, shim, tmp_path_factory):
    """How much a whole run writes, and how often it syncs and renames."""
    if shim is None:
        pytest.skip("needs a C compiler named cc")
    return run(tmp_path_factory.mktemp("totals") / "m", PLAIN, fault=["count", 0])


def assert_goes_on(run, out, unbroken):
    finished = (out / "run" / "finished.json").exists()
    answer = run(out, PLAIN)
    if finished:  # what failed came after the last file of the run
        assert "is finished" in answer["message"], answer
    else:
        assert answer["error"] is None, answer
    assert_same(out, unbroken(PLAIN))


def test_writes_that_are_cut_short_change_nothing(run, unbroken, totals, tmp_path):
    answer = run(tmp_path / "m", PLAIN, fault=["short", 0])
    assert answer["error"] is None, answer
    assert_same(tmp_path / "m", unbroken(PLAIN))
    assert answer["bytes"] == pytest.approx(totals["bytes"], rel=0.01)
    for name in ("run/curves.png", "run/samples.md", "config.json", "README.md"):
        assert (tmp_path / "m" / name).read_bytes() == (unbroken(PLAIN) / name).read_bytes(), name


@pytest.mark.parametrize("mode", FAULTS)
def test_a_disk_that_fails_anywhere_stops_a_run_and_no_more(run, unbroken, totals, tmp_path, mode):
    total, n = FAULTS[mode]
    chance, refusals = random.Random(mode), 0
    for number in range(n):
        out = tmp_path / str(number)
        low, high = (totals[total] * place // n for place in (number, number + 1))
        limit = chance.randrange(low, high) + 1
        answer = run(out, PLAIN, fault=[mode, limit])
        assert answer["failures"], (limit, answer)
        assert {"AnekdotError", "OSError"} & set(answer["error"] or []), (limit, answer)
        if mode == "full" and any(name in answer["hit"] for name in ("step-", "safetensors")):
            assert answer["error"][0] == "StorageError", (limit, answer)
            assert "MB are needed" in answer["message"]
            assert "MB are free" in answer["message"]
            refusals += 1
        check(out)
        assert_goes_on(run, out, unbroken)
        shutil.rmtree(out)
    assert refusals or mode != "full"


def cut_power(out, log, names_stay):
    """Leaves of a killed run what a disk must keep: what was flushed.

    Names that were not flushed may stay or not; content that was not is gone. No file is
    changed but by adding to it.
    """
    synced, names = {}, {}
    lines = log.read_text().splitlines() if log.exists() else []
    for inode, size, listed in map(json.loads, lines):
        if listed is None:
            synced[inode] = size
        else:
            names[inode] = set(listed)
    for folder, subfolders, files in os.walk(out):
        kept = names.get(os.stat(folder).st_ino, set())
        for path in (Path(folder, name) for name in files):
            os.truncate(path, synced.get(path.stat().st_ino, 0))
        for name in () if names_stay else {*files, *subfolders} - kept:
            path = Path(folder, name)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        subfolders[:] = [name for name in subfolders if Path(folder, name).exists()]


def lose_power(run, unbroken, tmp_path, *, names_stay, **how):
    """Kills a run here and there as a power cut would, and checks what is left."""
    chance = random.Random(11)
    out, log = tmp_path / "m", tmp_path / "log"
    folder = out / "run" / "checkpoints"
    cuts, finished = 0, False
    while not finished:
        event = chance.randrange(12, 50) if cuts < POWER_CUTS else 0
        answer = run(out, PLAIN, at_event=event, delay=0, log=str(log), **how)
        assert answer["error"] is None, answer
        if answer["killed"]:
            cuts += 1
            before = checkpoints(folder)
            cut_power(out, log, names_stay)
            check(out)
            # all but the newest are sure to have been published to the end
            assert checkpoints(folder)[-1:] >= before[-2:-1], f"{before[-2]} is lost"
        finished = (out / "run" / "finished.json").exists()
    assert cuts >= LEAST_POWER_CUTS
    assert_same(out, unbroken(PLAIN))


@pytest.mark.parametrize("names_stay", [True, False])
def test_a_power_cut_loses_nothing(run, unbroken, tmp_path, names_stay):
    lose_power(run, unbroken, tmp_path, names_stay=names_stay)


@pytest.mark.parametrize("names_stay", [True, False])
def test_without_fsync_a_power_cut_is_seen(run, unbroken, tmp_path, names_stay):
    with pytest.raises(RED):
        lose_power(run, unbroken, tmp_path, names_stay=names_stay, sabotage="no sync")


def kill_everywhere(run, tmp_path, **how):
    for event in range(4, 30):
        run(tmp_path / str(event), PLAIN, at_event=event, delay=0, **how)
        check(tmp_path / str(event))


def test_a_kill_at_the_beginning_breaks_nothing(run, tmp_path):
    kill_everywhere(run, tmp_path)


def test_without_a_rename_a_kill_is_seen(run, tmp_path):
    with pytest.raises(RED):
        kill_everywhere(run, tmp_path, sabotage="no rename")


def flip(path):
    """Turns one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def flipped(run, tmp_path):
    """A run that was killed half way, whose newest checkpoint has a flipped bit."""
    out = tmp_path / "m"
    for event in range(60, 20, -5):
        shutil.rmtree(out, ignore_errors=True)
        killed = run(out, PLAIN, at_event=event, delay=0)["killed"]
        found = checkpoints(out / "run" / "checkpoints")
        if killed and len(found) > 1 and found[-1].name < "step-00000020":
            check(out)
            flip(found[-1] / "model.safetensors")
            return out
    raise AssertionError("no kill left enough checkpoints")


def get_over_it(run, unbroken, flipped, **how):
    before, newest = checkpoints(flipped / "run" / "checkpoints")[-2:]
    answer = run(flipped, PLAIN, **how)
    assert answer["error"] is None, answer
    assert f"{newest} is damaged: going on from {before.name}." in "\n".join(answer["notices"])
    assert_same(flipped, unbroken(PLAIN))


def test_a_flipped_bit_is_got_over(run, unbroken, flipped):
    with pytest.raises(RED):
        check(flipped)
    get_over_it(run, unbroken, flipped)


def test_without_hashes_a_flipped_bit_is_seen(run, unbroken, flipped):
    with pytest.raises(RED):
        get_over_it(run, unbroken, flipped, sabotage="no hash")
