"""A flipped bit, a file cut short, a file gone: found, said, and got over."""

import hashlib
import json
import re
import shutil

import pytest

import anekdot
from anekdot.bundle import Bundle
from anekdot.corpus.provenance import SOURCES
from anekdot.errors import AnekdotError, BundleError, CorpusError
from anekdot.training.checkpoint import format as room
from anekdot.training.checkpoint.format import (
    HASHES,
    MODEL,
    OPTIMIZER,
    STATE,
    checkpoints,
    is_whole,
)
from tests.support.runs import TINY_RUN, weights_hash

pytestmark = pytest.mark.slow  # dozens of runs

OWN = {name: value for name, value in TINY_RUN.items() if name not in ("validation", "test")}
OWN |= {"steps": 24, "checkpoint_every": 4, "dropout": 0.1}
STOPPED = 18


@pytest.fixture(scope="module")
def unbroken(data, tmp_path_factory):
    """The weights of a run that nothing happened to."""
    return weights_hash(
        anekdot.train(data, out=tmp_path_factory.mktemp("unbroken") / "m", **OWN).bundle
    )


@pytest.fixture(scope="module")
def stopped(data, tmp_path_factory):
    """A run that was stopped between two checkpoints, with two of them."""
    out = tmp_path_factory.mktemp("stopped") / "m"

    def stop(record):
        if record["step"] >= STOPPED:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anekdot.train(data, out=out, observe=stop, **OWN)
    assert len(checkpoints(out / "run" / "checkpoints")) == 2
    return out


@pytest.fixture
def out(stopped, tmp_path):
    """A copy of the stopped run."""
    return shutil.copytree(stopped, tmp_path / "m")


def flip(path, place=0.5):
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-2])


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def newest(out):
    return checkpoints(out / "run" / "checkpoints")[-1]


def go_on(data, out):
    """Goes on, and returns what was said."""
    said = []
    anekdot.train(data, out=out, notice=said.append, **OWN)
    assert (out / "run" / "finished.json").exists()
    return " ".join(said)


def assert_got_over(data, out, unbroken):
    damaged, before = newest(out), checkpoints(out / "run" / "checkpoints")[-2]
    said = go_on(data, out)
    assert str(damaged) in said
    assert "damaged" in said
    assert f"going on from {before.name}" in said
    assert weights_hash(out) == unbroken
    assert all(map(is_whole, checkpoints(out / "run" / "checkpoints")))


@pytest.mark.parametrize("damage", [flip, cut, empty, remove])
@pytest.mark.parametrize("name", [MODEL, OPTIMIZER, STATE, HASHES])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(data, out, unbroken, name, damage):
    damage(newest(out) / name)
    assert_got_over(data, out, unbroken)


@pytest.mark.parametrize("place", [0, -1])
def test_a_link_in_place_of_a_checkpoint_goes_and_not_what_it_leads_to(
    data, out, unbroken, tmp_path, place
):
    path, elsewhere = checkpoints(out / "run" / "checkpoints")[place], tmp_path / "elsewhere"
    shutil.rmtree(path)
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    path.symlink_to(elsewhere)
    go_on(data, out)
    assert weights_hash(out) == unbroken
    assert not path.is_symlink()
    assert (elsewhere / "kept").exists()


def test_an_empty_checkpoint_gives_way_to_the_one_before(data, out, unbroken):
    path = newest(out)
    shutil.rmtree(path)
    path.mkdir()
    assert_got_over(data, out, unbroken)


@pytest.mark.parametrize("damage", [flip, cut, remove])
def test_where_all_checkpoints_are_damaged_nothing_is_deleted(data, out, damage):
    folder = out / "run" / "checkpoints"
    for path in checkpoints(folder):
        damage(path / MODEL)
    before = contents(out)
    with pytest.raises(BundleError, match=re.escape(str(folder))) as refused:
        go_on(data, out)
    assert "--out" in refused.value.remedy
    assert "--from" in refused.value.remedy
    assert contents(out) == before


def contents(out):
    """All files but the lock, with their bytes."""
    return {
        path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != "lock"
    }


@pytest.mark.parametrize("damage", [flip, cut, empty, remove])
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_bundle_is_said_and_replaced(data, out, name, damage, unbroken):
    damage(out / name)
    with pytest.raises(AnekdotError):
        Bundle.load(out)
    loadable = []

    def look(record):
        if not loadable:
            loadable.append(Bundle.load(out))

    said = []
    anekdot.train(data, out=out, notice=said.append, observe=look, **OWN)
    what = "newest checkpoint takes its place" if name.startswith("model") else "written anew"
    assert any(what in sentence for sentence in said)
    assert loadable
    assert (out / "run" / "finished.json").exists()
    Bundle.load(out)
    assert weights_hash(out) == unbroken  # the best one came later


@pytest.mark.parametrize("damage", [flip, cut, remove])
def test_damaged_prepared_texts_are_refused(data, stopped, tmp_path, damage):
    """Each file in turn, by a new run and by one that goes on."""
    shutil.copytree(stopped, tmp_path / "begun")
    for path in sorted(set(data.iterdir()) - {data / SOURCES}):  # that one is a memo
        broken = shutil.copytree(data, tmp_path / f"{path.name} broken")
        damage(broken / path.name)
        for out in (tmp_path / "begun", tmp_path / "new"):
            before = contents(out)
            with pytest.raises(CorpusError) as refused:
                anekdot.train(broken, out=out, **OWN)
            assert path.name in str(refused.value)
            assert contents(out) == before


@pytest.mark.parametrize("place", [0.0, 0.2, 0.5, 0.96])
def test_a_damaged_record_of_the_settings_is_refused(data, out, place):
    flip(out / "run" / "config.json", place)
    with pytest.raises(AnekdotError):
        go_on(data, out)


def test_a_checkpoint_of_another_version_is_refused(data, out):
    for path in checkpoints(out / "run" / "checkpoints"):
        state = json.loads((path / STATE).read_text("utf-8"))
        (path / STATE).write_text(json.dumps({**state, "of_tomorrow": 1}), "utf-8")
        hashes = json.loads((path / HASHES).read_text("utf-8"))
        hashes[STATE] = hashlib.sha256((path / STATE).read_bytes()).hexdigest()
        (path / HASHES).write_text(json.dumps(hashes), "utf-8")
    before = contents(out)
    with pytest.raises(BundleError, match="of_tomorrow"):
        go_on(data, out)
    assert contents(out) == before


def test_no_damage_of_the_numbers_stops_a_run(data, out, unbroken):
    metrics = out / "run" / "metrics.jsonl"
    first, second, *others = metrics.read_text("utf-8").splitlines()
    odd = [
        first.replace('"step":', '"stdp":'), first.replace('"kind":', '"kinf":'), first[:-1],
        "7", "[]", "null", '"step"', "{}", '{"kind": "step", "step": null}', "\ufffd",
        '{"kind": "step", "step": 1}', '{"kind": "evaluation", "step": 1}', "[" * 100_000,
        '{"kind": "sample", "step": 1}', '{"kind": "step", "step": "1", "loss": 1.0}',
    ]  # fmt: skip
    metrics.write_text("\n".join([*odd, second, *others]) + "\n", "utf-8")
    go_on(data, out)
    assert weights_hash(out) == unbroken


def test_these_tests_see_when_nothing_is_checked(data, out, unbroken, monkeypatch):
    monkeypatch.setattr(room, "is_whole", lambda path: True)
    flip(newest(out) / MODEL)
    with pytest.raises(AssertionError):
        assert_got_over(data, out, unbroken)
