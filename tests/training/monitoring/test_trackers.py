"""Trackers are told the numbers, and cannot stop a run."""

import json
import sys
from importlib.machinery import ModuleSpec

import pytest

import anekdot
from anekdot.errors import ConfigurationError
from tests.support.runs import TINY_RUN

FAKE = """
import json, pathlib
place = pathlib.Path(__file__).with_suffix(".jsonl")
def init(**settings): write(settings)
def log(values, step):
    if step >= {limit}: raise RuntimeError("no connection")
    write({{"at": step, **values}})
def finish(): write("finished")
def write(value):
    with place.open("a") as file: file.write(json.dumps(value) + "\\n")
"""


def fake_trackio(folder, monkeypatch, limit=10**9):
    (folder / "trackio.py").write_text(FAKE.format(limit=limit), "utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "trackio", raising=False)
    return lambda: [*map(json.loads, (folder / "trackio.jsonl").read_text().splitlines())]


def test_a_tracker_receives_every_number(jokes, tmp_path, monkeypatch):
    told = fake_trackio(tmp_path, monkeypatch)
    anekdot.train(jokes, out=tmp_path / "m", **TINY_RUN, track=["trackio"])
    first, *values, last = told()
    assert first["name"] == "m"
    assert first["config"]["steps"] == TINY_RUN["steps"]
    assert last == "finished"
    losses = {value["at"]: value["step/loss"] for value in values if "step/loss" in value}
    records = map(json.loads, (tmp_path / "m/run/metrics.jsonl").read_text().splitlines())
    assert losses == {r["step"]: r["loss"] for r in records if r["kind"] == "step"}
    assert any("evaluation/bits_per_byte" in value for value in values)


def test_a_tracker_that_fails_is_dropped(jokes, tmp_path, monkeypatch):
    told = fake_trackio(tmp_path, monkeypatch, limit=20)
    notices = []
    anekdot.train(jokes, out=tmp_path / "m", **TINY_RUN, track=["trackio"], notice=notices.append)
    assert [n for n in notices if "no connection" in n and "goes on" in n]
    assert len([n for n in notices if "trackio" in n]) == 1
    assert max(value["at"] for value in told()[1:-1]) < 20


def test_a_tracker_that_breaks_while_it_is_imported(jokes, tmp_path, monkeypatch):
    fake_trackio(tmp_path, monkeypatch)
    (tmp_path / "trackio.py").write_text("raise SystemExit('no account')")
    notices = []
    anekdot.train(jokes, out=tmp_path / "m", **TINY_RUN, track=["trackio"], notice=notices.append)
    assert [n for n in notices if "no account" in n]


def test_a_run_that_is_refused_is_not_shown(jokes, tmp_path, monkeypatch):
    told = fake_trackio(tmp_path, monkeypatch)
    anekdot.train(jokes, out=tmp_path / "m", **TINY_RUN, track=["trackio"])
    before = told()
    for fields in (TINY_RUN, TINY_RUN | {"seed": 1}):
        with pytest.raises(ConfigurationError):
            anekdot.train(jokes, out=tmp_path / "m", **fields, track=["trackio"])
    assert told() == before


def test_a_run_that_is_killed_when_its_tracker_starts_goes_on(jokes, tmp_path, monkeypatch):
    """Its folder holds what the tracker wrote, and is still known as a run's."""
    fake_trackio(tmp_path, monkeypatch)
    out = tmp_path / "m"
    code = f"open({str(out / 'run/x')!r}, 'w')\nraise KeyboardInterrupt"
    (tmp_path / "trackio.py").write_text(code)
    own = {name: value for name, value in TINY_RUN.items() if name not in ("validation", "test")}
    anekdot.prepare(jokes, out=tmp_path / "data", vocab_size=300, validation=0.1, test=0.1)
    with pytest.raises(KeyboardInterrupt):
        anekdot.train(tmp_path / "data", out=out, **own, track=["trackio"])
    assert (out / "run" / "x").exists()
    anekdot.train(tmp_path / "data", out=out, **own)


def test_unknown_and_missing_trackers_are_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "trackio", raising=False)
    there = ModuleSpec("there", None, origin="here")
    found = {"trackio": None}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: found.get(name, there))
    with pytest.raises(ConfigurationError, match="tensorboard, trackio, wandb"):
        anekdot.train("nothing.txt", out=tmp_path / "m", track=["mlflow"])
    with pytest.raises(ConfigurationError, match="pip install trackio"):
        anekdot.train("nothing.txt", out=tmp_path / "m", track=["trackio"])
